"""Style features count what their names say, and their distance is Burrows's Delta."""

import numpy as np
import pytest

from training.evaluation import features
from training.evaluation.features import FEATURES, FURTHEST, Scale, feature_matrix

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("feature", "text", "value"),
    [
        (features.length, "新年好呀", 2.0),
        (features.clause_length, "新年好，阖家安康。", 3.5),
        (features.clause_spread, "新年好，阖家安康平安。", 1.5),
        (features.sentence_length, "新年好，你。好！", 3.0),
        (features.four_character_clauses, "阖家安康，新年好。", 0.5),
        (features.exclamations, "好！好！", 50.0),
        (features.pauses, "好……", 200 / 3),
        (features.emoji, "好🎉", 50.0),
        (features.polite_you, "您好您好", 50.0),
        (features.familiar_you, "您好你好", 25.0),
        (features.doubled_characters, "慢慢走", 100 / 3),
        (features.unlike_bigrams, "好好好", 0.5),
    ],
)
def test_a_feature_counts_what_it_says(feature, text, value):
    assert feature(text) == pytest.approx(value)


def test_no_text_breaks_a_feature():
    for text in ("", "。", "\n", "🎉", "a" * 5000, "\ud800"):
        assert np.isfinite(feature_matrix([text])).all()


def test_names_are_known_once():
    assert len({feature.__name__ for feature in FEATURES}) == len(FEATURES)
    assert all(feature.__doc__ for feature in FEATURES)


def test_standardised_is_measured_in_what_is_usual():
    texts = ["新年好。", "您好，新年好！", "你好呀，过年啦～", "谨贺新春，顺颂时绥。"]
    standardised = Scale.of(texts).standardised(texts)
    assert standardised.mean(axis=0) == pytest.approx(np.zeros(len(FEATURES)), abs=1e-9)
    varied = standardised.std(axis=0) > 0
    assert varied.any() and standardised.std(axis=0)[varied] == pytest.approx(1.0)
    assert np.abs(Scale.of(texts).standardised(["！" * 1000])).max() == FURTHEST


def test_the_distance_is_the_mean_of_what_features_differ_by():
    standardised = np.array([[0.0, 0.0], [1.0, -3.0], [0.0, 1.0]])
    assert features.style_distances(standardised).tolist() == [[0.0, 2.0, 0.5], [2.0, 0.0, 2.5], [0.5, 2.5, 0.0]]
