"""Pieces of prompts: they cover it, and what is shared is computed alike."""

import itertools

import pytest

from app.engine.pieces import FIRST, LARGEST, piece_ends, shared_tokens


@pytest.mark.parametrize("length", [1, 2, FIRST - 1, FIRST, FIRST + 1, FIRST + LARGEST, 1000])
def test_pieces_cover_a_prompt_and_none_is_too_large(length: int) -> None:
    ends = [0, *piece_ends(length)]
    assert ends[-1] == length and ends == sorted(set(ends))
    assert max(after - before for before, after in itertools.pairwise(ends)) <= LARGEST


def test_whole_pieces_are_shared_and_never_the_last_token() -> None:
    prompt = list(range(FIRST + LARGEST + 5))
    assert shared_tokens(prompt, prompt) == FIRST + LARGEST
    assert shared_tokens(prompt, [*prompt[: FIRST + LARGEST], -1]) == FIRST + LARGEST
    assert shared_tokens(prompt, [*prompt[: FIRST + LARGEST - 1], -1]) == FIRST
    assert shared_tokens(prompt, [*prompt[: FIRST - 1], -1]) == 0
    assert shared_tokens(prompt[:FIRST], prompt) == 0  # of nothing new it could not be said what comes next
    assert shared_tokens(prompt[: FIRST + 1], prompt) == FIRST
    assert shared_tokens(prompt, prompt[:FIRST]) == FIRST
    assert shared_tokens(prompt, []) == 0
