"""Copies of the file beside it, and the way back to one."""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

from app.people import beside
from app.people.errors import not_sqlite
from app.people.schema import is_ours, version_of

KEPT = 3  # daily backups of the present version; of each older version the last is kept as well


def backups(path: Path) -> tuple[Path, ...]:
    """The backups of the file ``path``, which itself need not exist, newest first."""
    return beside.found_beside(path, beside.BACKUP)


def make_backup(connection: sqlite3.Connection, path: Path) -> Path:
    """Copy the open database to a new file beside it, which is whole or absent.

    Raises:
        sqlite3.Error, OSError: it could not be written.
    """
    target = beside.named_now(path, f".v{version_of(connection)}", beside.BACKUP)
    with beside.whole_database(target) as part, closing(sqlite3.connect(part)) as copy:
        connection.backup(copy)
        # One file, to be copied and carried about without a journal.
        copy.execute("PRAGMA journal_mode = DELETE")
    return target


def back_up_daily(connection: sqlite3.Connection, path: Path) -> None:
    """Make today's backup unless there is one, and let the oldest go."""
    mark = f"{path.name}.v{version_of(connection)}."
    same = [backup for backup in backups(path) if backup.name.startswith(mark)]
    if same and _day(same[0]) == date.today():
        return
    make_backup(connection, path)
    for old in same[KEPT - 1 :]:
        old.unlink()


def put_back(path: Path, backup: Path) -> Path | None:
    """Put a backup in the place of ``path``, which nobody may have open, and keep what was there beside it.

    Returns:
        Where the replaced file lies now; None when there was none.

    Raises:
        StoreError: ``backup`` is not a sound file of this program.
        sqlite3.Error, OSError: it cannot be read, or the copy not be written; ``path`` is as it was.
    """
    with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if not is_ours(connection) or connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise not_sqlite(backup)
    kept = beside.named_now(path, "", beside.ASIDE) if path.exists() else None
    with beside.whole_database(path) as part:
        shutil.copyfile(backup, part)
        if kept is not None:
            beside.keep_copy(path, kept)
        beside.drop_journals(path)
    return kept


def _day(backup: Path) -> date:
    return datetime.fromtimestamp(os.stat(backup).st_mtime).date()
