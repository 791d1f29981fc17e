"""A JSON document of ours taken over into the file.

What is missing is added, what was deleted here and not yet removed comes back, what is there stays as it is: the
second import of a document changes nothing.
"""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.people.document import Row
from app.people.document_reading import Document, read_document
from app.people.history import Draft, insert_written
from app.people.recipients import insert_recipient
from app.people.request_row import REQUEST_COLUMNS, request_values
from app.people.store import Store

TOLD_EVERY = 200  # rows


@dataclass(frozen=True)
class Imported:
    """How many rows an import added or brought back."""

    recipients: int
    written: int
    sent: int
    batches: int


def missing(store: Store, document: Document) -> Imported:
    """What an import would add or bring back, counted without changing anything.

    Raises:
        StoreError: the file cannot be read.
    """
    counts = {}
    with store.reading() as connection:
        for table, rows in document.rows.items():
            here = {uid for (uid,) in connection.execute(f"SELECT uid FROM {table} WHERE deletion IS NULL")}
            counts[table] = sum(row["uid"] not in here for row in rows)
    return Imported(**counts)


def take_document(
    store: Store, document: Document, told: Callable[[int, int], None] = lambda done, whole: None
) -> Imported:
    """Take over what a document holds and this file lacks: all of it, or nothing.

    Args:
        told: called now and then with the rows looked at so far and all rows; an exception it raises stops the import.

    Raises:
        StoreError: it could not be saved; nothing is changed then, as after any other exception.
    """
    whole = sum(map(len, document.rows.values()))
    done = 0

    def told_of(rows: Iterable[Row]) -> Iterable[Row]:
        nonlocal done
        for row in rows:
            if done % TOLD_EVERY == 0:
                told(done, whole)
            done += 1
            yield row

    with store.writing() as connection:
        return Imported(
            sum(_take_recipient(connection, row) for row in told_of(document.recipients)),
            _take_written(store, connection, told_of(sorted(document.written, key=lambda row: row["at"]))),
            sum(_take_sent(connection, row) for row in told_of(document.sent)),
            sum(_take_batch(connection, row) for row in told_of(document.batches)),
        )


def import_document(store: Store, path: Path) -> Imported:
    """Read a document and take it over; see :func:`read_document` and :func:`take_document` for what is raised."""
    return take_document(store, read_document(path))


def _take_recipient(connection: sqlite3.Connection, row: Row) -> bool:
    back = _brought_back(connection, "recipients", row["uid"])
    if back is None:
        insert_recipient(connection, row["fields"], row["uid"])
    return back is not False


def _take_written(store: Store, connection: sqlite3.Connection, rows: Iterable[Row]) -> int:
    """``rows`` by the time they were written, the oldest first."""
    taken, last = 0, -1
    for row in rows:
        back = _brought_back(connection, "written", row["uid"])
        if back is None:
            recipient = _id_of(connection, "recipients", row["recipient"])
            draft = Draft(
                row["request"], row["text"], row["model"], row["seed"], recipient, row["year"], row["favourite"]
            )
            # Looking for a free id past the last one found keeps a thousand texts of one moment from costing a million.
            last = insert_written(store, connection, draft, max(row["at"], last + 1), row["uid"]).id
        taken += back is not False
    return taken


def _take_sent(connection: sqlite3.Connection, row: Row) -> bool:
    back = _brought_back(connection, "sent", row["uid"])
    if back is None:
        written = _id_of(connection, "written", row["written"])
        recipient = _id_of(connection, "recipients", row["recipient"])
        connection.execute(
            "INSERT INTO sent (uid, written, recipient, at, year, occasion, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row["uid"], written, recipient, row["at"], row["year"], row["occasion"], row["text"]),
        )
    return back is not False


def _take_batch(connection: sqlite3.Connection, batch: Row) -> bool:
    back = _brought_back(connection, "batches", batch["uid"])
    if back is None:
        id = connection.execute(
            "INSERT INTO batches (uid, title, created) VALUES (?, ?, ?)",
            (batch["uid"], batch["title"], batch["created"]),
        ).lastrowid
        for position, row in enumerate(batch["rows"]):
            columns = {
                "batch": id,
                "position": position,
                "name": row["name"],
                "recipient": _id_of(connection, "recipients", row["recipient"]),
                # Nobody is writing it here.
                "state": "waiting" if row["state"] == "writing" else row["state"],
                "written": _id_of(connection, "written", row["written"]),
                "copied": _id_of(connection, "sent", row["copied"]),
                "fault_zh": row["fault_zh"],
                "fault_en": row["fault_en"],
                **dict(zip(REQUEST_COLUMNS, request_values(row["request"]), strict=True)),
            }
            connection.execute(
                f"INSERT INTO batch_rows ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                tuple(columns.values()),
            )
    return back is not False


def _brought_back(connection: sqlite3.Connection, table: str, uid: str) -> bool | None:
    """Whether a row was deleted and now is back; None when there is no such row."""
    row = connection.execute(f"SELECT deletion FROM {table} WHERE uid = ?", (uid,)).fetchone()
    if row is None:
        return None
    connection.execute(f"UPDATE {table} SET deletion = NULL WHERE uid = ?", (uid,))
    return row["deletion"] is not None


def _id_of(connection: sqlite3.Connection, table: str, uid: str | None) -> int | None:
    row = connection.execute(f"SELECT id FROM {table} WHERE uid = ?", (uid,)).fetchone()
    return None if row is None else int(row["id"])
