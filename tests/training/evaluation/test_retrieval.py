"""What is retrieved: records like the request, first in who writes to whom and how, then in what is told."""

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import make_request
from training.evaluation.retrieval import Index, Ranking, bigrams, shared, terms
from training.records import CORPUS, Record, read_corpus, read_split

pytestmark = pytest.mark.torch

CATALOG = load_catalog()


def record(name: str, text: str = "新年好，一切都好。", **fields: object) -> Record:
    asked = {"relationship": "boss", "tone": "formal", "length": "short"} | fields
    return Record(name, make_request(CATALOG, asked), text)


RECORDS = (
    record("same fields, no fact"),
    record("same fields, same fact", details=["公司搬到了江边"]),
    record("same fields, told in the text", text="听说江边的风景好。"),
    record("another tone, same fact", tone="playful", details=["公司搬到了江边"]),
    record("somebody else", relationship="friend", tone="playful", details=["公司搬到了江边"]),
)
ASKED = record("asked", details=["公司刚搬到江边"]).request


def names(ranking: Ranking, count: int) -> list[str]:
    return [found.id for found in Index(RECORDS, ranking).nearest(ASKED, count)]


def test_shared_fields_come_before_shared_words_and_the_nearest_stands_last() -> None:
    assert names(Ranking.FIELDS, 4) == [
        "another tone, same fact",
        "same fields, no fact",
        "same fields, told in the text",
        "same fields, same fact",
    ]


def test_by_bm25_alone_the_words_may_outweigh_the_fields() -> None:
    ranked = names(Ranking.BM25, len(RECORDS))
    assert ranked[-1] == "same fields, same fact"
    assert ranked.index("another tone, same fact") > ranked.index("same fields, no fact")


def test_no_more_is_found_than_there_is() -> None:
    assert len(names(Ranking.FIELDS, 16)) == len(RECORDS)


def test_a_request_nobody_has_written_for_finds_what_there_is_in_the_corpus_s_order() -> None:
    strange = make_request(CATALOG, {"relationship": "lover", "tone": "poetic", "occasion": "lantern_festival"})
    index = Index([record(str(number), length="long") for number in range(4)], Ranking.FIELDS)
    assert [found.id for found in index.nearest(strange, 2)] == ["1", "0"]


def test_terms_are_fields_and_bigrams_without_punctuation() -> None:
    assert bigrams(["王总", "升职，加薪"]) == ["王总", "升职", "职加", "加薪"]
    assert terms(make_request(CATALOG, {"relationship": "boss", "tone": "warm", "zodiac": "马", "address": "妈"})) == [
        *("tone=warm", "relationship=boss", "occasion=spring_festival", "length=medium", "zodiac=马"),
    ]
    assert shared(ASKED, ASKED) > shared(ASKED, RECORDS[3].request) > shared(ASKED, RECORDS[4].request)


def test_in_the_real_corpus_the_nearest_are_of_the_same_relationship_and_tone() -> None:
    split = read_split(CORPUS, read_corpus(CORPUS, CATALOG))
    index = Index(split.train, Ranking.FIELDS)
    train = {record.id for record in split.train}
    for record in split.test[::20]:
        found = index.nearest(record.request, 4)
        assert len({one.id for one in found} & train) == 4
        assert all(one.cell == record.cell for one in found)
