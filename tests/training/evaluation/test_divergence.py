"""Divergences follow their formulas, and nothing is nearer to the corpus than the corpus."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from tests.training.evaluation import voices
from training.evaluation.divergence import BigramModel, bigram_divergence, frontier, frontier_area
from training.evaluation.reference import Reference
from training.evaluation.written import Written

pytestmark = pytest.mark.torch


def held_out() -> list[Written]:
    return [voices.written(record.id, record.text, record.request) for record in voices.records(held_out=True)]


def elsewhere() -> list[Written]:
    """Texts with hardly a word in common with the corpus."""
    others = ("在这个辞旧迎新的日子里", "祝您身体健康万事如意", "愿幸福的阳光照耀着您", "值此佳节来临之际")
    return [
        voices.written(record.id, f"{others[number % 4]}，{others[(number + 1) % 4]}。", record.request)
        for number, record in enumerate(voices.records(held_out=True))
    ]


def test_the_corpus_s_own_texts_are_nearest(reference: Reference):
    own, other, few = (
        bigram_divergence(texts, reference.bigrams) for texts in (held_out(), elsewhere(), voices.same_for_all())
    )
    assert own.high < few.low and few.high < other.low
    own, other, few = (
        frontier(texts, reference.quantizer) for texts in (held_out(), elsewhere(), voices.same_for_all())
    )
    assert own.low > few.high and own.low > other.high


def test_the_bigrams_divergence_is_jensen_and_shannon_s():
    corpus = ["新年好新年好", "过年好"]
    text = "新年快乐"
    asked = voices.records(held_out=True)[0].request
    p, q = _shares([text]), _shares(corpus)
    mixed = {gram: (p.get(gram, 0) + q.get(gram, 0)) / 2 for gram in {*p, *q}}
    expected = sum(share * math.log2(share / mixed[gram]) / 2 for one in (p, q) for gram, share in one.items())
    figure = bigram_divergence([voices.written("a", text, asked)], BigramModel.of(corpus))
    assert figure.value == pytest.approx(expected)


@pytest.mark.parametrize(("text", "value"), [("甲乙甲", 0.0), ("丙丁丙", 1.0), ("", 1.0)])
def test_it_is_none_of_the_same_and_one_bit_of_what_has_nothing_in_common(text: str, value: float):
    asked = voices.records(held_out=True)[0].request
    figure = bigram_divergence([voices.written("a", text, asked)], BigramModel.of(["甲乙甲"]))
    assert figure.value == pytest.approx(value)


def _shares(texts: list[str]) -> dict[str, float]:
    counts = Counter(text[start : start + 2] for text in texts for start in range(len(text) - 1))
    return {gram: count / counts.total() for gram, count in counts.items()}


def test_the_frontier_of_the_same_is_one_and_of_what_has_nothing_in_common_nought():
    q = np.array([0.5, 0.3, 0.2, 0.0])
    areas = frontier_area(np.array([q, [0.0, 0.0, 0.0, 1.0], [0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]), q)
    assert areas[0] == pytest.approx(1.0) and areas[1] < 0.01
    assert 1 > areas[2] > areas[3] > areas[1]


def test_the_frontier_s_area_is_that_under_the_curve_of_pillutla_and_others():
    """Against a plain loop over 20,000 mixtures."""
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    curve = [(1.0, 0.0)]
    for share in np.linspace(1e-6, 1 - 1e-6, 20_000)[::-1]:
        mixed = share * p + (1 - share) * q
        curve.append((math.exp(-5 * _kl(q, mixed)), math.exp(-5 * _kl(p, mixed))))
    curve.append((0.0, 1.0))
    curve.sort()
    area = sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in itertools.pairwise(curve))
    assert frontier_area(p[None, :], q)[0] == pytest.approx(area, abs=0.01)


def _kl(p, q) -> float:
    return float(sum(one * math.log(one / other) for one, other in zip(p, q, strict=True) if one))


def test_the_cells_hold_the_corpus_in_shares_of_its_own(reference: Reference):
    shares = reference.quantizer.shares
    cells = reference.quantizer.cells_of([record.text for record in voices.records(held_out=False)])
    assert len(shares) == 10 and shares.sum() == pytest.approx(1.0)
    assert [float((cells == cell).mean()) for cell in range(10)] == pytest.approx(list(shares))
