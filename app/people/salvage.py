"""Read what can be read out of a damaged file into a new one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.people.connection import connect_read_only
from app.people.schema import MIGRATIONS, TABLES, VERSION, version_of, whole

_LAST = 2**63 - 1  # SQLite's greatest id; ours begin at 0


@dataclass(frozen=True)
class Salvaged:
    """How many rows came through, and how many are known to have been there and could not be read."""

    rows: int
    lost: int


def salvage(damaged: Path, out: Path) -> Salvaged:
    """Copy every readable row of ``damaged`` into the new file ``out``, which gets tables of the same version.

    Raises:
        sqlite3.DatabaseError: not even the list of tables can be read, or ``out`` cannot be written.
    """
    rows = lost = 0
    with (
        closing(connect_read_only(damaged)) as source,
        closing(sqlite3.connect(out, isolation_level=None)) as target,
    ):
        version = version_of(source)
        if not 0 < version <= VERSION:
            version = VERSION
        with whole(target):
            for step in MIGRATIONS[:version]:
                for statement in step:
                    target.execute(statement)
            target.execute(f"PRAGMA user_version = {version}")
            known = {name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in TABLES:
                if table in known:
                    copied, missed = _copy(source, target, table)
                    rows += copied
                    lost += missed
            _mend_references(target)
    return Salvaged(rows, lost)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> tuple[int, int]:
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(columns)
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    read = set()
    for row in _readable(source, f"SELECT id, {names} FROM {table}"):
        # A row that breaks a constraint is no row of ours but a misread page.
        if target.execute(insert, row[1:]).rowcount == 1:
            read.add(row[0])
    indexed = _ids_of_index(source, table)
    for id in indexed - read:
        try:
            row = source.execute(f"SELECT {names} FROM {table} WHERE id = ?", (id,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        if row is not None and target.execute(insert, row).rowcount == 1:
            read.add(id)
    return len(read), len(indexed - read)


def _readable(source: sqlite3.Connection, select: str) -> Iterator[tuple]:
    """The rows of a table by id, stepping over the pages that cannot be read."""
    start = 0
    while start <= _LAST:
        try:
            for row in source.execute(f"{select} WHERE id >= ? ORDER BY id", (start,)):
                start = row[0] + 1
                yield row
            return
        except sqlite3.DatabaseError:
            after = _next_readable(source, select, start)
            if after is None:
                return
            start = after


def _next_readable(source: sqlite3.Connection, select: str, bad: int) -> int | None:
    """The least id above ``bad`` from which reading works again: by doubling steps, then by halving the last one."""
    step = 1
    while not _reads(source, select, bad + step):
        step *= 2
        if bad + step > _LAST:
            return None
    low, high = bad + step // 2, bad + step
    while high - low > 1:
        middle = (low + high) // 2
        if _reads(source, select, middle):
            high = middle
        else:
            low = middle
    return high


def _reads(source: sqlite3.Connection, select: str, start: int) -> bool:
    try:
        source.execute(f"{select} WHERE id >= ? ORDER BY id LIMIT 1", (start,)).fetchone()
    except sqlite3.DatabaseError:
        return False
    return True


def _ids_of_index(source: sqlite3.Connection, table: str) -> set[int]:
    """The ids a table's indices know of, as far as those can be read."""
    found: set[int] = set()
    try:
        indices = [row[1] for row in source.execute(f"PRAGMA index_list({table})") if not row[4]]
        for index in indices:
            found.update(id for (id,) in source.execute(f"SELECT id FROM {table} INDEXED BY {index}"))
    except sqlite3.DatabaseError:
        return found
    return found


def _mend_references(target: sqlite3.Connection) -> None:
    """Let go of references to rows that were lost; a row that is nothing without its reference goes with it."""
    for table, rowid, parent, number in target.execute("PRAGMA foreign_key_check").fetchall():
        column, needed = target.execute(
            f"""SELECT k."from", c."notnull" FROM pragma_foreign_key_list('{table}') AS k
            JOIN pragma_table_info('{table}') AS c ON c.name = k."from" WHERE k.id = ? AND k."table" = ?""",
            (number, parent),
        ).fetchone()
        if needed:
            target.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))
        else:
            target.execute(f"UPDATE {table} SET {column} = NULL WHERE rowid = ?", (rowid,))
