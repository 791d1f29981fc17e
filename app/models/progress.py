"""How far an installation has come: what the steps tell whoever is watching."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.compose.sentence import Sentence

STEPS = ("check", "download", "verify", "merge", "hash", "trial")
OFTEN = 0.1  # seconds between two reports of one step that are shown


@dataclass(frozen=True)
class Progress:
    """One step, ``done`` of ``total`` (bytes, except in ``check`` and ``trial``; total 0: not known yet)."""

    step: str  # of an installation one of STEPS, in that order; or ``import``
    done: int
    total: int
    sentence: Sentence


Report = Callable[[int, int, Sentence], None]
"""A step's own view of its progress: done, total, what is being done."""


def silent(done: int, total: int, sentence: Sentence) -> None:
    """The report nobody watches."""


def report_of(step: str, tell: Callable[[Progress], None]) -> Report:
    """Tells ``tell`` about one step."""
    return lambda done, total, sentence: tell(Progress(step, done, total, sentence))


class Paced:
    """Shows progress no more often than anybody can see: of every step the first at once, then the latest.

    Who uses it calls :meth:`flush` when nothing has come for a while, and at the end: what came last is shown too.
    """

    def __init__(self, show: Callable[[Progress], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._clock = clock
        self._shown = ""  # the step
        self._due = 0.0  # when the next of this step may be shown
        self._held: Progress | None = None

    def take(self, progress: Progress) -> None:
        """Show this, or hold it back."""
        if self._held is not None and self._held.step != progress.step:
            self.flush()
        self._held = progress
        if progress.step != self._shown or self._clock() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Show what is held back."""
        if self._held is not None:
            self._show(self._held)
            self._shown, self._due, self._held = self._held.step, self._clock() + OFTEN, None
