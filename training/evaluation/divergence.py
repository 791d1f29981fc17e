"""How far what a system writes is, as a whole, from what the corpus writes.

Two distributions are compared: the corpus's training split and the texts of a system. A sample differs from its own
source, and the smaller the more, so every system is measured with as many texts (:func:`half_draws`), and the corpus's
own held-out texts show what that makes of texts that are like the corpus. A system that keeps to what the corpus says
most often can come a little nearer than those.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.evaluation.bootstrap import Estimate, Floats, Indexes, half_draws, mean_of_draws
from training.evaluation.grams import GramTable, grams_of
from training.evaluation.written import Written, unchanged

if TYPE_CHECKING:
    from sklearn.cluster import KMeans
    from sklearn.pipeline import Pipeline

BIGRAM = 2
_DIMENSIONS = 50
_CELLS = 10  # few, for tens of requests: of k cells and n texts a sample differs from its source by about k / 2n nats
_MANY = 1000  # texts, of which an n-gram has to be in two
_SCALING = 5.0  # c of Pillutla et al.
_MIXTURES = 25


@dataclass(frozen=True)
class BigramModel:
    """The character bigrams of the corpus, and how often each comes among all of them."""

    grams: tuple[str, ...]
    shares: Floats

    @classmethod
    def of(cls, texts: Sequence[str]) -> "BigramModel":
        """Those of the texts together; at least one bigram."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(grams_of(text, BIGRAM))
        grams = sorted(counts)
        values = np.array([counts[gram] for gram in grams], dtype=np.float64)
        return cls(tuple(grams), values / values.sum())


def bigram_divergence(written: Sequence[Written], corpus: BigramModel, seed: int = 0) -> Estimate:
    """Jensen-Shannon divergence of character bigrams between the texts and the corpus, in bits, 0 (the same) to 1
    (nothing in common).

    JS(P, Q) = KL(P ‖ M)/2 + KL(Q ‖ M)/2 with M = (P + Q)/2 (Lin 1991, "Divergence measures based on the Shannon
    entropy"), P of as many texts for every system, Q of the whole training split.
    """
    texts = unchanged(written)
    table = GramTable([each.body for each in texts], BIGRAM, corpus.grams)
    sums = table.sums(half_draws([each.request for each in texts], seed))
    shares = np.concatenate([corpus.shares, np.zeros(table.columns - len(corpus.shares))])
    draw = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
    p, q = sums.data / sums.sum(axis=1)[draw], shares[sums.indices]
    # Where P is 0 a share of Q gives Q log(Q / (Q/2)) / 2, half of it in bits: only what the draw has is gone through.
    terms = (p * np.log2(2 * p / (p + q)) + q * np.log2(2 * q / (p + q), out=np.zeros_like(q), where=q > 0) - q) / 2
    divergences = 0.5 + np.bincount(draw, weights=terms, minlength=sums.shape[0])
    return mean_of_draws(np.where(np.diff(sums.indptr) > 0, divergences, 1.0))


@dataclass(frozen=True)
class Quantizer:
    """Texts as cells of a space of wording that was laid out on the corpus alone.

    Character 1- to 3-grams by TF-IDF, reduced to :data:`_DIMENSIONS` dimensions by truncated SVD (latent semantic
    analysis, Deerwester et al. 1990), scaled to length one; k-means cells, and the share of the corpus's texts in each.
    """

    space: "Pipeline"
    cells: "KMeans"
    shares: Floats

    @classmethod
    def of(cls, texts: Sequence[str], seed: int = 0) -> "Quantizer":
        """Laid out on these texts, which should be some hundred at least; fewer have fewer cells."""
        from sklearn.cluster import KMeans
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        least = 2 if len(texts) >= _MANY else 1  # of a small corpus everything is rare
        grams = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=least, sublinear_tf=True, lowercase=False)
        features = grams.fit_transform(list(texts)).shape[1]
        dimensions = max(1, min(_DIMENSIONS, features - 1, len(texts) - 1))
        space = make_pipeline(grams, TruncatedSVD(dimensions, random_state=seed), Normalizer())
        vectors = space.fit_transform(list(texts))
        cells = KMeans(max(1, min(_CELLS, len(texts) // 10)), n_init=1, random_state=seed).fit(vectors)
        return cls(space, cells, np.bincount(cells.labels_, minlength=cells.n_clusters) / len(texts))

    def cells_of(self, texts: Sequence[str]) -> Indexes:
        """The cell of every text, from 0."""
        cells: Indexes = self.cells.predict(self.space.transform(list(texts)))
        return cells


def frontier(written: Sequence[Written], corpus: Quantizer, seed: int = 0) -> Estimate:
    """MAUVE without a neural network: the area under the divergence frontier of the texts and the corpus, over the
    cells of :class:`Quantizer`, 0 to 1, higher is nearer.

    The curve (exp(-c KL(Q ‖ R)), exp(-c KL(P ‖ R))) for R = λP + (1-λ)Q, 0 < λ < 1, c = 5 (Pillutla et al. 2021,
    "MAUVE: Measuring the Gap Between Neural Text and Human Text using Divergence Frontiers", arXiv:2102.01454). What is
    other than there: texts are embedded by latent semantic analysis instead of GPT-2, and the cells are laid out on the
    corpus instead of on both samples, so that figures of different systems and days compare.
    """
    texts = unchanged(written)
    cells = corpus.cells_of([each.body for each in texts])
    drawn = cells[half_draws([each.request for each in texts], seed)]
    count = len(corpus.shares)
    offsets = np.arange(len(drawn))[:, None] * count
    counts = np.bincount((drawn + offsets).ravel(), minlength=len(drawn) * count).reshape(len(drawn), count)
    return mean_of_draws(frontier_area(counts / counts.sum(axis=1, keepdims=True), corpus.shares))


def frontier_area(p: Floats, q: Floats) -> Floats:
    """Area under the divergence frontier of each row of ``p``, (rows, cells), with ``q``, (cells,)."""
    q = np.broadcast_to(q, p.shape)
    mixtures = np.linspace(1e-6, 1 - 1e-6, _MIXTURES)
    points = [(np.ones(len(p)), np.zeros(len(p)))]  # the ends of the curve: one distribution stands for both
    for share in mixtures[::-1]:
        mixed = share * p + (1 - share) * q
        points.append((np.exp(-_SCALING * _divergence(q, mixed)), np.exp(-_SCALING * _divergence(p, mixed))))
    points.append((np.zeros(len(p)), np.ones(len(p))))
    x = np.stack([point[0] for point in points], axis=1)
    y = np.stack([point[1] for point in points], axis=1)
    return (_area(x, y) + _area(y, x)) / 2


def _area(x: Floats, y: Floats) -> Floats:
    """The area under each row of points, by trapezoids."""
    order = np.argsort(x, axis=1, kind="stable")
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    area: Floats = (np.diff(x, axis=1) * (y[:, 1:] + y[:, :-1]) / 2).sum(axis=1)
    return area


def _divergence(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence of each row in nats; ``q`` is nowhere 0 where ``p`` is not."""
    ratio = np.log(np.divide(p, q, out=np.ones_like(p), where=p > 0))
    total: Floats = (p * ratio).sum(axis=-1)
    return total
