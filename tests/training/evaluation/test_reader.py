"""The reader knows a tone when it reads one, and nothing that is not in the texts."""

import random

import pytest

from app.compose.sentence import Sentence
from tests.training.evaluation import voices
from training.errors import TrainingError
from training.evaluation.reader import recognised, train_reader
from training.evaluation.reference import Reference, relationship_of, tone_of

pytestmark = pytest.mark.torch
TONE = Sentence("语气", "tone")


def test_it_recognises_held_out_texts(reference: Reference):
    held_out = [voices.written(record.id, record.text, record.request) for record in voices.records(held_out=True)]
    assert reference.tones and reference.relationships
    assert recognised(held_out, reference.tones, tone_of).value > 0.9
    assert recognised(held_out, reference.relationships, relationship_of).value > 0.9
    assert (reference.tones.cross_validated or 0) > 0.9 and reference.tones.chance == 0.5
    assert reference.relationships.labels == ("boss", "close_friend", "parents")


def test_texts_for_other_requests_are_recognised_by_chance_alone(reference: Reference):
    assert reference.tones and reference.relationships
    texts = voices.well_voiced()
    assert recognised(texts, reference.tones, tone_of).value > 0.9
    assert recognised(voices.shuffled(texts), reference.tones, tone_of).holds(0.5)
    assert recognised(voices.shuffled(texts), reference.relationships, relationship_of).holds(1 / 3)


def test_of_shuffled_labels_nothing_is_learned():
    records = voices.records(held_out=False)
    labels = [record.request.tone for record in records]
    random.Random(0).shuffle(labels)
    assert (train_reader([record.text for record in records], labels, TONE).cross_validated or 1) < 0.62


def test_nothing_written_is_not_recognised(reference: Reference):
    asked = voices.records(held_out=True)[0].request
    assert reference.tones
    for text in ("", "  "):
        assert recognised([voices.written("a", text, asked)], reference.tones, tone_of).value == 0.0


def test_one_label_cannot_be_learned():
    with pytest.raises(TrainingError) as caught:
        train_reader(["甲", "乙"], ["warm", "warm"], TONE)
    assert "只有一种语气（warm）" in caught.value.sentence.zh and "one tone only" in caught.value.sentence.en


def test_a_label_of_one_text_is_not_cross_validated():
    reader = train_reader(["过年啦～", "过年咯～", "谨贺新春。"], ["playful", "playful", "formal"], TONE)
    assert reader.cross_validated is None
    assert reader.read(["过年啦～"]) == ["playful"]
