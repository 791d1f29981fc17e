"""Does the request decide how a text sounds? Consistency of style, and whether two relationships get two styles.

Both compare distances of style (:func:`training.evaluation.features.style_distances`) between texts that should be
alike with distances between texts that need not be:

    1 - mean distance of those that should be alike / mean distance of the others

the chance-corrected agreement within groups, A, of the multi-response permutation procedure (Mielke and Berry 2001,
"Permutation Methods"; 1 where those texts have the same style, 0 where they are as far apart as any two). A system that
writes one text whatever it is asked gains nothing: it brings both distances to nought.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from training.evaluation.bootstrap import Estimate, Floats, percentiles, weights
from training.evaluation.features import Scale, style_distances
from training.evaluation.written import Written, unchanged


def across_seeds(written: Sequence[Written], scale: Scale, seed: int = 0) -> Estimate | None:
    """Consistency of style across seeds: alike should be two texts for one request, as it is asked; the others are two
    texts for two requests. None where no request has two texts.

    1 - (mean over requests r of mean d(x, y), x and y of r) / (mean over r ≠ r' of mean d(x, y), x of r, y of r')
    """
    return _consistency(unchanged(written), scale, lambda one, other: True, seed)


def across_changes(written: Sequence[Written], scale: Scale, seed: int = 0) -> Estimate | None:
    """Consistency of style under changes of the input that should not change the voice: alike should be two texts for
    one request in two variations (another name, another year, the facts in another order); the others are two texts for
    two requests. None where nothing was varied."""
    varied = {each.request for each in written if each.output.variation}
    chosen = [each for each in written if each.request in varied]
    return _consistency(chosen, scale, lambda one, other: one.output.variation != other.output.variation, seed)


def between_relationships(written: Sequence[Written], scale: Scale, seed: int = 0) -> Estimate | None:
    """Difference between relationships: alike should be two texts for one relationship; the others are two texts for
    two relationships. In both the two texts are for two requests of different tones, since tone is another matter and
    would drown this one. None where the requests have no such pairs."""
    texts = unchanged(written)
    names, distances = _between_requests(texts, style_distances(scale.standardised([each.body for each in texts])))
    asked = {each.request: each.asked for each in texts}
    relationships = np.array([asked[name].relationship for name in names])
    tones = np.array([asked[name].tone for name in names])
    other_tone = tones[:, None] != tones[None, :]
    same = relationships[:, None] == relationships[None, :]
    near, far = (same & other_tone).astype(np.float64), (~same & other_tone).astype(np.float64)
    if not near.any() or not far.any():
        return None

    def agreement(times: Floats) -> Floats:
        return 1 - _mean_of_pairs(distances, near, times) / _mean_of_pairs(distances, far, times)

    return _estimate(agreement, len(names), seed)


def _consistency(
    texts: Sequence[Written], scale: Scale, alike: Callable[[Written, Written], bool], seed: int
) -> Estimate | None:
    distances = style_distances(scale.standardised([each.body for each in texts]))
    of_request: defaultdict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(texts):
        of_request[each.request].append(index)
    within = {
        name: float(np.mean(pairs))
        for name, indexes in of_request.items()
        if (
            pairs := [
                distances[one, other]
                for place, one in enumerate(indexes)
                for other in indexes[:place]
                if alike(texts[one], texts[other])
            ]
        )
    }
    names, between = _between_requests(texts, distances)
    if not within or len(names) < 2:
        return None
    known = np.array([float(name in within) for name in names])
    inside = np.array([within.get(name, 0.0) for name in names])
    others = 1 - np.eye(len(names))

    def agreement(times: Floats) -> Floats:
        mean_within: Floats = (times @ inside) / (times @ known)
        return 1 - mean_within / _mean_of_pairs(between, others, times)

    return _estimate(agreement, len(names), seed)


def _between_requests(texts: Sequence[Written], distances: Floats) -> tuple[list[str], Floats]:
    """The requests, and the mean distance of a text of the one to a text of the other: (requests, requests)."""
    names = sorted({each.request for each in texts})
    place = {name: index for index, name in enumerate(names)}
    share = np.zeros((len(names), len(texts)))
    for index, each in enumerate(texts):
        share[place[each.request], index] = 1.0
    share /= np.maximum(1.0, share.sum(axis=1, keepdims=True))
    return names, share @ distances @ share.T


def _mean_of_pairs(distances: Floats, chosen: Floats, times: Floats) -> Floats:
    """For each resample the mean over the chosen pairs of requests, each as often as it was drawn.

    Args:
        chosen: 1 for a pair that counts, never one of a request and itself: (requests, requests).
        times: how often each request is in each resample: (resamples, requests).
    """
    total = ((times @ (distances * chosen)) * times).sum(axis=1)
    mean: Floats = total / ((times @ chosen) * times).sum(axis=1)
    return mean


def _estimate(statistic: Callable[[Floats], Floats], requests: int, seed: int) -> Estimate | None:
    """The statistic of all requests, each once, with its bootstrap interval; None where no two texts differ at all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(statistic(np.ones((1, requests)))[0])
        resampled = statistic(weights(requests, seed))
    return None if not np.isfinite(value) else percentiles(value, resampled)
