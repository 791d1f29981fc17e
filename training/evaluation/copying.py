"""Does a system write, or does it recite? The longest run of characters a text shares with a text it was trained on or
was shown."""

import re
from bisect import bisect_left
from collections.abc import Sequence

from training.evaluation.bootstrap import Estimate, mean_over_requests, share_over_requests
from training.evaluation.written import Written

COPIED_RUN = 12  # characters; so long a run is a clause and the next one's beginning, not a phrase of the language


class Runs:
    """All texts of the training split, to be searched for a run of characters.

    A suffix array (Manber and Myers 1993), one over all texts: every suffix of every text, sorted. The suffix that
    shares the longest beginning with a given one stands right before or right after where that would stand.
    White space and marks count for nothing, as in :mod:`training.neighbours`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        letters = map(_letters, texts)
        self._suffixes = sorted(text[start:] for text in letters for start in range(len(text)))

    def longest(self, text: str) -> str:
        """The longest run of ``text`` that some text of the training split has too, the first of them; "" for none."""
        letters = _letters(text)
        found = ""
        for start in range(len(letters)):
            rest = letters[start:]
            if len(rest) <= len(found):
                break
            place = bisect_left(self._suffixes, rest)
            for suffix in self._suffixes[max(0, place - 1) : place + 1]:
                shared = _shared_beginning(rest, suffix)
                if shared > len(found):
                    found = rest[:shared]
        return found


def longest_run(written: Sequence[Written], runs: Runs, seed: int = 0) -> Estimate:
    """Length of the longest run of characters that a text shares with a training text, mean over texts."""
    lengths = [len(runs.longest(each.body)) for each in written]
    return mean_over_requests(lengths, [each.request for each in written], seed)


def copied_share(written: Sequence[Written], runs: Runs, seed: int = 0) -> Estimate:
    """Share of the texts that share a run of :data:`COPIED_RUN` characters or more with a training text."""
    copied = [float(len(runs.longest(each.body)) >= COPIED_RUN) for each in written]
    return share_over_requests(copied, [each.request for each in written], seed)


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text)


def _shared_beginning(one: str, other: str) -> int:
    length = min(len(one), len(other))
    return next((place for place in range(length) if one[place] != other[place]), length)
