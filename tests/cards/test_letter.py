"""What of a text is the greeting and what the signature."""

import pytest

from app.cards.letter import read_letter


def test_a_name_after_a_dash_at_the_end_is_the_signature():
    letter = read_letter("李老师，谨祝新春安康。——学生何川")
    assert letter.paragraphs == ("李老师，谨祝新春安康。",)
    assert letter.signature == "学生何川"


def test_the_signature_of_the_text_wins_over_the_given_one():
    assert read_letter("新春好。——小迟", "学生小迟").signature == "小迟"
    assert read_letter("新春好。", "小迟").signature == "小迟"


@pytest.mark.parametrize(
    "text", ["新春好——祝您安康。", "全家福——一个都不能少", "——小迟", "新春好。——今年也请多多关照，来日方长"]
)
def test_a_dash_within_the_text_signs_nothing(text):
    letter = read_letter(text)
    assert letter.paragraphs == (text,)
    assert letter.signature == ""


def test_lines_of_the_text_are_paragraphs_and_empty_ones_are_none():
    assert read_letter(" 王总：\r\n\n  新春  好。\n").paragraphs == ("王总：", "新春 好。")


def test_nothing_of_a_greeting_is_lost(greetings):
    for text in greetings:
        letter = read_letter(text)
        kept = "".join(letter.paragraphs) + letter.signature
        assert kept.replace(" ", "") == "".join(text.split()).removesuffix(f"——{letter.signature}") + letter.signature
