"""``python -m app bench`` on the tiny model: what it promises is measured, and the ratios are those of its figures."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands.bench_machine import weights_a_token
from app.models.gguf_file import read_header
from tests.test_layout import ROOT


def bench(*options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app", "bench", "--no-window", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


def test_it_measures_what_it_promises(tiny_model: Path):
    done = bench("--model", tiny_model, "--runs", 1, "--recipients", 5, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rates = {name: statistics.median(values) for name, values in found["tokens a second"].items()}
    assert set(rates) == {f"sequences: {count}" for count in (1, 3, 8, 16)} | {"high-level call"}
    assert all(rate > 0 for rate in rates.values())
    ratio = found["ratios"]["sequences: 8 / high-level call"]
    assert ratio == pytest.approx(rates["sequences: 8"] / rates["high-level call"], abs=0.01)
    waits = found["seconds"]
    (together,), (alone,) = waits["a person, all asked for at once"], waits["a person, one by one"]
    assert found["ratios"]["a person one by one / at once"] == pytest.approx(alone / together, abs=0.01)
    firsts, wholes = waits["first characters"], waits["three greetings (8 drawn)"]
    assert all(0 < first <= whole for first, whole in zip(firsts, wholes, strict=True))
    if sys.platform == "linux":
        assert found["memory"]["peak, MB"] >= found["memory"]["now, MB"] > 0
    assert found["machine"]["tokens/s that memory allows"] > 0


def test_a_table_is_printed_without_what_was_left_out(tiny_model: Path):
    done = bench("--model", tiny_model, "--runs", 1, "--recipients", 0, "--no-peer")
    assert done.returncode == 0, done.stderr
    assert "sequences: 16 / one" in done.stdout and "high-level" not in done.stdout and "person" not in done.stdout


def test_the_embeddings_are_not_read_for_a_token(tiny_model: Path):
    header = read_header(tiny_model)
    whole = sum(tensor.nbytes for tensor in header.tensors)
    embeddings = header.tensor("token_embd.weight")
    assert embeddings is not None and weights_a_token(tiny_model) == whole - embeddings.nbytes


def test_a_model_that_is_none_is_said(tmp_path: Path):
    (tmp_path / "x.gguf").write_bytes(b"no model")
    done = bench("--model", tmp_path / "x.gguf", "--runs", 1)
    assert done.returncode == 1 and "Traceback" not in done.stderr and done.stderr.strip()
