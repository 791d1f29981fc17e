"""``python -m training decide``, as a person runs it: answers alone, a corpus alone, and a whole trial of a tiny model
on a corpus that is none of greetings."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.training.decision import letters
from tests.training.small_corpus import run_step
from tests.training.tiny_run import write_greetings

pytestmark = pytest.mark.torch

YES = ("--sound", "yes", "--consistency", "yes", "--awkward", "yes")


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return letters.write(tmp_path_factory.mktemp("notes") / "notes.jsonl", letters.records())


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return letters.write(tmp_path_factory.mktemp("asked") / "asked.jsonl", letters.REQUESTS)


class Tried:
    """A whole trial, done once, and how to do it again."""

    def __init__(self, notes: Path, asked: Path, base: Path, folder: Path) -> None:
        self.page = folder / "decision.html"
        self.out = folder / "trial"
        self._options = ("--corpus", notes, "--requests", asked, "--base", base, "--out", self.out, "--task", "便条")
        self.first = self.again("--html", self.page)

    def again(self, *more: object) -> "subprocess.CompletedProcess[str]":
        return run_step("decide", *self._options, "--json", "--consistency", "yes", *more)


@pytest.fixture(scope="module")
def tried(notes: Path, asked: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    return Tried(notes, asked, tiny_base, tmp_path_factory.mktemp("decide"))


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_answers_alone_decide() -> None:
    found = told(run_step("decide", *YES, "--json"))
    assert found["verdict"] == "tune" and found["yes"] == 3 and found["corpus"] is None
    assert "--corpus" in found["costs"][0]["en"]
    plain = run_step("decide", *YES)
    assert "微调。" in plain.stdout and "Fine-tune" in plain.stdout


def test_a_corpus_alone_answers_what_it_can(notes: Path) -> None:
    found = told(run_step("decide", "--corpus", notes, "--json"))
    measured = {each["id"]: each["measured"] for each in found["questions"] if each["measured"]}
    assert list(measured) == ["taste"] and found["verdict"] == "open"
    assert {label["field"] for label in found["corpus"]["labels"]} == {"audience", "manner"}
    assert any("--requests" in cost["en"] for cost in found["costs"])


def test_a_trial_on_a_foreign_corpus_measures_before_and_after(tried: Tried) -> None:
    found = told(tried.first)
    assert set(found["trial"]["systems"]) == {"prompt", "rag", "tuned"}
    assert found["trial"]["requests"] == len(letters.REQUESTS)
    for figures in found["trial"]["systems"].values():
        assert set(figures["recognised"]) == {"audience", "manner"}
        assert 0 <= figures["passes"]["low"] <= figures["passes"]["value"] <= figures["passes"]["high"] <= 1
    tokens = {name: figures["prompt_tokens"] for name, figures in found["trial"]["systems"].items()}
    assert tokens["tuned"] < tokens["prompt"] and tokens["tuned"] < tokens["rag"]
    assert [pair["request"] for pair in found["pairs"]] == [request["id"] for request in letters.REQUESTS]
    assert "audience：guest" in found["pairs"][0]["asked"] and "细节：汤圆留了；灯亮着" in found["pairs"][0]["asked"]
    counted = {each["id"]: each["counts"] for each in found["questions"]}
    assert counted["consistency"] == "yes" and set(counted.values()) <= {"yes", "no", "unsure"}
    assert any("minutes" in cost["en"] for cost in found["costs"])


def test_a_generic_prompt_is_said_to_be_one_and_a_person_s_own_is_used(
    tried: Tried, notes: Path, asked: Path, tiny_base: Path, tmp_path: Path
) -> None:
    def because(found: dict[str, Any]) -> str:
        return " ".join(each["because"]["en"] for each in found["questions"] if each["because"])

    assert "generic prompt" in because(told(tried.first))
    (tmp_path / "mine.txt").write_text("写店里的便条。", encoding="utf-8")
    options = ("--corpus", notes, "--requests", asked, "--base", tiny_base, "--out", tmp_path / "out", "--seeds", 1)
    mine = ("--prompt", tmp_path / "mine.txt", "--without-tuning", "--limit", 1, "--json")
    found = told(run_step("decide", *options, *mine))
    assert "generic prompt" not in because(found) and "drift —" in because(found)
    assert found["trial"]["systems"]["prompt"]["redrawn"] is None


def test_what_was_written_answers_the_labels_of_the_corpus(tried: Tried, asked: Path) -> None:
    lines = [
        json.loads(line) for line in (tried.out / "corpus" / "trial.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(lines) == 60
    assert all("audience：" in line["prompt"] and "manner：" in line["prompt"] for line in lines)
    outputs = (tried.out / "outputs-tuned.jsonl").read_text(encoding="utf-8").splitlines()
    variations = {(json.loads(line)["request"], json.loads(line)["variation"]) for line in outputs}
    assert {("one", ""), ("one", "name"), ("one", "order"), ("two", "name"), ("three", "")} <= variations


def test_run_again_it_writes_and_trains_nothing_anew(tried: Tried) -> None:
    files = [*tried.out.glob("outputs-*.jsonl"), tried.out / "trial.gguf"]
    before = {file: file.stat().st_mtime_ns for file in files}
    again, first = told(tried.again()), told(tried.first)
    assert {file: file.stat().st_mtime_ns for file in files} == before and len(files) == 4
    assert again == first


def test_the_page_needs_nothing_else_and_shows_what_was_found(tried: Tried) -> None:
    page = tried.page.read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)\s*=|@import|url\(", page) and page.count("<script") == 1
    found = told(tried.first)
    assert found["headline"]["zh"] in page and found["headline"]["en"] in page
    assert page.count('<article class="sheet question') == 5
    assert page.count('<dl class="pair">') == len(letters.REQUESTS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "There is no terminal to ask at"),
        (("--requests", "asked"), "There is --requests and no --corpus"),
        (("--corpus", "notes", "--requests", "asked", "--base", "nowhere.gguf"), "nowhere.gguf is not there"),
        (("--corpus", "notes", "--requests", "empty"), "no request in empty.jsonl"),
        (("--corpus", "empty"), "no record in empty.jsonl"),
        (("--corpus", "nowhere"), "cannot be read"),
        (("--corpus", "notes", "--outputs", "notes", "--prompt", "notes"), "--prompt is for a trial"),
        (("--answers", "nowhere"), "cannot be read"),
        (("--sound", "perhaps"), "is no answer"),
    ],
)
def test_what_stands_in_the_way_is_said(
    notes: Path, asked: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    files = {"notes": notes, "asked": asked, "empty": tmp_path / "empty.jsonl", "nowhere": tmp_path / "nowhere.jsonl"}
    done = run_step("decide", *(files.get(word, word) for word in options))
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr


def test_one_label_is_said_and_nothing_is_made_up(tmp_path: Path) -> None:
    lines = [{"manner": "gentle", "text": record["text"]} for record in letters.records()]
    found = told(run_step("decide", "--corpus", letters.write(tmp_path / "one.jsonl", lines), "--json"))
    assert any("one manner only" in note["en"] for note in found["corpus"]["notes"])
    assert found["verdict"] == "open" and not any(each["measured"] for each in found["questions"])


def test_a_corpus_of_greetings_is_known_for_one(tmp_path: Path) -> None:
    found = told(run_step("decide", "--corpus", write_greetings(tmp_path / "corpus"), "--json"))
    assert {label["field"] for label in found["corpus"]["labels"]} <= {"relationship", "tone"}
    assert not any("catalogue" in note["en"] for note in found["corpus"]["notes"])
