"""Reading a JSON document of ours whole, every value of it checked, before anything of it is used."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from app.people import document_check as check
from app.people.batch import State
from app.people.document import FORMAT, VERSION, Row
from app.people.errors import StoreError, reading_error, refuse_special
from app.people.history import LONGEST_TEXT
from app.people.recipients import LONGEST_NOTES, recipient_fields

LARGEST = 1 << 30  # bytes of a document we try to read

_LISTS = ("recipients", "written", "sent", "batches")
_RECIPIENT = {"uid", "name", "relationship", "address", "tone", "facts", "notes"}
_WRITTEN = {"uid", "at", "recipient", "request", "text", "model", "seed", "year", "favourite"}
_SENT = {"uid", "written", "recipient", "at", "year", "occasion", "text"}
_BATCH = {"uid", "title", "created", "rows"}
_ROW = {"name", "recipient", "request", "state", "written", "copied", "fault_zh", "fault_en"}
_HEAD = 200  # bytes within which a document of ours names its format


@dataclass(frozen=True)
class Document:
    """The rows of a document by what they are, times as Unix milliseconds, requests and facts as values.

    ``exported`` is when it was made, in Unix milliseconds.
    """

    exported: int
    recipients: tuple[Row, ...]
    written: tuple[Row, ...]
    sent: tuple[Row, ...]
    batches: tuple[Row, ...]

    @property
    def rows(self) -> dict[str, tuple[Row, ...]]:
        """Its lists by the tables they belong to, each after those it refers to."""
        return {"recipients": self.recipients, "written": self.written, "sent": self.sent, "batches": self.batches}


def read_document(path: Path) -> Document:
    """What a document says. It needs no store, and takes a second for some ten thousand texts.

    Raises:
        StoreError: ``unusable_document``, with the place of what is wrong; or the file cannot be read.
    """
    return _checked(_parsed(path))


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
        if FORMAT.encode() in raw[:_HEAD]:
            raise check.unusable(
                "它不完整，像是没有复制完，或者被改坏了", "it is not whole: cut short, or damaged", str(error)
            ) from error
        raise check.unusable("它不是拜年帖的导出文件", "it is no export of this program", str(error)) from error


def _checked(raw: Any) -> Document:
    """The document with every value checked."""
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise check.unusable("它不是拜年帖的导出文件", "it is no export of this program")
    version = check.integer(raw.get("version"), "version", 1)
    if version > VERSION:
        raise check.newer(version)
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
    return Document(check.moment(raw["exported"], "exported"), **document)


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
