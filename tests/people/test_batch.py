"""A batch keeps its order and its state row by row, and goes on where it was."""

from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.people.batch import (
    BatchRow,
    RowFields,
    append_rows,
    batches,
    change_rows,
    create_batch,
    fail_row,
    finish_row,
    mark_copied,
    next_to_copy,
    redo_rows,
    release_rows,
    rows_of,
    take_rows,
)
from app.people.deletion import delete, undo
from app.people.errors import StoreError
from app.people.history import edit_written, sent_to, written
from app.people.recipients import add_recipient, recipient_fields
from app.people.store import Store, open_store
from tests.people.conftest import request

FAULT = Sentence("模型没有写出来。", "The model wrote nothing.")


def fields(count: int, recipient: int | None = None) -> list[RowFields]:
    return [RowFields(f"第{n}位", request(address=f"第{n}位", details=["升职"]), recipient) for n in range(count)]


def finish(store: Store, row: BatchRow, text: str = "新春好") -> None:
    finish_row(store, row, text, model="m", seed=1)


def states(store: Store, batch: int) -> list[str]:
    return [row.state for row in rows_of(store, batch)]


def test_rows_go_from_waiting_over_writing_to_written_or_failed(store: Store) -> None:
    person = add_recipient(store, recipient_fields("张三")).id
    batch = create_batch(store, "除夕", fields(4, person))
    first, second = take_rows(store, batch, 2)
    assert states(store, batch) == ["writing", "writing", "waiting", "waiting"]
    finish(store, first)
    fail_row(store, second.id, FAULT)
    done, failed, *_ = rows_of(store, batch)
    assert (done.state, done.text, done.fields) == ("written", "新春好", fields(1, person)[0])
    assert (failed.state, failed.text, failed.fault) == ("failed", "", FAULT)
    assert done.written is not None
    entry = written(store, done.written)
    assert entry is not None and (entry.text, entry.recipient, entry.request) == ("新春好", person, done.fields.request)
    (counted,) = batches(store)
    assert (counted.waiting, counted.writing, counted.written, counted.failed, counted.copied) == (2, 0, 1, 1, 0)


def test_it_goes_on_after_reopening_and_after_a_pause(path: Path) -> None:
    store = open_store(path)
    batch = create_batch(store, "除夕", fields(3))
    finish(store, take_rows(store, batch)[0])
    take_rows(store, batch)
    store.close()
    store = open_store(path)
    assert states(store, batch) == ["written", "waiting", "waiting"]
    assert [row.position for row in take_rows(store, batch, 5)] == [1, 2]
    release_rows(store, batch)
    assert states(store, batch) == ["written", "waiting", "waiting"]
    store.close()


def test_the_queue_walks_what_is_written_and_not_copied(store: Store) -> None:
    person = add_recipient(store, recipient_fields("张三")).id
    batch = create_batch(store, "除夕", fields(4, person))
    for row in take_rows(store, batch, 3):
        finish(store, row, f"给{row.fields.name}")
    first = next_to_copy(store, batch)
    assert first is not None and first.position == 0
    edit_written(store, first.written or 0, "改过")
    note = mark_copied(store, first.id)
    assert note.text == "改过" and sent_to(store, person) == (note,)
    second = next_to_copy(store, batch)
    assert second is not None and second.position == 1
    skipped = next_to_copy(store, batch, second.position)
    assert skipped is not None and skipped.position == 2
    assert next_to_copy(store, batch, 2) is None
    token = delete(store, "sent", [note.id])
    again = next_to_copy(store, batch)
    assert again is not None and again.id == first.id and again.sent is None
    undo(store, token)
    assert rows_of(store, batch)[0].sent == note.id and batches(store)[0].copied == 1


def test_a_row_written_anew_keeps_its_old_text_until_then_and_may_be_copied_again(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(1))
    finish(store, take_rows(store, batch)[0], "旧的")
    mark_copied(store, rows_of(store, batch)[0].id)
    redo_rows(store, [rows_of(store, batch)[0].id])
    (row,) = rows_of(store, batch)
    old = row.written
    assert (row.state, row.text) == ("waiting", "旧的") and next_to_copy(store, batch) is None
    finish(store, take_rows(store, batch)[0], "新的")
    (row,) = rows_of(store, batch)
    assert (row.text, row.sent) == ("新的", None)
    assert old is not None and (kept := written(store, old)) is not None and kept.text == "旧的"


