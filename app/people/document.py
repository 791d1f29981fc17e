"""Everything in the file as one JSON document of a version, its rows named by ``uid``; read by document_import.

Opened as if it were a table it holds no formula (:mod:`app.people.formulas`).
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.people.errors import storage_error
from app.people.formulas import defused_json
from app.people.moment import local_time
from app.people.request_row import request_from, split_facts
from app.people.store import Store
from app.whole_file import whole_file

FORMAT, VERSION = "bainiantie-people", 1

Row = dict[str, Any]

# A reference to a deleted row is left out as the row is.
_WRITTEN = """SELECT written.*, recipients.uid AS recipient_uid FROM written
    LEFT JOIN recipients ON recipients.id = written.recipient AND recipients.deletion IS NULL
    WHERE written.deletion IS NULL ORDER BY written.id"""
_SENT = """SELECT sent.*, written.uid AS written_uid, recipients.uid AS recipient_uid FROM sent
    JOIN written ON written.id = sent.written AND written.deletion IS NULL
    LEFT JOIN recipients ON recipients.id = sent.recipient AND recipients.deletion IS NULL
    WHERE sent.deletion IS NULL ORDER BY sent.id"""
_BATCH_ROWS = """SELECT batch_rows.*, recipients.uid AS recipient_uid, written.uid AS written_uid,
        sent.uid AS sent_uid FROM batch_rows
    LEFT JOIN recipients ON recipients.id = batch_rows.recipient AND recipients.deletion IS NULL
    LEFT JOIN written ON written.id = batch_rows.written AND written.deletion IS NULL
    LEFT JOIN sent ON sent.id = batch_rows.copied AND sent.deletion IS NULL AND sent.written = written.id
    WHERE batch_rows.batch = ? AND batch_rows.deletion IS NULL ORDER BY batch_rows.position"""


def export_document(store: Store, path: Path) -> None:
    """Write everything that is not deleted to a JSON file, which is whole or not there.

    Raises:
        StoreError: the store cannot be read, or the file not be written.
    """
    with store.reading() as connection:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "exported": datetime.now(UTC).isoformat(timespec="milliseconds"),
            **{name: list(rows(connection)) for name, rows in _EXPORTS.items()},
        }
    try:
        with whole_file(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(map(defused_json, json.JSONEncoder(ensure_ascii=False, indent=1).iterencode(document)))
    except OSError as error:
        raise storage_error(error, path) from error


def _recipients(connection: sqlite3.Connection) -> Iterator[Row]:
    names = ("uid", "name", "relationship", "address", "tone", "notes")
    for row in connection.execute("SELECT * FROM recipients WHERE deletion IS NULL ORDER BY id"):
        yield {name: row[name] for name in names} | {"facts": split_facts(row["facts"])}


def _written(connection: sqlite3.Connection) -> Iterator[Row]:
    for row in connection.execute(_WRITTEN):
        yield {
            "uid": row["uid"],
            "at": _time(row["id"]),
            "recipient": row["recipient_uid"],
            "request": asdict(request_from(row)),
            "text": row["text"],
            "model": row["model"],
            "seed": row["seed"],
            "year": row["year"],
            "favourite": bool(row["favourite"]),
        }


def _sent(connection: sqlite3.Connection) -> Iterator[Row]:
    for row in connection.execute(_SENT):
        yield {
            "uid": row["uid"],
            "written": row["written_uid"],
            "recipient": row["recipient_uid"],
            "at": _time(row["at"]),
            "year": row["year"],
            "occasion": row["occasion"],
            "text": row["text"],
        }


def _batches(connection: sqlite3.Connection) -> Iterator[Row]:
    for batch in connection.execute("SELECT * FROM batches WHERE deletion IS NULL ORDER BY id"):
        yield {
            "uid": batch["uid"],
            "title": batch["title"],
            "created": _time(batch["created"]),
            "rows": [_batch_row(row) for row in connection.execute(_BATCH_ROWS, (batch["id"],))],
        }


def _batch_row(row: sqlite3.Row) -> Row:
    return {
        "name": row["name"],
        "recipient": row["recipient_uid"],
        "request": asdict(request_from(row)),
        "state": row["state"],
        "written": row["written_uid"],
        "copied": row["sent_uid"],
        "fault_zh": row["fault_zh"],
        "fault_en": row["fault_en"],
    }


def _time(at: int) -> str:
    return local_time(at).astimezone(UTC).isoformat(timespec="milliseconds")


_EXPORTS: dict[str, Callable[[sqlite3.Connection], Iterator[Row]]] = {
    "recipients": _recipients,
    "written": _written,
    "sent": _sent,
    "batches": _batches,
}
