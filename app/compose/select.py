"""Many candidates in, the few worth showing out: no faults, likely to the model itself, and not alike."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.compose.guard import Fault

ALIKE = 0.4  # similarity from which two texts are one text to a reader
ALIKE_RUN = 10  # characters in a row; of 63,504 pairs of hand-written texts in one cell, one shares as many
SAME = 0.85  # similarity from which showing both would be a mistake even when nothing else is left


@dataclass(frozen=True)
class Candidate:
    """One finished text; ``index`` is its place among those drawn, ``logprob`` its mean nats a token."""

    index: int
    text: str
    tokens: int
    logprob: float
    faults: tuple[Fault, ...]


def similarity(one: str, other: str) -> float:
    """Jaccard index of the two texts' character bigrams, punctuation aside, 0 to 1 (Jaccard 1912)."""
    first, second = _bigrams(one), _bigrams(other)
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def choose(candidates: Iterable[Candidate], count: int) -> tuple[Candidate, ...]:
    """The best ``count`` candidates, best first; fewer when there are not that many different texts.

    Texts without a fault come first, by likelihood, skipping any that is much like one already taken. If that is not
    enough, the alike are let in, and then the faulty with the fewest faults; the caller shows their faults.
    """
    ranked = sorted(candidates, key=lambda candidate: (len(candidate.faults), -candidate.logprob, candidate.index))
    clean = [candidate for candidate in ranked if not candidate.faults]
    faulty = [candidate for candidate in ranked if candidate.faults and candidate.text.strip()]
    chosen: list[Candidate] = []
    for pool, clash in ((clean, alike), (clean, _same), (faulty, alike), (faulty, _same)):
        for candidate in pool:
            if len(chosen) == count:
                break
            if candidate not in chosen and not any(clash(candidate.text, kept.text) for kept in chosen):
                chosen.append(candidate)
    return tuple(sorted(chosen, key=lambda candidate: (len(candidate.faults), -candidate.logprob, candidate.index)))


def alike(one: str, other: str) -> bool:
    """Whether a person who gets both would notice: much the same words, or a long run of the same."""
    if similarity(one, other) >= ALIKE:
        return True
    first, second = _body(one), _body(other)
    runs = {first[i : i + ALIKE_RUN] for i in range(len(first) - ALIKE_RUN + 1)}
    return any(second[i : i + ALIKE_RUN] in runs for i in range(len(second) - ALIKE_RUN + 1))


def _same(one: str, other: str) -> bool:
    return similarity(one, other) >= SAME


def _body(text: str) -> str:
    return re.sub(r"\W", "", text)


def _bigrams(text: str) -> set[str]:
    body = _body(text)
    return {body[i : i + 2] for i in range(len(body) - 1)} or {body}
