"""Block-quantized weights, and how a small change is added to them without being lost or changing the grid.

A quantized weight is ``step * code - minimum``, both shared by a small group of weights. A LoRA delta is mostly far
smaller than half a step: rounding the sum to the nearest code, as quantizing again does, throws it away.
Here a code moves by whole steps at random, so that its *expected* value is exactly the weight plus the delta
(stochastic rounding: Croci et al. 2022, doi:10.1098/rsos.211631), and steps and minima stay as they are, so that a
weight whose delta is zero keeps every bit.

Block layouts: ``ggml/src/ggml-common.h`` and ``ggml-quants.c`` of llama.cpp.
Arrays: ``raw`` is uint8 of shape (blocks, bytes of a block), weights are float32 of shape (blocks, weights of a block).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Shifts and masks of the right width: numpy's annotations widen a byte combined with a plain int.
_LOW = np.uint8(15)
_ONE, _THREE, _FOUR, _SIX = np.uint8(1), np.uint8(3), np.uint8(4), np.uint8(6)
_TOP = np.uint8(128)


@dataclass(frozen=True)
class Layout:
    """How one type keeps its blocks.

    Attributes:
        weights: weights in a block.
        bytes: bytes of a block.
        codes: how many values a code takes, counted from 0.
        zero: the code that stands for 0 where a type has no minima.
        group: weights sharing a step.
        read_codes: raw -> codes, uint8 (blocks, weights).
        write_codes: raw (changed in place), codes.
        steps: raw -> the step of each group, float32 (blocks, groups).
        minima: raw -> what is subtracted from each group, likewise; None for a type without.
    """

    weights: int
    bytes: int
    codes: int
    zero: int
    group: int
    read_codes: Callable[[Bytes], Bytes]
    write_codes: Callable[[Bytes, Bytes], None]
    steps: Callable[[Bytes], Floats]
    minima: Callable[[Bytes], Floats] | None = None


def _half(raw: Bytes, at: int) -> Floats:
    """The float16 at byte ``at`` of every block, as float32 (blocks, 1)."""
    return np.ascontiguousarray(raw[:, at : at + 2]).view(np.float16).astype(np.float32)


def _steps_k(raw: Bytes) -> Floats:
    """Of Q4_K and Q5_K, whose twelve bytes hold eight 6-bit scales and eight 6-bit minima (``get_scale_min_k4``)."""
    scales = np.concatenate(
        [raw[:, 4:8] & np.uint8(63), (raw[:, 12:16] & _LOW) | (raw[:, 4:8] >> _SIX << _FOUR)], axis=1
    )
    return _half(raw, 0) * scales.astype(np.float32)


def _minima_k(raw: Bytes) -> Floats:
    minima = np.concatenate(
        [raw[:, 8:12] & np.uint8(63), (raw[:, 12:16] >> _FOUR) | (raw[:, 8:12] >> _SIX << _FOUR)], axis=1
    )
    return _half(raw, 2) * minima.astype(np.float32)


def _read_nibbles(raw: Bytes, run: int) -> Bytes:
    """``run`` low nibbles, then the ``run`` high nibbles of the same bytes, and so on: (blocks, weights)."""
    lanes = raw.reshape(len(raw), -1, 1, run)
    return np.concatenate([lanes & _LOW, lanes >> _FOUR], axis=2).reshape(len(raw), -1)


def _write_nibbles(raw: Bytes, codes: Bytes, run: int) -> None:
    lanes = codes.reshape(len(raw), -1, 2, run)
    raw[:] = (lanes[:, :, 0] | (lanes[:, :, 1] << _FOUR)).reshape(raw.shape)


def _read_q4_k(raw: Bytes) -> Bytes:
    return _read_nibbles(raw[:, 16:144], 32)


def _write_q4_k(raw: Bytes, codes: Bytes) -> None:
    _write_nibbles(raw[:, 16:144], codes, 32)


_BITS = np.arange(8, dtype=np.uint8).reshape(1, 8, 1)


def _read_q5_k(raw: Bytes) -> Bytes:
    fifth = (raw[:, None, 16:48] >> _BITS) & _ONE
    return _read_nibbles(raw[:, 48:176], 32) | (fifth << _FOUR).reshape(len(raw), 256)


def _write_q5_k(raw: Bytes, codes: Bytes) -> None:
    raw[:, 16:48] = np.bitwise_or.reduce((codes >> _FOUR).reshape(-1, 8, 32) << _BITS, axis=1)
    _write_nibbles(raw[:, 48:176], codes & _LOW, 32)


_PAIRS = np.array([0, 2, 4, 6], np.uint8).reshape(1, 1, 4, 1)


def _read_q6_k(raw: Bytes) -> Bytes:
    high = (raw[:, 128:192].reshape(-1, 2, 1, 32) >> _PAIRS) & _THREE
    return _read_nibbles(raw[:, :128], 64) | (high << _FOUR).reshape(len(raw), 256)


def _write_q6_k(raw: Bytes, codes: Bytes) -> None:
    _write_nibbles(raw[:, :128], codes & _LOW, 64)
    high = (codes >> _FOUR).reshape(-1, 2, 4, 32) << _PAIRS
    raw[:, 128:192] = np.bitwise_or.reduce(high, axis=2).reshape(-1, 64)


def _steps_q6_k(raw: Bytes) -> Floats:
    return _half(raw, 208) * np.ascontiguousarray(raw[:, 192:208]).view(np.int8).astype(np.float32)


def _read_q8_0(raw: Bytes) -> Bytes:
    return raw[:, 2:34] ^ _TOP


def _write_q8_0(raw: Bytes, codes: Bytes) -> None:
    raw[:, 2:34] = codes ^ _TOP


def _steps_0(raw: Bytes) -> Floats:
    return _half(raw, 0)


def _read_q5_0(raw: Bytes) -> Bytes:
    fifth = np.unpackbits(raw[:, 2:6], axis=1, bitorder="little")
    return _read_nibbles(raw[:, 6:22], 16) | (fifth << _FOUR)


def _write_q5_0(raw: Bytes, codes: Bytes) -> None:
    raw[:, 2:6] = np.packbits(codes >> _FOUR, axis=1, bitorder="little")
    _write_nibbles(raw[:, 6:22], codes & _LOW, 16)


# Q5_0 and Q8_0 are what llama_model_quantize falls back to where rows are not whole blocks of 256.
LAYOUTS: dict[str, Layout] = {
    "Q4_K": Layout(256, 144, 16, 0, 32, _read_q4_k, _write_q4_k, _steps_k, _minima_k),
    "Q5_K": Layout(256, 176, 32, 0, 32, _read_q5_k, _write_q5_k, _steps_k, _minima_k),
    "Q6_K": Layout(256, 210, 64, 32, 16, _read_q6_k, _write_q6_k, _steps_q6_k),
    "Q5_0": Layout(32, 22, 32, 16, 32, _read_q5_0, _write_q5_0, _steps_0),
    "Q8_0": Layout(32, 34, 256, 128, 32, _read_q8_0, _write_q8_0, _steps_0),
}
FLOAT_TYPES = ("F32", "F16", "BF16")


def dequantize(type_name: str, raw: Bytes) -> Floats:
    """The weights of ``raw`` blocks, as ``gguf.quants.dequantize`` has them, bit for bit.

    Raises:
        KeyError: a type without a layout here.
    """
    layout = LAYOUTS[type_name]
    codes = layout.read_codes(raw).astype(np.float32).reshape(len(raw), -1, layout.group) - np.float32(layout.zero)
    weights = layout.steps(raw)[:, :, None] * codes
    if layout.minima is not None:
        weights -= layout.minima(raw)[:, :, None]
    return weights.reshape(len(raw), layout.weights)


def uniform(bits: np.random.BitGenerator, count: int) -> Floats:
    """``count`` numbers from the 65,536 midpoints of [0, 1), as float32.

    From the generator's raw bits, whose stream numpy promises to keep (NEP 19), where that of ``Generator.random`` may
    change with a release. Sixteen bits of randomness bias a code by less than 2**-17 of a step.
    """
    raw = bits.random_raw(-(-count // 4))
    # Little-endian on every machine, so that the four numbers in a word come in the same order.
    words = raw.astype("<u8", copy=False).view("<u2")[:count].astype(np.float32)
    words += np.float32(0.5)
    words *= np.float32(2.0**-16)
    return words


def add_in_grid(type_name: str, raw: Bytes, delta: Floats, noise: Floats) -> Bytes:
    """``raw`` with ``delta`` added to its weights by moving codes only: ``clip(floor(code + delta / step + noise))``.

    Every operation is an elementwise float32 one that IEEE 754 defines to the bit, so that machines agree.

    Args:
        raw: the blocks; left as they are.
        delta: what to add, (blocks, weights of a block).
        noise: uniform in [0, 1), the same shape. Unbiased as long as a code does not leave its range.

    Returns:
        New blocks, in the same scales and minima.

    Raises:
        KeyError: a type without a layout here.
    """
    layout = LAYOUTS[type_name]
    steps = layout.steps(raw)
    # A group whose step is zero cannot express any change: dividing by infinity leaves it alone.
    steps = np.where(steps == 0, np.float32(np.inf), steps)
    moved = delta.reshape(len(raw), -1, layout.group) / steps[:, :, None]
    moved = moved.reshape(len(raw), layout.weights)
    moved += layout.read_codes(raw)
    moved += noise
    np.floor(moved, out=moved)
    np.clip(moved, 0, layout.codes - 1, out=moved)
    result = raw.copy()
    layout.write_codes(result, moved.astype(np.uint8))
    return result


def add_to_floats(type_name: str, raw: Bytes, delta: Floats) -> Bytes:
    """F32, F16 or BF16 values, as bytes, with ``delta`` added in float32 and rounded to nearest, ties to even.

    Args:
        raw: uint8, little-endian values of ``type_name``, (rows, bytes of a row).
        delta: float32 (rows, weights of a row).

    Raises:
        ValueError: not a float type.
    """
    if type_name == "F32":
        return (raw.view("<f4") + delta).astype("<f4").view(np.uint8)
    if type_name == "F16":
        return (raw.view("<f2").astype(np.float32) + delta).astype("<f2").view(np.uint8)
    if type_name != "BF16":
        raise ValueError(f"{type_name} is not a float type")
    values = from_bfloat16(raw.view("<u2")) + delta
    bits = values.astype("<f4").view("<u4")
    rounded = (bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))) >> 16
    return rounded.astype("<u2").view(np.uint8)


def from_bfloat16(bits: NDArray[np.uint16]) -> Floats:
    """The float32 values of bfloat16 bit patterns."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
