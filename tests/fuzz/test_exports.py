"""Our own JSON, changed: taken over whole, or refused with a sentence and nothing changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compose.catalog import load_catalog
from app.compose.request import make_request
from app.people.batch import RowFields, create_batch
from app.people.document import export_document
from app.people.document_import import missing, take_document
from app.people.document_reading import read_document
from app.people.errors import StoreError
from app.people.history import Draft, add_written, mark_sent
from app.people.recipients import add_recipient, recipient_fields
from app.people.store import Store, open_store
from tests.fuzz.hostile import changed_bytes, changed_trees, keys_of
from tests.tally import Tally

NASTY = (b"\\ud800", b"NaN", b"[" * 3000, b"9" * 5000, b"\xff", b"\xef\xbb\xbf", b"null", b'"', b"9999-12-31T23:59Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def export(folder: Path) -> bytes:
    """What the program exports of one person, a text that was sent, and a batch."""
    store = open_store(folder / "exported.sqlite3")
    person = add_recipient(store, recipient_fields("王芳", relationship="colleague", facts=["升职了"]))
    asked = {"relationship": "colleague", "tone": "warm", "details": ["升职了"]}
    request = make_request(load_catalog(), asked)
    entry = add_written(store, Draft(request, "王芳，新年好。", "tiny", 7, person.id))
    mark_sent(store, entry.id)
    create_batch(store, "群发", [RowFields("王芳", request, person.id)])
    export_document(store, folder / "exported.json")
    store.close()
    return (folder / "exported.json").read_bytes()


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Store]:
    """Where documents are taken over; each adds to it."""
    opened = open_store(folder / "people.sqlite3")
    yield opened
    opened.close()


def take(tally: Tally, folder: Path, store: Store, content: bytes) -> None:
    path = folder / "changed.json"
    path.write_bytes(content)
    try:
        document = read_document(path)
    except StoreError as error:
        assert error.code == "unusable_document" and error.sentence.zh.endswith("。") and len(error.sentence.zh) < 1000
        tally.count("JSON exports", "refused with a sentence")
        return
    take_document(store, document)
    left = missing(store, document)
    assert (left.recipients, left.written, left.sent, left.batches) == (0, 0, 0, 0), "what was read was taken over"
    tally.count("JSON exports", "taken over")


@settings(max_examples=300)
@given(st.data())
def test_exports_with_changed_entries(
    tally: Tally, folder: Path, store: Store, export: bytes, data: st.DataObject
) -> None:
    document = json.loads(export)
    tree = data.draw(changed_trees(document, keys_of(document)))
    take(tally, folder, store, json.dumps(tree).encode("ascii"))


@settings(max_examples=200)
@given(st.data())
def test_exports_with_changed_bytes(
    tally: Tally, folder: Path, store: Store, export: bytes, data: st.DataObject
) -> None:
    take(tally, folder, store, data.draw(changed_bytes(export, NASTY)))
