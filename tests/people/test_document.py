"""What is exported comes back whole, and once; anything else is refused with the place, and changes nothing."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.compose.sentence import Sentence
from app.people.batch import RowFields, batches, create_batch, fail_row, finish_row, mark_copied, rows_of, take_rows
from app.people.deletion import delete
from app.people.document import export_document
from app.people.document_import import TOLD_EVERY, Imported, import_document, missing, take_document
from app.people.document_reading import read_document
from app.people.errors import StoreError
from app.people.history import add_written, mark_sent, sent_in, set_favourite
from app.people.recipients import add_recipient, all_recipients, recipient_fields
from app.people.search import Filters, search, years
from app.people.store import Store, open_store
from tests.people.conftest import draft, request
from tests.people.live_cells import ATTACKS, live_cells

Document = dict[str, Any]


def fill(store: Store) -> None:
    people = [
        add_recipient(store, recipient_fields(f"第{n}位", facts=["升职", "搬家"], notes="多\n行")) for n in range(3)
    ]
    for number in range(6):
        entry = add_written(store, draft(f"第{number}篇😀\n换行", people[number % 3].id, details=["升职"]))
        mark_sent(store, entry.id)
        set_favourite(store, entry.id, number % 2 == 0)
    batch = create_batch(store, "除夕", [RowFields(p.fields.name, request(address="王总"), p.id) for p in people])
    done, failed = take_rows(store, batch, 2)
    finish_row(store, done, "写好了", model="m", seed=-1)
    mark_copied(store, done.id)
    fail_row(store, failed.id, Sentence("没写成。", "Failed."))
    delete(store, "written", [add_written(store, draft("删掉的")).id])


def content(store: Store) -> Document:
    """Everything but the ids, which are each file's own."""
    people = {person.id: person.uid for person in all_recipients(store)}
    entries = search(store, Filters(), limit=100).entries
    uids = {entry.id: entry.uid for entry in entries}
    return {
        "people": [(person.uid, person.fields) for person in all_recipients(store)],
        "written": [replace(entry, id=0, recipient=None) for entry in entries],
        "to": [people.get(entry.recipient or 0) for entry in entries],
        "sent": [
            (note.uid, uids[note.written], people.get(note.recipient or 0), note.at, note.text)
            for note in sent_in(store, years(store)[0])
        ],
        "batches": [
            (each.title, [(row.fields.name, row.state, row.text, row.sent is not None, row.fault) for row in rows])
            for each in batches(store)
            for rows in [rows_of(store, each.id)]
        ],
    }


@pytest.fixture
def exported(store: Store, tmp_path: Path) -> Path:
    """A document with some of everything."""
    fill(store)
    out = tmp_path / "导出.json"
    export_document(store, out)
    return out


