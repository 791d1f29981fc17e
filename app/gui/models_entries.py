"""The list of models, as ``python -m app models list --json`` gives it, read back into entries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from app.models.fetching import Fetching
from app.models.inventory import Entry, Kind, State


def entries_of(facts: dict[str, Any]) -> tuple[Entry, ...]:
    """The models of a list's last line.

    Raises:
        KeyError, TypeError, ValueError: it is not one of this version of the program.
    """
    return tuple(_entry(raw) for raw in facts["models"])


def fetching_in(facts: dict[str, Any]) -> Fetching:
    """The settings of fetching of the same line."""
    return Fetching(**facts["fetching"])


def _entry(raw: dict[str, Any]) -> Entry:
    read: dict[str, Callable[[Any], Any]] = {
        "kind": Kind,
        "state": State,
        "path": Path,
        "title": lambda value: Sentence(**value),
        "good_for": lambda value: Sentence(**value),
        "fault": lambda value: Sentence(**value) if value else None,
    }
    return Entry(**{key: read.get(key, lambda value: value)(value) for key, value in raw.items()})
