"""The index of a batch's texts says the same as comparing every pair."""

import random
from itertools import combinations

from app.compose.select import alike
from app.gui.batch_likeness import Likeness
from tests.gui.batch_bench import text_of


def test_it_agrees_with_comparing_every_pair_through_changes_and_removals():
    drawn = random.Random(7)
    kinds = [text_of(number) for number in range(6)] + ["过年好。", "新年好", "哈哈哈哈哈哈哈哈哈哈哈哈", "？"]
    likeness, texts = Likeness(), {}
    for _ in range(300):
        id, text = drawn.randrange(40), drawn.choice(kinds)
        cut = drawn.randrange(len(text) + 1)
        texts[id] = drawn.choice((text, text[:cut], text[:cut] + drawn.choice(kinds), ""))
        likeness.put(id, texts[id])
    kept = {id: text for id, text in texts.items() if text}
    pairs = {(one, other) for one, other in combinations(sorted(kept), 2) if alike(kept[one], kept[other])}
    assert {(one, other) for one in kept for other in likeness.of(one) if one < other} == pairs
    assert pairs
