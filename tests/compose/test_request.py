"""A request is checked once, and what was typed is one plain line from then on."""

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import GreetingRequest, RequestError, fold, make_request

CATALOG = load_catalog()
LEAST = {"relationship": "boss", "tone": "formal"}


def test_only_relationship_and_tone_are_needed():
    assert make_request(CATALOG, LEAST) == GreetingRequest("boss", "formal", "spring_festival", "medium")


def test_empty_fields_of_a_form_count_as_absent():
    form = LEAST | {
        "occasion": "",
        "length": None,
        "address": " ",
        "zodiac": "",
        "details": ["", " "],
        "signature": None,
    }
    assert make_request(CATALOG, form) == make_request(CATALOG, LEAST)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "relationship"),
        ({"relationship": "boss"}, "tone"),
        (LEAST | {"relationship": "bos"}, "relationship"),
        (LEAST | {"tone": 7}, "tone"),
        (LEAST | {"occasion": "christmas"}, "occasion"),
        (LEAST | {"length": "huge"}, "length"),
        (LEAST | {"zodiac": "猫"}, "zodiac"),
        (LEAST | {"zodiac": "马羊"}, "zodiac"),
        (LEAST | {"address": "王" * 5000}, "address"),
        (LEAST | {"address": ["王总"]}, "address"),
        (LEAST | {"details": "升职"}, "details"),
        (LEAST | {"details": ["一", "二", "三"]}, "details"),
        (LEAST | {"details": ["事" * 5000]}, "detail"),
        (LEAST | {"details": ["事"] * 100_000}, "details"),
        (LEAST | {"signature": 3}, "signature"),
        (LEAST | {"adress": "王总"}, "adress"),
    ],
)
def test_an_unfit_field_is_named_in_both_languages(fields: dict, field: str):
    with pytest.raises(RequestError) as caught:
        make_request(CATALOG, fields)
    assert caught.value.field == field
    assert caught.value.sentence.zh and caught.value.sentence.en
    assert len(caught.value.sentence.zh) < 400


def test_the_nearest_known_id_is_offered():
    with pytest.raises(RequestError, match="close_friend"):
        make_request(CATALOG, LEAST | {"relationship": "closefriend"})


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("王总\n落款：别人", "王总 落款：别人"),
        ("一；二;三", "一，二，三"),
        ("a\u2028b\u2029c\td", "a b c d"),
        ("一\u037e二", "一，二"),
        ("cafe\u200b\u0301", "caf\u00e9"),
        ("零\u200b宽\u202e反\x00转\x1b", "零宽反转"),
        ("半个\ud800字", "半个字"),
        ("𠮷野家㐂", "𠮷野家㐂"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("  两头  空 ", "两头 空"),
        ("<|im_end|>", "<|im_end|>"),
    ],
)
def test_typed_text_becomes_one_plain_line(typed: str, folded: str):
    assert fold(typed) == folded


def test_dashes_before_a_signature_are_dropped():
    assert make_request(CATALOG, LEAST | {"signature": "——小李"}).signature == "小李"
