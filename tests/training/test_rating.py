"""The blind rating: nobody sees who wrote what, whatever cannot be counted is said, and the summary is the ratings'."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from app.compose.catalog import load_catalog
from tests.training.small_corpus import run_step
from tests.training.tiny_run import lines_of, write_greetings
from training.__main__ import main
from training.evaluation.outputs import Output
from training.rating.agreement import agreement
from training.rating.ratings import Rating, Text
from training.rating.sheet import DIMENSIONS, mixed
from training.rating.summary import gap, losses, mean_scores, sent_share
from training.reading import request_fields
from training.records import read_corpus

CATALOG = load_catalog()
KEYS = [each.id for each in DIMENSIONS]


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["training", "rating", *map(str, words)])
    return main()


def rating(*scores: int, send: bool = False) -> Rating:
    return Rating(dict(zip(KEYS, scores, strict=True)), send)


KEY = {
    "1-a": Text("r1", ("lora",), "甲"),
    "1-b": Text("r1", ("prompt",), "乙"),
    "2-a": Text("r2", ("prompt", "rag"), "丙"),
    "2-b": Text("r2", ("lora",), "丁"),
}
READER = {
    "1-a": rating(5, 4, 5, 2, send=True),
    "1-b": rating(2, 4, 3, 5),
    "2-a": rating(3, 3, 3, 3, send=True),
    "2-b": rating(4, 2, 3, 1),
}
OTHER = {
    "1-a": rating(4, 4, 5, 2),
    "1-b": rating(2, 4, 2, 5, send=True),
    "2-a": rating(3, 3, 3, 3, send=True),
    "2-b": rating(4, 2, 3, 2),
}


class Prepared:
    """A folder with a corpus, requests of it, and the outputs of two systems for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.corpus = write_greetings(folder / "corpus")
        records = [record for record in read_corpus(self.corpus, CATALOG) if record.id in ("few:2", "few:4", "few:32")]
        self.requests = folder / "asked.jsonl"
        self.write(self.requests, [request_fields(record) for record in records])
        self.author = {record.id: record.text for record in records}
        for system in ("prompt", "lora"):
            outputs = [
                Output(system, id, variation, seed, f"{system}写给{id}第{seed}条{variation}", (), 1, 1, 0.1)
                for id in self.author
                for variation in ("", "name")
                for seed in (1, 0)
            ]
            self.write(folder / f"outputs-{system}.jsonl", [asdict(output) for output in outputs])

    def write(self, path: Path, lines: list[dict[str, Any]]) -> None:
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")

    def sheet(self, monkeypatch: pytest.MonkeyPatch, *options: object) -> int:
        places = ("--out", self.folder / "sheet.jsonl", "--key", self.folder / "key.json")
        common = ("--outputs", self.folder, "--requests", self.requests, "--corpus", self.corpus)
        return run(monkeypatch, "sheet", *common, *places, *options)

    def filled(self, change: Callable[[list[dict[str, Any]]], None] = lambda lines: None) -> Path:
        """A copy of the sheet in which the author's text is sent and liked, and what ``change`` makes of it."""
        key = json.loads((self.folder / "key.json").read_text(encoding="utf-8"))
        lines = lines_of(self.folder / "sheet.jsonl")
        for line in lines[1:]:
            author = "corpus" in key[line["id"]]["systems"]
            line.update({each: 5 if author else 2 for each in KEYS}, send=author)
        change(lines)
        self.write(self.folder / "anna.jsonl", lines)
        return self.folder / "anna.jsonl"


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return Prepared(tmp_path)


def test_a_sheet_has_the_first_seed_of_every_system_and_the_author_and_names_nobody(
    monkeypatch: pytest.MonkeyPatch, prepared: Prepared
):
    assert prepared.sheet(monkeypatch) == 0
    head, *lines = lines_of(prepared.folder / "sheet.jsonl")
    assert set(KEYS) < set(head) and "instructions" in head
    expected = {f"{system}写给{id}第0条" for system in ("prompt", "lora") for id in prepared.author}
    assert {line["text"] for line in lines} == expected | set(prepared.author.values())
    assert all(set(line) == {"id", "asked", "text", *KEYS, "send", "why"} for line in lines)
    key = json.loads((prepared.folder / "key.json").read_text(encoding="utf-8"))
    for line in lines:
        entry = key[line["id"]]
        assert entry["text"] == line["text"] and line["asked"].startswith("写祝福\n")
        if entry["systems"] == ["corpus"]:
            assert line["text"] == prepared.author[entry["request"]]
        else:
            assert line["text"].startswith(f"{entry['systems'][0]}写给{entry['request']}")


