"""The index that finds texts by any word: an FTS5 table made from ``written``, and made again whenever it is in doubt.

It holds tokens only (:func:`app.people.text.tokens`); the texts stay in ``written``. SQLite built without FTS5 does
without it: searching then reads every entry and finds the same.
"""

import sqlite3

from app.people.schema import whole
from app.people.text import tokens

INDEX_VERSION = 1

# ``content=''`` keeps no second copy of the texts; ``prefix='4'`` finds one character as fast as two.
_CREATE = """CREATE VIRTUAL TABLE search_index
    USING fts5(tokens, content = '', columnsize = 0, tokenize = 'ascii', prefix = '4')"""


def has_full_text(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite was built with FTS5."""
    # Trying is the only answer every version gives.
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.probe USING fts5(x)")
    except sqlite3.OperationalError:
        return False
    connection.execute("DROP TABLE temp.probe")
    return True


def ensure_index(connection: sqlite3.Connection) -> bool:
    """Make the index unless there is a sound one that agrees with ``written``; whether it had to be made."""
    versions = [version for (version,) in connection.execute("SELECT version FROM index_state")]
    if versions == [INDEX_VERSION] and _sound(connection):
        return False
    rebuild(connection)
    return True


def rebuild(connection: sqlite3.Connection) -> None:
    """Make the index again from nothing."""
    with whole(connection):
        connection.execute("DROP TABLE IF EXISTS search_index")
        connection.execute(_CREATE)
        for id, text in connection.execute("SELECT id, searchable FROM written ORDER BY id"):
            add(connection, id, text)
        connection.execute("DELETE FROM index_state")
        connection.execute("INSERT INTO index_state VALUES (?)", (INDEX_VERSION,))


def add(connection: sqlite3.Connection, id: int, searchable: str) -> None:
    """Enter one text, in its searchable form."""
    connection.execute("INSERT INTO search_index (rowid, tokens) VALUES (?, ?)", (id, tokens(searchable)))


def remove(connection: sqlite3.Connection, id: int, searchable: str) -> None:
    """Take out one text; ``searchable`` must be exactly what was entered."""
    connection.execute(
        "INSERT INTO search_index (search_index, rowid, tokens) VALUES ('delete', ?, ?)", (id, tokens(searchable))
    )


def forget_removed(connection: sqlite3.Connection) -> None:
    """Really drop the tokens of removed texts, which FTS5 keeps, crossed out, until segments are merged."""
    connection.execute("INSERT INTO search_index (search_index) VALUES ('optimize')")


def wipe(connection: sqlite3.Connection) -> None:
    """Empty the index, also where SQLite lacks FTS5 and another made it: its content lies in ordinary tables."""
    connection.execute("DELETE FROM index_state")
    # The configuration holds no text, and without it FTS5 could not even drop the table.
    tables = connection.execute(
        """SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'search_index_*'
        AND name <> 'search_index_config'"""
    ).fetchall()
    for (table,) in tables:
        connection.execute(f"DELETE FROM {table}")


def _sound(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
    except sqlite3.DatabaseError:
        return False
    return True
