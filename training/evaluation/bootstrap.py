"""How far a figure could have come out otherwise: it is computed again for other draws of the requests.

Requests are drawn, never single texts: the texts of one request are alike, so drawing texts would promise too much.
Everything is seeded; the same outputs give the same intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles: 95 %
DIGITS = 6  # of a figure in a file: the rest is the order of additions
_ROUNDING = 10.0 ** (1 - DIGITS)

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]


@dataclass(frozen=True)
class Estimate:
    """A figure, and the ends of the interval that holds 95 % of what other draws of requests give."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the interval, but for the rounding of a file."""
        slack = _ROUNDING * max(abs(self.low), abs(self.high))
        return self.low - slack <= value <= self.high + slack


def weights(requests: int, seed: int = 0) -> Floats:
    """How often each request is in each resample drawn with replacement: (RESAMPLES, requests), rows sum to requests.

    The bootstrap of Efron 1979, "Bootstrap methods: another look at the jackknife", with requests as its units.
    """
    generator = np.random.default_rng([seed, requests])
    drawn = generator.multinomial(requests, np.full(requests, 1 / requests), size=RESAMPLES)
    return drawn.astype(np.float64)


def mean_over_requests(values: Sequence[float], requests: Sequence[str], seed: int = 0) -> Estimate:
    """The mean over requests of the mean over each request's texts.

    Args:
        values: one a text; at least one.
        requests: the request's id of every text.
    """
    _, owners, texts = np.unique(np.asarray(requests), return_inverse=True, return_counts=True)
    means = np.bincount(owners, weights=np.asarray(values, dtype=np.float64)) / texts
    return percentiles(float(means.mean()), weights(len(means), seed) @ means / len(means))


def share_over_requests(values: Sequence[float], requests: Sequence[str], seed: int = 0) -> Estimate:
    """The same of a share, whose values lie between 0 and 1. Where every request has the same share, each draw of them
    gives that share again, and the bootstrap would call it certain. It is not: of what none of n requests does, up to
    3/n of all requests may do with 95 % confidence (the rule of three; Hanley and Lippman-Hand 1983, "If nothing goes
    wrong, is everything all right?"). So up to that many may have 0 or 1 instead:

        [share - 3/n · share, share + 3/n · (1 - share)]
    """
    found = mean_over_requests(values, requests, seed)
    if found.high - found.low > _ROUNDING:
        return found
    others = min(1.0, 3 / len(set(requests)))
    return Estimate(found.value, found.value * (1 - others), found.value + (1 - found.value) * others)


def percentiles(value: float, resampled: Floats) -> Estimate:
    """``value`` with the percentile interval of its resampled values; what is not finite is left out."""
    known = resampled[np.isfinite(resampled)]
    low, high = np.percentile(known, INTERVAL) if len(known) else (value, value)
    return Estimate(value, float(low), float(high))


def half_draws(requests: Sequence[str], seed: int = 0) -> Indexes:
    """Texts by index, (RESAMPLES, half the requests): in each row half of the requests, none twice, each with one of
    its texts.

    For what depends on how many texts there are, or is upset when one comes twice (distinct n-grams, divergences):
    every system is measured with as many texts, and the figure is the mean over the draws. The spread of half samples
    around their mean estimates the sampling error of the whole (delete-d jackknife, Shao and Wu 1989, with d = n/2:
    Var(half) - Var(whole) = σ²/(n/2) - σ²/n = σ²/n), so that their percentiles are an interval for it.
    """
    names, owners, texts = np.unique(np.asarray(requests), return_inverse=True, return_counts=True)
    by_owner = np.argsort(owners, kind="stable")
    firsts = np.concatenate([[0], np.cumsum(texts)[:-1]])
    generator = np.random.default_rng([seed, len(names)])
    order = np.argsort(generator.random((RESAMPLES, len(names))), axis=1)
    drawn = order[:, : max(1, len(names) // 2)]
    nth = (generator.random(drawn.shape) * texts[drawn]).astype(np.intp)
    rows: Indexes = by_owner[firsts[drawn] + nth]
    return rows


def mean_of_draws(values: Floats) -> Estimate:
    """The mean over :func:`half_draws`, with its interval."""
    return percentiles(float(values.mean()), values)
