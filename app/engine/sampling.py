"""Drawing one token from a row of logits, in numpy. Pure: no model, no state but the generator handed in.

A batch of rows is exponentiated at once; a token is then picked row by row from the few that are left after the cuts.
"""

import numpy as np
from numpy.typing import NDArray

from app.engine.protocol import Sampling

Floats = NDArray[np.float32]


def relative_weights(logits: Floats, out: Floats) -> tuple[Floats, Floats]:
    """Each token's probability relative to the likeliest of its row, and the sum of each row.

    Args:
        logits: shape (rows, vocabulary); not changed.
        out: scratch of at least that shape, overwritten with the result.

    Returns:
        ``exp(logits - max)`` as a view of ``out``, and its row sums; a row that is not finite has a sum that is not.
    """
    weights = out[: len(logits)]
    with np.errstate(invalid="ignore", over="ignore"):
        np.subtract(logits, logits.max(axis=1, keepdims=True), out=weights)
        np.exp(weights, out=weights)
        return weights, weights.sum(axis=1)


def pick(weights: Floats, total: float, sampling: Sampling, generator: np.random.Generator) -> tuple[int, float]:
    """Draw one token.

    The cuts are made on the unmodified distribution and both must let a token pass; the temperature then sharpens what
    is left.

    Args:
        weights: one row of :func:`relative_weights`.
        total: its sum.

    Returns:
        The token and its natural-log probability under the unmodified distribution.
    """
    if sampling.temperature == 0:
        token = int(weights.argmax())
    else:
        kept = np.flatnonzero(weights >= sampling.min_p) if sampling.min_p > 0 else np.arange(len(weights))
        if sampling.top_p < 1:
            kept = kept[np.argsort(-weights[kept], kind="stable")]
            mass = np.cumsum(weights[kept], dtype=np.float64)
            kept = kept[: int(np.searchsorted(mass, sampling.top_p * total)) + 1]
        # Powers of weights that are at most 1, with a 1 among them: this cannot overflow or come out all zero.
        sharpened = np.cumsum(weights[kept].astype(np.float64) ** (1 / sampling.temperature))
        place = int(np.searchsorted(sharpened, generator.random() * sharpened[-1], side="right"))
        token = int(kept[min(place, len(kept) - 1)])
    with np.errstate(divide="ignore"):
        return token, float(np.log(weights[token] / total))
