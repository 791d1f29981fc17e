"""Deleting with a way back, and deleting for good.

What is deleted is hidden at once under a token. :func:`undo` brings it back, also after a restart, until
:func:`purge` removes it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from app.people import beside, index
from app.people.errors import in_use
from app.people.moment import milliseconds
from app.people.schema import TABLES
from app.people.search import Filters, found_ids
from app.people.store import Store

Kind = Literal["recipients", "written", "sent", "batches", "batch_rows"]
_KINDS: tuple[Kind, ...] = ("batch_rows", "batches", "sent", "written", "recipients")


def delete(store: Store, kind: Kind, ids: Iterable[int], at: datetime | None = None) -> int:
    """Hide rows, and say with which token they come back. A ``sent`` row so deleted counts as not sent.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        token = connection.execute("INSERT INTO deletions (at) VALUES (?)", (milliseconds(at),)).lastrowid
        connection.executemany(
            f"UPDATE {kind} SET deletion = ? WHERE id = ? AND deletion IS NULL", [(token, id) for id in ids]
        )
    assert token is not None
    return token


def delete_all_written(store: Store, at: datetime | None = None) -> int:
    """Hide the whole history, favourites included; the token brings it back.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        token = connection.execute("INSERT INTO deletions (at) VALUES (?)", (milliseconds(at),)).lastrowid
        connection.execute("UPDATE written SET deletion = ? WHERE deletion IS NULL", (token,))
    assert token is not None
    return token


def delete_found(store: Store, filters: Filters, at: datetime | None = None) -> tuple[int, int]:
    """Hide every text that matches; the token that brings them back, and how many they are.

    Raises:
        StoreError: it could not be saved.
    """
    ids = found_ids(store, filters)
    return delete(store, "written", ids, at), len(ids)


def undo(store: Store, token: int) -> int:
    """Bring back what was deleted under ``token``; how many rows that was, 0 after a purge.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        return sum(
            connection.execute(f"UPDATE {kind} SET deletion = NULL WHERE deletion = ?", (token,)).rowcount
            for kind in _KINDS
        )


def purge(store: Store, before: datetime | None = None) -> int:
    """Remove for good what was deleted, or what was deleted before a time; how many rows that was.

    The backups beside the file, of the last days, still hold it; only :func:`erase_everything` removes those.

    Raises:
        StoreError: it could not be done; nothing is removed then.
    """
    until = milliseconds(before)
    removed = 0
    with store.writing() as connection:
        doomed = "deletion IN (SELECT id FROM deletions WHERE at <= ?)"
        if store.full_text:
            for id, text in connection.execute(f"SELECT id, searchable FROM written WHERE {doomed}", (until,)):
                index.remove(connection, id, text)
        for kind in _KINDS:
            removed += connection.execute(f"DELETE FROM {kind} WHERE {doomed}", (until,)).rowcount
        connection.execute("DELETE FROM deletions WHERE at <= ?", (until,))
        if removed and store.full_text:
            index.forget_removed(connection)
    if removed:
        _fold_journal(store)
    return removed


def erase_everything(store: Store) -> None:
    """Remove all people and texts for good, the journal's and those in the files beside: backups, files set aside.

    Can be called again where it did not come to its end.

    Raises:
        StoreError: a part could not be removed; what is removed stays so.
    """
    with store.writing() as connection:
        for table in reversed(TABLES):
            connection.execute(f"DELETE FROM {table}")
        if store.full_text:
            connection.execute("DROP TABLE search_index")
        index.wipe(connection)
    with store.reading() as connection:
        if store.full_text:
            index.rebuild(connection)
        # The pages are overwritten already (secure_delete); this gives them back to the disk.
        connection.execute("VACUUM")
        _fold_journal(store)
        beside.shred_all(store.path)


def _fold_journal(store: Store) -> None:
    """Empty the journal, which still holds pages as they were."""
    with store.reading() as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise in_use(store.path, "the journal is being read")
