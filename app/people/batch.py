"""群发: a batch of rows, each written for one person, that goes on after a crash exactly where it was.

A row waits, is being written, and is written or has failed; every step is a transaction of its own. What was being
written when the program died waits again at the next opening (:func:`app.people.store.open_store`).
"""

import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.people.deletion import delete
from app.people.errors import gone
from app.people.history import Draft, Sent, Written, insert_sent, insert_written
from app.people.moment import local_time, milliseconds
from app.people.recipients import LONGEST_NAME
from app.people.request_row import REQUEST_COLUMNS, request_from, request_values
from app.people.store import Store
from app.people.text import line, storable

LONGEST_TITLE = 60
LONGEST_FAULT = 1000
_TITLE, _NAME = Sentence("标题", "the title"), Sentence("姓名", "the name")

State = Literal["waiting", "writing", "written", "failed"]

_ROWS = """SELECT batch_rows.*, written.text AS text, sent.id AS sent FROM batch_rows
    LEFT JOIN written ON written.id = batch_rows.written AND written.deletion IS NULL
    LEFT JOIN sent ON sent.id = batch_rows.copied AND sent.deletion IS NULL
    WHERE batch_rows.deletion IS NULL AND"""
# A text may be deleted in the history: its row then has none, and waits for one.
_WAITING = "(batch_rows.state = 'waiting' OR (batch_rows.state = 'written' AND written.id IS NULL))"
_WRITTEN = "(batch_rows.state = 'written' AND written.id IS NOT NULL)"


@dataclass(frozen=True)
class RowFields:
    """What a row of the table says: the name shown, what to write, and the person's id where one is known."""

    name: str
    request: GreetingRequest
    recipient: int | None = None


@dataclass(frozen=True)
class BatchRow:
    """A row as it stands in the file.

    ``text`` is what was written, as edited since; ``written`` its entry in the history; both may be there while the
    row waits to be written anew. A row whose text was deleted waits. ``sent`` is the note that it was copied, None when
    it was not. ``fault`` says why it failed.
    """

    id: int
    batch: int
    position: int
    fields: RowFields
    state: State
    text: str
    written: int | None
    sent: int | None
    fault: Sentence | None


@dataclass(frozen=True)
class Batch:
    """A batch and how far it has come, in rows."""

    id: int
    uid: str
    title: str
    created: datetime
    waiting: int
    writing: int
    written: int
    failed: int
    copied: int


def create_batch(store: Store, title: str, rows: Iterable[RowFields], at: datetime | None = None) -> int:
    """Save a batch with its rows in this order; its id.

    Raises:
        StoreError: ``too_long``, or it could not be saved.
    """
    with store.writing() as connection:
        id = insert_batch(connection, title, milliseconds(at))
        insert_rows(connection, id, rows)
    return id


def insert_batch(connection: sqlite3.Connection, title: str, at: int) -> int:
    """Enter a batch without rows inside a transaction of the caller's; ``at`` in Unix milliseconds; its id.

    Raises:
        StoreError: ``too_long``.
    """
    id = connection.execute(
        "INSERT INTO batches (uid, title, created) VALUES (?, ?, ?)",
        (uuid.uuid4().hex, line(title, _TITLE, LONGEST_TITLE), at),
    ).lastrowid
    assert id is not None
    return id


def append_rows(store: Store, batch: int, rows: Iterable[RowFields]) -> tuple[int, ...]:
    """Add rows at the end of a batch; their ids.

    Raises:
        StoreError: ``gone``, or they could not be saved.
    """
    with store.writing() as connection:
        return insert_rows(connection, batch, rows)


def insert_rows(connection: sqlite3.Connection, batch: int, rows: Iterable[RowFields]) -> tuple[int, ...]:
    """Enter rows at the end of a batch inside a transaction of the caller's; their ids.

    Raises:
        StoreError: ``gone`` or ``too_long``.
    """
    if connection.execute("SELECT 1 FROM batches WHERE id = ?", (batch,)).fetchone() is None:
        raise gone()
    (first,) = connection.execute(
        "SELECT coalesce(max(position) + 1, 0) FROM batch_rows WHERE batch = ?", (batch,)
    ).fetchone()
    columns = ("batch", "position", "name", "recipient", *REQUEST_COLUMNS)
    insert = f"INSERT INTO batch_rows ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    ids = []
    for position, row in enumerate(rows, first):
        values = (batch, position, line(row.name, _NAME, LONGEST_NAME), row.recipient, *request_values(row.request))
        ids.append(connection.execute(insert, values).lastrowid or 0)
    return tuple(ids)


