"""The people greetings are written to."""

import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from app.compose.request import LONGEST, fold
from app.compose.sentence import Sentence
from app.people.errors import StoreError, gone, too_long
from app.people.request_row import join_facts, split_facts
from app.people.store import Store
from app.people.text import line, storable

MOST_FACTS = 20
LONGEST_NAME = 60
LONGEST_NOTES = 2000
LONGEST_ID = 40
_FIELDS = ("name", "relationship", "address", "tone", "facts", "notes")


@dataclass(frozen=True)
class RecipientFields:
    """What is known of a person, made by :func:`recipient_fields`, which checks it.

    ``relationship`` and ``tone`` are ids of the catalogue, or empty while nobody has chosen. An id a later catalogue
    knows is kept: whether it can be used is for the request to say.
    """

    name: str
    relationship: str = ""
    address: str = ""
    tone: str = ""
    facts: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True)
class Recipient:
    """A person as they stand in the file; ``uid`` names them on any machine."""

    id: int
    uid: str
    fields: RecipientFields


def recipient_fields(
    name: str,
    *,
    relationship: str = "",
    address: str = "",
    tone: str = "",
    facts: Iterable[str] = (),
    notes: str = "",
) -> RecipientFields:
    """What a form or a table gives, as plain lines; notes keep their line breaks.

    Raises:
        StoreError: ``unnamed``, ``too_long`` or ``too_many``.
    """
    folded = line(name, Sentence("姓名", "the name"), LONGEST_NAME)
    if not folded:
        raise StoreError("unnamed", Sentence("还没有写姓名，写上再保存。", "There is no name yet; write one to save."))
    given = list(facts)
    if len(given) > MOST_FACTS:
        raise StoreError(
            "too_many",
            Sentence(
                f"想提到的事最多 {MOST_FACTS} 件，现在有 {len(given)} 件。挑最要紧的留下。",
                f"At most {MOST_FACTS} facts; there are {len(given)}. Keep the ones that matter most.",
            ),
        )
    lines = (line(fact, Sentence("想提到的事", "the fact"), LONGEST["detail"]) for fact in given)
    if len(notes) > LONGEST_NOTES:
        raise too_long(Sentence("备注", "the note"), len(notes), LONGEST_NOTES)
    return RecipientFields(
        folded,
        line(relationship, Sentence("关系", "the relationship"), LONGEST_ID),
        line(address, Sentence("称呼", "the form of address"), LONGEST["address"]),
        line(tone, Sentence("语气", "the tone"), LONGEST_ID),
        tuple(line for line in lines if line),
        storable(notes).strip(),
    )


def add_recipient(store: Store, fields: RecipientFields) -> Recipient:
    """Save a new person.

    Raises:
        StoreError: it could not be saved.
    """
    with store.writing() as connection:
        return insert_recipient(connection, fields, uuid.uuid4().hex)


def insert_recipient(connection: sqlite3.Connection, fields: RecipientFields, uid: str) -> Recipient:
    """Enter a person inside a transaction of the caller's."""
    cursor = connection.execute(
        f"INSERT INTO recipients (uid, {', '.join(_FIELDS)}) VALUES (?, {', '.join('?' * len(_FIELDS))})",
        (uid, *_values(fields)),
    )
    assert cursor.lastrowid is not None
    return Recipient(cursor.lastrowid, uid, fields)


def change_recipient(store: Store, id: int, fields: RecipientFields) -> None:
    """Save a person's changed fields.

    Raises:
        StoreError: ``gone``, or it could not be saved.
    """
    with store.writing() as connection:
        changed = connection.execute(
            f"UPDATE recipients SET {', '.join(f'{name} = ?' for name in _FIELDS)} WHERE id = ?",
            (*_values(fields), id),
        ).rowcount
        if not changed:
            raise gone()


def all_recipients(store: Store) -> tuple[Recipient, ...]:
    """Everybody, in the order they were added."""
    return _select(store, "1", ())


def recipient(store: Store, id: int) -> Recipient | None:
    """One person; None when deleted."""
    return next(iter(_select(store, "id = ?", (id,))), None)


def recipients_named(store: Store, name: str) -> tuple[Recipient, ...]:
    """Everybody of exactly this name, which several people may share."""
    return _select(store, "name = ?", (fold(name),))


def _select(store: Store, condition: str, values: tuple[object, ...]) -> tuple[Recipient, ...]:
    with store.reading() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(_FIELDS)}, id, uid FROM recipients WHERE deletion IS NULL AND {condition} ORDER BY id",
            values,
        ).fetchall()
    return tuple(Recipient(row["id"], row["uid"], _fields_from(row)) for row in rows)


def _fields_from(row: sqlite3.Row) -> RecipientFields:
    return RecipientFields(
        row["name"], row["relationship"], row["address"], row["tone"], split_facts(row["facts"]), row["notes"]
    )


def _values(fields: RecipientFields) -> tuple[str, ...]:
    return (
        fields.name,
        fields.relationship,
        fields.address,
        fields.tone,
        join_facts(fields.facts),
        fields.notes,
    )
