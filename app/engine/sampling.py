"""Drawing one token from a row of logits, in numpy. Pure: no model, no state but the generator handed in.

A batch of rows is exponentiated at once; a token is then picked row by row from the few that are left after the cuts.
"""

import numpy as np
from numpy.typing import NDArray

from app.engine.protocol import Sampling

Floats = NDArray[np.float32]
Tokens = NDArray[np.intp]
LEAST = float(np.finfo(np.float32).tiny)
NO_TOKENS: Tokens = np.empty(0, np.intp)


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


def pick(
    weights: Floats, total: float, sampling: Sampling, generator: np.random.Generator, avoided: Tokens = NO_TOKENS
) -> tuple[int, float]:
    """Draw one token.

    The cuts are made on the distribution without the avoided tokens, and both must let a token pass; the temperature
    then sharpens what is left.

    Args:
        weights: one row of :func:`relative_weights`; not changed.
        total: its sum.
        avoided: tokens not to draw, as long as there are others.

    Returns:
        The token and its natural-log probability under the unmodified distribution.
    """
    allowed, mass_allowed, highest = weights, total, 1.0
    if avoided.size:
        rest = weights.copy()
        rest[avoided] = 0
        if rest.max() >= LEAST:
            allowed, mass_allowed, highest = rest, float(rest.sum()), float(rest.max())
    if sampling.temperature == 0:
        token = int(allowed.argmax())
    else:
        kept = np.flatnonzero(allowed >= max(sampling.min_p * highest, LEAST))
        if sampling.top_p < 1:
            kept = kept[np.argsort(-allowed[kept], kind="stable")]
            mass = np.cumsum(allowed[kept], dtype=np.float64)
            kept = kept[: int(np.searchsorted(mass, sampling.top_p * mass_allowed)) + 1]
        # Powers of ratios that are at most 1, with a 1 among them: this cannot overflow or come out all zero.
        sharpened = np.cumsum((allowed[kept].astype(np.float64) / highest) ** (1 / sampling.temperature))
        place = int(np.searchsorted(sharpened, generator.random() * sharpened[-1], side="right"))
        token = int(kept[min(place, len(kept) - 1)])
    with np.errstate(divide="ignore"):
        return token, float(np.log(weights[token] / total))
