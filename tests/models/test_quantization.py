"""Blocks are read as gguf-py reads them, and what is added to them arrives, on average, exactly."""

import gguf
import numpy as np
import pytest

from app.models.quantization import (
    LAYOUTS,
    add_in_grid,
    add_to_floats,
    dequantize,
    from_bfloat16,
    uniform,
)
from tests.tiny import to_bfloat16

_HALVES = {"Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "Q5_0": (0,), "Q8_0": (0,)}
BLOCKS = 300


def _random_blocks(type_name: str, seed: int = 0, blocks: int = BLOCKS) -> np.ndarray:
    """Any bytes at all, but finite float16 scales."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 256, (blocks, LAYOUTS[type_name].bytes), dtype=np.uint8)
    for at in _HALVES[type_name]:
        raw[:, at : at + 2] = rng.standard_normal(blocks).astype(np.float16).view(np.uint8).reshape(blocks, 2)
    return raw


def _noise(raw: np.ndarray, type_name: str, seed: int) -> np.ndarray:
    shape = (len(raw), LAYOUTS[type_name].weights)
    return uniform(np.random.Philox(seed), shape[0] * shape[1]).reshape(shape)


def _steps(raw: np.ndarray, type_name: str) -> np.ndarray:
    """The step of every weight."""
    layout = LAYOUTS[type_name]
    return np.repeat(layout.steps(raw), layout.group, axis=1)


@pytest.mark.parametrize("type_name", LAYOUTS)
def test_weights_are_those_of_gguf_py_bit_for_bit(type_name: str):
    raw = _random_blocks(type_name)
    expected = gguf.quants.dequantize(raw.reshape(-1), gguf.GGMLQuantizationType[type_name])
    assert np.array_equal(dequantize(type_name, raw).reshape(-1).view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("type_name", LAYOUTS)
def test_codes_written_back_are_the_same_bytes(type_name: str):
    raw = _random_blocks(type_name)
    layout = LAYOUTS[type_name]
    again = raw.copy()
    layout.write_codes(again, layout.read_codes(raw))
    assert np.array_equal(again, raw)
    assert layout.read_codes(raw).max() == layout.codes - 1
    # And each code by itself: other codes change nothing but themselves.
    codes = np.random.default_rng(1).integers(0, layout.codes, (BLOCKS, layout.weights), dtype=np.uint8)
    layout.write_codes(again, codes)
    assert np.array_equal(layout.read_codes(again), codes)
    assert np.array_equal(layout.steps(again), layout.steps(raw))


@pytest.mark.parametrize("type_name", LAYOUTS)
def test_adding_nothing_changes_nothing(type_name: str):
    raw = _random_blocks(type_name)
    delta = np.zeros((len(raw), LAYOUTS[type_name].weights), np.float32)
    assert np.array_equal(add_in_grid(type_name, raw, delta, _noise(raw, type_name, 1)), raw)


@pytest.mark.parametrize("type_name", LAYOUTS)
def test_whole_steps_are_added_exactly_and_only_to_their_weight(type_name: str):
    raw = _random_blocks(type_name)
    layout = LAYOUTS[type_name]
    codes = layout.read_codes(raw)
    steps = _steps(raw, type_name)
    moved = np.zeros(codes.shape, np.int64)
    moved[:, ::7] = np.where(codes[:, ::7] == 0, 1, -1)
    added = add_in_grid(type_name, raw, (moved * steps).astype(np.float32), np.full(codes.shape, 0.5, np.float32))
    assert np.array_equal(layout.read_codes(added), np.where(steps == 0, codes, codes + moved))


@pytest.mark.parametrize("type_name", LAYOUTS)
def test_rounding_is_unbiased(type_name: str):
    """The mean over many seeds is the delta itself.

    A code moves by floor(x) or floor(x) + 1, so one draw's variance is at most 1/4 of a squared step and the mean of
    ``draws`` independent ones has a standard deviation of at most s = 1 / (2 sqrt(draws)). By Hoeffding's inequality a
    weight's mean is further than t from x with probability at most 2 exp(-2 draws t**2); with t = 6 s that is
    2 exp(-18) = 3e-8, and over all weights here (77,000) less than 0.3 %; the seeds are fixed.
    The mean over all weights averages N times as many: 6 s / sqrt(N). Sixteen-bit noise adds a bias of at most 2**-17.
    """
    draws = 400
    layout = LAYOUTS[type_name]
    raw = _random_blocks(type_name)
    # Codes away from the ends of their range, where nothing is clipped.
    layout.write_codes(raw, np.full((len(raw), layout.weights), layout.codes // 2, np.uint8))
    steps = _steps(raw, type_name)
    wanted = np.random.default_rng(2).uniform(-2.5, 2.5, steps.shape).astype(np.float32)
    wanted[:, :8] = 0.05  # a typical delta: rounding to nearest would lose it every time
    delta = wanted * steps
    mean = np.zeros(steps.shape)
    for seed in range(draws):
        added = add_in_grid(type_name, raw, delta, _noise(raw, type_name, seed))
        mean += layout.read_codes(added).astype(np.float64) - layout.codes // 2
    mean /= draws
    there = steps != 0
    error = (mean - wanted)[there]
    bound = 6 / (2 * np.sqrt(draws))
    assert np.abs(error).max() < bound + 2.0**-17
    assert abs(error.mean()) < bound / np.sqrt(error.size) + 2.0**-17
    small = (mean - wanted)[:, :8][there[:, :8]]
    assert abs(small.mean()) < bound / np.sqrt(small.size) + 2.0**-17


@pytest.mark.parametrize("type_name", LAYOUTS)
def test_no_code_leaves_its_range(type_name: str):
    raw = _random_blocks(type_name)
    layout = LAYOUTS[type_name]
    steps = _steps(raw, type_name)
    for far, end in ((1000, layout.codes - 1), (-1000, 0)):
        delta = (steps * far).astype(np.float32)
        codes = layout.read_codes(add_in_grid(type_name, raw, delta, _noise(raw, type_name, 3)))
        assert (codes[steps != 0] == end).all()


def test_uniform_numbers_fill_the_interval_evenly_and_continue_where_they_left_off():
    count = 1 << 16
    numbers = uniform(np.random.Philox(1), count)
    assert numbers.dtype == np.float32 and numbers.min() > 0 and numbers.max() < 1
    # Of n uniform numbers, those in a sixteenth are binomial: mean n/16, deviation below sqrt(n)/4; six are allowed.
    counts, _ = np.histogram(numbers, 16, (0, 1))
    assert np.abs(counts - count / 16).max() < 6 * np.sqrt(count) / 4
    later = uniform(np.random.Philox(1, counter=count // 2 // 16), count // 2)
    assert np.array_equal(later, numbers[count // 2 :])


def test_the_noise_is_the_same_in_every_release():
    """The bytes of a merged file rest on these; numpy promises the raw stream of a bit generator (NEP 19)."""
    numbers = uniform(np.random.Philox(key=20260217, counter=3), 5) * np.float32(1 << 16)
    assert numbers.tolist() == [55192.5, 54263.5, 59308.5, 16416.5, 27371.5]


@pytest.mark.parametrize("type_name", ["F32", "F16", "BF16"])
def test_floats_are_added_and_rounded_to_nearest(type_name: str):
    rng = np.random.default_rng(4)
    weights = rng.standard_normal((8, 64)).astype(np.float32)
    delta = (rng.standard_normal((8, 64)) * 0.01).astype(np.float32)
    kind = gguf.GGMLQuantizationType[type_name]
    raw = gguf.quants.quantize(weights, kind).reshape(8, -1).view(np.uint8)
    added = add_to_floats(type_name, raw, delta)
    expected = gguf.quants.quantize(gguf.quants.dequantize(raw, kind).reshape(8, 64) + delta, kind)
    assert added.shape == raw.shape
    assert np.array_equal(added, expected.reshape(8, -1).view(np.uint8))


def test_bfloat16_is_widened_exactly():
    values = np.array([0.0, -0.0, 1.0, -2.5, 3e38, 1e-40, np.inf], np.float32)
    widened = from_bfloat16(to_bfloat16(values))
    assert np.array_equal(to_bfloat16(widened), to_bfloat16(values))
    assert widened[:4].tolist() == [0.0, -0.0, 1.0, -2.5] and np.isinf(widened[-1])


def test_a_type_without_a_layout_is_refused():
    with pytest.raises(KeyError):
        dequantize("IQ2_XS", np.zeros((1, 74), np.uint8))
    with pytest.raises(ValueError, match="Q4_0 is not a float type"):
        add_to_floats("Q4_0", np.zeros((1, 18), np.uint8), np.zeros((1, 32), np.float32))
