"""``python -m training report``: from outputs in a folder to figures, pictures and a page; clear where it cannot."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.training.evaluation import voices
from training.__main__ import main
from training.evaluation.outputs import append_outputs, outputs_file
from training.evaluation.table import read_table
from training.records import read_corpus

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices.write_corpus(tmp_path_factory.mktemp("voices") / "corpus")


def evaluated(folder: Path, corpus: Path, systems: Iterable[str] = ("prompt", "lora")) -> Path:
    """A folder as ``evaluate`` leaves it."""
    folder.mkdir()
    asked = [record for record in read_corpus(corpus, voices.CATALOG) if record.id.endswith((":1", ":3"))]
    lines = [
        {"id": one.id, "relationship": one.request.relationship, "tone": one.request.tone, "length": "short"}
        for one in asked
    ]
    (folder / "requests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    written = {"prompt": voices.same_for_all(), "lora": voices.well_voiced()}
    for system in systems:
        outputs = [
            voices.output(system, each.request, each.output.text, each.output.seed)
            for each in written[system]
            if each.request in {one.id for one in asked}
        ]
        append_outputs(outputs_file(folder, system), outputs)
        outputs_file(folder, system).with_suffix(".json").write_text('{"peak_memory": 1048576}')
    return folder


def report(monkeypatch: pytest.MonkeyPatch, folder: Path, corpus: Path, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["training", "report", *map(str, ("--out", folder, "--corpus", corpus, *words))])
    return main()


def test_everything_is_written_and_comes_out_the_same_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
):
    folder = evaluated(tmp_path / "out", corpus)
    (tmp_path / "docs").mkdir()
    assert report(monkeypatch, folder, corpus, "--pictures", tmp_path / "docs") == 0
    said = capsys.readouterr().out
    assert "| 内存（MiB） Memory (MiB) | 1 | 1 | — |" in said and "report.html" in said
    names = {"measures.json", "report.html", "style-consistency.svg", "style-consistency.png"}
    assert names <= {path.name for path in folder.iterdir()}
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {"style-consistency.svg", "style-consistency.png"}
    table = read_table(folder / "measures.json")
    assert list(table.systems) == ["prompt", "lora", "corpus"] and table.requests == 12
    before = {name: (folder / name).read_bytes() for name in names}
    assert report(monkeypatch, folder, corpus, "--check", folder / "measures.json") == 0
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_a_figure_outside_its_interval_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
):
    folder, old = evaluated(tmp_path / "out", corpus, ["lora"]), tmp_path / "old.json"
    assert report(monkeypatch, folder, corpus) == 0
    raw = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    raw["systems"]["lora"]["self_bleu"] = {"value": 0.99, "low": 0.98, "high": 1.0}
    old.write_text(json.dumps(raw), encoding="utf-8")
    capsys.readouterr()
    assert report(monkeypatch, folder, corpus, "--check", old) == 1
    said = capsys.readouterr().out
    assert said.count("(self_bleu) is") == 1 and said.count("outside the earlier") == 1


def test_what_is_in_the_way_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
):
    def refused(folder: Path) -> str:
        assert report(monkeypatch, folder, corpus) == 1
        assert not (folder / "report.html").exists()
        return capsys.readouterr().err

    (tmp_path / "empty").mkdir()
    assert "没有任何系统写的文字" in refused(tmp_path / "empty")
    folder = evaluated(tmp_path / "broken", corpus, ["lora"])
    file = outputs_file(folder, "lora")
    file.write_text("{}\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert "outputs-lora.jsonl 第 1 行坏了" in refused(folder)
    folder = evaluated(tmp_path / "unasked", corpus, ["lora"])
    (folder / "requests.jsonl").unlink()
    assert "requests.jsonl" in refused(folder)
    folder = evaluated(tmp_path / "half", corpus, ["lora"])
    file = outputs_file(folder, "lora")
    file.write_bytes(file.read_bytes()[:-20])  # killed while writing: the whole lines are measured
    assert report(monkeypatch, folder, corpus) == 0