def change_rows(store: Store, changes: Iterable[tuple[int, RowFields]]) -> None:
    """Save rows edited in place, by their ids: all of them, or none. Another request than before waits to be written,
    and so does what was being written.

    Raises:
        StoreError: ``gone``, or they could not be saved.
    """
    columns = ", ".join(f"{column} = ?" for column in REQUEST_COLUMNS)
    with store.writing() as connection:
        for id, fields in changes:
            row = connection.execute("SELECT * FROM batch_rows WHERE id = ?", (id,)).fetchone()
            if row is None:
                raise gone()
            kept = row["state"] != "writing" and request_from(row) == fields.request
            state = row["state"] if kept else "waiting"
            connection.execute(
                f"UPDATE batch_rows SET name = ?, recipient = ?, state = ?, {columns} WHERE id = ?",
                (line(fields.name, _NAME, LONGEST_NAME), fields.recipient, state, *request_values(fields.request), id),
            )


def batches(store: Store) -> tuple[Batch, ...]:
    """Every batch, newest first."""
    conditions = {
        "waiting": _WAITING,
        "writing": "batch_rows.state = 'writing'",
        "written": _WRITTEN,
        "failed": "batch_rows.state = 'failed'",
    }
    counts = ", ".join(f"count(*) FILTER (WHERE {condition}) AS {state}" for state, condition in conditions.items())
    with store.reading() as connection:
        rows = connection.execute(
            f"""SELECT batches.*, {counts}, count(sent.id) AS copied FROM batches
            LEFT JOIN batch_rows ON batch_rows.batch = batches.id AND batch_rows.deletion IS NULL
            LEFT JOIN written ON written.id = batch_rows.written AND written.deletion IS NULL
            LEFT JOIN sent ON sent.id = batch_rows.copied AND sent.deletion IS NULL
            WHERE batches.deletion IS NULL GROUP BY batches.id ORDER BY batches.created DESC, batches.id DESC"""
        ).fetchall()
    return tuple(
        Batch(
            row["id"],
            row["uid"],
            row["title"],
            local_time(row["created"]),
            row["waiting"],
            row["writing"],
            row["written"],
            row["failed"],
            row["copied"],
        )
        for row in rows
    )


def rows_of(store: Store, batch: int) -> tuple[BatchRow, ...]:
    """A batch's rows in their order."""
    with store.reading() as connection:
        rows = connection.execute(f"{_ROWS} batch_rows.batch = ? ORDER BY batch_rows.position", (batch,)).fetchall()
    return tuple(_row_from(row) for row in rows)


def take_rows(
    store: Store, batch: int, count: int = 1, first: Iterable[int] = (), others: bool = True
) -> tuple[BatchRow, ...]:
    """The next rows to write, at most ``count``, now marked as being written.

    Args:
        first: ids of rows that come before all others, in this order; those that do not wait are passed over.
        others: whether rows not named in ``first`` are taken at all; they come in the order of the batch.

    Raises:
        StoreError: it could not be saved.
    """
    taken: list[sqlite3.Row] = []
    with store.writing() as connection:
        waiting = f"{_ROWS} batch_rows.batch = ? AND {_WAITING}"
        for id in first:
            if len(taken) == count:
                break
            taken += connection.execute(f"{waiting} AND batch_rows.id = ?", (batch, id)).fetchall()
        _set_state(connection, [row["id"] for row in taken], "writing")
        if others and len(taken) < count:
            rest = connection.execute(
                f"{waiting} ORDER BY batch_rows.position LIMIT ?", (batch, count - len(taken))
            ).fetchall()
            _set_state(connection, [row["id"] for row in rest], "writing")
            taken += rest
    return tuple(_row_from(row, "writing") for row in taken)


