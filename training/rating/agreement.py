"""How far readers saw the same thing, beyond what chance would give."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isnan
from statistics import fmean

from training.rating.ratings import Key, Ratings, by_request, chosen
from training.rating.sheet import DIMENSIONS, HIGHEST, LOWEST


@dataclass(frozen=True)
class Agreement:
    """Of several readers, the mean over all pairs of them (Light 1971).

    Attributes:
        same_choice: share of the requests for which both would send the same text.
        choice: Cohen's kappa on whose text is sent: 1 for always the same system's, 0 for as often as chance (Cohen
            1960, "A coefficient of agreement for nominal scales"); None where both always chose the same one.
        scores: by dimension, kappa of the ratings with quadratic weights, where two apart counts four times one apart
            (Cohen 1968, "Weighted kappa"); None where both gave one rating throughout.
    """

    same_choice: float
    choice: float | None
    scores: dict[str, float | None]


def agreement(readers: Sequence[Ratings], key: Key) -> Agreement | None:
    """That of the readers; None of a single one."""
    pairs = list(combinations(readers, 2))
    if not pairs:
        return None
    requests = list(by_request(key))

    def same(one: Ratings, other: Ratings) -> float:
        first, second = chosen(one, key), chosen(other, key)
        return fmean(first[request] == second[request] for request in requests)

    def senders(ratings: Ratings) -> list[str]:
        choice = chosen(ratings, key)
        return ["+".join(key[choice[request]].systems) for request in requests]

    def scores(ratings: Ratings, dimension: str) -> list[int]:
        return [ratings[id].scores[dimension] for id in key]

    return Agreement(
        same_choice=fmean(same(one, other) for one, other in pairs),
        choice=_mean([_kappa(senders(one), senders(other)) for one, other in pairs]),
        scores={
            each.id: _mean(
                [_weighted_kappa(scores(one, each.id), scores(other, each.id)) for one, other in pairs],
            )
            for each in DIMENSIONS
        },
    )


def _kappa(one: Sequence[str], other: Sequence[str]) -> float:
    from sklearn.metrics import cohen_kappa_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one label throughout: not a number, which is what is then returned
        return float(cohen_kappa_score(one, other))


def _weighted_kappa(one: Sequence[int], other: Sequence[int]) -> float:
    from sklearn.metrics import cohen_kappa_score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = list(range(LOWEST, HIGHEST + 1))
        return float(cohen_kappa_score(one, other, labels=labels, weights="quadratic"))


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not isnan(value)]
    return fmean(known) if known else None
