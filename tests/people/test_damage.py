"""A damaged file opens mended, with everything that can be read, or says how to go back to a backup."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.people import batch, deletion, history, recipients, search
from app.people.backup import backups
from app.people.errors import StoreError
from app.people.search import Filters
from app.people.store import open_store, restore
from tests.people.conftest import draft, request

ENTRIES = 400
PAGE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with some of everything, closed, and a backup of it."""
    path = tmp_path_factory.mktemp("sound") / "people.sqlite3"
    drawn = random.Random(5)
    store = open_store(path)
    people = [recipients.add_recipient(store, recipients.recipient_fields(f"第{n}位")) for n in range(40)]
    for number in range(ENTRIES):
        text = f"第{number}篇，" + "".join(chr(drawn.randrange(0x4E00, 0x9FA5)) for _ in range(60))
        entry = history.add_written(store, draft(text, people[number % 40].id))
        if number % 3 == 0:
            history.mark_sent(store, entry.id)
    batch.create_batch(store, "除夕", [batch.RowFields(p.fields.name, request(), p.id) for p in people])
    store.close()
    open_store(path).close()
    return path


@pytest.fixture
def damaged(sound: Path, path: Path) -> Path:
    """A copy of that file, to be damaged, and of its backup."""
    path.parent.mkdir()
    shutil.copy(sound, path)
    for backup in backups(sound):
        shutil.copy(backup, path.with_name(backup.name))
    return path


def texts_of(path: Path) -> tuple[list[str], bool]:
    """Every text after opening, and whether something was mended; a search and every list must work too."""
    store = open_store(path)
    try:
        found = search.search(store, Filters(), limit=10_000).entries
        for entry in found[:5]:
            search.search(store, Filters(entry.text[:6]))
        recipients.all_recipients(store)
        for each in batch.batches(store):
            batch.rows_of(store, each.id)
        with store.reading() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        deletion.delete(store, "written", [entry.id for entry in found[:1]])
        history.add_written(store, draft("还能写"))
        return [entry.text for entry in found], bool(store.notices)
    finally:
        store.close()


def pages_of(path: Path, table: str) -> list[int]:
    """The numbers, from 1, of a table's leaf pages."""
    with closing(sqlite3.connect(path)) as connection:
        select = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno"
        try:
            return [number for (number,) in connection.execute(select, (table,))]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite was built without dbstat")


def overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def test_the_undamaged_file_needs_no_mending(damaged: Path) -> None:
    texts, mended = texts_of(damaged)
    assert len(texts) == ENTRIES and not mended


def without_backup(path: Path) -> None:
    for backup in backups(path):
        backup.unlink()


