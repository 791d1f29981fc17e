"""Read what can be read out of a damaged file into a new one."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from app.people.connection import connect_read_only
from app.people.schema import MIGRATIONS, TABLES, VERSION, version_of, whole

_LAST = 2**63 - 1  # SQLite's greatest id; ours begin at 0


class Unreadable(Exception):
    """Not even the list of tables can be read."""


@dataclass(frozen=True)
class Salvaged:
    """How many rows were read, how many others came from the backup, and how many are known of and lost."""

    rows: int = 0
    from_backup: int = 0
    lost: int = 0


def salvage(damaged: Path, out: Path, backup: Path | None) -> Salvaged:
    """Copy every readable row of ``damaged`` into the new file ``out``, which gets tables of the same version.

    Args:
        backup: where rows are looked for that are known from an index and cannot be read.

    Raises:
        Unreadable: see there.
        sqlite3.Error: ``out`` cannot be written.
    """
    total = Salvaged()
    with ExitStack() as stack:
        source = stack.enter_context(closing(connect_read_only(damaged)))
        earlier = stack.enter_context(closing(connect_read_only(backup))) if backup else None
        target = stack.enter_context(closing(sqlite3.connect(out, isolation_level=None)))
        with whole(target):
            for table in _make_tables(source, target):
                total = _copy(source, earlier, target, table, total)
            _mend_references(target)
    return total


def _make_tables(source: sqlite3.Connection, target: sqlite3.Connection) -> tuple[str, ...]:
    """Give ``target`` the tables ``source`` should have, and make sure that it has them; their names."""
    try:
        version = version_of(source)
        if not 0 < version <= VERSION:
            version = VERSION
        for step in MIGRATIONS[:version]:
            for statement in step:
                target.execute(statement)
        target.execute(f"PRAGMA user_version = {version}")
        made = {name for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        tables = tuple(table for table in TABLES if table in made)
        for table in tables:
            source.execute(f"SELECT {', '.join(_columns(target, table))} FROM {table} LIMIT 0")
    except sqlite3.DatabaseError as error:
        raise Unreadable(str(error)) from error
    return tables


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _copy(
    source: sqlite3.Connection,
    earlier: sqlite3.Connection | None,
    target: sqlite3.Connection,
    table: str,
    total: Salvaged,
) -> Salvaged:
    """Copy one table; ``total`` with its rows added. The id is every table's first column."""
    columns = _columns(target, table)
    select = f"SELECT {', '.join(columns)} FROM {table}"
    # A row that breaks a constraint is no row of ours but a misread page.
    insert = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(columns))})"
    read = {row[0] for row in _readable(source, select) if target.execute(insert, tuple(row)).rowcount == 1}
    missing = _ids_of_indices(source, table) - read
    found = {id for id in missing if _copy_row(source, target, f"{select} WHERE id = ?", insert, id)}
    missing -= found
    saved = {id for id in missing if earlier and _copy_row(earlier, target, f"{select} WHERE id = ?", insert, id)}
    return Salvaged(
        total.rows + len(read | found), total.from_backup + len(saved), total.lost + len(missing) - len(saved)
    )


def _copy_row(source: sqlite3.Connection, target: sqlite3.Connection, select: str, insert: str, id: int) -> bool:
    try:
        row = source.execute(select, (id,)).fetchone()
    except sqlite3.DatabaseError:
        return False
    return row is not None and target.execute(insert, tuple(row)).rowcount == 1


def _readable(source: sqlite3.Connection, select: str) -> Iterator[sqlite3.Row]:
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


def _ids_of_indices(source: sqlite3.Connection, table: str) -> set[int]:
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
