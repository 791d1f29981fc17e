"""Finding texts as a person types: newest first, page by page.

An entry is found when every word of the query stands somewhere in it, one character being a word too, whatever its
width or case (:func:`app.people.text.searchable`). The index and reading every entry find the same.
"""

from dataclasses import dataclass
from typing import Any

from app.people.history import ENTRY, Written, written_from
from app.people.store import Store
from app.people.text import phrase, words

PAGE = 50
_END = 2**63 - 1
_SENT = "SELECT sent.written FROM sent WHERE sent.deletion IS NULL"
# A note without a person of its own is about the one the text was written to.
_SENT_TO = """SELECT sent.written FROM sent JOIN written AS of_note ON of_note.id = sent.written
    WHERE sent.deletion IS NULL AND coalesce(sent.recipient, of_note.recipient) = ?"""


@dataclass(frozen=True)
class Filters:
    """What to show; what is left out does not narrow it. ``recipient`` is a person's id.

    ``sent`` shows what went out only; of a person, then, what went to them.
    """

    query: str = ""
    recipient: int | None = None
    year: int | None = None
    occasion: str = ""
    favourites: bool = False
    sent: bool = False


@dataclass(frozen=True)
class Page:
    """Entries, newest first; ``before`` asks for the next page, None when this is the last."""

    entries: tuple[Written, ...]
    before: int | None


def search(store: Store, filters: Filters, before: int | None = None, limit: int = PAGE) -> Page:
    """One page of what matches.

    Args:
        before: the last page's ``before``; None begins with the newest.

    Raises:
        StoreError: the file cannot be read.
    """
    source, order, conditions, values = _matching(store, filters)
    with store.reading() as connection:
        rows = connection.execute(
            f"SELECT {ENTRY} FROM {source} WHERE {conditions} AND {order} < ? ORDER BY {order} DESC LIMIT ?",
            (*values, _END if before is None else before, limit + 1),
        ).fetchall()
    entries = tuple(written_from(row) for row in rows[:limit])
    return Page(entries, entries[-1].id if len(rows) > limit else None)


def found_ids(store: Store, filters: Filters) -> tuple[int, ...]:
    """The ids of everything that matches, newest first.

    Raises:
        StoreError: the file cannot be read.
    """
    source, order, conditions, values = _matching(store, filters)
    with store.reading() as connection:
        rows = connection.execute(
            f"SELECT {order} FROM {source} WHERE {conditions} ORDER BY {order} DESC", values
        ).fetchall()
    return tuple(row[0] for row in rows)


def _matching(store: Store, filters: Filters) -> tuple[str, str, str, list[Any]]:
    """What to select from, the column of its ids, the conditions, and the values these ask for."""
    sought = words(filters.query)
    # A person's texts, the favourites and what was sent are few: reading them all beats asking the index.
    few = filters.recipient is not None or filters.favourites or filters.sent
    indexed = bool(sought) and store.full_text and not few
    conditions = ["written.deletion IS NULL"]
    values: list[Any] = []
    if indexed:
        # CROSS JOIN keeps SQLite from turning the order round: the index yields ids from the newest on, unsorted.
        source = "search_index CROSS JOIN written ON written.id = search_index.rowid"
        order = "search_index.rowid"
        conditions.append("search_index MATCH ?")
        values.append(" AND ".join(phrase(word) for word in sought))
    else:
        source, order = "written", "written.id"
        conditions += ["instr(searchable, ?) > 0"] * len(sought)
        values += sought
    narrowed: list[tuple[str, Any]] = [("year", filters.year), ("occasion", filters.occasion)]
    if filters.sent:
        conditions.append(f"written.id IN ({_SENT if filters.recipient is None else _SENT_TO})")
        values += [] if filters.recipient is None else [filters.recipient]
    else:
        narrowed.append(("recipient", filters.recipient))
    for column, value in narrowed:
        if value not in (None, ""):
            conditions.append(f"written.{column} = ?")
            values.append(value)
    if filters.favourites:
        conditions.append("written.favourite")
    return source, order, " AND ".join(conditions), values


def years(store: Store) -> tuple[int, ...]:
    """The years anything was written for, newest first."""
    return tuple(_distinct(store, "year"))


def occasions(store: Store) -> tuple[str, ...]:
    """The occasion ids anything was written for."""
    return tuple(_distinct(store, "occasion"))


def _distinct(store: Store, column: str) -> list[Any]:
    with store.reading() as connection:
        rows = connection.execute(
            f"SELECT DISTINCT {column} FROM written WHERE deletion IS NULL ORDER BY {column} DESC"
        ).fetchall()
    return [row[0] for row in rows]
