"""``python -m training report``: from outputs in a folder to figures, pictures and a page; clear where it cannot."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.training.evaluation import voices
from training.__main__ import main
from training.evaluation.outputs import append_outputs, outputs_file
from training.evaluation.table import read_table
from training.records import read_corpus

pytestmark = pytest.mark.torch


NOTE = {
    **{"model": "some.gguf", "sha256": "ab" * 32, "seeds": 3, "seed": 0, "peak_memory": 1048576},
    "sampling": {"temperature": 0.7, "top_p": 1.0, "min_p": 0.1, "avoid": []},
}


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
        outputs_file(folder, system).with_suffix(".json").write_text(json.dumps(NOTE))
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


def test_a_system_at_another_temperature_stands_beside_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
):
    folder = evaluated(tmp_path / "out", corpus)
    warm = "lora-at-0.9"
    # A file of another evaluation, where it was called lora, under a name of its own.
    shutil.copy(outputs_file(folder, "lora"), outputs_file(folder, warm))
    note = NOTE | {"sampling": {"temperature": 0.9, "top_p": 1.0, "min_p": 0.1, "avoid": []}}
    outputs_file(folder, warm).with_suffix(".json").write_text(json.dumps(note), encoding="utf-8")
    outputs_file(folder, "prompt").with_suffix(".json").write_text('{"peak_memory": 5}', encoding="utf-8")
    assert report(monkeypatch, folder, corpus) == 0
    said = capsys.readouterr().out
    assert "| 提示词 Prompt | 微调 Fine-tune | 微调（温度 0.9） Fine-tune (temperature 0.9) | 语料原文" in said
    table = read_table(folder / "measures.json")
    assert list(table.systems) == ["prompt", "lora", warm, "corpus"]
    assert {name: made.temperature for name, made in table.made.items()} == {"lora": 0.7, warm: 0.9}
    page = (folder / "report.html").read_text(encoding="utf-8")
    for shown in ("temperature 0.7, min-p 0.1, 3 texts a request", "温度 0.9，min-p 0.1，每个请求 3 条", "some.gguf"):
        assert shown in page
    # Both are the same to the letter, so neither is better; the prompt, which is another system, is worse than either.
    assert '<td class=" best">' in page


def test_the_author_is_not_shown_beside_a_request_that_asks_for_less(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path
):
    folder = evaluated(tmp_path / "out", corpus)
    asked = [json.loads(line) for line in (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines()]
    asked[0]["signature"] = "小李"  # not what the record of that id asks
    (folder / "requests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in asked), encoding="utf-8")
    assert report(monkeypatch, folder, corpus) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('data-system="lora"') == len(asked) and page.count('data-system="corpus"') == len(asked) - 1


def test_a_check_against_other_requests_or_another_corpus_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
):
    folder, old = evaluated(tmp_path / "out", corpus, ["lora"]), tmp_path / "old.json"
    assert report(monkeypatch, folder, corpus) == 0
    raw = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    for change, said in (
        ({"requests_sha256": "0"}, "other requests"),
        ({"corpus_sha256": "0"}, "another corpus"),
        ({"requests": 99, "requests_sha256": ""}, "99 requests, not 12"),
    ):
        old.write_text(json.dumps(raw | change), encoding="utf-8")
        assert report(monkeypatch, folder, corpus, "--check", old) == 1
        assert said in capsys.readouterr().err
