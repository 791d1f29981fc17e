"""Work of minutes, in a thread so that it stops at once when told to; what it does is told as JSON lines or as a bar.

As JSON every line is one object: ``progress`` (step, done, total, zh, en), and last the result, or ``error`` (code, zh,
en, detail). The process ends within two seconds, to go on from there the next time, on SIGTERM or Ctrl+C and, with
JSON, when its standard input (a pipe) is closed: a window that dies takes it along.
"""

import json
import locale
import os
import queue
import signal
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.commands.hints import hint_for
from app.commands.progress_bar import ProgressBar
from app.compose.sentence import ExplainedError, Sentence
from app.models.errors import Cancelled
from app.models.progress import Paced, Progress

GRACE = 1.5  # seconds the work is given to stop by itself
_TICK = 0.1  # seconds; a wait without an end cannot be interrupted by Ctrl+C everywhere
INTERRUPTED = 130


@dataclass(frozen=True)
class Result:
    """What came of it: ``kind`` and ``facts`` for a program, ``sentence`` for a person."""

    kind: str
    sentence: Sentence
    facts: dict[str, Any] = field(default_factory=dict)


Outcome = Result | Exception
Work = Callable[[Callable[[Progress], None], Callable[[], bool]], Result]
"""Is given whom to tell how far it is, and whether it is to stop."""


def carry_out(work: Work, *, as_json: bool) -> int:
    """Do ``work``. Returns 0, 1 when something is in the way, 130 when it was stopped."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if as_json:
        _watch_input(stop)
    show: _JsonLines | _Terminal = _JsonLines(stop) if as_json else _Terminal()
    messages: queue.SimpleQueue[Progress | Outcome] = queue.SimpleQueue()

    def do() -> None:
        try:
            messages.put(work(messages.put, stop.is_set))
        except Exception as error:  # told to the person by the main thread, whatever it is
            messages.put(error)

    # A thread, so that an order to stop is heard at once also while a library waits for the network. It dies with us.
    worker = threading.Thread(target=do, name="work", daemon=True)
    worker.start()
    outcome = _follow(messages, show, stop)
    show.end(outcome)
    if worker.is_alive() and stop.is_set():
        # Still inside a call that does not look up. What is on the disk is good at any moment.
        os._exit(INTERRUPTED)
    if isinstance(outcome, Result):
        return 0
    return INTERRUPTED if isinstance(outcome, Cancelled) else 1


def _follow(
    messages: "queue.SimpleQueue[Progress | Outcome]", show: "_JsonLines | _Terminal", stop: threading.Event
) -> Outcome:
    """Show what comes until the outcome does, or until a stopped worker has had its time."""
    patience = GRACE
    paced = Paced(show.progress)
    while True:
        try:
            message = messages.get(timeout=_TICK)
        except queue.Empty:
            paced.flush()
            if stop.is_set():
                patience -= _TICK
                if patience <= 0:
                    return Cancelled()
            continue
        if not isinstance(message, Progress):
            paced.flush()
            return message
        paced.take(message)


def _watch_input(stop: threading.Event) -> None:
    """Stop when whoever holds the other end of our standard input lets go of it."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return  # a terminal, a file or the null device: nobody to be missed

    def watch() -> None:
        # Not through sys.stdin: its lock, held by a waiting thread, keeps Python from ending.
        try:
            while os.read(0, 4096):
                continue
        except OSError:
            stop.set()
        stop.set()

    threading.Thread(target=watch, name="standard input", daemon=True).start()


class _JsonLines:
    """Tells a program."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def progress(self, progress: Progress) -> None:
        self._print(
            {"type": "progress", "step": progress.step, "done": progress.done, "total": progress.total}
            | _languages(progress.sentence)
        )

    def end(self, outcome: Outcome) -> None:
        if isinstance(outcome, Result):
            self._print({"type": outcome.kind} | _languages(outcome.sentence) | outcome.facts)
            return
        code, sentence, detail = _explained(outcome)
        self._print({"type": "error", "code": code} | _languages(sentence) | {"detail": detail})

    def _print(self, message: dict[str, Any]) -> None:
        try:
            print(json.dumps(message, ensure_ascii=False), flush=True)
        except OSError:
            # Nobody listens any more: stop. The descriptor is replaced so that the last flush at exit is quiet too.
            self._stop.set()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class _Terminal:
    """Tells a person."""

    def __init__(self) -> None:
        self._bar = ProgressBar(sys.stdout, terminal_language())

    def progress(self, progress: Progress) -> None:
        self._bar.show(progress)

    def end(self, outcome: Outcome) -> None:
        self._bar.close()
        if isinstance(outcome, Result):
            print(outcome.sentence.in_language(terminal_language()))
            return
        code, sentence, detail = _explained(outcome)
        print(sentence.zh, sentence.en, sep="\n", file=sys.stderr)
        if (hint := hint_for(code)) is not None:
            print(hint.zh, hint.en, sep="\n", file=sys.stderr)
        if detail and not isinstance(outcome, Cancelled):
            print(f"\n{detail}", file=sys.stderr)


def _languages(sentence: Sentence) -> dict[str, str]:
    return {"zh": sentence.zh, "en": sentence.en}


def terminal_language() -> str:
    """Chinese, unless the terminal is set to English."""
    named = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in named if name), None) or locale.getlocale()[0] or ""
    return "en" if chosen.lower().startswith("en") else "zh"


def _explained(error: Exception) -> tuple[str, Sentence, str]:
    """Code, sentence and detail of whatever ended the work."""
    if isinstance(error, ExplainedError):
        return getattr(error, "code", "failed"), error.sentence, error.detail
    return (
        "internal",
        Sentence(
            "程序出了意料之外的错，没有做完。做完的部分都留着，请重试；若仍如此，请把下面的详情发给我们。",
            "Something unforeseen went wrong, and this is unfinished. What is done is kept; try again, and if it stays "
            "so, send us the details below.",
        ),
        f"{type(error).__name__}: {error}",
    )
