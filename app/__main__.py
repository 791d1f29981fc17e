"""``python -m app`` opens the window; ``python -m app COMMAND`` does one thing without one.

The executable of a bundle does the same. ``--engine-child`` is the engine process, which the window and the commands
start.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from app import __version__, program

# Measuring compares with what is not in a bundle.
COMMANDS = ("compose", "install", "models", *(() if program.BUNDLED else ("bench",)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit code: 0 done, 1 it could not be done, 2 wrong arguments."""
    program.have_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Only what is asked for is imported: the window must not pay for the others, nor they for Qt.
    if words[:1] == [program.ENGINE]:
        from app.engine.process import main as serve

        serve()
    asked = next((word for word in words if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="bainiantie" if program.BUNDLED else "python -m app",
        description="拜年帖：写给一个人的新年祝福，在你自己的电脑上。",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", metavar="{" + ",".join(COMMANDS) + "}")
    if asked in COMMANDS:
        command = import_module(f"app.commands.{asked}")
        command.add_parser(subparsers)
        return command.run(parser.parse_args(words))
    if asked is not None and asked == words[0]:
        parser.error(f"没有 {asked!r} 这个命令 (unknown command); 可用 (known): {', '.join(COMMANDS)}")
    _add_window_options(parser)
    options = parser.parse_args(words)
    if options.self_test:
        from app.commands.self_test import run as test_itself

        return test_itself(options.model, options.device)
    from app.gui.application import run

    report = (lambda: print("painted", flush=True)) if options.report_first_paint else None
    return run(options.model, options.language, options.theme, options.device, on_first_paint=report)


def _add_window_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, metavar="FILE", help="用这个 GGUF 模型文件 (model file to use)")
    parser.add_argument("--language", choices=("zh_CN", "en"), help="界面语言 (default: the last chosen)")
    parser.add_argument("--theme", choices=("light", "dark", "system"), help="外观 (default: the last chosen)")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto", help="用什么算 (default: auto)")
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="不开窗口：打开模型，写一条祝福，打印 JSON (no window: open the model, write one greeting, print JSON)",
    )
    # For `bench`: print one word at the first paint, and close.
    parser.add_argument("--report-first-paint", action="store_true", help=argparse.SUPPRESS)


if __name__ == "__main__":
    sys.exit(main())
