"""群发 as a person uses it: a table, stop, go on after another start, the strip, the export."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.compose.catalog import load_catalog
from app.compose.guard import check
from app.compose.request import make_request
from app.people.formulas import restored
from tests.gui.test_end_to_end import ROOT

ASKED = (
    {"relationship": "boss", "tone": "formal", "address": "王总", "details": ["新系统上线了"]},
    {"relationship": "parents", "tone": "warm", "address": "妈", "details": ["今年没能回家"]},
    {"relationship": "close_friend", "tone": "playful", "address": "阿哲"},
    {"relationship": "client", "tone": "warm", "address": "赵总", "details": ["合作第三年"]},
)

WRITTEN = ("写好了", "与别人相近", "请看一眼")  # a tiny model of random weights keeps no rule


def use(folder: Path, environment: dict[str, str], *model: str) -> dict[str, Any]:
    """What a person saw who used the page in a process of its own; what holds with every model is checked."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gui.batch_person", str(folder), *model],
        cwd=ROOT,
        env=os.environ | environment | {"XDG_CONFIG_HOME": str(folder / "settings")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=2300,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["names"] == ["王建国", "李芳", "陈哲", "赵敏"]
    kept = [place for place, state in enumerate(seen["stopped"]) if state in WRITTEN]
    assert kept and seen["again"] == seen["before"], "after another start it is where it was"
    assert [seen["texts"][place] for place in kept] == [seen["before"][place] for place in kept]
    assert [name for name, _ in seen["copied"]] == seen["names"]
    assert [text.replace("\n", " ") for _, text in seen["copied"]] == seen["texts"]
    assert seen["states"] == ["已复制"] * 4
    titles, *rows = seen["exported"]
    assert [row[titles.index("姓名")] for row in rows] == seen["names"]
    assert [restored(row[titles.index("正文")]) for row in rows] == [text for _, text in seen["copied"]]
    assert {row[titles.index("已复制")] for row in rows} == {"✓"}
    return seen


@pytest.mark.timeout(600)
def test_a_person_writes_a_batch_stops_goes_on_copies_and_exports(tiny_model: Path, tmp_path: Path) -> None:
    use(tmp_path, {"QT_QPA_PLATFORM": "offscreen"}, str(tiny_model))


@pytest.mark.model
@pytest.mark.timeout(2400)
def test_a_person_does_so_with_the_real_model_on_a_real_screen(screen: dict[str, str], tmp_path: Path) -> None:
    seen = use(tmp_path, screen | {"QT_QPA_PLATFORM": "xcb"})
    assert seen["platform"] == "xcb"
    assert len(set(seen["texts"])) == 4
    catalog = load_catalog()
    for text, fields in zip(seen["texts"], ASKED, strict=True):
        assert str(fields["address"]) in text
        print(text, [fault.sentence.zh for fault in check(text, make_request(catalog, fields), catalog)])
