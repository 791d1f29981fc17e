"""``python -m training all``: from a tiny base to a file that writes greetings, the same bytes however often killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.models.verify import sha256_of
from tests.training.small_corpus import ROOT
from tests.training.tiny_run import write_greetings
from training.adapter_folder import read_facts

pytestmark = pytest.mark.torch

RECIPE = ROOT / "training" / "recipes" / "smoke.yaml"
KILLS = 5


def _start(base: Path, corpus: Path, out: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "training", "all", "--recipe", str(RECIPE), "--base", str(base)]
    command += ["--corpus", str(corpus), "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_greetings(tmp_path_factory.mktemp("greetings") / "corpus")


@pytest.fixture(scope="module")
def whole(tiny_base: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A run nothing happened to, and the seconds it took."""
    out = tmp_path_factory.mktemp("whole") / "run"
    began = time.monotonic()
    process = _start(tiny_base, corpus, out)
    said, problems = process.communicate(timeout=280)
    assert process.returncode == 0, problems
    assert "nats per token" in said
    return out, time.monotonic() - began


def test_the_file_it_makes_writes_greetings(whole: tuple[Path, float]):
    out, _ = whole
    command = [sys.executable, "-m", "app", "compose", "--model", str(out / "smoke.gguf"), "--json"]
    done = subprocess.run(
        [*command, "--relationship", "boss", "--tone", "formal", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["candidates"]


def test_its_adapter_says_what_it_came_from(whole: tuple[Path, float]):
    out, _ = whole
    facts = read_facts(out / "adapter")
    assert facts is not None
    assert facts["pairs"]["train"] > 0 and facts["first_stage"]["validation_loss"] > 0
    # Two programs, two arithmetics and a rounding to four bits: near, not equal.
    assert abs(facts["built_loss"] - facts["validation_loss"]) < 0.1
    for curve in ("curve.svg", "first-stage.svg"):
        assert (out / "adapter" / curve).read_text(encoding="utf-8").lstrip().startswith("<?xml")


@pytest.mark.timeout(600)
def test_killed_at_any_moment_it_ends_with_the_same_bytes(
    whole: tuple[Path, float], tiny_base: Path, corpus: Path, tmp_path: Path
):
    made, seconds = whole
    out = tmp_path / "run"
    moments = random.Random(5)
    for _ in range(KILLS):
        process = _start(tiny_base, corpus, out)
        try:
            process.communicate(timeout=moments.uniform(0.3, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    process = _start(tiny_base, corpus, out)
    _, problems = process.communicate(timeout=280)
    assert process.returncode == 0, problems
    for name in ("smoke.gguf", "adapter/adapter_model.safetensors", "adapter/training.json", "adapter/curve.svg"):
        assert sha256_of(out / name) == sha256_of(made / name), name
    assert not list(out.rglob("*.part"))


def test_a_second_run_does_nothing_again(whole: tuple[Path, float], tiny_base: Path, corpus: Path):
    out, _ = whole
    before = {path: path.stat().st_mtime_ns for path in (out / "smoke.gguf", out / "base.gguf")}
    process = _start(tiny_base, corpus, out)
    _, problems = process.communicate(timeout=280)
    assert process.returncode == 0, problems
    assert {path: path.stat().st_mtime_ns for path in before} == before
