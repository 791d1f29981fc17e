"""A GreetingRequest as columns of a row, and back."""

import sqlite3
from collections.abc import Iterable
from dataclasses import fields

from app.compose.request import GreetingRequest

REQUEST_COLUMNS = tuple(field.name for field in fields(GreetingRequest))
_SEPARATOR = "；"  # app.compose.request.fold leaves none inside a fact


def request_values(request: GreetingRequest) -> tuple[str, ...]:
    """The values of :data:`REQUEST_COLUMNS` for a request made by ``make_request``."""
    values = {name: getattr(request, name) for name in REQUEST_COLUMNS} | {"details": join_facts(request.details)}
    return tuple(values[name] for name in REQUEST_COLUMNS)


def request_from(row: sqlite3.Row) -> GreetingRequest:
    """The request in a row that has these columns."""
    values = {name: row[name] for name in REQUEST_COLUMNS} | {"details": split_facts(row["details"])}
    return GreetingRequest(**values)


def join_facts(facts: Iterable[str]) -> str:
    """Folded facts as one column."""
    return _SEPARATOR.join(facts)


def split_facts(column: str) -> tuple[str, ...]:
    """The facts in a column, none when it is empty."""
    return tuple(column.split(_SEPARATOR)) if column else ()
