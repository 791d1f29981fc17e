"""Who writes in the voice asked for is consistent; who writes in any voice, or one for all, is not called so."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.evaluation import voices
from training.evaluation.consistency import across_changes, across_seeds, between_relationships
from training.evaluation.features import Scale, style_distances
from training.evaluation.reference import Reference

pytestmark = pytest.mark.torch
CHANGES = ("name", "year")


def test_a_voice_that_follows_the_request_is_consistent(reference: Reference):
    steady, mixed = (across_seeds(texts(), reference.scale) for texts in (voices.well_voiced, voices.mixed_up))
    assert steady and mixed
    assert steady.low > 0.2 > mixed.high
    assert mixed.holds(0.0)


def test_the_same_text_every_time_is_wholly_consistent(reference: Reference):
    texts = [replace(each, body=voices.texts_of(*_cell(each))[0]) for each in voices.well_voiced()]
    figure = across_seeds(texts, reference.scale)
    assert figure and figure.value == figure.low == figure.high == pytest.approx(1.0)


def test_the_same_few_texts_for_everybody_are_not(reference: Reference):
    texts = voices.same_for_all(seeds=3)
    figure = across_seeds(texts, reference.scale)
    assert figure and figure.value < 0.0  # three texts a request, and of two requests sometimes the same


def test_changes_of_the_input_are_told_apart_from_seeds(reference: Reference):
    steady = across_changes(voices.well_voiced(1, CHANGES), reference.scale)
    mixed = across_changes(voices.mixed_up(1, CHANGES), reference.scale)
    assert steady and mixed and steady.low > mixed.high
    unsteady = [
        replace(each, body="！" * 30) if each.output.variation else each for each in voices.well_voiced(2, CHANGES[:1])
    ]
    changes, seeds = across_changes(unsteady, reference.scale), across_seeds(unsteady, reference.scale)
    assert changes and seeds and changes.value < 0 < seeds.value


def test_what_was_not_written_cannot_be_compared(reference: Reference):
    assert across_seeds(voices.well_voiced(seeds=1), reference.scale) is None
    assert across_changes(voices.well_voiced(), reference.scale) is None
    one = [each for each in voices.well_voiced() if each.request == "boss-formal:1"]
    assert across_seeds(one, reference.scale) is None and between_relationships(one, reference.scale) is None
    assert across_seeds([replace(each, body="好。") for each in voices.well_voiced()], reference.scale) is None


def test_relationships_that_get_the_same_do_not_differ(reference: Reference):
    """Without a tone's own voice, so that only what relationships have of their own is left to differ."""
    by_relationship = {"boss": "谨祝安好；敬颂春祺。", "parents": "妈，爸，回家啦！", "close_friend": "走起走起哈哈～"}
    apart = [replace(each, body=by_relationship[each.asked.relationship]) for each in voices.well_voiced(1)]
    differing = between_relationships(apart, reference.scale)
    same = between_relationships(voices.same_for_all(), reference.scale)
    assert differing and same
    assert differing.value == pytest.approx(1.0) and same.value == pytest.approx(0.0, abs=0.05)


def test_the_figure_is_that_of_its_formula():
    asked = [record.request for record in voices.records(held_out=True)]
    bodies = {
        "a": ["新年好。", "您好！过年啦～"],
        "b": ["谨贺新春，顺颂时绥。", "新年快乐！"],
        "c": ["好。", "嘿嘿，走起～"],
    }
    texts = [
        voices.written(name, body, asked[0], seed) for name, both in bodies.items() for seed, body in enumerate(both)
    ]
    scale = Scale.of([each.body for each in texts])
    distances = style_distances(scale.standardised([each.body for each in texts]))
    within = np.mean([distances[0, 1], distances[2, 3], distances[4, 5]])
    between = np.mean([distances[i, j] for i in range(6) for j in range(6) if i // 2 != j // 2])
    figure = across_seeds(texts, scale)
    assert figure and figure.value == pytest.approx(1 - within / between)


def _cell(each):
    return each.asked.relationship, each.asked.tone
