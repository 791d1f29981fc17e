"""An open store of each test's own, and texts to put in it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import GreetingRequest, make_request
from app.people.history import Draft
from app.people.store import Store, open_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store's file lies; a folder of its own, with a name in Chinese."""
    return tmp_path / "数据" / "people.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A new store, closed at the end."""
    opened = open_store(path)
    yield opened
    opened.close()


# The catalogue takes longer to read than a text to save.
_catalog = cache(load_catalog)


def request(**fields: object) -> GreetingRequest:
    """A request as the form makes it."""
    return make_request(_catalog(), {"relationship": "boss", "tone": "warm", **fields})


def draft(text: str, recipient: int | None = None, **fields: object) -> Draft:
    """A text to keep."""
    return Draft(request(**fields), text, "bainian-1.5b", 7, recipient)
