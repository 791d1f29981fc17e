"""The file of people and greetings, seen from the window: it lives in a thread of its own, and the window never waits.

A question is a function over the open store. What it returns, or the error it meets, is handed to a function in the
window's thread. Questions are answered in the order they were asked, so that a text is there before it is marked.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QStandardPaths, Signal

from app.compose.sentence import ExplainedError, Sentence
from app.gui.unforeseen import UNFORESEEN

if TYPE_CHECKING:
    from app.people.store import Store

FILE = "people.sqlite3"
PATIENCE = 2.0  # seconds that closing waits for the thread to end
WRITING_PATIENCE = 60.0  # and while something is still to be written, behind a long import perhaps
_LOOK = 0.05  # seconds between two looks at how far that is


class Way(Enum):
    """How to open a file that could not be opened."""

    AGAIN = "again"
    BACKUP = "backup"  # the newest backup in its place
    ANEW = "anew"  # set aside, with an empty one in its place


@dataclass(frozen=True)
class Trouble:
    """Why the file is not open, and which ways lead on."""

    error: ExplainedError
    ways: tuple[Way, ...]


@dataclass(eq=False)
class Question:
    """Something asked of the store. One that only reads can be dropped: then nobody hears the answer."""

    work: "Callable[[Store], Any]"
    answer: Callable[[Any], None] | None
    refuse: Callable[[ExplainedError], None] | None
    writes: bool
    dropped: bool = False

    def drop(self) -> None:
        """The answer is no longer wanted."""
        self.dropped = True


def people_file(folder: Path | None = None) -> Path:
    """Where the file lies: in ``folder``, or in the platform's place for this program's data."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)
    return (folder or Path(place)) / FILE


