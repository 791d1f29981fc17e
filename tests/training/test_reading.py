"""The blind reading: nobody sees who wrote what, every text is judged once, and the counts are those of the marks."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.compose.catalog import load_catalog
from app.compose.prompt import user_message
from app.compose.request import make_request
from tests.training.tiny_run import write_greetings
from training.__main__ import main
from training.reading import counted, mixed, request_fields
from training.recipe import ROOT
from training.records import read_corpus

CATALOG = load_catalog()
REQUESTS = [
    {"id": "a", "relationship": "boss", "tone": "formal", "details": ["升职了"]},
    {"id": "b", "relationship": "friend", "tone": "playful", "address": "阿哲"},
]
ANSWERS = {
    "old": {"a": ["甲一", "甲二", "同"], "b": ["甲三"]},
    "new": {"a": ["乙一", "同"], "b": ["乙三", "乙四"]},
}


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["training", "reading", *map(str, words)])
    return main()


def test_a_sheet_says_what_was_asked_and_not_who_answered():
    lines, key = mixed(REQUESTS, ANSWERS, CATALOG, seed=1)
    assert sorted(line["text"] for line in lines) == sorted(["甲一", "甲二", "同", "乙一", "甲三", "乙三", "乙四"])
    for line in lines:
        request = key[line["number"]]["request"]
        fields = {name: value for name, value in request.items() if name != "id"}
        assert line["asked"] == user_message(make_request(CATALOG, fields), CATALOG)
        assert line["text"] in {text for texts in ANSWERS.values() for text in texts[request["id"]]}
        assert set(line) == {"number", "asked", "text", "send", "why"} and line["send"] is None
    both = next(line for line in lines if line["text"] == "同")
    assert sorted(key[both["number"]]["models"]) == ["new", "old"]


def test_the_order_follows_from_the_seed_and_not_from_the_models():
    def texts(answers: dict[str, Any], seed: int) -> list[str]:
        return [line["text"] for line in mixed(REQUESTS, answers, CATALOG, seed)[0]]

    assert texts(ANSWERS, 1) == texts(dict(reversed(ANSWERS.items())), 1)
    assert len({tuple(texts(ANSWERS, seed)) for seed in range(20)}) > 3


def test_the_counts_are_those_of_the_marks():
    lines, key = mixed(REQUESTS, ANSWERS, CATALOG, seed=1)
    liked = {"甲一", "同", "乙三", "乙四"}
    counts = counted({line["number"]: line["text"] in liked for line in lines}, key)
    assert [(count.model, count.sent, count.read) for count in counts] == [("new", 3, 4), ("old", 2, 4)]
    new, old = counts
    assert (new.low, new.high) == (0.5, 1.0)  # one of two for the one request, two of two for the other
    assert old.low == 0.0 and old.high == pytest.approx(2 / 3)


def test_from_requests_to_counts_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    corpus = write_greetings(tmp_path / "corpus")
    asked = tmp_path / "asked.jsonl"
    options = ("--corpus", corpus, "--part", "validation")
    assert run(monkeypatch, "requests", *options, "--only", "few:2", "few:4", "few:1", "--out", asked) == 0
    requests = [json.loads(line) for line in asked.read_text(encoding="utf-8").splitlines()]
    assert [request["id"] for request in requests] == ["few:2", "few:4"]  # few:1 is for testing
    record = next(record for record in read_corpus(corpus, CATALOG) if record.id == "few:4")
    assert requests[1] == request_fields(record) and "text" not in requests[1]
    for name, text in (("old", "旧"), ("new", "新")):
        written = [{"id": request["id"], "candidates": [{"text": text + request["id"]}]} for request in requests]
        lines = "".join(json.dumps(line) + "\n" for line in written)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    sheet, key = tmp_path / "sheet.jsonl", tmp_path / "key.json"
    written = [tmp_path / "old.jsonl", tmp_path / "new.jsonl"]
    assert run(monkeypatch, "sheet", "--requests", asked, "--written", *written, "--out", sheet, "--key", key) == 0
    assert run(monkeypatch, "count", sheet, "--key", key) == 1
    assert "还没判" in capsys.readouterr().err
    marked = [json.loads(line) for line in sheet.read_text(encoding="utf-8").splitlines()]
    for line in marked:
        line["send"] = line["text"].startswith("新")
    sheet.write_text("".join(json.dumps(line) + "\n" for line in marked), encoding="utf-8")
    assert run(monkeypatch, "count", sheet, "--key", key) == 0
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "| | sheet |",
        "| --- | --- |",
        "| new | 2 of 2, 100% (100% to 100%) |",
        "| old | 0 of 2, 0% (0% to 0%) |",
    ]


def test_the_adapters_card_has_the_counts_of_its_readings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = ROOT / "models" / "adapter" / "readings"
    assert run(monkeypatch, "count", *sorted(folder.glob("reader-*.jsonl")), "--key", folder / "key.json") == 0
    assert capsys.readouterr().out in (folder.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("asked.jsonl", "no json\n", "an object a line"),
        ("asked.jsonl", '{"relationship": "boss", "tone": "formal"}\n', "no id of its own"),
        ("asked.jsonl", '{"id": "a", "relationship": "nobody", "tone": "formal"}\n', "nobody"),
        ("old.jsonl", '{"id": "b", "candidates": []}\n', "no text for the request a"),
    ],
)
def test_what_cannot_be_mixed_is_said(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: str,
    said: str,
):
    (tmp_path / "asked.jsonl").write_text(json.dumps(REQUESTS[0]) + "\n")
    (tmp_path / "old.jsonl").write_text('{"id": "a", "candidates": [{"text": "好"}]}\n', encoding="utf-8")
    (tmp_path / file).write_text(content)
    options = ("--requests", tmp_path / "asked.jsonl", "--written", tmp_path / "old.jsonl")
    status = run(monkeypatch, "sheet", *options, "--out", tmp_path / "s.jsonl", "--key", tmp_path / "k.json")
    assert status == 1 and said in capsys.readouterr().err
    assert not (tmp_path / "s.jsonl").exists() and not (tmp_path / "k.json").exists()


def test_a_key_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "s.jsonl").write_text("")
    for content in ("[]", '{"1": 5}', "x"):
        (tmp_path / "k.json").write_text(content)
        assert run(monkeypatch, "count", tmp_path / "s.jsonl", "--key", tmp_path / "k.json") == 1
    assert run(monkeypatch, "count", tmp_path / "s.jsonl", "--key", tmp_path / "nowhere.json") == 1
