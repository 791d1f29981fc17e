"""Searching finds every word anywhere, as reading every entry would, filtered, newest first, page by page."""

import random
from pathlib import Path

import pytest

from app.people.deletion import delete
from app.people.history import Written, add_written, edit_written, mark_sent, set_favourite
from app.people.recipients import add_recipient, recipient_fields
from app.people.search import Filters, occasions, search, years
from app.people.store import Store, open_store
from app.people.text import searchable
from tests.people.conftest import draft

TEXTS = (
    "王总，新春好。灯笼挂上了，糖瓜也备好了。",
    "妈，糖瓜粘住灶王爷的嘴😀，App 更新到 ２.０ 了",
    "Ａｐｐｌｅ 手机，iPhone 17 Pro；100%好用",
    "𠮷野家见，𠮷祥如意",
    "Straße, Ünïcode, ǅ and ﬁne",
)


def found(store: Store, query: str) -> set[str]:
    return {entry.text for entry in search(store, Filters(query)).entries}


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("糖瓜", {0, 1}), ("灶王爷", {1}), ("王", {0, 1}), ("糖瓜 灯", {0}), ("灯 糖瓜", {0}), ("瓜糖", set()),
        ("，新春", {0}), ("😀", {1}), ("2.0", {1}), ("app", {1, 2}), ("APPLE", {2}), ("100%", {2}), ("%", {2}),
        ("𠮷", {3}), ("𠮷祥", {3}), ("strasse", {4}), ("fine", {4}), ("ünï", {4}), ("鳄", set()), ("pro；", {2}),
        ('"', set()), ("*", set()), ("糖*", set()), ('糖瓜" OR "a', set()), ("NEAR(a b)", set()), ("-糖瓜", set()),
        ("^王总", set()), ("tokens:王", set()), ("'; DROP TABLE written; --", set()), ("a" * 100_000, set()),
        ("\0", {0, 1, 2, 3, 4}), ("\ud800", set()), ("  \t\u3000 ", {0, 1, 2, 3, 4}),
    ],
)  # fmt: skip
def test_words_are_found(store: Store, query: str, numbers: set[int]) -> None:
    for text in TEXTS:
        add_written(store, draft(text))
    assert found(store, query) == {TEXTS[number] for number in numbers}


def test_the_request_is_searched_too_and_a_word_does_not_reach_across_fields(store: Store) -> None:
    add_written(store, draft("新春好", address="王总", details=["升职"], signature="小李"))
    for query in ("王总", "升职", "小李", "王总 升职"):
        assert found(store, query) == {"新春好"}
    assert found(store, "好王") == set()


# Letters of many scripts, several code units, combining marks, things FTS5 gives a meaning to, unassigned and private.
ALPHABET = [
    *"新春年好aZ0 9。，\n\"'*()^:-+=%_\\",
    "e\u0301",
    "ﬁ",
    "ß",
    "İ",
    "😀",
    "👨\u200d👩",
    "𠮷",
    "\u0378",
    "\ue000",
    "\u2028",
]


@pytest.mark.parametrize("full_text", [True, False])
def test_the_index_finds_what_reading_every_entry_finds(path: Path, full_text: bool) -> None:
    drawn = random.Random(11)
    store = open_store(path, full_text=full_text)
    try:
        assert store.full_text == full_text
        texts = ["".join(drawn.choices(ALPHABET, k=drawn.randrange(1, 40))) for _ in range(150)]
        entries = [add_written(store, draft(text)) for text in texts]
        for entry in entries[::10]:
            edit_written(store, entry.id, entry.text[::-1])
            texts[entries.index(entry)] = entry.text[::-1]
        for _ in range(300):
            query = "".join(drawn.choices(ALPHABET, k=drawn.randrange(1, 5)))
            words = searchable(query).split()
            expected = [text for text in texts if all(word in searchable(text) for word in words)]
            page = search(store, Filters(query), limit=1000)
            assert sorted(entry.text for entry in page.entries) == sorted(expected), query
    finally:
        store.close()