class PeopleThread(QObject):
    """Owns the store. ``trouble`` says why it is not open, None while it is or is being opened.

    ``writes`` counts the questions that write, so that a page can tell whether it is out of date: what it asks then is
    answered after them.

    ``opened`` carries what the person should be told about the opening; ``refused`` an error nobody asked to be given;
    ``wrote`` follows every question that wrote; ``erasing`` comes before everything is removed, ``erased`` after.
    """

    opened = Signal(object)  # tuple[Sentence, ...]
    wrote = Signal()
    erasing = Signal()
    erased = Signal()
    failed = Signal(object)  # Trouble
    refused = Signal(object)  # ExplainedError
    _arrived = Signal(object)

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._tasks: queue.SimpleQueue[Question | Way | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._store: Store | None = None  # the thread's own, like the error below
        self._error: ExplainedError | None = None
        self.trouble: Trouble | None = None
        self.writes = 0
        self._answered = 0  # of them; counted by the thread
        self._arrived.connect(self._take)

    def begin(self) -> None:
        """Open the file; ``opened`` or ``failed`` follows. What was asked before is answered then."""
        # A daemon, because a disk that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._serve, name="people", daemon=True)
        self._thread.start()

    def reopen(self, way: Way) -> None:
        """Try to open the file once more, in one of the ways of ``trouble``."""
        self._tasks.put(way)

    def read(
        self,
        work: "Callable[[Store], Any]",
        answer: Callable[[Any], None],
        refuse: Callable[[ExplainedError], None] | None = None,
    ) -> Question:
        """Ask what only reads; closing the window, or ``drop``, makes it void."""
        return self._ask(Question(work, answer, refuse, writes=False))

    def write(
        self,
        work: "Callable[[Store], Any]",
        answer: Callable[[Any], None] | None = None,
        refuse: Callable[[ExplainedError], None] | None = None,
    ) -> Question:
        """Ask what writes; once ``answer`` is called it is on the disk. Closing the window waits for it."""
        return self._ask(Question(work, answer, refuse, writes=True))

    def tell(self, tell: Callable[[], None]) -> None:
        """Call a function in the window's thread: for work that runs in the store's and has something to say."""
        self._arrived.emit(tell)

    def erase(self) -> None:
        """Remove everything for good, the backups too. What is asked during ``erasing`` is removed too."""
        from app.people.deletion import erase_everything

        self.erasing.emit()
        self.write(erase_everything, lambda _: self.erased.emit())

    def close(self, seconds: float = PATIENCE, writing: float = WRITING_PATIENCE) -> bool:
        """Write what is still to be written, and close the file; whether that came to its end in time.

        What is not finished then was never confirmed, and is either whole in the file or not there.

        Args:
            seconds: how long to wait for the thread.
            writing: how long, while a question that writes has no answer yet.
        """
        self._closing = True
        if self._thread is None:
            return True
        self._tasks.put(None)
        self._thread.join(seconds)
        end = time.monotonic() + writing - seconds
        while self._thread.is_alive() and self._answered < self.writes and time.monotonic() < end:
            self._thread.join(_LOOK)
        return not self._thread.is_alive()

    def _ask(self, question: Question) -> Question:
        self.writes += question.writes
        self._tasks.put(question)
        return question

    def _take(self, tell: Callable[[], None]) -> None:
        if not self._closing:
            tell()

    def _serve(self) -> None:
        self._open(Way.AGAIN)
        while (task := self._tasks.get()) is not None:
            if isinstance(task, Way):
                self._open(task)
                continue
            if not task.dropped and (task.writes or not self._closing):
                self._answer(task)
            self._answered += task.writes
        if self._store is not None:
            self._store.close()

    def _open(self, way: Way) -> None:
        if self._store is not None:
            return
        try:
            self._store, self._error = _opened(self._path, way), None
        except Exception as unforeseen:
            error = unforeseen if isinstance(unforeseen, ExplainedError) else _unforeseen(unforeseen)
            self._error = error
            self.tell(partial(self._tell_failed, Trouble(error, _ways_on(error, way, _is_backed_up(self._path)))))
            return
        notices = self._store.notices
        if not self._store.read_only:
            try:
                # Undo reaches as far as the window that deleted: of an earlier one nothing is left to undo.
                _purge(self._store)
            except ExplainedError as error:
                notices += (error.sentence,)
            except Exception as error:
                self.tell(partial(_raise, error))
        self.tell(partial(self._tell_opened, notices))

    def _answer(self, question: Question) -> None:
        try:
            if self._store is None:
                assert self._error is not None
                raise self._error
            value = question.work(self._store)
        except ExplainedError as error:
            self.tell(partial(self._tell_refused, question, error))
        except Exception as error:
            self.tell(partial(self._tell_unforeseen, question, error))
        else:
            self.tell(partial(self._tell_answer, question, value))

    def _tell_opened(self, notices: tuple[Sentence, ...]) -> None:
        self.trouble = None
        self.opened.emit(notices)

    def _tell_failed(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.failed.emit(trouble)

    def _tell_answer(self, question: Question, value: Any) -> None:
        if question.answer is not None and not question.dropped:
            question.answer(value)
        if question.writes:
            self.wrote.emit()

    def _tell_unforeseen(self, question: Question, error: Exception) -> None:
        """Nobody foresaw it: who asked goes on, and it is raised where the window catches such errors."""
        if question.refuse is not None and not question.dropped:
            question.refuse(ExplainedError(UNFORESEEN))
        raise error

    def _tell_refused(self, question: Question, error: ExplainedError) -> None:
        if question.dropped:
            return
        if question.refuse is not None:
            question.refuse(error)
        else:
            self.refused.emit(error)


# The package of the store is imported where it is used: the window is on the screen by then.


def _opened(path: Path, way: Way) -> "Store":
    """The store, opened in one of the ways."""
    from app.people.backup import backups
    from app.people.store import open_store, restore, start_anew

    if way is Way.BACKUP:
        restore(path, backups(path)[0])
    elif way is Way.ANEW:
        start_anew(path)
    return open_store(path)


def _is_backed_up(path: Path) -> bool:
    """Whether there is a backup to go back to; one in a folder that cannot be read is none."""
    from app.people.backup import backups

    try:
        return bool(backups(path))
    except OSError:
        return False


def _purge(store: "Store") -> None:
    from app.people.deletion import purge

    purge(store)


def _ways_on(error: ExplainedError, tried: Way, backed_up: bool) -> tuple[Way, ...]:
    if tried is not Way.AGAIN:
        return (Way.AGAIN, Way.ANEW)
    if getattr(error, "code", "") in ("damaged", "lost"):
        return (Way.BACKUP, Way.ANEW) if backed_up else (Way.ANEW,)
    return (Way.AGAIN,)


def _unforeseen(error: Exception) -> ExplainedError:
    return ExplainedError(
        Sentence(
            "打开收藏与历史时出了意料之外的错，现在写的不会保存。请再试一次，若仍如此，请把详情发给我们。",
            "Something unforeseen went wrong while opening what was written before; what is written now is not kept. "
            "Try again, and if it stays so, send us the details.",
        ),
        "".join(traceback.format_exception(error)),
    )


def _raise(error: Exception) -> None:
    raise error