def test_a_lost_page_is_made_good_from_the_backup_and_the_damaged_file_is_kept(damaged: Path) -> None:
    pages = pages_of(damaged, "written")
    overwrite(damaged, pages[len(pages) // 2])
    broken = damaged.read_bytes()
    with closing(open_store(damaged)) as store:
        assert "条取自最近的备份" in store.notices[0].zh and "读不出来" not in store.notices[0].zh
    (kept,) = damaged.parent.glob("*.aside")
    assert kept.read_bytes() == broken
    texts, mended = texts_of(damaged)
    assert len(texts) == ENTRIES and not mended


def test_without_a_backup_lost_pages_cost_no_more_than_their_own_entries_which_are_counted(damaged: Path) -> None:
    without_backup(damaged)
    pages = pages_of(damaged, "written")
    for page in (pages[0], pages[3], pages[-1]):
        overwrite(damaged, page)
    with closing(open_store(damaged)) as store:
        found = len(search.search(store, Filters(), limit=10_000).entries)
        assert ENTRIES - 60 < found < ENTRIES
        # What was sent of a lost entry has nothing to refer to and goes with it; nothing else does.
        assert ENTRIES // 3 - 60 < len(history.sent_in(store, search.years(store)[0])) <= ENTRIES // 3 + 1
        assert f"{ENTRIES - found} 条读不出来" in store.notices[0].zh


@pytest.mark.parametrize("table", ["search_index_data", "sqlite_autoindex_written_1", "written_year"])
def test_damage_to_an_index_costs_nothing(damaged: Path, table: str) -> None:
    for page in pages_of(damaged, table)[:3]:
        overwrite(damaged, page)
    without_backup(damaged)
    texts, mended = texts_of(damaged)
    assert len(texts) == ENTRIES and mended


def test_an_index_that_disagrees_is_made_again(damaged: Path) -> None:
    with closing(sqlite3.connect(damaged)) as connection, connection:
        connection.execute("DELETE FROM search_index_data WHERE id > 10")
    store = open_store(damaged)
    assert len(search.search(store, Filters("第7篇")).entries) == 1
    store.close()


def test_an_index_that_cannot_even_be_dropped_is_left_behind(damaged: Path) -> None:
    with closing(sqlite3.connect(damaged)) as connection, connection:
        connection.execute("DELETE FROM search_index_config")
    texts, mended = texts_of(damaged)
    assert len(texts) == ENTRIES and mended


def test_a_destroyed_header_names_the_backup_and_it_can_be_put_back(damaged: Path) -> None:
    with damaged.open("r+b") as file:
        file.write(b"\0" * 100)
    broken = damaged.read_bytes()
    with pytest.raises(StoreError) as error:
        open_store(damaged)
    (backup,) = backups(damaged)
    assert error.value.code == "damaged" and backup.name in error.value.sentence.zh
    assert damaged.read_bytes() == broken
    restore(damaged, backup)
    assert len(texts_of(damaged)[0]) == ENTRIES


def test_a_destroyed_list_of_tables_is_explained_and_leaves_no_copies(damaged: Path) -> None:
    content = bytearray(damaged.read_bytes())
    content[100:PAGE] = b"\xa5" * (PAGE - 100)
    damaged.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StoreError) as error:
            open_store(damaged)
        assert error.value.code == "damaged"
    assert damaged.read_bytes() == content and not list(damaged.parent.glob("*.aside*"))


def test_a_changed_version_or_mark_is_mended(damaged: Path) -> None:
    for offset in (60, 68):  # user_version and application_id, by SQLite's file format
        with damaged.open("r+b") as file:
            file.seek(offset)
            file.write(b"\0\0\0\0")
        with closing(open_store(damaged)) as store:
            assert store.notices
            assert len(search.search(store, Filters(), limit=10_000).entries) == ENTRIES


def random_damage(content: bytearray, drawn: random.Random) -> Iterator[bytearray]:
    while True:
        broken = bytearray(content)
        if drawn.random() < 0.3:
            yield broken[: drawn.randrange(len(broken))]
            continue
        for _ in range(drawn.choice((1, 1, 8, 64))):
            page = drawn.randrange(len(broken) // PAGE)
            broken[page * PAGE + drawn.randrange(PAGE)] ^= 1 << drawn.randrange(8)
        yield broken


@pytest.mark.timeout(600)
def test_random_damage_opens_or_is_explained(sound: Path, tmp_path: Path) -> None:
    content = bytearray(sound.read_bytes())
    outcomes = {"opened": 0, "mended": 0, "explained": 0}
    for number, broken in zip(range(100), random_damage(content, random.Random(7)), strict=False):
        path = tmp_path / str(number) / "people.sqlite3"
        path.parent.mkdir()
        path.write_bytes(broken)
        for backup in backups(sound):
            shutil.copy(backup, path.with_name(backup.name))
        try:
            store = open_store(path)
            read_only = store.read_only
            store.close()
            if read_only:
                outcomes["explained"] += 1
                continue
            texts, _ = texts_of(path)
            mended = bool(list(path.parent.glob("*.aside")))
        except StoreError as error:
            assert error.sentence.zh and error.code in ("damaged", "lost", "not_sqlite"), (number, error.detail)
            assert path.read_bytes() == broken, number
            outcomes["explained"] += 1
            restore(path, backups(path)[0])
            assert len(texts_of(path)[0]) == ENTRIES
        else:
            outcomes["mended" if mended else "opened"] += 1
            if not mended:
                assert len(texts) == ENTRIES
        shutil.rmtree(path.parent)
    print(outcomes)
    assert min(outcomes.values()) > 0
