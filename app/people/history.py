"""Everything that was written, what of it is a favourite, and what was sent to whom."""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime

from app.compose.calendar import welcomed_year
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.people import index
from app.people.errors import gone, too_long
from app.people.moment import local_time, milliseconds
from app.people.request_row import REQUEST_COLUMNS, request_from, request_values
from app.people.store import Store
from app.people.text import searchable, storable

LONGEST_TEXT = 5000  # characters; a greeting has at most 140, a person's own edit some more
_TEXT = Sentence("这段文字", "the text")
_COLUMNS = ("uid", "recipient", *REQUEST_COLUMNS, "text", "model", "seed", "year", "favourite")
# What an entry is made of: the columns of ``written``, and whether it was sent.
ENTRY = """written.*,
    EXISTS (SELECT 1 FROM sent WHERE sent.written = written.id AND sent.deletion IS NULL) AS is_sent"""


@dataclass(frozen=True)
class Draft:
    """A text to be kept and how it came about. ``recipient`` is a person's id, None when nobody was chosen.

    ``year`` is the lunar year being welcomed; None takes it from the day of writing.
    """

    request: GreetingRequest
    text: str
    model: str
    seed: int
    recipient: int | None = None
    year: int | None = None
    favourite: bool = False


@dataclass(frozen=True)
class Written:
    """A text as it stands in the file.

    ``id`` is the millisecond it was written in, moved on where that was taken; a greater one is newer. It needs more
    than 32 bits. ``sent`` is whether it went to anybody.
    """

    id: int
    uid: str
    at: datetime
    request: GreetingRequest
    text: str
    model: str
    seed: int
    year: int
    recipient: int | None
    favourite: bool
    sent: bool = False


@dataclass(frozen=True)
class Sent:
    """That a text went to somebody; ``text`` is what it said then, ``written`` the id of the entry it comes from."""

    id: int
    uid: str
    written: int
    recipient: int | None
    at: datetime
    year: int
    occasion: str
    text: str


def add_written(store: Store, draft: Draft, at: datetime | None = None) -> Written:
    """Keep a text, written now or ``at``.

    Raises:
        StoreError: ``too_long``, or it could not be saved.
    """
    with store.writing() as connection:
        return insert_written(store, connection, draft, milliseconds(at))


def insert_written(
    store: Store, connection: sqlite3.Connection, draft: Draft, at: int, uid: str | None = None
) -> Written:
    """Enter a text inside a transaction of the caller's; ``at`` in Unix milliseconds.

    Raises:
        StoreError: ``too_long``.
    """
    text = _checked(draft.text)
    id = _free_id(connection, at)
    year = draft.year if draft.year is not None else welcomed_year(local_time(at).date())
    folded = _searchable(draft.request, text)
    uid = uid or uuid.uuid4().hex
    request = request_values(draft.request)
    row = (uid, draft.recipient, *request, text, draft.model, draft.seed, year, int(draft.favourite))
    connection.execute(
        f"INSERT INTO written (id, searchable, {', '.join(_COLUMNS)}) VALUES (?, ?, {', '.join('?' * len(row))})",
        (id, folded, *row),
    )
    if store.full_text:
        index.add(connection, id, folded)
    return Written(
        id,
        uid,
        local_time(id),
        draft.request,
        text,
        draft.model,
        draft.seed,
        year,
        draft.recipient,
        draft.favourite,
    )


def written(store: Store, id: int) -> Written | None:
    """One entry; None when deleted."""
    with store.reading() as connection:
        row = connection.execute(f"SELECT {ENTRY} FROM written WHERE id = ? AND deletion IS NULL", (id,)).fetchone()
    return written_from(row) if row else None


def written_from(row: sqlite3.Row) -> Written:
    """The entry in a row of :data:`ENTRY`."""
    return Written(
        row["id"],
        row["uid"],
        local_time(row["id"]),
        request_from(row),
        row["text"],
        row["model"],
        row["seed"],
        row["year"],
        row["recipient"],
        bool(row["favourite"]),
        bool(row["is_sent"]),
    )


def edit_written(store: Store, id: int, text: str) -> None:
    """Replace an entry's text by what the person made of it.

    Raises:
        StoreError: ``gone``, ``too_long``, or it could not be saved.
    """
    text = _checked(text)
    with store.writing() as connection:
        row = connection.execute("SELECT * FROM written WHERE id = ? AND deletion IS NULL", (id,)).fetchone()
        if row is None:
            raise gone()
        folded = _searchable(request_from(row), text)
        connection.execute("UPDATE written SET text = ?, searchable = ? WHERE id = ?", (text, folded, id))
        if store.full_text:
            index.remove(connection, id, row["searchable"])
            index.add(connection, id, folded)


