"""``verify`` measures again what an adapter claims; ``bench`` prints both sides. On the tiny model."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.small_corpus import ROOT
from tests.training.tiny_run import write_greetings
from training.adapter_folder import FACTS_FILE
from training.recipe import Recipe, read_recipe
from training.workspace import Workspace

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

RECIPE = ROOT / "training" / "recipes" / "smoke.yaml"


def _step(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def made(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A whole run of the smoke recipe without its second stage."""
    folder = tmp_path_factory.mktemp("verified")
    corpus = write_greetings(folder / "corpus")
    text = RECIPE.read_text(encoding="utf-8").split("preference:")[0]
    recipe_file = folder / "recipe.yaml"
    recipe_file.write_text(text, encoding="utf-8")
    done = _step("all", "--recipe", recipe_file, "--base", tiny_base, "--corpus", corpus, "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    recipe: Recipe = read_recipe(recipe_file)
    return Workspace(recipe, folder / "run")


def _verify(made: Workspace, base: Path, adapter: Path) -> subprocess.CompletedProcess[str]:
    files = ("--base", base, "--adapter", adapter, "--model", made.model, "--vocabulary", made.vocabulary)
    return _step("verify", *files, "--corpus", made.folder.parent / "corpus")


def test_what_was_claimed_is_found_again(made: Workspace, tiny_base: Path):
    done = _verify(made, tiny_base, made.adapter)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": agrees") == 2


def test_a_false_claim_is_found_out(made: Workspace, tiny_base: Path, tmp_path: Path):
    adapter = shutil.copytree(made.adapter, tmp_path / "adapter")
    facts = json.loads((adapter / FACTS_FILE).read_text(encoding="utf-8"))
    facts["validation_loss"] -= 0.1
    (adapter / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    done = _verify(made, tiny_base, adapter)
    assert done.returncode == 1
    assert "DIFFERS" in done.stdout and "agrees" in done.stdout


def test_another_corpus_is_not_compared(made: Workspace, tiny_base: Path, tmp_path: Path):
    adapter = shutil.copytree(made.adapter, tmp_path / "adapter")
    facts = json.loads((adapter / FACTS_FILE).read_text(encoding="utf-8"))
    (adapter / FACTS_FILE).write_text(json.dumps(facts | {"corpus_sha256": "0" * 64}), encoding="utf-8")
    done = _verify(made, tiny_base, adapter)
    assert done.returncode == 1 and "语料和训练时的不是同一份" in done.stderr
    (adapter / FACTS_FILE).unlink()
    done = _verify(made, tiny_base, adapter)
    assert done.returncode == 1 and "没有 training.json" in done.stderr and "Traceback" not in done.stderr


def test_the_benchmark_prints_both_sides(made: Workspace, tiny_base: Path, tmp_path: Path):
    corpus = made.folder.parent / "corpus"
    where = ("--recipe", RECIPE, "--base", tiny_base, "--corpus", corpus, "--out", tmp_path / "run")
    done = _step("bench", *where, "--records", 16, "--validation", 4, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for side in ("ours", "trainer"):
        assert found[side]["steps"] == 2 and found[side]["tokens_a_second"] > 0 and found[side]["peak_mb"] > 0
        assert 0 < found[side]["validation_loss"] < 20
