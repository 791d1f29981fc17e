"""A real child process that speaks as ``python -m app models fetch --json`` does: for tests of the window alone.

``python -m tests.gui.stand_in_installer [--steps N] [--then installed|error|silence] [--state FILE] fetch …``: goes on
in FILE where it was ended, and ends when its standard input does.
"""

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

TOTAL = 1_117_320_768


def main() -> int:
    """Install nothing, and tell about it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pace", type=float, default=0.01)
    parser.add_argument("--then", choices=("installed", "error", "silence"), default="installed")
    parser.add_argument("--state", type=Path)
    options, asked = parser.parse_known_args()
    assert asked[0] == "fetch", asked

    def watch() -> None:
        while os.read(0, 4096):
            continue
        os._exit(130)

    threading.Thread(target=watch, daemon=True).start()
    begun = int(options.state.read_text()) if options.state and options.state.exists() else 0
    print("a library's stray line", flush=True)
    for step in range(begun, options.steps + 1):
        say(
            type="progress",
            step="download",
            done=TOTAL * step // options.steps,
            total=TOTAL,
            zh="正在下载基础模型",
            en="Downloading the base model",
        )
        if options.state:
            options.state.write_text(str(step))
        time.sleep(options.pace)
    if options.then == "installed":
        say(type="progress", step="trial", done=1, total=1, zh="正在试写一条祝福", en="Writing one greeting to try it")
        say(type="installed", zh="模型已就绪", en="The model is ready", path="model.gguf", sha256="0" * 64)
        return 0
    if options.then == "error":
        say(
            type="error",
            code="disk_full",
            zh="磁盘空间不够：装模型还需要 2,100 MB，只剩 800 MB。请再腾出 1,300 MB 后继续；已下载的部分不会丢。",
            en="The disk is too small: 2,100 MB more are needed and 800 MB are left. Free another 1,300 MB.",
            detail="ENOSPC",
        )
        return 1
    print("the reason why", file=sys.stderr)
    return 3


def say(**message: Any) -> None:
    """One line out."""
    print(json.dumps(message, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
