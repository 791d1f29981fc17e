"""Which of the texts drawn for one person they get: none like another person's, none they have had before.

Without Qt and without the engine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.compose.request import GreetingRequest
from app.compose.select import Candidate
from app.people.history import Sent
from app.people.repeats import repeated


@dataclass(frozen=True)
class Choice:
    """The text to keep, and whether a better one is worth drawing for."""

    candidate: Candidate
    good: bool


def choose_text(
    candidates: Iterable[Candidate],
    request: GreetingRequest,
    earlier: tuple[Sent, ...],
    taken: Callable[[str], bool],
) -> Choice | None:
    """The likeliest text without a fault that is neither taken nor a repeat; else the one with the least against it.

    A fault weighs most, then what the person has had before, then what somebody else gets.

    Args:
        earlier: what this person has received.
        taken: whether a text is alike to another person's in the batch.

    Returns:
        None where no candidate has any text.
    """
    best: tuple[tuple[int, int, float], Candidate] | None = None
    for candidate in sorted(candidates, key=lambda one: (len(one.faults), -one.logprob, one.index)):
        if not candidate.text.strip():
            continue
        if best is not None and len(candidate.faults) > best[0][0]:
            break
        against = 0
        if repeated(candidate.text, request, earlier) is not None:
            against += 2
        if taken(candidate.text):
            against += 1
        rank = (len(candidate.faults), against, -candidate.logprob)
        if best is None or rank < best[0]:
            best = rank, candidate
        if rank[:2] == (0, 0):
            break
    if best is None:
        return None
    return Choice(best[1], best[0][:2] == (0, 0))
