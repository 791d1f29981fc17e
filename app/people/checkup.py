"""Is the file ours, is it sound, and if not: what can be read of it goes into a new one."""

import sqlite3
from contextlib import closing
from pathlib import Path

from app.compose.sentence import Sentence
from app.people import beside, schema
from app.people.backup import backups
from app.people.connection import connect_read_only
from app.people.errors import StoreError, not_sqlite
from app.people.index import has_full_text
from app.people.salvage import Salvaged, Unreadable, salvage

_MAGIC = b"SQLite format 3\0"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def refuse_foreign(path: Path) -> None:
    """Refuse what is no SQLite file, and to make a new file where one has vanished and its backups are there.

    Raises:
        StoreError: ``not_sqlite``, ``damaged`` or ``lost``.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_MAGIC))
    except FileNotFoundError:
        beginning = b""
    if beginning == _MAGIC:
        return
    if backups(path):
        raise _unreadable(path, "the file does not begin as SQLite's do") if beginning else _lost(path)
    if beginning:
        raise not_sqlite(path)


def examine(path: Path) -> tuple[int, str]:
    """Look at a file that nobody has open, without changing a byte of it: it may be another program's.

    Returns:
        The version of its tables, 0 for a new file or where it cannot be read; and what is wrong, in SQLite's words,
        empty when nothing is.

    Raises:
        StoreError: ``not_sqlite``, another program's database.
        sqlite3.Error: it cannot be opened.
    """
    if not path.exists() or not path.stat().st_size:
        return 0, ""
    try:
        with closing(connect_read_only(path)) as connection:
            return schema.version_of(connection), _problem(path, connection)
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            return 0, str(error)
        raise


def mend(path: Path, problem: str) -> Sentence:
    """Put what can be read of a damaged file into a new one in its place, and keep the damaged one beside it.

    Returns:
        What was done, for the person.

    Raises:
        StoreError: ``damaged``: nothing can be read. The file is as it was.
        sqlite3.Error, OSError: the new file could not be written.
    """
    kept = beside.named_now(path, "", beside.ASIDE)
    beside.keep_copy(path, kept)
    try:
        with beside.whole_database(path) as part:
            salvaged = salvage(kept, part, next(iter(backups(path)), None))
            beside.drop_journals(path)
    except BaseException as error:
        beside.discard(kept)
        if isinstance(error, Unreadable):
            raise _unreadable(path, f"{problem}; {error}") from error
        raise
    return _mended(path, kept, salvaged)


def _problem(path: Path, connection: sqlite3.Connection) -> str:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    version = schema.version_of(connection)
    if tables and not schema.is_ours(connection):
        if "index_state" not in tables:
            raise not_sqlite(path, f"application_id is not {schema.APPLICATION}")
        return "application_id has changed"
    if tables and not version:
        return "user_version has changed"
    if version > schema.VERSION:
        return ""  # not ours to judge: opened read-only
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return str(found)
    if "search_index" in tables and (fault := _fault_of_index(connection)):
        return fault
    return "a reference leads nowhere" if connection.execute("PRAGMA foreign_key_check").fetchone() else ""


def _fault_of_index(connection: sqlite3.Connection) -> str:
    """Why FTS5 can neither read nor drop the index, so that it has to stay behind with the old file; mostly empty."""
    if not has_full_text(connection):
        return ""
    try:
        connection.execute("SELECT 1 FROM search_index LIMIT 0")
    except sqlite3.DatabaseError as error:
        return str(error)
    return ""


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _mended(path: Path, kept: Path, salvaged: Salvaged) -> Sentence:
    zh = en = ""
    if salvaged.from_backup:
        zh += f"，{salvaged.from_backup} 条取自最近的备份"
        en += f", {salvaged.from_backup} were taken from the latest backup"
    if salvaged.lost:
        zh += f"，{salvaged.lost} 条读不出来，备份里也没有"
        en += f", {salvaged.lost} could not be read and are in no backup"
    return Sentence(
        f"{path.name} 有损坏，已经修好：读出了 {salvaged.rows} 条记录{zh}。损坏的原文件留在 {kept}。",
        f"{path.name} was damaged and has been repaired: {salvaged.rows} records were read{en}. The damaged file is "
        f"kept as {kept}.",
    )


def _unreadable(path: Path, detail: str) -> StoreError:
    kept = backups(path)
    zh = f"可以恢复到最近的备份{_latest(path, '（', '）')}" if kept else "没有备份；可以把它放到一边，从空的开始"
    en = (
        f"The latest backup can be restored{_latest(path, ' (', ')')}"
        if kept
        else "There is no backup; it can be set aside to start with an empty one"
    )
    return StoreError(
        "damaged",
        Sentence(
            f"{path.name} 损坏得读不出来了，没有动它。{zh}。",
            f"{path.name} is too damaged to be read; it was left as it is. {en}.",
        ),
        detail,
    )


def _lost(path: Path) -> StoreError:
    return StoreError(
        "lost",
        Sentence(
            f"{path} 不见了，或者成了空文件，可它的备份还在。"
            f"可以恢复到最近的备份{_latest(path, '（', '）')}，也可以从空的开始。",
            f"{path} has vanished or become empty, while its backups are there. The latest backup can be restored"
            f"{_latest(path, ' (', ')')}, or a new file begun.",
        ),
    )


def _latest(path: Path, left: str, right: str) -> str:
    kept = backups(path)
    return f"{left}{kept[0].name}{right}" if kept else ""
