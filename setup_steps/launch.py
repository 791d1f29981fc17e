"""Starting what was installed: the program in place of this process, or the tests on a screen of their own."""

import contextlib
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from app.compose.sentence import Sentence
from setup_steps.terminal import SetupError

PATIENCE = 5.0  # seconds a program has to end by itself after Ctrl+C, which it has received too
SCREEN = "1600x1200x24"


def program_environment(root: Path) -> dict[str, str]:
    """This environment, with the checkout where Python finds ``app``, whatever folder the person is in."""
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def become(python: Path, root: Path, package: str, arguments: list[str]) -> NoReturn:
    """Start ``python -m PACKAGE`` in place of this process; ``-P`` keeps a folder of that name that is here out of it.

    Args:
        package: ``app`` or ``training``.
    """
    command = [str(python), "-P", "-m", package, *arguments]
    environment = program_environment(root)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(python, command, environment)
    # On Windows exec returns to the prompt at once and leaves the program without its console.
    sys.exit(follow(subprocess.Popen(command, env=environment)))


def follow(child: "subprocess.Popen[bytes]") -> int:
    """Wait for a program that shares our terminal; returns its exit code, negative for a signal.

    Interrupted, it lets the program end by itself, then makes it, and raises KeyboardInterrupt.
    """
    try:
        return child.wait()
    except KeyboardInterrupt:
        for stop in (child.terminate, child.kill):
            try:
                child.wait(timeout=PATIENCE)
                break
            except subprocess.TimeoutExpired:
                stop()
        child.wait()
        raise


def run_tests(python: Path, root: Path, arguments: list[str]) -> int:
    """Run pytest in the checkout and return its exit code; on Linux with a screen that nobody sees.

    Windows the tests open stay off the person's desktop. Which of them use the screen is theirs to say
    (``QT_QPA_PLATFORM``).
    """
    environment = program_environment(root)
    with contextlib.ExitStack() as stack:
        if sys.platform.startswith("linux"):
            environment["DISPLAY"] = stack.enter_context(virtual_screen())
            environment.pop("WAYLAND_DISPLAY", None)
        command = [str(python), "-m", "pytest", *arguments]
        return follow(subprocess.Popen(command, cwd=root, env=environment))


@contextlib.contextmanager
def virtual_screen() -> Iterator[str]:
    """An X server without a monitor, on the first free display, whose name is yielded (``:1``)."""
    server = shutil.which("Xvfb")
    if server is None:
        raise SetupError(
            Sentence(
                "找不到 Xvfb。请安装软件包 xvfb 再试。", "Xvfb was not found. Install the package xvfb and try again."
            )
        )
    reading, writing = os.pipe()
    command = [server, "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, pass_fds=(writing,), stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as answer:
            ready, _, _ = select.select([answer], [], [], 30.0)
            number = answer.readline().strip().decode() if ready else ""
        if not number:
            raise SetupError(
                Sentence(
                    "虚拟屏幕 Xvfb 没有启动起来。请单独运行 Xvfb :99 看看它说什么。",
                    "The virtual screen Xvfb did not start. Run Xvfb :99 by itself to see what it says.",
                )
            )
        yield f":{number}"
    finally:
        process.terminate()
        process.wait()
