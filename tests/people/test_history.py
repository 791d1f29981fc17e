"""What is written is kept as it was asked for; what was sent stays as it was sent."""

from datetime import UTC, datetime, timedelta

import pytest

from app.people.deletion import delete, undo
from app.people.errors import StoreError
from app.people.history import (
    LONGEST_TEXT,
    add_written,
    edit_written,
    mark_sent,
    sent_in,
    sent_of,
    sent_to,
    set_favourite,
    set_recipient,
    written,
)
from app.people.recipients import add_recipient, recipient_fields
from app.people.search import Filters, search
from app.people.store import Store
from tests.people.conftest import draft

EVE = datetime(2027, 2, 5, 20, 0, tzinfo=UTC)


def test_everything_about_a_text_comes_back(store: Store) -> None:
    person = add_recipient(store, recipient_fields("张三")).id
    kept = draft("妈，\n过年好", person, address="妈", details=["升职", "搬了新家"], zodiac="羊", signature="小李")
    entry = add_written(store, kept, EVE)
    assert written(store, entry.id) == entry
    assert (entry.request, entry.text, entry.model, entry.seed) == (kept.request, kept.text, kept.model, kept.seed)
    assert (entry.recipient, entry.year, entry.favourite, entry.at) == (person, 2027, False, EVE)


def test_texts_of_the_same_moment_and_of_a_clock_set_back_keep_their_order(store: Store) -> None:
    entries = [add_written(store, draft(str(number)), EVE) for number in range(5)]
    earlier = add_written(store, draft("早"), EVE - timedelta(days=1))
    assert [entry.id for entry in search(store, Filters()).entries] == [*[e.id for e in entries][::-1], earlier.id]


def test_an_edit_is_found_and_what_it_replaced_is_not(store: Store) -> None:
    entry = add_written(store, draft("灯笼"))
    edit_written(store, entry.id, "糖瓜")
    assert [found.text for found in search(store, Filters("糖瓜")).entries] == ["糖瓜"]
    assert search(store, Filters("灯笼")).entries == ()


def test_a_favourite_and_a_recipient_are_set_and_taken_back(store: Store) -> None:
    entry = add_written(store, draft("x"))
    person = add_recipient(store, recipient_fields("张三")).id
    for favourite, recipient in ((True, person), (False, None)):
        set_favourite(store, entry.id, favourite)
        set_recipient(store, entry.id, recipient)
        changed = written(store, entry.id)
        assert changed is not None and (changed.favourite, changed.recipient) == (favourite, recipient)


def test_what_was_sent_is_kept_as_it_read_then(store: Store) -> None:
    person = add_recipient(store, recipient_fields("张三")).id
    entry = add_written(store, draft("灯笼", person, occasion="lantern_festival"), EVE)
    note = mark_sent(store, entry.id, at=EVE)
    edit_written(store, entry.id, "糖瓜")
    assert sent_to(store, person) == sent_of(store, entry.id) == sent_in(store, 2027) == (note,)
    assert (note.text, note.occasion, note.year, note.at) == ("灯笼", "lantern_festival", 2027, EVE)


def test_sent_is_undone_and_done_again(store: Store) -> None:
    entry = add_written(store, draft("灯笼"))
    note = mark_sent(store, entry.id)
    token = delete(store, "sent", [note.id])
    assert sent_of(store, entry.id) == ()
    undo(store, token)
    assert sent_of(store, entry.id) == (note,)


def test_what_somebody_received_in_earlier_years_newest_first(store: Store) -> None:
    person, other = (add_recipient(store, recipient_fields(name)).id for name in ("张三", "李四"))
    for years_ago in (3, 0, 1):
        entry = add_written(store, draft(f"{years_ago} 年前", person), EVE - timedelta(days=365 * years_ago))
        mark_sent(store, entry.id, at=entry.at)
        mark_sent(store, entry.id, other, at=entry.at)
    assert [note.text for note in sent_to(store, person)] == ["0 年前", "1 年前", "3 年前"]
    assert [note.text for note in sent_to(store, person, before_year=2027)] == ["1 年前", "3 年前"]
    assert len(sent_in(store, 2026)) == 2


def test_what_cannot_be_kept_is_refused_or_replaced(store: Store) -> None:
    assert add_written(store, draft("a\0b\ud800c")).text == "ab\ufffdc"
    with pytest.raises(StoreError) as error:
        add_written(store, draft("长" * (LONGEST_TEXT + 1)))
    assert error.value.code == "too_long" and "5,001" in error.value.sentence.zh
    for act in (
        lambda: edit_written(store, 1, "x"),
        lambda: mark_sent(store, 1),
        lambda: set_recipient(store, 1, None),
    ):
        with pytest.raises(StoreError) as error:
            act()
        assert error.value.code == "gone"


def test_what_is_done_to_a_deleted_entry_is_refused(store: Store) -> None:
    entry = add_written(store, draft("灯笼"))
    token = delete(store, "written", [entry.id])
    for act in (
        lambda: edit_written(store, entry.id, "x"),
        lambda: set_favourite(store, entry.id, True),
        lambda: set_recipient(store, entry.id, None),
        lambda: mark_sent(store, entry.id),
    ):
        with pytest.raises(StoreError) as error:
            act()
        assert error.value.code == "gone" and "刷新" not in error.value.sentence.zh
    undo(store, token)
    assert written(store, entry.id) == entry


def test_an_entry_says_whether_it_was_sent(store: Store) -> None:
    entry = add_written(store, draft("灯笼"))
    note = mark_sent(store, entry.id)
    assert (kept := written(store, entry.id)) is not None and kept.sent
    assert [found.sent for found in search(store, Filters()).entries] == [True]
    delete(store, "sent", [note.id])
    assert (kept := written(store, entry.id)) is not None and not kept.sent
