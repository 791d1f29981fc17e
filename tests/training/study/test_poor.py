"""Poor records: each kind is poor in the way it says and in no other."""

from collections import Counter
from collections.abc import Sequence

import pytest

from app.compose.catalog import load_catalog
from app.compose.guard import check
from app.compose.lexicon import CLICHES
from app.compose.request import GreetingRequest
from training.records import CORPUS, Record, read_corpus, read_split
from training.study.corpora import replaced, stratified
from training.study.poor import KINDS, STOCK, asked_of_base, cliche_text, kind_of, other_labels, poor_records

CATALOG = load_catalog()
SEED = 5


@pytest.fixture(scope="module")
def pool() -> Sequence[Record]:
    return stratified(read_split(CORPUS, read_corpus(CORPUS, CATALOG)).train, "a")[:600]


def test_the_three_kinds_take_turns_and_the_base_is_asked_for_its_own_alone(pool: Sequence[Record]):
    places = replaced(pool, SEED)
    texts = {record.id: f"base: {record.id}" for record in asked_of_base(places)}
    poor = poor_records(places, pool, texts, CATALOG, SEED)
    assert [each.instead_of for each in poor] == [record.id for record in places]
    for size in (150, 300, 450):  # a quarter, a half, three quarters
        assert Counter(each.record.id.partition("~")[2] for each in poor[:size]) == dict.fromkeys(KINDS, size // 3)
    written = [each.record.text for each in poor if each.record.id.endswith("~base")]
    assert sorted(written) == sorted(texts.values())
    assert len({each.record.id for each in poor}) == len(poor)


def test_shuffled_labels_are_another_relationship_and_another_tone_and_nothing_else(pool: Sequence[Record]):
    places = replaced(pool, SEED)
    texts = dict.fromkeys((record.id for record in places), "…")
    known = {record.cell for record in pool}
    for place, (record, each) in enumerate(zip(places, poor_records(places, pool, texts, CATALOG, SEED), strict=True)):
        if kind_of(place) == "shuffled":
            made = each.record
            assert made.text == record.text and made.cell in known
            assert made.request.relationship != record.request.relationship and made.request.tone != record.request.tone
            for field in ("occasion", "length", "address", "zodiac", "details", "signature"):
                assert getattr(made.request, field) == getattr(record.request, field)


def test_where_all_tones_are_one_the_relationship_alone_is_another():
    pool = [Record(name, GreetingRequest(name, "warm"), name) for name in ("boss", "friend")]
    assert other_labels(pool[0], pool, SEED) == GreetingRequest("friend", "warm")


def test_the_stock_is_the_list_that_the_check_has():
    assert set(STOCK) == set(CLICHES)
    assert all(phrase in sentence for phrase, sentence in STOCK.items())


def test_a_text_of_cliches_is_nothing_worse_than_that(pool: Sequence[Record]):
    for record in pool:
        request = record.request
        text = cliche_text(request, CATALOG, record.id)
        faults = {fault.code for fault in check(text, request, CATALOG)}
        assert "cliche" in faults and any(phrase in text for phrase in CLICHES)
        assert not faults & {"length", "address", "signature", "pronoun", "garbled"}, text
        assert request.address in text and request.signature in text
    assert len({cliche_text(record.request, CATALOG, record.id) for record in pool}) > 0.95 * len(pool)
