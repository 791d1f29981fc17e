"""A run small enough for a test: a corpus in the tiny model's words, a split, a recipe, and the steps on them."""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.training.small_corpus import RECORDS, ROOT
from training.recipe import read_recipe
from training.workspace import Workspace

_WISHES = ("新年快乐", "祝您身体健康", "万事如意", "阖家幸福", "平安喜乐", "工作顺利")
VALIDATION = 8


def write_greetings(folder: Path) -> Path:
    """66 records of one file: all pairs of six wishes for two people, and :data:`RECORDS`; eight of them validate."""
    folder.mkdir(parents=True)
    asked = {"tone": "formal", "occasion": "spring_festival", "length": "short"}
    records: list[dict[str, object]] = [
        {"relationship": relationship, **asked, "text": f"{first}，{second}。"}
        for first, second in itertools.permutations(_WISHES, 2)
        for relationship in ("boss", "friend")
    ]
    lines = [json.dumps(record, ensure_ascii=False) for record in (*records, *RECORDS)]
    (folder / "few.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ids = [f"few:{number}" for number in range(1, VALIDATION + 2)]
    split = {"validation": ids[1:], "test": ids[:1]}
    (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
    return folder


def write_recipe(folder: Path, base: Path, /, **changes: Any) -> Path:
    """A recipe of three short epochs on the greetings in ``folder``; a mapping among ``changes`` is merged in."""
    settings: dict[str, Any] = {
        "name": "smoke",
        "seed": 3,
        "base": {"file": str(base)},
        "corpus": "corpus",
        "device": "cpu",
        "adapter": {"rank": 4, "alpha": 8, "first_layer": 1},
        "tuning": {"epochs": 3, "batch_tokens": 256, "learning_rate": 1e-3, "validate_every": 4, "patience": 100},
    }
    for key, value in changes.items():
        settings[key] = {**settings.get(key, {}), **value} if isinstance(value, dict) else value
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return path


def workspace(folder: Path, base: Path, /, **changes: Any) -> Workspace:
    """Corpus, recipe and an empty place for the run, all in ``folder``."""
    if not (folder / "corpus").exists():
        write_greetings(folder / "corpus")
    return Workspace(read_recipe(write_recipe(folder, base, **changes)), folder / "run")


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a JSONL file, perhaps while it is written."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def start_lora(recipe: Path, out: Path) -> "subprocess.Popen[str]":
    """``python -m training lora`` in a process of its own, on one thread: a tiny model is done before others wake."""
    command = [sys.executable, "-m", "training", "lora", "--recipe", str(recipe), "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, encoding="utf-8")


def stopped(process: "subprocess.Popen[str]", reached: Callable[[], bool], number: int) -> tuple[int, str]:
    """Send the signal as soon as ``reached``; the exit status, and what was said on standard error."""
    while not reached():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(number)
    _, said = process.communicate()
    return process.returncode, said