def finish_row(store: Store, row: BatchRow, text: str, *, model: str, seed: int, at: datetime | None = None) -> Written:
    """Keep the text written for a row that was taken: in the history, and as the row's own, in one step.

    A row that was edited or deleted meanwhile stays as it is; the history has the text all the same.

    Raises:
        StoreError: it could not be saved; the row is still being written.
    """
    draft = Draft(row.fields.request, text, model, seed, row.fields.recipient)
    with store.writing() as connection:
        entry = insert_written(store, connection, draft, milliseconds(at))
        connection.execute(
            """UPDATE batch_rows SET state = 'written', written = ?, copied = NULL, fault_zh = '', fault_en = ''
            WHERE id = ? AND state = 'writing'""",
            (entry.id, row.id),
        )
    return entry


def fail_row(store: Store, id: int, fault: Sentence) -> None:
    """Note why a row that was taken could not be written.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        connection.execute(
            "UPDATE batch_rows SET state = 'failed', fault_zh = ?, fault_en = ? WHERE id = ? AND state = 'writing'",
            (storable(fault.zh[:LONGEST_FAULT]), storable(fault.en[:LONGEST_FAULT]), id),
        )


def release_rows(store: Store, batch: int) -> None:
    """Let what is being written wait again, as when the person pauses.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        connection.execute("UPDATE batch_rows SET state = 'waiting' WHERE batch = ? AND state = 'writing'", (batch,))


def redo_rows(store: Store, ids: Iterable[int]) -> None:
    """Have rows written anew. What they had stays until then, and in the history for good.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        _set_state(connection, ids, "waiting")


def remove_rows(store: Store, ids: Iterable[int]) -> int:
    """Take rows out; what was being written for them is not, and waits should they be brought back.

    Returns:
        What :func:`app.people.deletion.undo` takes.

    Raises:
        StoreError: it could not be saved.
    """
    ids = tuple(ids)
    with store.writing() as connection:
        connection.executemany(
            "UPDATE batch_rows SET state = 'waiting' WHERE id = ? AND state = 'writing'", [(id,) for id in ids]
        )
    return delete(store, "batch_rows", ids)


def next_to_copy(store: Store, batch: int, after: int = -1) -> BatchRow | None:
    """The first row after position ``after`` that has a text and is not copied; None when there is none."""
    # A text of which nothing was left is none to copy.
    uncopied = f"{_WRITTEN} AND trim(written.text, ' ' || char(9, 10, 13, 12288)) <> '' AND sent.id IS NULL"
    with store.reading() as connection:
        row = connection.execute(
            f"{_ROWS} batch_rows.batch = ? AND batch_rows.position > ? AND {uncopied} ORDER BY batch_rows.position",
            (batch, after),
        ).fetchone()
    return _row_from(row) if row else None


def mark_copied(store: Store, id: int, at: datetime | None = None) -> Sent:
    """Note that a row's text was copied and so counts as sent. Deleting the note, the row's ``sent``, undoes it.

    Raises:
        StoreError: ``gone``, also for a row that has no text or whose text was deleted, or it could not be saved.
    """
    with store.writing() as connection:
        row = connection.execute("SELECT recipient, written FROM batch_rows WHERE id = ?", (id,)).fetchone()
        if row is None or row["written"] is None:
            raise gone()
        note = insert_sent(connection, row["written"], row["recipient"], milliseconds(at))
        connection.execute("UPDATE batch_rows SET copied = ? WHERE id = ?", (note.id, id))
    return note


def _set_state(connection: sqlite3.Connection, ids: Iterable[int], state: State) -> None:
    connection.executemany("UPDATE batch_rows SET state = ? WHERE id = ?", [(state, id) for id in ids])


def _row_from(row: sqlite3.Row, state: State | None = None) -> BatchRow:
    if state is None and row["state"] == "written" and row["text"] is None:
        state = "waiting"
    return BatchRow(
        row["id"],
        row["batch"],
        row["position"],
        RowFields(row["name"], request_from(row), row["recipient"]),
        state or row["state"],
        row["text"] or "",
        row["written"] if row["text"] is not None else None,
        row["sent"],
        Sentence(row["fault_zh"], row["fault_en"]) if row["state"] == "failed" else None,
    )
