"""Intervals: of requests, not of texts; seeded; and wide enough to hold what other draws give."""

import numpy as np
import pytest

from training.evaluation.bootstrap import (
    Estimate,
    half_draws,
    mean_over_requests,
    percentiles,
    share_over_requests,
    weights,
)


def test_texts_of_one_request_count_as_one():
    once = mean_over_requests([0.0, 1.0, 1.0, 0.0], ["a", "b", "c", "d"])
    tenfold = mean_over_requests([0.0, 1.0, 1.0, 0.0] * 10, ["a", "b", "c", "d"] * 10)
    assert once == tenfold
    assert once.value == 0.5 and once.low == 0.0 and once.high == 1.0


def test_a_request_weighs_the_same_however_many_texts_it_has():
    assert mean_over_requests([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"]).value == 0.5


def test_nineteen_of_twenty_intervals_hold_the_mean():
    generator = np.random.default_rng(7)
    held = 0
    for seed in range(200):
        values = generator.exponential(size=40)
        held += mean_over_requests(list(values), [str(number) for number in range(40)], seed).holds(1.0)
    assert 0.86 < held / 200 < 0.99  # percentile intervals of forty skewed values are a little short


def test_the_seed_decides_the_interval():
    values, requests = [0.1, 0.9, 0.4, 0.7, 0.2], list("abcde")
    assert mean_over_requests(values, requests, 3) == mean_over_requests(values, requests, 3)
    assert mean_over_requests(values, requests, 3) != mean_over_requests(values, requests, 4)


def test_resamples_have_as_many_requests_as_there_are():
    drawn = weights(7)
    assert (drawn.sum(axis=1) == 7).all() and drawn.min() == 0 and drawn.max() > 1
    assert np.abs(drawn.mean(axis=0) - 1).max() < 0.15


def test_half_draws_have_no_request_twice_and_all_of_its_texts_sometimes():
    requests = ["a", "b", "a", "c", "b", "d", "e", "e", "e"]
    draws = half_draws(requests)
    names = np.array(requests)[draws]
    assert draws.shape[1] == 2
    assert all(len(set(row)) == len(row) for row in names)
    assert set(draws.ravel()) == set(range(len(requests)))
    share = [(names == name).mean() for name in "abcde"]
    assert share == pytest.approx([0.2] * 5, abs=0.04)


def test_one_request_is_drawn_whole():
    assert set(half_draws(["a", "a"]).ravel()) == {0, 1}


def test_what_could_not_be_computed_is_left_out_of_an_interval():
    assert percentiles(1.0, np.array([np.nan, 1.0, 2.0, np.inf])) == Estimate(1.0, 1.025, 1.975)
    assert percentiles(1.0, np.array([np.nan])) == Estimate(1.0, 1.0, 1.0)


def test_a_share_that_every_request_has_is_not_certain():
    sixty = [str(number) for number in range(60) for _ in range(3)]
    none, all_of_them = (share_over_requests([value] * 180, sixty) for value in (0.0, 1.0))
    assert (none.value, none.low, none.high) == (0.0, 0.0, pytest.approx(0.05))  # 3/60, by requests and not by texts
    assert (all_of_them.value, all_of_them.low, all_of_them.high) == (1.0, pytest.approx(0.95), 1.0)
    assert none.holds(1 / 180) and all_of_them.holds(179 / 180)
    thirds = share_over_requests([1.0, 1.0, 0.0] * 60, sixty)
    assert (thirds.low, thirds.high) == pytest.approx((2 / 3 - 0.05 * 2 / 3, 2 / 3 + 0.05 / 3))
    assert share_over_requests([1.0, 1.0], ["a", "b"]) == Estimate(1.0, 0.0, 1.0)  # of two nothing is known
    mixed = [float(number > 2) for number in range(60)]
    assert share_over_requests(mixed, sixty[::3]) == mean_over_requests(mixed, sixty[::3])


def test_the_rule_of_three_holds_what_is_rare():
    """With 60 requests of which a twentieth would do it, none does in 4.6 % of the draws (0.95 to the 60th)."""
    generator = np.random.default_rng(11)
    draws = [(generator.random(60) < 0.05).astype(float) for _ in range(400)]
    held = [share_over_requests(list(draw), [str(number) for number in range(60)]).holds(0.05) for draw in draws[:100]]
    assert sum(held) / len(held) > 0.85
    assert sum(not draw.any() for draw in draws) / len(draws) == pytest.approx(0.95**60, abs=0.03)