def test_an_index_left_behind_by_a_sqlite_without_fts5_is_made_again(path: Path) -> None:
    for full_text, text in ((True, "第一篇"), (False, "第二篇"), (True, "第三篇")):
        store = open_store(path, full_text=full_text)
        add_written(store, draft(text))
        store.close()
    store = open_store(path)
    assert found(store, "篇") == {"第一篇", "第二篇", "第三篇"}
    store.close()


@pytest.mark.parametrize("query", ["", "年", "新年"])
def test_pages_go_from_the_newest_on_without_gap_or_repeat(store: Store, query: str) -> None:
    expected = [add_written(store, draft(f"新年{number}")).id for number in range(23)][::-1]
    seen: list[Written] = []
    before = None
    while True:
        page = search(store, Filters(query), before, limit=5)
        seen += page.entries
        # What is written while somebody reads does not move the pages.
        add_written(store, draft("新年，刚写的"))
        before = page.before
        if before is None:
            break
    assert [entry.id for entry in seen] == expected


def test_filters_narrow_alone_and_together(store: Store) -> None:
    person = add_recipient(store, recipient_fields("张三")).id
    mine = add_written(store, draft("新春好，灯", person))
    other = add_written(store, draft("新春好，雪", occasion="lantern_festival"))
    with store.writing() as connection:
        connection.execute("UPDATE written SET year = 2020 WHERE id = ?", (other.id,))
    set_favourite(store, other.id, True)

    def ids(**filters: object) -> list[int]:
        return [entry.id for entry in search(store, Filters(**filters)).entries]  # type: ignore[arg-type]

    assert ids(recipient=person) == [mine.id]
    assert ids(year=2020) == ids(occasion="lantern_festival") == ids(favourites=True) == [other.id]
    assert ids(query="新春", recipient=person) == [mine.id] and ids(query="雪", recipient=person) == []
    assert ids(query="新春", favourites=True) == ids(query="雪", year=2020, occasion="lantern_festival") == [other.id]
    assert ids(query="新春", year=1999) == []
    assert years(store) == (mine.year, 2020)
    assert set(occasions(store)) == {"spring_festival", "lantern_festival"}
    delete(store, "written", [other.id])
    assert ids(query="雪") == ids(favourites=True) == [] and years(store) == (mine.year,)


@pytest.mark.parametrize("full_text", [True, False])
def test_what_was_sent_is_found_with_whom_it_went_to_and_when(path: Path, full_text: bool) -> None:
    store = open_store(path, full_text=full_text)
    zhang, li = (add_recipient(store, recipient_fields(name)).id for name in ("张三", "李四"))
    kept = add_written(store, draft("新春好，只写了", zhang))
    old, new = (
        add_written(store, draft("新春好，去年的灯", zhang)),
        add_written(store, draft("新春好，今年的灯", zhang)),
    )
    passed_on = add_written(store, draft("新春好，转给李四", zhang))
    with store.writing() as connection:
        connection.execute("UPDATE written SET year = year - 1 WHERE id = ?", (old.id,))
    for entry in (old, new):
        mark_sent(store, entry.id)
    mark_sent(store, passed_on.id, li)
    taken_back = mark_sent(store, kept.id)
    delete(store, "sent", [taken_back.id])

    def ids(**filters: object) -> list[int]:
        return [entry.id for entry in search(store, Filters(sent=True, **filters)).entries]  # type: ignore[arg-type]

    assert ids() == [passed_on.id, new.id, old.id]
    assert ids(recipient=zhang) == [new.id, old.id] and ids(recipient=li) == [passed_on.id]
    assert ids(recipient=zhang, year=new.year - 1) == ids(query="去年") == [old.id]
    assert ids(query="灯", recipient=zhang, year=new.year) == [new.id]
    store.close()
