"""The trial's folder is another for other contents, and what a training took is not made up where nobody knows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from tests.training.decision import letters
from training.decision.corpus import Corpus, read_any_corpus
from training.decision.costs import costs
from training.decision.measures import CorpusFigures
from training.decision.trial import Plan, trial_name
from training.decision.tuner import Tuned, trial_workspace, tune
from training.workspace import read_note

CORPUS = CorpusFigures(records=60, combinations=4, labels=(), openness=0.8, notes=())


def test_an_edited_file_makes_it_another_trial_and_a_renamed_one_does_not(tmp_path: Path):
    corpus = letters.write(tmp_path / "notes.jsonl", letters.records())
    asked = letters.write(tmp_path / "asked.jsonl", letters.REQUESTS)
    base = tmp_path / "base.gguf"
    base.write_bytes(b"weights")
    first = trial_name(corpus, asked, base, Plan())
    moved = corpus.rename(tmp_path / "other.jsonl")
    assert trial_name(moved, asked, base, Plan()) == first
    names = {first, trial_name(moved, asked, base, Plan(rules="mine"))}
    letters.write(moved, letters.records()[1:])
    names.add(trial_name(moved, asked, base, Plan()))
    letters.write(asked, letters.REQUESTS[1:])
    names.add(trial_name(moved, asked, base, Plan()))
    base.write_bytes(b"others")
    names.add(trial_name(moved, asked, base, Plan()))
    folder = tmp_path / "folder"
    folder.mkdir()
    inside = letters.write(folder / "notes.jsonl", letters.records())
    names.add(trial_name(folder, asked, base, Plan()))
    letters.write(inside, letters.records()[2:])
    names.add(trial_name(folder, asked, base, Plan()))
    assert len(names) == 7


def test_a_training_that_was_stopped_on_the_way_costs_nobody_knows_what():
    tuned = Tuned(Path("x.gguf"), 300, 30_000, 2, 120.0)
    assert "2.0 minutes for 300 records" in list(costs(CORPUS, 600, tuned))[-1].en
    (_, time) = costs(CORPUS, 600, replace(tuned, seconds=None))
    assert "unknown" in time.en and "nan" not in time.en and "说不出来" in time.zh


@pytest.mark.torch
@pytest.mark.usefixtures("one_thread")
def test_what_a_training_took_is_known_only_where_it_was_not_stopped(tiny_base: Path, tmp_path: Path):
    corpus: Corpus = read_any_corpus(letters.write(tmp_path / "notes.jsonl", letters.records()), load_catalog())
    records: Sequence = corpus.records[:20]
    workspace = trial_workspace(tiny_base, records, corpus.labels, tmp_path / "trial")
    first = tune(workspace, records, corpus.labels)
    assert first.seconds is not None and first.seconds > 0
    assert tune(workspace, records, corpus.labels) == first
    took = tmp_path / "trial" / "took.json"
    identity = read_note(took)["identity"]
    took.unlink()  # as if it had been killed between the adapter and the note
    assert tune(workspace, records, corpus.labels).seconds is None
    for file in workspace.adapter.iterdir():
        file.unlink()
    took.write_text(f'{{"identity": "{identity}", "seconds": null}}', encoding="utf-8")  # begun, and not ended
    assert tune(workspace, records, corpus.labels).seconds is None
    assert read_note(took) == {"identity": identity, "seconds": None}