def set_favourite(store: Store, id: int, favourite: bool) -> None:
    """Make an entry a favourite, or no longer one.

    Raises:
        StoreError: ``gone``, or it could not be saved.
    """
    _set(store, id, "favourite", int(favourite))


def set_recipient(store: Store, id: int, recipient: int | None) -> None:
    """Say whom an entry was written to.

    Raises:
        StoreError: ``gone``, or it could not be saved.
    """
    _set(store, id, "recipient", recipient)


def mark_sent(store: Store, id: int, recipient: int | None = None, at: datetime | None = None) -> Sent:
    """Note that an entry, as it reads now, was copied and so counts as sent; deleting the note undoes it.

    Args:
        recipient: a person's id; None takes the entry's own.

    Raises:
        StoreError: ``gone``, or it could not be saved.
    """
    with store.writing() as connection:
        return insert_sent(connection, id, recipient, milliseconds(at))


def insert_sent(connection: sqlite3.Connection, id: int, recipient: int | None, at: int) -> Sent:
    """Enter such a note inside a transaction of the caller's; ``at`` in Unix milliseconds.

    Raises:
        StoreError: ``gone``.
    """
    row = connection.execute("SELECT * FROM written WHERE id = ? AND deletion IS NULL", (id,)).fetchone()
    if row is None:
        raise gone()
    values = (
        uuid.uuid4().hex,
        id,
        recipient if recipient is not None else row["recipient"],
        at,
        row["year"],
        row["occasion"],
        row["text"],
    )
    cursor = connection.execute(
        "INSERT INTO sent (uid, written, recipient, at, year, occasion, text) VALUES (?, ?, ?, ?, ?, ?, ?)", values
    )
    return _sent_from(connection.execute("SELECT * FROM sent WHERE id = ?", (cursor.lastrowid,)).fetchone())


def sent_to(store: Store, recipient: int, before_year: int | None = None) -> tuple[Sent, ...]:
    """What this person received, newest first; with ``before_year``, for earlier years only."""
    if before_year is None:
        return _select_sent(store, "sent.recipient = ?", (recipient,))
    return _select_sent(store, "sent.recipient = ? AND sent.year < ?", (recipient, before_year))


def sent_to_nobody_known(store: Store, relationship: str, address: str) -> tuple[Sent, ...]:
    """What went out under a form of address without belonging to anybody in the file, newest first."""
    condition = "sent.recipient IS NULL AND written.relationship = ? AND written.address = ?"
    return _select_sent(store, condition, (relationship, address))


def sent_in(store: Store, year: int) -> tuple[Sent, ...]:
    """What was sent for a year, to whomever, newest first."""
    return _select_sent(store, "sent.year = ?", (year,))


def sent_of(store: Store, id: int) -> tuple[Sent, ...]:
    """When and to whom an entry was sent, newest first."""
    return _select_sent(store, "sent.written = ?", (id,))


def _set(store: Store, id: int, column: str, value: int | None) -> None:
    change = f"UPDATE written SET {column} = ? WHERE id = ? AND deletion IS NULL"
    with store.writing() as connection:
        if not connection.execute(change, (value, id)).rowcount:
            raise gone()


def _select_sent(store: Store, condition: str, values: tuple[int | str, ...]) -> tuple[Sent, ...]:
    with store.reading() as connection:
        rows = connection.execute(
            f"""SELECT sent.* FROM sent JOIN written ON written.id = sent.written
            WHERE sent.deletion IS NULL AND written.deletion IS NULL AND {condition}
            ORDER BY sent.at DESC, sent.id DESC""",
            values,
        ).fetchall()
    return tuple(_sent_from(row) for row in rows)


def _sent_from(row: sqlite3.Row) -> Sent:
    return Sent(
        row["id"],
        row["uid"],
        row["written"],
        row["recipient"],
        local_time(row["at"]),
        row["year"],
        row["occasion"],
        row["text"],
    )


def _free_id(connection: sqlite3.Connection, wanted: int) -> int:
    if connection.execute("SELECT 1 FROM written WHERE id = ?", (wanted,)).fetchone() is None:
        return wanted
    (free,) = connection.execute(
        """SELECT taken.id + 1 FROM written AS taken LEFT JOIN written AS next ON next.id = taken.id + 1
        WHERE taken.id >= ? AND next.id IS NULL ORDER BY taken.id LIMIT 1""",
        (wanted,),
    ).fetchone()
    return int(free)


def _checked(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise too_long(_TEXT, len(text), LONGEST_TEXT)
    return storable(text)


def _searchable(request: GreetingRequest, text: str) -> str:
    return searchable(text, request.address, *request.details, request.signature)
