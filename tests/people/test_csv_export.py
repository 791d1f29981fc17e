"""CSV files open in a spreadsheet with everything in its cell, and nothing in them runs."""

import csv
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.people.batch import RowFields, create_batch, finish_row, mark_copied, take_rows
from app.people.csv_export import export_batch, export_recipients, export_written
from app.people.errors import StoreError
from app.people.history import add_written, insert_written, mark_sent, set_favourite
from app.people.recipients import add_recipient, recipient_fields
from app.people.store import Store
from tests.people.conftest import draft, request
from tests.people.live_cells import ATTACKS, live_cells

CATALOG = load_catalog()


def read(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_people(store: Store, tmp_path: Path) -> None:
    add_recipient(store, recipient_fields("张三", relationship="boss", tone="warm", facts=["升职", "搬家"]))
    for attack in ATTACKS:
        add_recipient(store, recipient_fields(f"a{attack}", address=attack, notes=attack, relationship="unknown_yet"))
    out = tmp_path / "人.csv"
    assert export_recipients(store, out, CATALOG, "zh_CN") == 1 + len(ATTACKS)
    titles, first, *rest = read(out)
    assert titles == ["姓名", "关系", "称呼", "语气", "想提到的事", "备注"]
    assert first == ["张三", "领导", "", "温暖", "升职；搬家", ""]
    assert all(row[1] == "unknown_yet" for row in rest)
    assert not live_cells(out)


def test_history_newest_first_with_every_text_in_one_cell(store: Store, tmp_path: Path) -> None:
    person = add_recipient(store, recipient_fields("张三")).id
    entry = add_written(store, draft('第一行，"引号"；\n第二行', person, details=["升职"]))
    set_favourite(store, entry.id, True)
    mark_sent(store, entry.id)
    for attack in ATTACKS:
        add_written(store, draft(attack))
    out = tmp_path / "history.csv"
    assert export_written(store, out, CATALOG, "en") == 1 + len(ATTACKS)
    titles, *rows = read(out)
    assert all(len(row) == len(titles) for row in rows)
    row = dict(zip(titles, rows[-1], strict=True))
    assert row["Text"] == '第一行，"引号"；\n第二行' and row["To"] == "张三" and row["Relationship"] == "Boss"
    assert row["Favourite"] == "✓" and row["Sent"] and row["Seed"] == "7"
    assert not live_cells(out)


def test_a_batch_in_its_order(store: Store, tmp_path: Path) -> None:
    batch = create_batch(store, "除夕", [RowFields(name, request(address=name)) for name in ("甲", "乙")])
    (row,) = take_rows(store, batch)
    finish_row(store, row, "=新春好", model="m", seed=1)
    mark_copied(store, row.id)
    out = tmp_path / "batch.csv"
    assert export_batch(store, batch, out, CATALOG, "zh_CN") == 2
    titles, first, second = read(out)
    cells = dict(zip(titles, first, strict=True))
    assert (cells["姓名"], cells["正文"], cells["状态"], cells["已复制"]) == ("甲", "'=新春好", "已写好", "✓")
    assert second[0] == "乙" and "等待" in second


def test_a_batch_of_formulas(store: Store, tmp_path: Path) -> None:
    fields = [RowFields(attack, request(address=attack[:20], details=[attack[:40]])) for attack in ATTACKS]
    batch = create_batch(store, "=1", fields)
    for row, attack in zip(take_rows(store, batch, len(ATTACKS)), ATTACKS, strict=True):
        finish_row(store, row, attack, model="=m", seed=1)
    out = tmp_path / "batch.csv"
    assert export_batch(store, batch, out, CATALOG, "zh_CN") == len(ATTACKS)
    assert len(read(out)) == 1 + len(ATTACKS) and not live_cells(out)


def test_many_texts_are_all_there(store: Store, tmp_path: Path) -> None:
    with store.writing() as connection:
        for number in range(2300):
            insert_written(store, connection, draft(str(number)), number)
    assert export_written(store, tmp_path / "x.csv", CATALOG, "en") == 2300


def test_a_file_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for target in (tmp_path / "没有" / "x.csv", tmp_path / "folder.csv"):
        with pytest.raises(StoreError):
            export_recipients(store, target, CATALOG, "en")
    assert not list(tmp_path.rglob("*.part*"))
