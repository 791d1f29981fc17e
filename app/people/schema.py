"""The tables, as the steps that lead to them. ``PRAGMA user_version`` is the number of steps a file has gone through.

A step is never changed once released: a new one is added. The index that searches is not here, as it can always be
made again from the tables (:mod:`app.people.index`).

What all tables share. An ``id`` is never given twice, so that an old token or a backup never means another row.
``uid`` names a row for good, on any machine, so that importing twice changes nothing. Times are Unix milliseconds. A
row with a ``deletion`` is hidden and can come back; it is removed when that is purged (:mod:`app.people.deletion`).
Facts are joined by ``；``, which no folded fact contains (:func:`app.compose.request.fold`).
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

APPLICATION = int.from_bytes(b"Bain", "big")

# The fields of a GreetingRequest, one column each (app.people.request_row).
_REQUEST = """
    relationship TEXT NOT NULL, tone TEXT NOT NULL, occasion TEXT NOT NULL, length TEXT NOT NULL,
    address TEXT NOT NULL, zodiac TEXT NOT NULL, details TEXT NOT NULL, signature TEXT NOT NULL
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Nobody else's file carries this number, so nothing is ever added to a file that is not ours.
        f"PRAGMA application_id = {APPLICATION}",
        "CREATE TABLE deletions (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL)",
        """CREATE TABLE recipients (
            id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL, relationship TEXT NOT NULL, address TEXT NOT NULL, tone TEXT NOT NULL,
            facts TEXT NOT NULL, notes TEXT NOT NULL,
            deletion INTEGER REFERENCES deletions(id)
        )""",
        # An entry's id is the moment it was written, moved on where that is taken: newest first is the order of the
        # table and of the search index, and costs no sorting.
        f"""CREATE TABLE written (
            id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,
            recipient INTEGER REFERENCES recipients(id) ON DELETE SET NULL,
            {_REQUEST},
            text TEXT NOT NULL, model TEXT NOT NULL, seed INTEGER NOT NULL,
            year INTEGER NOT NULL,
            favourite INTEGER NOT NULL DEFAULT 0,
            searchable TEXT NOT NULL,
            deletion INTEGER REFERENCES deletions(id)
        )""",
        "CREATE INDEX written_recipient ON written(recipient)",
        "CREATE INDEX written_year ON written(year)",
        "CREATE INDEX written_favourite ON written(id) WHERE favourite",
        # The text as it was sent: the entry may be edited afterwards.
        """CREATE TABLE sent (
            id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE,
            written INTEGER NOT NULL REFERENCES written(id) ON DELETE CASCADE,
            recipient INTEGER REFERENCES recipients(id) ON DELETE SET NULL,
            at INTEGER NOT NULL, year INTEGER NOT NULL, occasion TEXT NOT NULL, text TEXT NOT NULL,
            deletion INTEGER REFERENCES deletions(id)
        )""",
        "CREATE INDEX sent_recipient ON sent(recipient)",
        "CREATE INDEX sent_written ON sent(written)",
        # Holds the index's own version while it agrees with ``written``; empty, it has to be made again.
        "CREATE TABLE index_state (version INTEGER NOT NULL)",
    ),
    (
        """CREATE TABLE batches (
            id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL, created INTEGER NOT NULL,
            deletion INTEGER REFERENCES deletions(id)
        )""",
        f"""CREATE TABLE batch_rows (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            batch INTEGER NOT NULL REFERENCES batches(id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            recipient INTEGER REFERENCES recipients(id) ON DELETE SET NULL,
            {_REQUEST},
            state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'writing', 'written', 'failed')),
            written INTEGER REFERENCES written(id) ON DELETE SET NULL,
            fault_zh TEXT NOT NULL DEFAULT '', fault_en TEXT NOT NULL DEFAULT '',
            copied INTEGER REFERENCES sent(id) ON DELETE SET NULL,
            deletion INTEGER REFERENCES deletions(id),
            UNIQUE (batch, position)
        )""",
        "CREATE INDEX batch_rows_written ON batch_rows(written)",
        "CREATE INDEX batch_rows_recipient ON batch_rows(recipient)",
        "CREATE INDEX batch_rows_copied ON batch_rows(copied)",
    ),
)

VERSION = len(MIGRATIONS)

# In an order in which every row's references come before it.
TABLES = ("deletions", "recipients", "written", "sent", "batches", "batch_rows")


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps a file has gone through; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether a file says that this program made it."""
    return bool(connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION)


def migrate(connection: sqlite3.Connection, before_step: Callable[[], object]) -> None:
    """Take a file through the steps it lacks, each one whole or not at all.

    Args:
        before_step: called before every step, but for those that make a new file, to save it as it is.

    Raises:
        sqlite3.Error: a step failed; the file is as it was before that step.
    """
    first = version_of(connection)
    for number in range(first, VERSION):
        if first:
            before_step()
        with whole(connection):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


@contextmanager
def whole(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction: what the block writes is there when it ends, or none of it is."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
