"""``decide --check``: an earlier decision, held against a new one."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.decision import letters
from tests.training.small_corpus import run_step
from training.decision.again import differences, read_decision
from training.errors import TrainingError
from training.recipe import ROOT

OLD: dict[str, Any] = {
    "questions": [
        {"id": "sound", "measured": "yes", "because": {"zh": "一", "en": "one"}},
        {"id": "consistency", "measured": None, "because": None},
    ],
    "corpus": {"records": 40, "labels": [{"field": "tone", "accuracy": 0.82}], "openness": None},
    "trial": {
        "systems": {"prompt": {"passes": {"value": 0.4, "low": 0.3, "high": 0.5}, "flips": None, "seconds": 1.0}},
        "generic_prompt": True,
    },
}


def changed(value: object, *place: str | int) -> list[str]:
    new = copy.deepcopy(OLD)
    inner: Any = new
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return [each.en for each in differences(OLD, new)]


def test_the_same_again_differs_in_nothing() -> None:
    assert differences(OLD, OLD) == []


@pytest.mark.parametrize(
    ("value", "place", "said"),
    [
        ("no", ("questions", 0, "measured"), "sound was yes, and is no."),
        (0.6, ("trial", "systems", "prompt", "passes", "value"), "trial.systems.prompt.passes is 0.600, outside"),
        (None, ("trial", "systems", "prompt", "passes"), "trial.systems.prompt.passes was 0.4, and was not measured"),
        (39, ("corpus", "records"), "corpus.records was 40, and is 39."),
        (0.8, ("corpus", "labels", 0, "accuracy"), "corpus.labels[0].accuracy was 0.82, and is 0.8."),
        ([], ("corpus", "labels"), "corpus.labels[0].accuracy was 0.82, and was not measured"),
        (False, ("trial", "generic_prompt"), "trial.generic_prompt was True, and is False."),
        (None, ("trial",), "trial.systems.prompt.passes was 0.4, and was not measured"),
    ],
)
def test_what_changed_is_named(value: object, place: tuple[str | int, ...], said: str) -> None:
    found = changed(value, *place)
    assert found and said in found[0]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (0.49, ("trial", "systems", "prompt", "passes", "value")),  # in the interval
        (0.8201, ("corpus", "labels", 0, "accuracy")),
        (9.0, ("trial", "systems", "prompt", "seconds")),  # of the machine
        ({"zh": "二", "en": "two"}, ("questions", 0, "because")),
        ("yes", ("questions", 1, "measured")),  # nobody could say before
    ],
)
def test_what_may_change_may(value: object, place: tuple[str | int, ...]) -> None:
    assert changed(value, *place) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"questions": [1]}', '{"questions": [{}]}', "[" * 100_000])
def test_what_is_no_decision_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(content)
    with pytest.raises(TrainingError, match="training decide --json"):
        read_decision(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="training decide --json"):
        read_decision(tmp_path / "none.json")


@pytest.mark.torch
def test_the_exit_status_says_whether_it_came_out_again(tmp_path: Path) -> None:
    notes = letters.write(tmp_path / "notes.jsonl", letters.records())
    first = run_step("decide", "--corpus", notes, "--json")
    assert first.returncode == 0, first.stderr
    old = tmp_path / "old.json"
    old.write_text(first.stdout)
    again = run_step("decide", "--corpus", notes, "--json", "--check", old)
    assert again.returncode == 0 and again.stdout == first.stdout, again.stderr
    found = json.loads(first.stdout)
    found["corpus"]["records"] += 1
    old.write_text(json.dumps(found))
    other = run_step("decide", "--corpus", notes, "--check", old)
    assert other.returncode == 1 and "corpus.records was" in other.stderr


@pytest.mark.torch
def test_our_own_decision_comes_out_again() -> None:
    evidence = ROOT / "training" / "evidence"
    ours = ("--corpus", ROOT / "training" / "corpus", "--outputs", evidence, "--check", evidence / "decision.json")
    done = run_step("decide", *ours)
    assert done.returncode == 0, done.stderr