def test_a_row_edited_in_place_waits_again_only_if_its_request_changed(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(1))
    taken = take_rows(store, batch)[0]
    finish(store, taken)
    change_rows(store, [(taken.id, RowFields("新名字", taken.fields.request))])
    assert [(row.state, row.fields.name) for row in rows_of(store, batch)] == [("written", "新名字")]
    change_rows(store, [(taken.id, RowFields("新名字", request(address="李总")))])
    assert states(store, batch) == ["waiting"]


def test_what_arrives_for_a_row_edited_or_deleted_meanwhile_does_not_become_its_text(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(2))
    edited, deleted = take_rows(store, batch, 2)
    change_rows(store, [(edited.id, RowFields("a", request(address="李总")))])
    token = delete(store, "batch_rows", [deleted.id])
    for row in (edited, deleted):
        entry = finish_row(store, row, "来晚了", model="m", seed=1)
        assert written(store, entry.id) == entry
    fail_row(store, edited.id, FAULT)
    assert [(row.state, row.text) for row in rows_of(store, batch)] == [("waiting", "")]
    undo(store, token)
    assert len(rows_of(store, batch)) == 2


def test_rows_are_appended_in_order(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(2))
    delete(store, "batch_rows", [rows_of(store, batch)[1].id])
    ids = append_rows(store, batch, fields(2))
    assert [row.id for row in rows_of(store, batch)][1:] == list(ids)
    assert [row.position for row in rows_of(store, batch)] == [0, 2, 3]


def test_batches_are_listed_newest_first_and_deleted_with_a_way_back(store: Store) -> None:
    first, second = (create_batch(store, title, fields(2)) for title in ("除夕", "元宵"))
    assert [each.title for each in batches(store)] == ["元宵", "除夕"]
    token = delete(store, "batches", [first])
    assert [each.id for each in batches(store)] == [second]
    undo(store, token)
    assert len(rows_of(store, first)) == 2 and len(batches(store)) == 2


def test_what_is_not_there_is_said(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(1))
    for act in (
        lambda: append_rows(store, 99, fields(1)),
        lambda: change_rows(store, [(99, fields(1)[0])]),
        lambda: mark_copied(store, rows_of(store, batch)[0].id),
    ):
        with pytest.raises(StoreError) as error:
            act()
        assert error.value.code == "gone"
    with pytest.raises(StoreError) as error:
        append_rows(store, batch, [*fields(1), RowFields("长" * 10_000_000, request())])
    assert error.value.code == "too_long" and len(rows_of(store, batch)) == 1


def test_two_thousand_rows(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(2000))
    assert len(take_rows(store, batch, 2000)) == len(rows_of(store, batch)) == 2000


def test_a_row_whose_text_was_deleted_waits_and_is_not_in_the_queue(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(3))
    for row in take_rows(store, batch, 3):
        finish(store, row, f"给{row.fields.name}")
    first, second, third = rows_of(store, batch)
    token = delete(store, "written", [first.written or 0])
    assert states(store, batch) == ["waiting", "written", "written"] and rows_of(store, batch)[0].text == ""
    (counted,) = batches(store)
    assert (counted.waiting, counted.written) == (1, 2)
    following = next_to_copy(store, batch)
    assert following is not None and following.id == second.id
    with pytest.raises(StoreError) as error:
        mark_copied(store, first.id)
    assert error.value.code == "gone"
    undo(store, token)
    assert rows_of(store, batch) == (first, second, third)
    delete(store, "written", [first.written or 0])
    (taken,) = take_rows(store, batch, 3)
    finish(store, taken, "新写的")
    assert [row.text for row in rows_of(store, batch)] == ["新写的", second.text, third.text]


def test_a_text_of_which_nothing_was_left_is_not_in_the_queue(store: Store) -> None:
    batch = create_batch(store, "除夕", fields(2))
    for row in take_rows(store, batch, 2):
        finish(store, row)
    first, second = rows_of(store, batch)
    edit_written(store, first.written or 0, " \n\u3000")
    following = next_to_copy(store, batch)
    assert following is not None and following.id == second.id
