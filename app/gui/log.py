"""The program's log: what it and its engine did and how that failed, in a file beside the data, of bounded size.

Nothing a person typed is in it. Events are told by kind and number, what goes wrong by its code; of an exception only
its type and where it was raised, never its message, which may quote what was typed.
"""

import contextlib
import faulthandler
import logging
import os
import queue
import threading
import traceback
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from app.engine.protocol import Died, Event, Failed, Ready
from app.gui.models_process import Job, Outcome, Refusal
from app.gui.report import program_and_system

FILE, CRASH_FILE = "bainiantie.log", "crash.txt"
LARGEST, KEPT = 256_000, 2  # bytes of one file, and how many full ones are kept beside it
TAIL = 6000  # bytes of it that go into the diagnostics
_CLOSING_SECONDS = 1.0  # a disk that hangs must not keep the window from closing

_log = logging.getLogger(__name__)


class Log:
    """The log in ``folder``, which need not exist. The window never waits for the disk: threads of its own write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listener: QueueListener | None = None
        self._receiver: QueueHandler | None = None

    def open(self) -> None:
        """Take down what the program says from now on, after how it crashed the last time, if it did."""
        lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._receiver = QueueHandler(lines)
        self._receiver.setFormatter(_Discreet("%(asctime)s %(levelname)s %(message)s"))
        self._listener = QueueListener(lines, _File(self._folder))
        self._listener.start()
        logger = logging.getLogger("app")
        logger.setLevel(logging.INFO)
        logger.addHandler(self._receiver)
        _log.info(program_and_system())

    def catch_crashes(self) -> None:
        """Have a crash in native code written down, for the next start to find."""
        threading.Thread(target=self._catch, name="crashes", daemon=True).start()

    def close(self) -> None:
        """Write what is still to be written."""
        if self._receiver is None or self._listener is None:
            return
        _log.info("closed")
        logging.getLogger("app").removeHandler(self._receiver)
        ending = threading.Thread(target=self._listener.stop, name="log", daemon=True)
        self._receiver = self._listener = None
        ending.start()
        ending.join(_CLOSING_SECONDS)

    def tail(self) -> str:
        """The last that was taken down; "" where there is no log."""
        try:
            with (self._folder / FILE).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
                return file.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def _catch(self) -> None:
        with contextlib.suppress(OSError):  # it is a help for another day; without it everything works as well
            self._folder.mkdir(parents=True, exist_ok=True)
            # faulthandler keeps it open: when it is needed it is too late to open a file.
            faulthandler.enable((self._folder / CRASH_FILE).open("a", encoding="utf-8"))


def log_engine(event: Event) -> None:
    """Take down how the engine fares; nothing of what it writes."""
    if isinstance(event, Ready):
        _log.info(
            "engine ready: %s; %d parameters, %d layers on the GPU, %d threads, context %d, %.1f s",
            *(event.reason.en, event.parameters, event.layers_on_gpu, event.threads, event.context, event.seconds),
        )
    elif isinstance(event, Failed):
        _log.error("%s: %s", "a text failed" if event.job is not None else "the model is not opened", event.code)
    elif isinstance(event, Died):
        _log.error("engine died (%d), %s", event.exit_code, "restarting" if event.restarting else "given up")


def log_done(job: Job, outcome: Outcome) -> None:
    """Take down that something was done with models."""
    _log.info("models %s: %s", job.action, outcome.kind)


def log_failed(job: Job, refusal: Refusal) -> None:
    """Take down that something was not. Details may hold an address somebody typed."""
    _log.error("models %s: %s", job.action, refusal.code)


def log_unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Take down an error nobody foresaw."""
    _log.error("unforeseen", exc_info=(kind, error, trace))


def log_unsaved() -> None:
    """Take down that the disk was too slow to write everything before the program ended."""
    _log.error("closed before everything was written")


class _Discreet(logging.Formatter):
    """Leaves out what exceptions say."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another formatter's, kept for us to use
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        kind, _, trace = ei
        return "".join((*traceback.format_tb(trace), kind.__name__))


class _File(RotatingFileHandler):
    """The file. It is opened, and the folder made, when the first line comes: in the thread that writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__(folder / FILE, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", delay=True)

    def _open(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        stream = super()._open()
        if crash := _take(self._folder / CRASH_FILE):
            stream.write(f"the program crashed the last time:\n{crash}\n")
        return stream

    def handleError(self, record: logging.LogRecord) -> None:
        """A disk that takes no log is no reason to stop; where it matters to the person they are told."""


def _take(path: Path) -> str:
    """The text of a file, which is emptied."""
    try:
        with path.open("r+", encoding="utf-8", errors="replace") as file:
            text = file.read().strip()
            file.truncate(0)
    except OSError:
        return ""
    return text[-TAIL:]
