"""How this package connects to a SQLite file. Whoever connects closes."""

import sqlite3
from pathlib import Path

PATIENCE = 2.0  # seconds to wait for another process to let go, as one that is just closing does


def connect(path: Path) -> sqlite3.Connection:
    """A connection that writes, in autocommit until somebody begins a transaction.

    Raises:
        sqlite3.Error: it cannot be opened or is no database.
    """
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        _prepare(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL would survive kill -9, as the journal is then in the system's hands, but not a power cut: it flushes at
        # checkpoints only. FULL flushes at every commit, before we tell anybody that something is saved. A person makes
        # a few commits a minute, so the milliseconds do not count.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What is removed is overwritten; most builds of SQLite leave it in free pages.
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_read_only(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """A connection that only reads.

    Args:
        immutable: nobody can write the file, and it has no journal: needs no write access to the folder.

    Raises:
        sqlite3.Error: it cannot be opened or is no database.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
    _prepare(connection)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = _decoded


def _decoded(raw: bytes) -> str:
    # A byte lost to a failing disk costs a character, not the whole list it stands in.
    return raw.decode("utf-8", "replace")
