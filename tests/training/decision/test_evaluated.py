"""What an evaluation wrote serves as a trial."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from tests.training.decision import letters
from training.decision.corpus import Corpus, read_any_corpus
from training.decision.result import pairs
from training.decision.trial import evaluated
from training.errors import TrainingError
from training.evaluation.outputs import Output, append_outputs, outputs_file


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return read_any_corpus(letters.write(tmp_path / "notes.jsonl", letters.records()), load_catalog())


def write(folder: Path, *systems: str) -> None:
    letters.write(folder / "requests.jsonl", letters.REQUESTS)
    for system in systems:
        for variation in ("", "name"):
            append_outputs(
                outputs_file(folder, system),
                [Output(system, "one", variation, 0, f"{system}{variation}", (), 1, 9, 0.1)],
            )


def test_the_texts_of_an_evaluation_are_read_with_what_was_asked(corpus: Corpus, tmp_path: Path):
    write(tmp_path, "prompt", "rag", "lora")
    trial = evaluated(tmp_path, corpus)
    assert {name: [output.text for output in outputs] for name, outputs in trial.outputs.items()} == {
        "prompt": ["prompt", "promptname"],
        "rag": ["rag", "ragname"],
        "tuned": ["lora", "loraname"],
    }
    assert trial.asked["one", ""].address == "王老师" != trial.asked["one", "name"].address
    (pair,) = pairs(trial, corpus)
    assert (pair.request, pair.before, pair.after) == ("one", "prompt", "lora")


def test_without_prompt_and_retrieval_there_is_nothing_to_compare(corpus: Corpus, tmp_path: Path):
    write(tmp_path, "prompt")
    with pytest.raises(TrainingError) as caught:
        evaluated(tmp_path, corpus)
    assert "no outputs-rag.jsonl" in caught.value.sentence.en


def test_of_an_evaluation_killed_midway_only_what_all_systems_wrote_is_compared(corpus: Corpus, tmp_path: Path):
    write(tmp_path, "prompt", "rag", "lora")
    more = [Output("prompt", "two", "", seed, f"two{seed}", (), 1, 9, 0.1) for seed in (0, 1)]
    append_outputs(outputs_file(tmp_path, "prompt"), more)
    append_outputs(outputs_file(tmp_path, "rag"), [replace(more[0], system="rag")])
    trial = evaluated(tmp_path, corpus)
    for outputs in trial.outputs.values():
        assert [(output.request, output.variation, output.seed) for output in outputs] == [
            ("one", "", 0),
            ("one", "name", 0),
        ]
    assert [pair.request for pair in pairs(trial, corpus)] == ["one"]
    append_outputs(outputs_file(tmp_path, "lora"), [replace(more[0], system="lora")])
    assert [pair.request for pair in pairs(evaluated(tmp_path, corpus), corpus)] == ["one", "two"]


def test_no_request_in_common_is_said(corpus: Corpus, tmp_path: Path):
    write(tmp_path, "prompt", "rag")
    append_outputs(outputs_file(tmp_path, "lora"), [Output("lora", "two", "", 0, "two", (), 1, 9, 0.1)])
    with pytest.raises(TrainingError) as caught:
        evaluated(tmp_path, corpus)
    assert "no request that every system answered" in caught.value.sentence.en
