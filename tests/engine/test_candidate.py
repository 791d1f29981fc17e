"""A candidate takes tokens and gives whole characters."""

import numpy as np

from app.engine.candidate import Candidate


def candidate() -> Candidate:
    return Candidate(3, 1, np.random.default_rng(0))


def test_a_character_in_pieces_comes_out_whole() -> None:
    one = candidate()
    parts = [one.take(index, -1.0, bytes([byte]), 99)[0] for index, byte in enumerate("恭😀".encode())]
    assert parts == ["", "", "恭", "", "", "", "😀"] and one.text == "恭😀"


def test_bytes_that_are_no_character_show_as_one_that_stands_for_them() -> None:
    one = candidate()
    assert one.take(1, -1.0, b"\xff", 99) == ("\ufffd", "")
    assert one.take(2, -1.0, "喜".encode(), 99) == ("喜", "")


def test_a_character_cut_off_by_the_end_is_left_out() -> None:
    one = candidate()
    one.take(1, -1.0, "恭".encode(), 2)
    assert one.take(2, -3.0, "喜".encode()[:2], 2) == ("", "length")
    finished = one.finished(5, "length")
    assert (finished.job, finished.candidate, finished.text, finished.tokens, finished.logprob) == (5, 3, "恭", 2, -2.0)


def test_the_end_of_the_turn_counts_in_the_mean_but_not_as_a_token() -> None:
    one = candidate()
    one.take(1, -1.0, "恭".encode(), 99)
    assert one.take(2, -3.0, None, 99) == ("", "stop")
    finished = one.finished(5, "stop")
    assert (finished.tokens, finished.logprob, finished.end) == (1, -2.0, "stop")


def test_one_that_never_began_is_worth_nothing() -> None:
    finished = candidate().finished(5, "cancelled")
    assert (finished.text, finished.tokens, finished.logprob) == ("", 0, 0.0)