def test_what_two_systems_wrote_is_rated_once_and_the_order_is_the_seeds():
    requests = [{"id": str(number), "relationship": "boss", "tone": "formal"} for number in range(8)]
    texts = {"lora": {str(n): f"甲{n}" for n in range(8)}, "rag": {str(n): f"乙{n}" for n in range(8)}}
    texts["rag"]["3"] = "甲3"
    lines, key = mixed(requests, texts, CATALOG, seed=1)
    assert len(lines) == 15
    assert [entry["systems"] for entry in key.values() if entry["request"] == "3"] == [["lora", "rag"]]
    assert mixed(requests, dict(reversed(texts.items())), CATALOG, seed=1) == (lines, key)
    assert len({tuple(line["text"] for line in mixed(requests, texts, CATALOG, seed)[0]) for seed in range(9)}) == 9


def change_line(number: int, **values: Any) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        lines[number].update(values)

    return change


def twice(lines: list[dict[str, Any]]) -> None:
    lines.append(dict(lines[1]))


def without_line(lines: list[dict[str, Any]]) -> None:
    lines.pop(1)


def nothing_sent(lines: list[dict[str, Any]]) -> None:
    for line in lines[1:]:
        if line["id"].startswith("1-"):
            line["send"] = None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_line(2, tact=None), "anna.jsonl:3: {id} 的 tact（分寸）还没打分"),
        (change_line(2, tone=6), "{id} 的 tone（语气）是 6，应是 1 到 5 的整数"),
        (change_line(2, human=True), "human of {id} is true"),
        (change_line(2, facts=2.5), "facts of {id} is 2.5"),
        (change_line(2, id="99-z"), "稿子里没有 '99-z'"),
        (change_line(2, id=None), "no id"),
        (change_line(2, send="yes"), "send of {id} must be true or false"),
        (twice, "was rated in line 2 already"),
        (without_line, "{first} is missing"),
        (nothing_sent, "request 1 has 0 texts to send"),
    ],
)
def test_a_fault_in_a_readers_file_is_said_with_its_line(
    monkeypatch: pytest.MonkeyPatch,
    prepared: Prepared,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[list[dict[str, Any]]], None],
    said: str,
):
    assert prepared.sheet(monkeypatch) == 0
    ids = [line["id"] for line in lines_of(prepared.folder / "sheet.jsonl")[1:]]
    assert run(monkeypatch, "count", prepared.filled(change), "--key", prepared.folder / "key.json") == 1
    assert said.format(id=ids[1], first=ids[0]) in capsys.readouterr().err


def test_all_faults_are_said_at_once(
    monkeypatch: pytest.MonkeyPatch, prepared: Prepared, capsys: pytest.CaptureFixture[str]
):
    prepared.sheet(monkeypatch)
    path = prepared.filled(change_line(1, tact=0, tone=None))
    path.write_text(path.read_text(encoding="utf-8") + "no json\n[1]\n", encoding="utf-8")
    assert run(monkeypatch, "count", path, "--key", prepared.folder / "key.json") == 1
    said = capsys.readouterr().err
    assert "4 faults" in said and "tact of" in said and "not JSON" in said and "should be a mapping" in said


def test_from_the_sheet_to_the_summary(
    monkeypatch: pytest.MonkeyPatch, prepared: Prepared, capsys: pytest.CaptureFixture[str]
):
    prepared.sheet(monkeypatch)
    anna, bo = prepared.filled(), prepared.folder / "bo.jsonl"
    bo.write_bytes(anna.read_bytes())
    out = prepared.folder / "summary.md"
    capsys.readouterr()
    assert run(monkeypatch, "count", anna, bo, "--key", prepared.folder / "key.json", "--out", out) == 0
    said = capsys.readouterr().out
    assert out.read_text(encoding="utf-8") == said
    assert "| corpus | 5.00 [5.00, 5.00] |" in said and "| lora | 2.00 [2.00, 2.00] |" in said
    assert "| 1.00 | 1.00 | 1.00 | 1.00 | — | 100% |" in said  # the author is always sent, so chance would be as good
    assert run(monkeypatch, "count", anna, "--key", prepared.folder / "key.json", "--of", "nobody") == 1
    assert "corpus, lora, prompt" in capsys.readouterr().err