def test_a_document_fills_an_empty_file_with_the_same(store: Store, exported: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other.sqlite3")
    try:
        assert import_document(other, exported) == Imported(3, 7, 7, 1)
        assert content(other) == content(store)
        assert len(search(other, Filters("第 篇 😀")).entries) == 6
        again = tmp_path / "again.json"
        export_document(other, again)
        one, two = (json.loads(file.read_text(encoding="utf-8")) for file in (exported, again))
        assert {**one, "exported": 0} == {**two, "exported": 0}
    finally:
        other.close()


def test_a_second_import_changes_nothing(store: Store, exported: Path) -> None:
    before = content(store)
    assert import_document(store, exported) == Imported(0, 0, 0, 0)
    assert content(store) == before


def test_what_was_deleted_since_comes_back(store: Store, exported: Path) -> None:
    before = content(store)
    delete(store, "written", [entry.id for entry in search(store, Filters(), limit=100).entries])
    delete(store, "recipients", [all_recipients(store)[0].id])
    delete(store, "batches", [batches(store)[0].id])
    assert import_document(store, exported) == Imported(1, 7, 0, 1)
    assert content(store) == before


def test_what_is_exported_again_replaces_the_file_whole(store: Store, exported: Path) -> None:
    add_written(store, draft("新写的"))
    export_document(store, exported)
    assert "新写的" in exported.read_text(encoding="utf-8")
    assert [each.name for each in exported.parent.glob("*.part*")] == []


def test_a_folder_that_is_not_there_is_explained(store: Store, tmp_path: Path) -> None:
    for act in (export_document, import_document):
        with pytest.raises(StoreError) as error:
            act(store, tmp_path / "没有" / "x.json")
        assert error.value.code == "missing"


def change(path: Path, act: Callable[[Document], object]) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    act(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def put(*keys: Any) -> Callable[[Document], None]:
    """Set the value at a path of keys: the last of them is the value."""
    *places, last, value = keys

    def act(document: Document) -> None:
        target: Any = document
        for place in places:
            target = target[place]
        target[last] = value

    return act


@pytest.mark.parametrize(
    ("act", "where"),
    [
        (put("format", "other"), "不是拜年帖的导出文件"),
        (put("version", 2), "更新版本"),
        (put("version", True), "version"),
        (put("surplus", 1), "surplus"),
        (lambda document: document.pop("sent"), "sent"),
        (put("written", {}), "written"),
        (put("written", 0, 7), "written[0]"),
        (put("written", 1, "txet", 1), "txet"),
        (put("written", 1, "text", 1), "written[1].text"),
        (put("written", 1, "text", "x" * 10_000_000), "written[1].text"),
        (put("written", 1, "uid", ""), "written[1].uid"),
        (put("written", 1, "seed", 2**63), "written[1].seed"),
        (put("written", 1, "seed", 1.5), "written[1].seed"),
        (put("written", 1, "favourite", 1), "written[1].favourite"),
        (put("written", 1, "year", -1), "written[1].year"),
        (put("written", 1, "at", "yesterday"), "written[1].at"),
        (put("written", 1, "at", "2027-02-05T20:00:00"), "written[1].at"),
        (put("written", 1, "at", "1027-02-05T20:00:00+00:00"), "written[1].at"),
        (put("written", 1, "at", "0001-01-01T00:00:00+23:59"), "written[1].at"),
        (put("written", 1, "recipient", "nobody"), "written[1].recipient"),
        (put("written", 1, "request", "details", "x"), "written[1].request.details"),
        (put("written", 1, "request", "details", [["x"]]), "written[1].request.details[0]"),
        (lambda document: document["written"].append(copy.copy(document["written"][0])), "重复的 uid"),
        (put("sent", 0, "written", "nothing"), "sent[0].written"),
        (put("sent", 0, "written", None), "sent[0].written"),
        (put("recipients", 0, "name", ""), "recipients[0]"),
        (put("recipients", 0, "facts", [None]), "recipients[0].facts[0]"),
        (put("batches", 0, "rows", 0, "state", "done"), "batches[0].rows[0].state"),
        (put("batches", 0, "rows", 0, "state", []), "batches[0].rows[0].state"),
        (put("batches", 0, "rows", 0, "copied", "nothing"), "batches[0].rows[0].copied"),
    ],
)
def test_a_wrong_document_is_refused_with_the_place(
    exported: Path, tmp_path: Path, act: Callable[[Document], object], where: str
) -> None:
    change(exported, act)
    other = open_store(tmp_path / "other.sqlite3")
    try:
        with pytest.raises(StoreError) as error:
            import_document(other, exported)
        assert error.value.code == "unusable_document" and where in error.value.sentence.zh
        assert len(error.value.sentence.zh) < 400
        assert search(other, Filters()).entries == () and all_recipients(other) == ()
    finally:
        other.close()


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"null", b"[]", b"{}", b'{"format": "bainiantie-people"}', b"\0" * 100,
     b'{"format": "bainiantie-people", "version": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_no_document_is_refused(store: Store, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(raw)
    with pytest.raises(StoreError) as error:
        import_document(store, path)
    assert error.value.code == "unusable_document"


def test_hostile_text_is_kept_as_text(store: Store, exported: Path, tmp_path: Path) -> None:
    change(exported, put("written", 0, "text", "\ud800\0'); DROP TABLE written; --"))
    change(exported, put("written", 0, "request", "details", ["甲；乙", "丙"]))
    other = open_store(tmp_path / "other.sqlite3")
    try:
        import_document(other, exported)
        (entry,) = search(other, Filters("drop table")).entries
        assert entry.text == "\ufffd'); DROP TABLE written; --" and entry.request.details == ("甲，乙", "丙")
    finally:
        other.close()


def test_an_export_opened_as_a_table_holds_no_formula(store: Store, tmp_path: Path) -> None:
    for attack in ATTACKS:
        add_recipient(store, recipient_fields(f"a{attack}", facts=[attack, "好"], notes=attack))
        add_written(store, draft(attack, details=[attack[:40]]))
    texts, notes = _texts(store), _notes(store)
    export_document(store, tmp_path / "all.json")
    assert not live_cells(tmp_path / "all.json")
    other = open_store(tmp_path / "other.sqlite3")
    try:
        import_document(other, tmp_path / "all.json")
        assert (_texts(other), _notes(other)) == (texts, notes)
    finally:
        other.close()


def _texts(store: Store) -> list[str]:
    return [entry.text for entry in search(store, Filters(), limit=1000).entries]


def _notes(store: Store) -> list[str]:
    return [person.fields.notes for person in all_recipients(store)]


def test_a_thousand_texts_of_one_moment_keep_their_order(store: Store, exported: Path, tmp_path: Path) -> None:
    def crowd(document: Document) -> None:
        one = document["written"][0]
        document["written"] += [{**one, "uid": f"u{number}", "text": f"第{number}"} for number in range(1000)]

    change(exported, crowd)
    assert import_document(store, exported).written == 1000
    assert import_document(store, exported).written == 0
    assert len(search(store, Filters(), limit=2000).entries) == 1007


def test_what_an_import_would_take_is_counted_before_anything_is_changed(
    store: Store, exported: Path, tmp_path: Path
) -> None:
    document = read_document(exported)
    assert missing(store, document) == Imported(0, 0, 0, 0)
    other = open_store(tmp_path / "other.sqlite3")
    try:
        before = missing(other, document)
        assert search(other, Filters()).entries == () and all_recipients(other) == ()
        assert take_document(other, document) == before
        assert missing(other, document) == Imported(0, 0, 0, 0)
    finally:
        other.close()


def test_an_import_tells_how_far_it_is_and_stopped_in_the_middle_it_leaves_nothing(
    exported: Path, tmp_path: Path
) -> None:
    def crowd(document: Document) -> None:
        one = document["written"][0]
        document["written"] += [{**one, "uid": f"u{number}"} for number in range(3 * TOLD_EVERY)]

    class Stopped(Exception):
        pass

    told: list[tuple[int, int]] = []

    def stop(done: int, whole: int) -> None:
        told.append((done, whole))
        if len(told) == 3:
            raise Stopped

    change(exported, crowd)
    other = open_store(tmp_path / "other.sqlite3")
    try:
        with pytest.raises(Stopped):
            take_document(other, read_document(exported), stop)
        assert told[0][0] == 0 and told[2][0] == 2 * TOLD_EVERY and told[0][1] > 3 * TOLD_EVERY
        assert search(other, Filters()).entries == () and all_recipients(other) == ()
    finally:
        other.close()


@pytest.mark.parametrize(
    ("cut", "said"), [(lambda raw: raw[:-40], "没有复制完"), (lambda raw: b"a,b\n1,2\n", "不是拜年帖的导出文件")]
)
def test_a_file_cut_short_is_told_from_one_of_something_else(
    exported: Path, cut: Callable[[bytes], bytes], said: str
) -> None:
    exported.write_bytes(cut(exported.read_bytes()))
    with pytest.raises(StoreError) as error:
        read_document(exported)
    assert said in error.value.sentence.zh and "什么都没有改动" in error.value.sentence.zh
