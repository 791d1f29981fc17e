"""Drawing a token: the cuts, the temperature, and what it is said to have been worth."""

import numpy as np
import pytest

from app.engine.protocol import Sampling
from app.engine.sampling import pick, relative_weights

PROBABILITIES = np.array([0.04, 0.5, 0.3, 0.16])


def row(probabilities: np.ndarray = PROBABILITIES, shift: float = 300.0) -> tuple[np.ndarray, float]:
    logits = (np.log(probabilities) + shift).astype(np.float32)[None, :]
    weights, totals = relative_weights(logits, np.empty_like(logits))
    return weights[0], float(totals[0])


def drawn(sampling: Sampling, times: int = 4000) -> np.ndarray:
    weights, total = row()
    generator = np.random.default_rng(5)
    picks = [pick(weights, total, sampling, generator)[0] for _ in range(times)]
    return np.bincount(picks, minlength=4) / times


def test_temperature_one_without_cuts_draws_the_models_own_distribution() -> None:
    assert drawn(Sampling(1.0, 1.0, 0.0)) == pytest.approx(PROBABILITIES, abs=0.03)


def test_temperature_sharpens_what_the_cuts_left() -> None:
    kept = np.array([0, 0.5, 0.3, 0.16])
    assert drawn(Sampling(0.5, 1.0, 0.2)) == pytest.approx(kept**2 / (kept**2).sum(), abs=0.03)


def test_min_p_is_relative_to_the_likeliest() -> None:
    assert drawn(Sampling(1.0, 1.0, 0.61)).tolist() == [0, 1, 0, 0]
    assert (drawn(Sampling(1.0, 1.0, 0.59)) > 0).tolist() == [False, True, True, False]


def test_top_p_keeps_the_smallest_set_of_that_mass() -> None:
    assert (drawn(Sampling(1.0, 0.49, 0.0)) > 0).tolist() == [False, True, False, False]
    assert (drawn(Sampling(1.0, 0.51, 0.0)) > 0).tolist() == [False, True, True, False]
    assert (drawn(Sampling(1.0, 0.81, 0.0)) > 0).tolist() == [False, True, True, True]


def test_a_token_must_pass_both_cuts() -> None:
    assert (drawn(Sampling(1.0, 0.95, 0.5)) > 0).tolist() == [False, True, True, False]


def test_temperature_zero_takes_the_likeliest_and_spends_no_chance() -> None:
    weights, total = row()
    generator = np.random.default_rng(5)
    assert pick(weights, total, Sampling(0.0), generator)[0] == 1
    assert generator.random() == np.random.default_rng(5).random()


@pytest.mark.parametrize("temperature", [1e-9, 1e-3, 10.0])
def test_extreme_temperatures_still_draw_a_token(temperature: float) -> None:
    weights, total = row(np.array([1e-30, 0.4, 0.6]))
    assert pick(weights, total, Sampling(temperature, 1.0, 0.0), np.random.default_rng(1))[0] in (0, 1, 2)


def test_avoided_tokens_are_never_drawn_and_the_rest_keep_their_ratios() -> None:
    weights, total = row()
    generator, avoided = np.random.default_rng(5), np.array([1], np.intp)
    assert pick(weights, total, Sampling(0.0), generator, avoided)[0] != 1
    picks = [pick(weights, total, Sampling(1.0, 1.0, 0.05), generator, avoided)[0] for _ in range(4000)]
    rest = np.where(np.arange(4) == 1, 0, PROBABILITIES)
    rest[rest < 0.05 * rest.max()] = 0
    assert np.bincount(picks, minlength=4) / 4000 == pytest.approx(rest / rest.sum(), abs=0.03)


def test_where_everything_is_avoided_something_is_drawn_all_the_same() -> None:
    weights, total = row()
    token, logprob = pick(weights, total, Sampling(0.0), np.random.default_rng(5), np.arange(4))
    assert token == 1 and np.isfinite(logprob)


def test_where_next_to_nothing_is_not_avoided_something_is_drawn_all_the_same() -> None:
    weights = np.array([1.0, 1e-40], np.float32)
    token, _ = pick(weights, 1.0, Sampling(0.7, 1.0, 0.05), np.random.default_rng(5), np.array([0], np.intp))
    assert token == 0


def test_the_logprob_is_the_unmodified_models() -> None:
    weights, total = row()
    token, logprob = pick(weights, total, Sampling(0.1, 0.5, 0.9), np.random.default_rng(1))
    assert logprob == pytest.approx(np.log(PROBABILITIES[token]), abs=1e-5)


def test_logits_that_are_not_numbers_show_in_the_sum() -> None:
    logits = np.array([[1.0, np.nan], [np.inf, 1.0], [1.0, 2.0]], np.float32)
    _, totals = relative_weights(logits, np.empty_like(logits))
    assert np.isfinite(totals).tolist() == [False, False, True]


def test_rows_do_not_disturb_each_other_or_the_logits() -> None:
    logits = np.random.default_rng(2).normal(size=(3, 50)).astype(np.float32)
    before = logits.copy()
    weights, totals = relative_weights(logits, np.empty((8, 50), np.float32))
    for index in range(3):
        alone, total = relative_weights(logits[index : index + 1], np.empty((1, 50), np.float32))
        assert np.array_equal(alone[0], weights[index]) and total[0] == totals[index]
    assert np.array_equal(before, logits)
