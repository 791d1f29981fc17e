"""Every deletion can be undone until it is purged; what is deleted for good is in no file any more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.people.batch import RowFields, batches, create_batch, finish_row, take_rows
from app.people.deletion import delete, delete_all_written, delete_found, erase_everything, purge, undo
from app.people.history import add_written, edit_written, mark_sent, sent_to, set_favourite, written
from app.people.recipients import add_recipient, all_recipients, recipient_fields
from app.people.search import Filters, search
from app.people.store import Store, open_store, restore
from app.people.text import tokens
from tests.people.conftest import draft, request

SECRET = "鼉鼊只此一处的秘密"
NAME = "欧阳鼗"


def fill(store: Store) -> int:
    """The secret wherever a text can be; the id of one entry with it."""
    person = add_recipient(store, recipient_fields(NAME, facts=[SECRET], notes=SECRET)).id
    entry = add_written(store, draft(SECRET, person, details=[SECRET], signature=NAME))
    mark_sent(store, entry.id)
    batch = create_batch(store, SECRET, [RowFields(NAME, request(address=NAME), person)])
    finish_row(store, take_rows(store, batch)[0], SECRET, model="m", seed=1)
    for number in range(50):
        add_written(store, draft(f"第{number}篇，{SECRET}" if number % 2 else f"第{number}篇，不相干的话"))
    return entry.id


def traces(folder: Path) -> list[str]:
    """The files of a folder in whose bytes the secret, or a part of the index that only it has, still is."""
    needles = [text.encode(encoding) for text in (SECRET, NAME) for encoding in ("utf-8", "utf-16-le")]
    needles += [token.encode() for token in tokens(SECRET[:4]).split()[:3]]
    return [each.name for each in folder.rglob("*") if each.is_file() and any(n in each.read_bytes() for n in needles)]


@pytest.fixture
def filled(path: Path) -> Iterator[Store]:
    """A store with the secret in the file, in its backup, and in a file set aside."""
    store = open_store(path)
    fill(store)
    store.close()
    open_store(path).close()
    (backup,) = path.parent.glob("*.backup")
    restore(path, backup)
    path.with_name(f"{path.name}.part").write_text(SECRET, encoding="utf-8")
    store = open_store(path)
    yield store
    store.close()


def test_everything_deleted_comes_back_with_its_token(store: Store) -> None:
    entry = fill(store)
    (person,), (batch,) = all_recipients(store), batches(store)
    set_favourite(store, entry, True)
    tokens_ = [
        delete(store, "written", [entry]),
        delete(store, "recipients", [person.id]),
        delete(store, "batches", [batch.id]),
    ]
    assert written(store, entry) is None and all_recipients(store) == () and batches(store) == ()
    assert search(store, Filters(SECRET), limit=100).entries != () and sent_to(store, person.id) == ()
    assert [undo(store, token) for token in tokens_] == [1, 1, 1]
    back = written(store, entry)
    assert back is not None and back.favourite and back.recipient == person.id
    assert all_recipients(store) == (person,) and batches(store) == (batch,) and len(sent_to(store, person.id)) == 1


def test_a_second_deletion_does_not_take_over_the_first_ones_rows(store: Store) -> None:
    one, other = (add_written(store, draft(text)).id for text in "ab")
    first = delete(store, "written", [one])
    everything = delete_all_written(store)
    assert search(store, Filters()).entries == ()
    assert undo(store, everything) == 1
    assert [entry.id for entry in search(store, Filters()).entries] == [other]
    assert undo(store, first) == 1 and undo(store, first) == 0


def test_undo_works_after_a_restart(path: Path) -> None:
    store = open_store(path)
    entry = add_written(store, draft("a"))
    token = delete(store, "written", [entry.id])
    store.close()
    store = open_store(path)
    assert undo(store, token) == 1 and written(store, entry.id) == entry
    store.close()


def test_a_purge_removes_what_is_old_enough_and_nothing_else(store: Store) -> None:
    now = datetime.now(UTC)
    old, new, kept = (add_written(store, draft(text)).id for text in ("旧的", "新的", "留着"))
    gone = delete(store, "written", [old], now - timedelta(days=31))
    back = delete(store, "written", [new], now)
    assert purge(store, now - timedelta(days=30)) == 1
    assert undo(store, gone) == 0 and undo(store, back) == 1
    assert {entry.id for entry in search(store, Filters()).entries} == {new, kept}
    assert search(store, Filters("旧")).entries == ()


def test_what_is_purged_is_not_in_the_file_any_more(path: Path) -> None:
    store = open_store(path)
    fill(store)
    assert traces(path.parent)
    found = search(store, Filters(SECRET), limit=1000).entries
    delete(store, "written", [entry.id for entry in found])
    delete(store, "recipients", [person.id for person in all_recipients(store)])
    delete(store, "batches", [batch.id for batch in batches(store)])
    purge(store)
    assert traces(path.parent) == []
    assert len(search(store, Filters("不相干"), limit=100).entries) == 25
    store.close()
    assert traces(path.parent) == []


def test_what_an_edit_replaced_goes_with_the_entry(path: Path) -> None:
    store = open_store(path)
    entry = add_written(store, draft(SECRET))
    edit_written(store, entry.id, "改过")
    delete(store, "written", [entry.id])
    purge(store)
    assert traces(path.parent) == []
    store.close()


def test_erasing_everything_leaves_it_in_no_file(filled: Store) -> None:
    folder = filled.path.parent
    assert len(traces(folder)) >= 4
    erase_everything(filled)
    assert traces(folder) == []
    assert search(filled, Filters()).entries == () and all_recipients(filled) == ()
    assert {each.name for each in folder.iterdir()} <= {f"people.sqlite3{end}" for end in ("", "-wal", "-shm", ".lock")}
    entry = add_written(filled, draft("从头开始"))
    assert search(filled, Filters("从头")).entries == (entry,)


def test_erasing_without_an_index_leaves_nothing_of_an_old_one(path: Path) -> None:
    store = open_store(path)
    fill(store)
    store.close()
    store = open_store(path, full_text=False)
    erase_everything(store)
    assert traces(path.parent) == []
    store.close()
    open_store(path).close()


def test_what_a_search_finds_is_deleted_together_and_comes_back_together(store: Store) -> None:
    fill(store)
    (person,) = all_recipients(store)
    everything = search(store, Filters(), limit=100).entries
    for filters in (Filters(SECRET), Filters(recipient=person.id), Filters(favourites=True)):
        found = search(store, filters, limit=100).entries
        token, count = delete_found(store, filters)
        assert count == len(found)
        assert search(store, filters).entries == ()
        assert len(search(store, Filters(), limit=100).entries) == len(everything) - count
        assert undo(store, token) == count
        assert search(store, Filters(), limit=100).entries == everything
