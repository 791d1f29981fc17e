"""Does a system have more than a few sentences to say? Distinct n-grams, and how much its texts quote each other."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import exp, log

import numpy as np

from training.evaluation.bootstrap import Estimate, half_draws, mean_of_draws, mean_over_requests
from training.evaluation.grams import GramTable, grams_of
from training.evaluation.written import Written, unchanged

LONGEST_GRAM = 4
_NEVER = 0.1  # what stands for a count of none: smoothing 1 of Chen and Cherry 2014


def distinct(written: Sequence[Written], size: int, seed: int = 0) -> Estimate:
    """distinct-n: different character n-grams over all n-grams of the texts together, 0 to 1 (Li et al. 2016, "A
    Diversity-Promoting Objective Function for Neural Conversation Models", arXiv:1510.03055).

    It falls with every further text, so every system is measured with as many, one a request (:func:`half_draws`).
    """
    texts = unchanged(written)
    sums = GramTable([each.body for each in texts], size).sums(half_draws([each.request for each in texts], seed))
    return mean_of_draws(np.diff(sums.indptr) / np.maximum(1.0, sums.sum(axis=1)))


def self_bleu(written: Sequence[Written], seed: int = 0) -> Estimate | None:
    """Self-BLEU of characters, 0 to 1, lower is more diverse: the BLEU-4 of a text with the texts of the same seed for
    all other requests as its references, mean over texts (Zhu et al. 2018, "Texygen", arXiv:1802.01886).

    BLEU = BP · exp(mean over n = 1..4 of log pₙ), pₙ the share of a text's n-grams that a reference has as often
    (Papineni et al. 2002); pₙ of nought is 0.1 over the number of n-grams, as in Texygen. None for a single request.
    """
    by_seed: defaultdict[int, list[Written]] = defaultdict(list)
    for each in unchanged(written):
        by_seed[each.output.seed].append(each)
    values: list[float] = []
    requests: list[str] = []
    for texts in by_seed.values():
        if len(texts) > 1:
            values += _bleu_with_the_others([each.body for each in texts])
            requests += [each.request for each in texts]
    return mean_over_requests(values, requests, seed) if values else None


def _bleu_with_the_others(texts: Sequence[str]) -> list[float]:
    """The BLEU of every text with all the others as references."""
    lengths = [len("".join(text.split())) for text in texts]
    logs = [0.0] * len(texts)
    for size in range(1, LONGEST_GRAM + 1):
        counted = [grams_of(text, size) for text in texts]
        most = _most_elsewhere(counted)
        for index, counts in enumerate(counted):
            kept = sum(min(count, most(index, gram)) for gram, count in counts.items())
            total = max(1, counts.total())
            logs[index] += log((kept or _NEVER) / total) / LONGEST_GRAM
    return [_brevity(lengths, index) * exp(logs[index]) if lengths[index] else 0.0 for index in range(len(texts))]


class _most_elsewhere:
    """How often an n-gram comes at most in one text other than a given one."""

    def __init__(self, counted: Sequence[Counter[str]]) -> None:
        self._best: dict[str, tuple[int, int, int]] = {}  # the text with most, its count, the next one's count
        for index, counts in enumerate(counted):
            for gram, count in counts.items():
                text, first, second = self._best.get(gram, (-1, 0, 0))
                self._best[gram] = (index, count, first) if count > first else (text, first, max(second, count))

    def __call__(self, index: int, gram: str) -> int:
        text, first, second = self._best[gram]
        return second if text == index else first


def _brevity(lengths: Sequence[int], index: int) -> float:
    """The brevity penalty with the reference of the nearest length, the shorter of two as near."""
    own = lengths[index]
    others = (length for other, length in enumerate(lengths) if other != index)
    nearest = min(others, key=lambda length: (abs(length - own), length))
    return 1.0 if own > nearest else exp(1 - nearest / own)
