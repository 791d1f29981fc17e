"""``python -m training study``: seven runs happen, and however often it is killed the same comes of them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.small_corpus import ROOT, run_step
from tests.training.tiny_run import VALIDATION, lines_of, stopped, write_greetings, write_recipe
from training.adapter_folder import read_facts
from training.evaluation.outputs import Output, read_outputs
from training.evaluation.runs import read_runs
from training.recipe import read_recipe
from training.study.corpora import VARIANTS
from training.study.pipeline import corpora_of, requests_of
from training.study.texts import texts_file
from training.workspace import Workspace

pytestmark = pytest.mark.torch

STEPS, REQUESTS, EACH = 30, 4, 2
NAMES = [variant.name for variant in VARIANTS]


@pytest.fixture(scope="module")
def recipe(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe on the small corpus; every step leaves a checkpoint."""
    folder = tmp_path_factory.mktemp("study")
    write_greetings(folder / "corpus")
    return write_recipe(folder, tiny_base, tuning={"batch_tokens": 512, "learning_rate": 3e-3}, checkpoint_seconds=0)


def start(recipe: Path, out: Path, *more: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "training", "study", "--recipe", recipe, "--out", out]
    command += ["--steps", STEPS, "--requests", REQUESTS, "--each", EACH, *more]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        list(map(str, command)), cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def whole(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A study nothing happened to, and what it printed."""
    out = tmp_path_factory.mktemp("studied") / "out"
    process = start(recipe, out)
    said, problems = process.communicate()
    assert process.returncode == 0, problems
    return out, said


def result(folder: Path) -> dict[str, Any]:
    """What was found, but for the seconds, which no two runs have in common."""
    found: dict[str, Any] = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    for run in found["runs"]:
        del run["measures"]["seconds"]
    return found


def texts(folder: Path) -> list[Output]:
    return [replace(output, seconds=0.0) for output in read_outputs(texts_file(folder))]


def test_every_run_is_trained_for_as_many_steps_and_writes_for_the_same_requests(whole: tuple[Path, str]):
    out, said = whole
    asked = set()
    for variant in VARIANTS:
        facts = read_facts(out / variant.name / "adapter")
        assert facts is not None and facts["steps"] == facts["best_step"] == STEPS
        assert facts["records"]["validation"] == VALIDATION
        written = texts(out / variant.name)
        assert len(written) == REQUESTS * EACH and len({output.text for output in written}) > 1
        asked.add(frozenset(output.request for output in written))
        assert f"] {variant.name}: {facts['records']['train']} records" in said
    assert len(asked) == 1
    assert "left" in said  # how long the rest will take


def test_what_is_left_lying_is_small(whole: tuple[Path, str]):
    out, _ = whole
    assert {path.name for path in out.rglob("*.gguf")} == {"base.gguf"}
    assert not [
        path for path in out.rglob("*") if path.name.startswith(("checkpoint", "below")) or ".part" in path.name
    ]


def test_the_result_is_what_the_pictures_are_drawn_from(whole: tuple[Path, str]):
    out, said = whole
    found = result(out)
    assert found["steps"] == STEPS and found["requests"] == REQUESTS and found["each"] == EACH
    runs = read_runs(out / "study.json")
    assert [run.name for run in runs] == NAMES
    pool = runs[0].records
    assert [run.records for run in runs] == [max(1, round(variant.share * pool)) for variant in VARIANTS]
    assert [run.share_poor for run in runs] == [variant.poor for variant in VARIANTS]
    assert [run.kind for run in runs] == [""] * 4 + ["mixed"] * 3
    for run in runs:
        loss, passed = run.measures["validation_loss"], run.measures["guard_pass"]
        assert loss is not None and loss.low < loss.value < loss.high
        assert passed is not None and 0 <= passed.value <= 1
        assert f"| {run.name} |" in said
    for name in ("data-size", "data-quality"):
        assert (out / f"{name}.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_poor_records_teach_worse(whole: tuple[Path, str]):
    losses = {run.name: run.measures["validation_loss"] for run in read_runs(whole[0] / "study.json")}
    assert losses["whole"].value < losses["poor-25"].value < losses["poor-75"].value


def test_no_held_out_record_is_trained_on_or_given_to_the_base(whole: tuple[Path, str], recipe: Path):
    out, _ = whole
    workspace = Workspace(read_recipe(recipe), out)
    ids = {record.id for record in (*workspace.split.validation, *workspace.split.test)}
    corpora = corpora_of(workspace, STEPS)  # the base wrote its part before
    assert list(corpora) == NAMES
    for records in corpora.values():
        assert not {record.id.partition("~")[0] for record in records} & ids
    base = read_outputs(texts_file(out / "base"))
    assert base and not {output.request for output in base} & ids
    assert {one.id for one in requests_of(workspace, REQUESTS)} <= {record.id for record in workspace.split.validation}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
@pytest.mark.timeout(600)
def test_killed_in_every_phase_it_ends_with_the_same(whole: tuple[Path, str], recipe: Path, tmp_path: Path):
    made, _ = whole
    out = tmp_path / "out"
    phases: list[Callable[[], bool]] = [
        lambda: len(lines_of(texts_file(out / "base"))) > 0,
        lambda: len(lines_of(out / "whole" / "tuning" / "metrics.jsonl")) > 1,
        lambda: len(lines_of(texts_file(out / "half"))) > 0,
        lambda: (out / "quarter" / "adapter").exists(),
    ]
    for reached in phases:
        status, _ = stopped(start(recipe, out), reached, signal.SIGKILL)
        assert status == -signal.SIGKILL
    before = {path: path.stat().st_mtime_ns for path in (out / "whole").rglob("*") if path.is_file()}
    process = start(recipe, out)
    _, problems = process.communicate()
    assert process.returncode == 0, problems
    assert result(out) == result(made)
    assert {path: path.stat().st_mtime_ns for path in before} == before  # that run was done
    for name in NAMES:
        assert texts(out / name) == texts(made / name)
        for file in ("adapter_model.safetensors", "training.json"):
            assert (out / name / "adapter" / file).read_bytes() == (made / name / "adapter" / file).read_bytes()


def test_what_is_done_is_not_done_again_and_an_earlier_result_is_compared_with(
    whole: tuple[Path, str], recipe: Path, tmp_path: Path
):
    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    kept = [path for name in ("base", *NAMES) for path in (out / name).rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in kept}
    process = start(recipe, out, "--check", whole[0] / "study.json")
    said, problems = process.communicate()
    assert process.returncode == 0, problems + said
    assert {path: path.stat().st_mtime_ns for path in kept} == before

    other = json.loads((whole[0] / "study.json").read_text(encoding="utf-8"))
    for name in ("validation_loss", "guard_pass"):
        other["runs"][1]["measures"][name] = {"value": 9.0, "low": 8.5, "high": 9.5}
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    process = start(recipe, out, "--check", tmp_path / "other.json")
    said, _ = process.communicate()
    assert process.returncode == 1
    assert "half 的验证损失是" in said and "half: the validation loss is" in said and "8.500–9.500" in said
    assert "guard_pass" in said and "whole 的" not in said


def test_a_check_against_a_study_of_other_settings_is_refused_before_anything_is_done(
    whole: tuple[Path, str], recipe: Path, tmp_path: Path
):
    out = tmp_path / "out"
    for more, said in (
        (("--steps", STEPS + 1), f"steps {STEPS} then, {STEPS + 1} now"),
        (("--requests", REQUESTS - 1), f"requests {REQUESTS} then, {REQUESTS - 1} now"),
        (("--each", EACH + 1), f"texts of each {EACH} then, {EACH + 1} now"),
    ):
        process = start(recipe, out, "--check", whole[0] / "study.json", *more)
        _, problems = process.communicate()
        assert process.returncode == 1 and said in problems and "study.json" in problems, problems
    found = json.loads((whole[0] / "study.json").read_text(encoding="utf-8"))
    (tmp_path / "old.json").write_text(json.dumps(found | {"corpus_sha256": "0"}), encoding="utf-8")
    process = start(recipe, out, "--check", tmp_path / "old.json")
    _, problems = process.communicate()
    assert process.returncode == 1 and "the corpus differs" in problems and "语料不同" in problems
    assert not list(out.rglob("*.gguf"))


def test_other_requests_are_written_for_anew_with_the_adapter_that_is_there(
    whole: tuple[Path, str], recipe: Path, tmp_path: Path
):
    out = tmp_path / "out"
    shutil.copytree(whole[0], out)
    adapters = {name: (out / name / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns for name in NAMES}
    process = start(recipe, out, "--each", 1)
    _, problems = process.communicate()
    assert process.returncode == 0, problems
    for name in NAMES:
        assert len(texts(out / name)) == REQUESTS
        assert (out / name / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns == adapters[name]


def refused(*arguments: object) -> str:
    done = run_step("study", *arguments)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_what_is_in_the_way_is_said(recipe: Path, tmp_path: Path):
    out = ("--out", tmp_path / "out")
    said = refused("--recipe", recipe, "--base", tmp_path / "none.gguf", *out)
    assert "底座模型 none.gguf 不在" in said and "none.gguf is not there" in said
    corpus = write_greetings(tmp_path / "alike")
    lines = [json.loads(line) for line in (corpus / "few.jsonl").read_text(encoding="utf-8").splitlines()]
    alike = "".join(json.dumps(line | {"relationship": "boss"}, ensure_ascii=False) + "\n" for line in lines)
    (corpus / "few.jsonl").write_text(alike, encoding="utf-8")
    said = refused("--recipe", recipe, "--corpus", corpus, *out)
    assert "只有一种关系（boss）" in said and "one relationship only (boss)" in said
    assert not list((tmp_path / "out").glob("*.gguf"))  # before anything was begun
    for option, number, range_said in (("--steps", 0, "1"), ("--requests", -1, "1"), ("--each", 33, "32")):
        said = refused("--recipe", recipe, option, number, *out)
        assert option in said and str(number) in said and range_said in said
    (tmp_path / "old.json").write_text("[]", encoding="utf-8")
    said = refused("--recipe", recipe, "--check", tmp_path / "old.json", *out)
    assert "old.json 不是 `python -m training study` 的结果" in said
