"""Retrieval: the records of a corpus that are nearest to a request, to be the examples of a prompt.

The index is BM25 (Robertson and Zaragoza 2009) in bm25s (Lù 2024, arXiv:2407.03618), over character bigrams: nothing
has to cut Chinese into words, and facts of three to twenty characters have few words to cut.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum

from app.compose.request import GreetingRequest
from training.records import Record

# How much it weighs that a record and a request share a field: who is written to and how decide how a text sounds.
FIELD_WEIGHTS = {"tone": 4, "relationship": 4, "occasion": 2, "length": 1}


class Ranking(Enum):
    """What makes a record near."""

    FIELDS = "fields"  # the fields it shares, by weight; BM25 only among those that share as much
    BM25 = "bm25"  # BM25 alone, the fields being terms like any other


class Index:
    """The nearest of some records, for any request.

    Args:
        records: those that may be found; none that a system is judged with.
    """

    def __init__(self, records: Sequence[Record], ranking: Ranking) -> None:
        import bm25s

        self._records = records
        self._ranking = ranking
        self._bm25 = bm25s.BM25()
        self._bm25.index([[*terms(one.request), *bigrams([one.text])] for one in records], show_progress=False)

    def nearest(self, request: GreetingRequest, count: int) -> tuple[Record, ...]:
        """The ``count`` nearest records, the nearest last, where it stands beside the request; of equals the earlier
        of the corpus is nearer."""
        scores = self._bm25.get_scores(terms(request))
        by_fields = self._ranking is Ranking.FIELDS
        ranked = sorted(
            range(len(self._records)),
            key=lambda place: (
                -shared(self._records[place].request, request) if by_fields else 0,
                -float(scores[place]),
                place,
            ),
        )
        return tuple(self._records[place] for place in reversed(ranked[:count]))


def shared(one: GreetingRequest, other: GreetingRequest) -> int:
    """The weight of the fields that two requests share."""
    return sum(weight for name, weight in FIELD_WEIGHTS.items() if getattr(one, name) == getattr(other, name))


def terms(request: GreetingRequest) -> list[str]:
    """A request as terms of the index: its fields, and the bigrams of what a person typed."""
    fields = [f"{name}={getattr(request, name)}" for name in (*FIELD_WEIGHTS, "zodiac") if getattr(request, name)]
    return [*fields, *bigrams((request.address, *request.details))]


def bigrams(texts: Iterable[str]) -> list[str]:
    """The character bigrams of each text, punctuation aside."""
    bodies = [re.sub(r"\W", "", text) for text in texts]
    return [body[start : start + 2] for body in bodies for start in range(len(body) - 1)]
