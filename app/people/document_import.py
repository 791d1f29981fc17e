"""A JSON document of ours taken over into the file, once every value of it is checked.

What is missing is added, what was deleted here and not yet removed comes back, what is there stays as it is: the
second import of a document changes nothing.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from app.people import document_check as check
from app.people.batch import State
from app.people.document import FORMAT, VERSION, Row
from app.people.errors import StoreError, reading_error, refuse_special
from app.people.history import LONGEST_TEXT, Draft, insert_written
from app.people.recipients import LONGEST_NOTES, insert_recipient, recipient_fields
from app.people.request_row import REQUEST_COLUMNS, request_values
from app.people.store import Store

LARGEST = 1 << 30  # bytes of a document we try to read

_LISTS = ("recipients", "written", "sent", "batches")
_RECIPIENT = {"uid", "name", "relationship", "address", "tone", "facts", "notes"}
_WRITTEN = {"uid", "at", "recipient", "request", "text", "model", "seed", "year", "favourite"}
_SENT = {"uid", "written", "recipient", "at", "year", "occasion", "text"}
_BATCH = {"uid", "title", "created", "rows"}
_ROW = {"name", "recipient", "request", "state", "written", "copied", "fault_zh", "fault_en"}


@dataclass(frozen=True)
class Imported:
    """How many rows an import added or brought back."""

    recipients: int
    written: int
    sent: int
    batches: int


def import_document(store: Store, path: Path) -> Imported:
    """Take over what a document holds and this file lacks: all of it, or nothing.

    Raises:
        StoreError: ``unusable_document``, with the place of what is wrong; or the file cannot be read or saved.
    """
    document = _checked(_parsed(path))
    with store.writing() as connection:
        return Imported(
            sum(_take_recipient(connection, row) for row in document["recipients"]),
            _take_written(store, connection, document["written"]),
            sum(_take_sent(connection, row) for row in document["sent"]),
            sum(_take_batch(connection, row) for row in document["batches"]),
        )


def _parsed(path: Path) -> Any:
    try:
        refuse_special(path)
        if path.stat().st_size > LARGEST:
            raise check.unusable("它太大了（超过 1 GB）", "it is too large (more than 1 GB)")
        raw = path.read_bytes()
    except OSError as error:
        raise reading_error(error, path) from error
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise check.unusable("它不是完整的 JSON", "it is not whole JSON", str(error)) from error


def _checked(raw: Any) -> dict[str, tuple[Row, ...]]:
    """The lists of a document with every value checked, times as milliseconds, requests and facts as values."""
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise check.unusable("它不是拜年帖的导出文件", "it is no export of this program")
    version = check.integer(raw.get("version"), "version", 1)
    if version > VERSION:
        raise check.unusable(
            f"它是更新版本的拜年帖导出的（格式 {version}），请先更新程序",
            f"a newer version of this program exported it (format {version}); update the program first",
        )
    check.mapping(raw, {"format", "version", "exported", *_LISTS}, "document")
    document = {
        "recipients": check.entries(raw["recipients"], "recipients", _read_recipient),
        "written": check.entries(raw["written"], "written", _read_written),
        "sent": check.entries(raw["sent"], "sent", _read_sent),
        "batches": check.entries(raw["batches"], "batches", _read_batch),
    }
    uids = {name: check.all_different([row["uid"] for row in rows], name) for name, rows in document.items()}
    for name in ("written", "sent"):
        for number, row in enumerate(document[name]):
            check.references(uids["recipients"], row["recipient"], f"{name}[{number}].recipient")
    for number, row in enumerate(document["sent"]):
        check.references(uids["written"], row["written"], f"sent[{number}].written")
    for number, batch in enumerate(document["batches"]):
        for position, row in enumerate(batch["rows"]):
            where = f"batches[{number}].rows[{position}]"
            check.references(uids["recipients"], row["recipient"], f"{where}.recipient")
            check.references(uids["written"], row["written"], f"{where}.written")
            check.references(uids["sent"], row["copied"], f"{where}.copied")
    return document


def _read_recipient(raw: Any, where: str) -> Row:
    row = check.mapping(raw, _RECIPIENT, where)
    given = {name: check.text(row[name], f"{where}.{name}") for name in ("name", "relationship", "address", "tone")}
    facts = check.facts(row["facts"], f"{where}.facts")
    try:
        fields = recipient_fields(**given, facts=facts, notes=check.text(row["notes"], f"{where}.notes", LONGEST_NOTES))
    except StoreError as error:
        zh, en = error.sentence.zh.rstrip("。"), error.sentence.en.rstrip(".")
        raise check.unusable(f"{where}：{zh}", f"{where}: {en}") from error
    return {"uid": check.uid(row["uid"], f"{where}.uid"), "fields": fields}


def _read_written(raw: Any, where: str) -> Row:
    row = check.mapping(raw, _WRITTEN, where)
    return {
        "uid": check.uid(row["uid"], f"{where}.uid"),
        "at": check.moment(row["at"], f"{where}.at"),
        "recipient": check.optional_uid(row["recipient"], f"{where}.recipient"),
        "request": check.greeting_request(row["request"], f"{where}.request"),
        "text": check.text(row["text"], f"{where}.text", LONGEST_TEXT),
        "model": check.text(row["model"], f"{where}.model"),
        "seed": check.integer(row["seed"], f"{where}.seed", -(2**63)),
        "year": check.integer(row["year"], f"{where}.year", 0, 9999),
        "favourite": check.truth(row["favourite"], f"{where}.favourite"),
    }


def _read_sent(raw: Any, where: str) -> Row:
    row = check.mapping(raw, _SENT, where)
    return {
        "uid": check.uid(row["uid"], f"{where}.uid"),
        "written": check.uid(row["written"], f"{where}.written"),
        "recipient": check.optional_uid(row["recipient"], f"{where}.recipient"),
        "at": check.moment(row["at"], f"{where}.at"),
        "year": check.integer(row["year"], f"{where}.year", 0, 9999),
        "occasion": check.text(row["occasion"], f"{where}.occasion"),
        "text": check.text(row["text"], f"{where}.text", LONGEST_TEXT),
    }


def _read_batch(raw: Any, where: str) -> Row:
    row = check.mapping(raw, _BATCH, where)
    return {
        "uid": check.uid(row["uid"], f"{where}.uid"),
        "title": check.text(row["title"], f"{where}.title"),
        "created": check.moment(row["created"], f"{where}.created"),
        "rows": check.entries(row["rows"], f"{where}.rows", _read_row),
    }


def _read_row(raw: Any, where: str) -> Row:
    row = check.mapping(raw, _ROW, where)
    return {
        "name": check.text(row["name"], f"{where}.name"),
        "recipient": check.optional_uid(row["recipient"], f"{where}.recipient"),
        "request": check.greeting_request(row["request"], f"{where}.request"),
        "state": check.one_of(row["state"], get_args(State), f"{where}.state"),
        "written": check.optional_uid(row["written"], f"{where}.written"),
        "copied": check.optional_uid(row["copied"], f"{where}.copied"),
        "fault_zh": check.text(row["fault_zh"], f"{where}.fault_zh", LONGEST_TEXT),
        "fault_en": check.text(row["fault_en"], f"{where}.fault_en", LONGEST_TEXT),
    }


def _take_recipient(connection: sqlite3.Connection, row: Row) -> bool:
    back = _brought_back(connection, "recipients", row["uid"])
    if back is None:
        insert_recipient(connection, row["fields"], row["uid"])
    return back is not False


def _take_written(store: Store, connection: sqlite3.Connection, rows: Iterable[Row]) -> int:
    taken, last = 0, -1
    for row in sorted(rows, key=lambda row: row["at"]):
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
