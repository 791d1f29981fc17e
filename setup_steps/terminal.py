"""What a person sees meanwhile: sentences in both languages, and a line that says what is being done, for how long.

All of it goes to stderr, so that what the program itself prints can be read by another program.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO

from app.compose.sentence import ExplainedError, Sentence

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
HEARTBEAT = 30.0  # seconds between two lines where the output is not a terminal
GRACE = 3.0  # seconds a stopped command has to end by itself


class SetupError(ExplainedError):
    """A step could not be done; the sentence says why and what to do."""


def lines(sentence: Sentence, stream: TextIO) -> list[str]:
    """The sentence's lines for a stream: Chinese and English, or English alone where it cannot write Chinese."""
    return [sentence.zh, sentence.en] if can_write(sentence.zh, stream) else [sentence.en]


def can_write(text: str, stream: TextIO) -> bool:
    """Whether the stream's encoding has every character of the text."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


def say(sentence: Sentence) -> None:
    """Print a sentence, each language on a line of its own."""
    print(*lines(sentence, sys.stderr), sep="\n", file=sys.stderr, flush=True)


def width(text: str) -> int:
    """Columns the text takes in a terminal; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def fitted(text: str, columns: int) -> str:
    """The text cut to so many columns."""
    while width(text) > columns:
        text = text[:-1]
    return text


def clock(seconds: float) -> str:
    """A duration as ``m:ss``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Activity:
    """The line about one step: drawn over itself in a terminal, repeated now and then elsewhere.

    Leaving it without an exception marks the step as done.
    """

    def __init__(self, label: Sentence, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._label = " · ".join(lines(label, self._stream))
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._fancy = can_write(SPINNER + "✓✗", self._stream)
        self._start = self._last = time.monotonic()
        self._frame = 0

    def __enter__(self) -> Self:
        if not self._live:
            self._print(f"{'▸' if self._fancy else '>'} {self._label}\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        mark = ("✓" if self._fancy else "+") if kind is None else ("✗" if self._fancy else "x")
        self._print(f"{self._erase()}{mark} {self._label}  {clock(time.monotonic() - self._start)}\n")

    def tick(self, detail: str = "") -> None:
        """Show that time passes, and what is being done."""
        now = time.monotonic()
        elapsed = clock(now - self._start)
        detail = detail if can_write(detail, self._stream) else ""
        if self._live:
            self._frame += 1
            mark = SPINNER[self._frame % len(SPINNER)] if self._fancy else "|/-\\"[self._frame % 4]
            text = f"{mark} {self._label}  {elapsed}  {detail}"
            self._print(self._erase() + fitted(text, shutil.get_terminal_size().columns - 1))
        elif now - self._last >= HEARTBEAT:
            self._last = now
            self._print(f"  {self._label}  {elapsed}  {detail}\n")

    def _erase(self) -> str:
        return "\r\x1b[K" if self._live else ""

    def _print(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def last_line(tail: str) -> str:
    """The last line of a log that says something."""
    return next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "")


def compiled(tail: str) -> str:
    """How far a compilation is, from ninja's ``[12/140]``; the last line before it has begun."""
    counts = re.findall(r"^\s*\[(\d+/\d+)\]", tail, re.MULTILINE)
    return counts[-1] if counts else last_line(tail)


def tail_of(log: Path, size: int = 8192) -> str:
    """The end of a log that is being written."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode("utf-8", "replace")


def run_logged(
    command: Sequence[str],
    log: Path,
    label: Sentence,
    *,
    environment: Mapping[str, str] | None = None,
    detail: Callable[[str], str] = last_line,
    inherited: Sequence[int] = (),
) -> int:
    """Run a command with its output in a log and its progress on the line; returns its exit code.

    Interrupted, it stops the command with everything that one has started, and raises KeyboardInterrupt.

    Args:
        detail: makes what the line shows out of the log's end.
        inherited: descriptors the command keeps open; a lock that must outlive a killed parent.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output, Activity(label) as activity:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=inherited if os.name == "posix" else (),
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        try:
            while True:
                try:
                    code = child.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    activity.tick(detail(tail_of(log)))
        except BaseException:
            stop_tree(child)
            raise
        if code != 0:
            # Leaves the activity marked as failed; the caller says what it means.
            raise CommandFailed(label, code, log)
    return code


class CommandFailed(SetupError):
    """A step's command ended with an exit code other than 0; ``log`` holds what it printed."""

    def __init__(self, label: Sentence, code: int, log: Path) -> None:
        self.log = log
        last = "\n".join(tail_of(log).splitlines()[-15:])
        super().__init__(
            Sentence(
                f"“{label.zh}”没有成功（退出码 {code}）。解决后再运行一次会接着来。完整记录在 {log}，最后几行：",
                f"This step failed (exit code {code}): {label.en}. When it is resolved, run again to go on from here. "
                f"The whole log is {log}; its last lines:",
            ),
            last,
        )


def stop_tree(child: "subprocess.Popen[bytes]") -> None:
    """Stop a command begun by :func:`run_logged` and everything it has started; first kindly, then not."""
    if os.name == "posix":
        for number in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(child.pid, number)
                child.wait(timeout=GRACE)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue
        return
    subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True, check=False)
    child.wait()