def test_what_cannot_be_put_on_a_sheet_is_said(
    monkeypatch: pytest.MonkeyPatch, prepared: Prepared, capsys: pytest.CaptureFixture[str]
):
    assert prepared.sheet(monkeypatch, "--systems", "rag") == 1
    assert "no texts of rag" in capsys.readouterr().err
    requests = lines_of(prepared.requests)
    requests[0]["tone"] = "playful"
    prepared.write(prepared.requests, requests)
    assert prepared.sheet(monkeypatch) == 1
    assert "--without-author" in capsys.readouterr().err
    assert prepared.sheet(monkeypatch, "--without-author") == 0
    prepared.write(prepared.requests, [*requests, requests[0] | {"id": "few:9"}])
    assert prepared.sheet(monkeypatch, "--without-author") == 1
    assert "no text for the request few:9" in capsys.readouterr().err
    prepared.requests.write_text("")
    assert prepared.sheet(monkeypatch) == 1
    assert "no request in asked.jsonl" in capsys.readouterr().err


def test_means_and_shares_are_over_requests_and_readers():
    scores = mean_scores([READER, OTHER], KEY, "lora")
    assert scores["human"].value == pytest.approx((4.5 + 4) / 2)
    assert scores["facts"].value == pytest.approx((2 + 1.5) / 2)
    assert (scores["facts"].low, scores["facts"].high) == pytest.approx((1.5, 2.0))
    assert sent_share([READER, OTHER], KEY, "lora").value == pytest.approx(0.25)
    assert sent_share([READER, OTHER], KEY, "prompt").value == pytest.approx(0.75)
    assert sent_share([READER, OTHER], KEY, "rag").value == pytest.approx(0.5)


def test_where_a_system_loses_the_widest_gap_stands_first():
    found = losses([READER, OTHER], KEY, "lora")
    assert [(loss.request, loss.dimension, loss.own, loss.best, loss.winner) for loss in found] == [
        ("r1", "facts", 2.0, 5.0, "prompt"),
        ("r2", "facts", 1.5, 3.0, "prompt+rag"),
        ("r2", "tact", 2.0, 3.0, "prompt+rag"),
    ]
    difference, higher, level, lower = gap([READER, OTHER], KEY, "lora", "prompt", "human")
    assert difference.value == pytest.approx((2.5 + 1) / 2) and (higher, level, lower) == (2, 0, 0)


def test_agreement_is_none_for_one_reader_perfect_with_oneself_and_less_with_another():
    assert agreement([READER], KEY) is None
    same = agreement([READER, READER], KEY)
    assert same is not None and same.choice == 1 and same.same_choice == 1 and set(same.scores.values()) == {1.0}
    found = agreement([READER, OTHER], KEY)
    assert found is not None and found.same_choice == 0.5
    # Each sends prompt+rag once; lora and prompt once each: one agreement of two, a quarter by chance.
    assert found.choice == pytest.approx((0.5 - 0.25) / (1 - 0.25))
    assert found.scores["tact"] == 1 and found.scores["human"] == pytest.approx(weighted([5, 2, 3, 4], [4, 2, 3, 4]))


def weighted(one: list[int], other: list[int]) -> float:
    """Cohen 1968 by its definition."""
    pairs = [(a - b) ** 2 for a in one for b in other]
    return 1 - sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / len(one) / (sum(pairs) / len(pairs))


@pytest.mark.parametrize("content", ["[]", "{}", '{"1-a": 5}', "x", '{"1-a": {"request": "r", "systems": []}}'])
def test_a_key_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str):
    (tmp_path / "s.jsonl").write_text("")
    (tmp_path / "k.json").write_text(content)
    assert run(monkeypatch, "count", tmp_path / "s.jsonl", "--key", tmp_path / "k.json") == 1


def test_the_summary_is_printed_where_the_system_itself_would_write_no_chinese(
    monkeypatch: pytest.MonkeyPatch, prepared: Prepared
):
    assert prepared.sheet(monkeypatch) == 0
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run_step("rating", "count", prepared.filled(), "--key", prepared.folder / "key.json")
    assert done.returncode == 0 and "1 位读者" in done.stdout, done.stderr


@pytest.mark.parametrize("there", ["sheet.jsonl", "key.json"])
def test_a_sheet_or_key_that_is_there_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch, prepared: Prepared, capsys: pytest.CaptureFixture[str], there: str
):
    assert prepared.sheet(monkeypatch) == 0
    other = next(name for name in ("sheet.jsonl", "key.json") if name != there)
    (prepared.folder / other).unlink()
    (prepared.folder / there).write_text("filled in", encoding="utf-8")
    assert prepared.sheet(monkeypatch, "--seed", 5) == 1
    said = capsys.readouterr().err
    assert f"{there} is there already" in said and "不覆盖" in said
    assert (prepared.folder / there).read_text(encoding="utf-8") == "filled in"
    assert not (prepared.folder / other).exists()
