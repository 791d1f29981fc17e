"""Small changes of a request: each changes one thing, none that a reader would write otherwise for."""

from typing import Any

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import ZODIAC, GreetingRequest, make_request
from training.evaluation.requests import Asked, as_asked, variations, with_variations

CATALOG = load_catalog()


def asked(**fields: Any) -> Asked:
    return Asked("one", "", make_request(CATALOG, {"relationship": "boss", "tone": "formal", **fields}))


def changed(variation: str, **fields: Any) -> GreetingRequest | None:
    return next((one.request for one in variations(asked(**fields)) if one.variation == variation), None)


@pytest.mark.parametrize(
    ("address", "before", "after"),
    [
        ("王总", "", "总"),
        ("小康老师", "小", "老师"),
        ("老何", "老", ""),
        ("欧阳老师", "", "老师"),
        ("阿梅", "阿", ""),
        ("婉清", "", ""),
        ("子谦兄", "", "兄"),
        ("Tony哥", "", "哥"),
    ],
)
def test_another_name_is_of_like_kind(address: str, before: str, after: str) -> None:
    request = changed("name", address=address)
    assert request is not None and request.address != address
    assert request.address.startswith(before) and request.address.endswith(after)
    assert len(request.address) == len(address) or address[0].isascii()


@pytest.mark.parametrize(
    "address", ["", "妈", "爷爷", "阿婆", "老大", "老师", "宝贝", "各位同事", "大伯", "李", "301的邻居"]
)
def test_what_is_no_name_stays(address: str) -> None:
    assert changed("name", address=address) is None


def test_a_name_changes_in_the_facts_as_well() -> None:
    request = changed("name", address="徐姐", details=["徐姐节后就退休了"])
    assert request is not None and request.details == (f"{request.address}节后就退休了",)


@pytest.mark.parametrize("fields", [{"details": ["姓马，大家叫他老马"]}, {"signature": "您的马粉"}])
def test_a_name_that_is_played_with_stays(fields: dict[str, Any]) -> None:
    assert changed("name", address="老马", **fields) is None
    assert changed("name", address="卜老师", details=["大家都问卜于他"]) is None


def test_another_year_is_the_next_animal_that_nothing_else_names() -> None:
    for animal, following in zip(ZODIAC, ZODIAC[1:] + ZODIAC[:1], strict=True):
        request = changed("year", zodiac=animal)
        assert request is not None and request.zodiac == following
    request = changed("year", zodiac="马", details=["开了个羊肉馆"])
    assert request is not None and request.zodiac == "猴"
    assert changed("year") is None
    assert changed("year", zodiac="羊", details=["年轻时放过羊"]) is None


def test_two_facts_change_places() -> None:
    request = changed("order", details=["刚升职", "搬了新家"])
    assert request is not None and request.details == ("搬了新家", "刚升职")
    assert changed("order", details=["刚升职"]) is None


def test_each_change_leaves_the_rest_and_comes_out_the_same_again() -> None:
    one = asked(address="王总", zodiac="马", details=["刚升职", "搬了新家"], signature="小李")
    found = with_variations([one])
    assert [each.variation for each in found] == ["", "name", "year", "order"]
    assert found[0] == one and with_variations([one]) == found
    for each, field in zip(found[1:], ("address", "zodiac", "details"), strict=True):
        differing = [name for name in vars(one.request) if getattr(each.request, name) != getattr(one.request, name)]
        assert differing == [field] and each.id == one.id


def test_lines_of_a_file_are_requests() -> None:
    lines = [{"id": 7, "relationship": "boss", "tone": "formal"}]
    assert as_asked(lines, CATALOG) == [Asked("7", "", asked().request)]
