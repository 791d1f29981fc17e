"""A file of outputs: what was written comes back, and whatever moment a run is killed at, whole jobs are kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.evaluation.outputs import (
    Output,
    append_outputs,
    first_texts,
    outputs_file,
    outputs_files,
    read_outputs,
    read_whole_jobs,
)

ONE = Output("prompt", "a", "", 0, "新年快乐🎉", ("pronoun", "length"), 6, 500, 1.25)
SEEDS = 3


def job(request: str, variation: str = "") -> list[Output]:
    return [replace(ONE, request=request, variation=variation, seed=seed) for seed in range(SEEDS)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = outputs_file(tmp_path, "prompt")
    append_outputs(path, job("a"))
    append_outputs(path, job("a", "name"))
    return path


def test_what_was_written_comes_back(file: Path) -> None:
    assert file.name == "outputs-prompt.jsonl"
    assert read_outputs(file) == job("a") + job("a", "name")


def test_the_systems_of_a_folder_are_found_by_their_files(file: Path, tmp_path: Path) -> None:
    append_outputs(outputs_file(tmp_path, "lora"), job("a"))
    (tmp_path / "outputs-lora.json").write_text("{}", encoding="utf-8")
    assert outputs_files(tmp_path) == {"lora": tmp_path / "outputs-lora.jsonl", "prompt": file}


def test_the_first_text_is_that_of_the_first_seed_of_the_request_as_it_is() -> None:
    texts = [replace(one, text=f"{one.variation}{one.seed}") for one in (*job("a", "name"), *job("b"), *job("a"))]
    assert first_texts(reversed(texts)) == {"a": "0", "b": "0"}


def test_a_run_killed_at_any_byte_keeps_every_whole_job(file: Path) -> None:
    data = file.read_bytes()
    lines = data.splitlines(keepends=True)
    first_job = sum(map(len, lines[:SEEDS]))
    for size in range(first_job, len(data)):
        file.write_bytes(data[:size])
        # A character may be cut in two as well: what is not a whole line is not looked at.
        assert read_outputs(file) == (job("a") + job("a", "name"))[: data[:size].count(b"\n")]
        assert read_whole_jobs(file, SEEDS) == job("a")
        assert file.read_bytes() == data[:first_job]
        append_outputs(file, job("a", "name"))
        assert file.read_bytes() == data


def test_where_nothing_was_written_yet_there_is_nothing(tmp_path: Path) -> None:
    assert read_whole_jobs(tmp_path / "outputs-rag.jsonl", SEEDS) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "must be a mapping"),
        ('{"system": "prompt"}', "lacks"),
        ('{"system": 5, "request": "a"}', "lacks"),
    ],
)
def test_a_line_that_is_no_output_is_named(file: Path, line: str, said: str) -> None:
    with file.open("a", encoding="utf-8") as end:
        end.write(line + "\n")
    with pytest.raises(TrainingError) as refused:
        read_outputs(file)
    assert f"Line {2 * SEEDS + 1} of {file.name}" in refused.value.sentence.en and said in refused.value.sentence.en
    assert f"第 {2 * SEEDS + 1} 行" in refused.value.sentence.zh


def test_a_file_that_is_not_there_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="evaluate"):
        read_outputs(tmp_path / "outputs-lora.jsonl")
