"""How far an installation has come: what the steps tell whoever is watching."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.compose.sentence import Sentence

STEPS = ("check", "download", "verify", "merge", "hash", "trial")
OFTEN = 0.1  # seconds between two reports of one step


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
    """Tells ``tell`` about one step, not more often than anybody can see."""
    last = -OFTEN

    def report(done: int, total: int, sentence: Sentence) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= OFTEN or done == total:
            last = now
            tell(Progress(step, done, total, sentence))

    return report
