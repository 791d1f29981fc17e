"""What a spreadsheet would run becomes text and comes back as it was."""

import csv
import json
from pathlib import Path

import pytest

from app.people.formulas import defused, defused_json, restored
from tests.people.live_cells import ATTACKS, live_cells


@pytest.mark.parametrize("cell", ATTACKS)
def test_a_formula_becomes_text_and_comes_back(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "x.csv"

    def write(text: str) -> list[str]:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerow(["甲", text])
        return live_cells(path)

    assert write(cell), "it is an attack"
    assert not write(defused(cell))
    assert restored(defused(cell)) == cell


@pytest.mark.parametrize("cell", ["", "新春好", "a=b", "1+1", "王总，\n过年好", "——小李", "好，-1", "it's", "'"])
def test_anything_else_stays(cell: str) -> None:
    assert defused(cell) == restored(cell) == cell


@pytest.mark.parametrize("cell", ATTACKS)
def test_json_says_the_same_and_is_not_live(tmp_path: Path, cell: str) -> None:
    document = {"facts": [cell, "好"], cell: cell, "seed": -5, "none": [-1]}
    plain = json.dumps(document, ensure_ascii=False, indent=1)
    (tmp_path / "x.json").write_text(defused_json(plain), encoding="utf-8")
    assert json.loads(defused_json(plain)) == document
    texts = json.dumps({"facts": [cell, "好"]}, ensure_ascii=False, indent=1)
    (tmp_path / "x.json").write_text(defused_json(texts), encoding="utf-8")
    assert not live_cells(tmp_path / "x.json")
