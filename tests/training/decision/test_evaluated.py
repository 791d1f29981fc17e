"""What an evaluation wrote serves as a trial."""

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
