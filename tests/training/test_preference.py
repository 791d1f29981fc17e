"""From the tuned model's own texts, through a reader's marks, to an adapter that prefers what the reader would send."""

import json
from pathlib import Path

import pytest

from tests.training.tiny_run import lines_of, workspace
from training.adapter_folder import read_facts
from training.errors import TrainingError
from training.lora import tune
from training.marks import marks_sha256
from training.preference import prefer
from training.prepare import prepare
from training.reading import request_fields
from training.samples import write_samples
from training.workspace import Workspace

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

STAGE = {"epochs": 6, "learning_rate": 2e-3, "batch_tokens": 512, "pairs_a_request": 6}


@pytest.fixture(scope="module")
def tuned(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = workspace(tmp_path_factory.mktemp("marked"), tiny_base, preference=STAGE, tuning={"epochs": 6})
    prepare(made)
    tune(made)
    return made


def samples_of(made: Workspace, out: Path) -> list[dict]:
    requests = out.with_name("asked.jsonl")
    # The small corpus asks for the same few things again and again.
    train = made.split.train[:40]
    lines = [request_fields(record) | {"address": f"阿{number}"} for number, record in enumerate(train)]
    requests.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert write_samples(made, requests, 4, 1.0, out) > 0
    texts = {line["id"]: line["candidates"] for line in lines_of(out)}
    return [{"request": line, "texts": [one["text"] for one in texts[line["id"]]]} for line in lines]


def test_what_a_reader_would_send_becomes_likelier(tuned: Workspace, tmp_path: Path):
    marks = tmp_path / "marks.jsonl"
    with marks.open("w", encoding="utf-8") as file:
        for sample in samples_of(tuned, tmp_path / "samples.jsonl"):
            request = {name: value for name, value in sample["request"].items() if name != "id"}
            longest = max((len(text) for text in sample["texts"]), default=0)
            for text in sample["texts"]:  # a reader who likes it short
                file.write(json.dumps({"request": request, "text": text, "send": len(text) < longest}) + "\n")
    made = workspace(tuned.recipe.path.parent, Path(tuned.recipe.base.file), preference=STAGE, marks=[str(marks)],
                     tuning={"epochs": 6})  # fmt: skip
    facts = read_facts(prefer(made))
    assert facts is not None
    assert facts["marks_sha256"] == marks_sha256([marks]) and facts["pairs"]["train"] > 20
    looks = [line for line in lines_of(made.preference / "adapter" / "metrics.jsonl") if "accuracy" in line]
    looks = [line for line in looks if "validation_loss" in line]
    assert looks[-1]["preference_loss"] < looks[0]["preference_loss"] and looks[-1]["accuracy"] > 0.5
    assert prefer(made) == made.preference / "adapter"  # done, and not done again


def test_the_samples_are_the_same_again_and_continue_where_they_stopped(tuned: Workspace, tmp_path: Path):
    first = samples_of(tuned, tmp_path / "a.jsonl")
    assert samples_of(tuned, tmp_path / "b.jsonl") == first
    assert not list(tmp_path.glob("*.batches")) and not list(tmp_path.glob("*.part"))


def test_an_adapter_of_another_recipe_is_not_gone_on_from(tuned: Workspace, tmp_path: Path):
    other = workspace(tuned.recipe.path.parent, Path(tuned.recipe.base.file), preference=STAGE,
                      tuning={"epochs": 6}, adapter={"alpha": 3})  # fmt: skip
    for act in (lambda: prefer(other), lambda: samples_of(other, tmp_path / "samples.jsonl")):
        with pytest.raises(TrainingError) as error:
            act()
        assert "has to be a new adapter" in error.value.sentence.en


def test_marks_without_a_choice_are_refused(tuned: Workspace, tmp_path: Path):
    marks = tmp_path / "marks.jsonl"
    line = {"request": {"relationship": "boss", "tone": "formal"}, "text": "新年快乐。", "send": True}
    marks.write_text(json.dumps(line), encoding="utf-8")
    made = workspace(tuned.recipe.path.parent, Path(tuned.recipe.base.file), preference=STAGE, marks=[str(marks)],
                     tuning={"epochs": 6})  # fmt: skip
    with pytest.raises(TrainingError) as error:
        prefer(made)
    assert "nothing to prefer" in error.value.sentence.en
