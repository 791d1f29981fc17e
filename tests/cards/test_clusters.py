"""What counts as one character."""

import pytest

from app.cards.clusters import clusters, is_picture


@pytest.mark.parametrize(
    "whole",
    ["👨‍👩‍👧‍👦", "🇨🇳", "👍🏽", "1️⃣", "❤️", "é", "n̈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🧑🏻‍🎓"],
)
def test_what_a_person_sees_as_one_is_one(whole):
    assert clusters(f"年{whole}好") == ["年", whole, "好"]
    assert clusters(whole * 2) == [whole, whole]


def test_clusters_joined_are_the_text(greetings):
    for text in greetings:
        assert "".join(clusters(text)) == text


def test_flags_are_taken_in_pairs():
    assert clusters("🇨🇳🇫🇷🇯") == ["🇨🇳", "🇫🇷", "🇯"]


def test_line_ends_stay_whole():
    assert clusters("年\r\n好\n\u0301") == ["年", "\r\n", "好", "\n", "\u0301"]


@pytest.mark.parametrize(("cluster", "picture"), [("🎉", True), ("❤️", True), ("1️⃣", True), ("★", False), ("年", False)])
def test_emoji_are_told_from_text(cluster, picture):
    assert is_picture(cluster) is picture
