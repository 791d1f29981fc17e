"""How far an installation has come: what the steps tell whoever is watching."""

from collections.abc import Callable
from dataclasses import dataclass

from app.compose.sentence import Sentence

STEPS = ("check", "download", "verify", "merge", "hash", "trial")


@dataclass(frozen=True)
class Progress:
    """One step, ``done`` of ``total`` (bytes, except in ``check`` and ``trial``; total 0: not known yet)."""

    step: str  # one of STEPS, in that order
    done: int
    total: int
    sentence: Sentence


Report = Callable[[int, int, Sentence], None]
"""A step's own view of its progress: done, total, what is being done."""


def silent(done: int, total: int, sentence: Sentence) -> None:
    """The report nobody watches."""
