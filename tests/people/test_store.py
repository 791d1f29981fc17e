"""Opening: a new file, one in use, one that is not ours, of another version, unwritable or on a full disk."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app.people.backup import backups
from app.people.errors import StoreError
from app.people.history import add_written, set_favourite, written
from app.people.recipients import all_recipients
from app.people.schema import MIGRATIONS, VERSION
from app.people.search import Filters, search
from app.people.store import Store, open_store, restore, start_anew
from tests.people.conftest import draft


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as error:
        open_store(path)
    assert error.value.sentence.zh != error.value.sentence.en
    return error.value


def test_what_is_written_is_there_after_reopening(path: Path) -> None:
    store = open_store(path)
    entry = add_written(store, draft("新春好"))
    store.close()
    store.close()
    again = open_store(path)
    assert written(again, entry.id) == entry
    assert again.notices == ()
    again.close()


def test_commits_are_flushed_and_what_is_removed_is_overwritten(store: Store) -> None:
    with store.reading() as connection:
        pragmas = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(StoreError) as error:
        set_favourite(store, 1, True)
    assert error.value.code == "gone"
    with pytest.raises(ZeroDivisionError), store.writing() as connection:
        connection.execute("INSERT INTO deletions (at) VALUES (1)")
        1 / 0  # noqa: B018
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM deletions").fetchone()[0] == 0


def test_another_thread_is_refused(store: Store) -> None:
    met: list[BaseException] = []

    def use() -> None:
        try:
            all_recipients(store)
        except sqlite3.ProgrammingError as error:
            met.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(met) == 1


def test_a_second_process_is_told_that_the_file_is_in_use(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    error = refused(path)
    assert error.code == "in_use" and "已经开着" in error.sentence.zh
    holder.communicate("\n")
    open_store(path).close()


HOLD = """
import sys
from pathlib import Path
from app.people.store import open_store
store = open_store(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
store.close()
"""


def test_a_file_another_program_has_locked(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert refused(path).code == "in_use"
    open_store(path).close()


def test_a_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    assert refused(path).code == "folder"


def test_a_file_in_place_of_the_folder(path: Path) -> None:
    path.parent.write_text("x")
    assert refused(path).code == "storage_failed"


@pytest.mark.parametrize("content", [b"hello", b"\x00" * 5000, "妈，过年好".encode()])
def test_a_file_that_is_not_sqlite_is_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert refused(path).code == "not_sqlite"
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert refused(path).code == "not_sqlite"
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} == {path.name, f"{path.name}.lock"}


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    open_store(path).close()


def test_a_file_of_version_1_is_brought_up_to_date_and_backed_up_before(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO written VALUES (1000, 'u', NULL, 'boss', 'warm', 'new_year', 'short', '王总', '',"
            " '升职；搬家', '', '王总新年好', 'm', 7, 2027, 1, '王总新年好', NULL)"
        )
    store = open_store(path)
    (entry,) = search(store, Filters("年好")).entries
    assert entry.request.details == ("升职", "搬家") and entry.favourite
    with store.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    store.close()
    before = [backup for backup in backups(path) if ".v1." in backup.name]
    with closing(sqlite3.connect(before[0])) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT text FROM written").fetchall() == [("王总新年好",)]


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        old.execute("CREATE TABLE batch_rows (in_the_way TEXT)")
    assert refused(path).code == "storage_failed"
    with closing(sqlite3.connect(path)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert not old.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchall()


def test_a_newer_file_is_read_only_and_says_why(path: Path) -> None:
    store = open_store(path)
    entry = add_written(store, draft("新春好"))
    with store.reading() as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        connection.execute("CREATE TABLE of_the_future (x)")
    store.close()
    before = path.read_bytes()
    newer = open_store(path)
    assert newer.read_only and "更新版本" in newer.notices[0].zh
    assert written(newer, entry.id) == entry
    assert search(newer, Filters("新春")).entries == (entry,)
    with pytest.raises(StoreError) as error:
        add_written(newer, draft("x"))
    assert error.value.code == "read_only" and error.value.sentence == newer.notices[0]
    newer.close()
    assert path.read_bytes() == before


def mounted(folder: Path, options: str) -> Path:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("needs root to mount a file system")
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    return folder


def test_a_full_disk_loses_nothing_saved_and_is_explained(tmp_path: Path) -> None:
    folder = mounted(tmp_path / "small", "size=1m")
    try:
        store = open_store(folder / "people.sqlite3")
        saved = []
        with pytest.raises(StoreError) as error:
            while True:
                saved.append(add_written(store, draft("满" * 3000)))
        assert error.value.code == "disk_full"
        assert [written(store, entry.id) for entry in saved] == saved
        store.close()
        store = open_store(folder / "people.sqlite3")
        assert [written(store, entry.id) for entry in saved] == saved
        assert any("备份没有做成" in notice.zh for notice in store.notices)
        store.close()
        assert not list(folder.glob("*.part*"))
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_has_no_room_for_a_new_file(tmp_path: Path) -> None:
    folder = mounted(tmp_path / "small", "size=16k")
    try:
        assert refused(folder / "people.sqlite3").code == "disk_full"
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = mounted(tmp_path / "locked", "size=4m")
    try:
        path = folder / "people.sqlite3"
        store = open_store(path)
        entry = add_written(store, draft("新春好"))
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        assert refused(folder / "other.sqlite3").code == "unwritable"
        store = open_store(path)
        assert store.read_only and "只能查看" in store.notices[0].zh
        assert search(store, Filters("春好")).entries == (entry,)
        with pytest.raises(StoreError):
            set_favourite(store, entry.id, True)
        store.close()
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_backup_a_day_and_the_way_back_to_it(path: Path) -> None:
    store = open_store(path)
    kept = add_written(store, draft("在备份里"))
    store.close()
    assert backups(path) == ()
    for _ in range(2):
        store = open_store(path)
        later = add_written(store, draft("在备份之后"))
        store.close()
    (backup,) = backups(path)
    replaced = restore(path, backup)
    store = open_store(path)
    assert written(store, kept.id) == kept and written(store, later.id) is None
    store.close()
    assert replaced is not None
    with closing(sqlite3.connect(replaced)) as old:
        assert old.execute("SELECT count(*) FROM written").fetchone() == (3,)


def test_old_backups_go_but_the_last_of_each_older_version_stays(path: Path) -> None:
    open_store(path).close()
    ancient = path.with_name(f"{path.name}.v1.20200101T000000000000.backup")
    ancient.write_bytes(b"")
    for day in range(1, 6):
        old = path.with_name(f"{path.name}.v{VERSION}.2026010{day}T000000000000.backup")
        old.write_bytes(b"")
        os.utime(old, (0, 0))
    open_store(path).close()
    names = [backup.name.split(".")[2:4] for backup in backups(path)]
    assert [name[1][:8] for name in names[1:]] == ["20260105", "20260104", "20200101"]


def test_a_vanished_file_with_backups_is_not_begun_anew_in_silence(path: Path) -> None:
    for _ in range(2):
        open_store(path).close()
    path.unlink()
    assert refused(path).code == "lost"
    path.touch()
    assert refused(path).code == "lost"
    aside = start_anew(path)
    assert len(aside) == 2 and all(each.exists() for each in aside)
    open_store(path).close()


def test_a_backup_that_is_not_sound_is_not_put_back(path: Path) -> None:
    open_store(path).close()
    before = path.read_bytes()
    wrong = path.with_name("x.backup")
    wrong.write_bytes(b"SQLite format 3\0" + b"\0" * 5000)
    with pytest.raises(StoreError):
        restore(path, wrong)
    assert path.read_bytes() == before
