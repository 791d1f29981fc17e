"""``python -m app bench`` on the tiny model: what it promises is measured, and the ratios are those of its figures."""

import json
import statistics
import subprocess
import sys
from math import isnan
from pathlib import Path

import pytest

from app.commands.bench_aims import aims
from app.commands.bench_engine import Timing, together
from app.commands.bench_machine import weights_a_token
from app.commands.bench_measure import quotients
from app.commands.bench_memory import growth
from app.models.gguf_file import read_header
from tests.test_layout import ROOT


def bench(*options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app", "bench", "--no-window", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


def test_it_measures_what_it_promises(tiny_model: Path):
    done = bench("--model", tiny_model, "--runs", 1, "--recipients", 5, "--stops", 2, "--greetings", 400, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rates = {name: statistics.median(values) for name, values in found["tokens a second"].items()}
    by_threads = {name for name in rates if "threads" in name}
    ours = {f"sequences: {count}{part}" for count in (1, 3, 8, 16) for part in ("", ", decoding")}
    assert set(rates) - by_threads == ours | {"high-level call"}
    assert all(rates[name] < rates[f"{name}, decoding"] for name in ours if not name.endswith("decoding"))
    assert by_threads and all(rate > 0 for rate in rates.values())
    ratio = found["ratios"]["sequences: 8 / high-level call"]
    assert ratio == pytest.approx(rates["sequences: 8"] / rates["high-level call"], abs=0.01)  # of a single round
    waits = found["seconds"]
    (together,), (alone,) = waits["a person, asked for at once"], waits["a person, one by one"]
    assert found["ratios"]["a person, one by one / at once"] == pytest.approx(alone / together, abs=0.01)
    assert waits["5 people, a text each"] == pytest.approx([5 * together])
    firsts, wholes = waits["first characters"], waits["three greetings (8 drawn)"]
    assert all(0 < first <= whole for first, whole in zip(firsts, wholes, strict=True))
    assert min(waits["three sequences"]) > 0 and min(waits["first characters, another person"]) > 0
    stops = {name: values for name, values in found["milliseconds"].items() if name.startswith("stop")}
    assert "stop, model opening" in stops and all(value > 0 for values in stops.values() for value in values)
    assert {"frame late, nothing running", "frame late, while writing"} <= set(found["milliseconds"])
    if sys.platform == "linux":
        assert found["memory"]["peak, MB"] >= found["memory"]["now, MB"] > 0
        assert [name for name in found["memory"] if name.startswith("after")] == [
            f"after {written} greetings, MB" for written in (100, 200, 300, 400)
        ]
        assert found["aims"]["most memory resident, MB"]["found"] == found["memory"]["peak, MB"]
    slowest = max(value for values in stops.values() for value in values)
    assert found["aims"]["slowest answer to a stop, ms"]["found"] == pytest.approx(slowest, abs=0.01)
    assert found["machine"]["tokens/s that memory allows"] > 0


def test_a_table_is_printed_without_what_was_left_out(tiny_model: Path):
    left_out = ("--recipients", 0, "--stops", 0, "--greetings", 0, "--no-peer")
    done = bench("--model", tiny_model, "--runs", 1, *left_out)
    assert done.returncode == 0, done.stderr
    assert "sequences: 16 / sequences: 1" in done.stdout and "one sequence / what memory allows" in done.stdout
    assert not any(word in done.stdout for word in ("high-level", "a person", "stop", "growth"))
    assert done.stdout.splitlines()[-1].endswith(("a quiet machine.", "measure again when it is quiet."))


def test_an_aim_is_reached_or_missed_by_its_figure():
    ratios = {
        "one sequence / what memory allows": 0.8,
        "sequences: 3 / high-level call, untrimmed": 2.05,
        "sequences: 8 / high-level call, untrimmed": 3.0,
        "sequences: 1, decoding / sequences: 1, untrimmed, decoding": 1.11,
        "sequences: 1 / sequences: 1, untrimmed": 1.3,
    }
    memory = {"peak, MB": 1100.0, "growth, kB a greeting": 1.01}
    found = aims(ratios, memory, {"stop, one sequence": [3.0, 99.0], "frame late, while writing": [500.0]})
    assert {aim.name: (round(aim.found, 2), aim.holds) for aim in found} == {
        "one sequence / what memory allows": (0.8, True),
        "three sequences / high-level loop, untrimmed": (2.05, True),
        "eight sequences / high-level loop, untrimmed": (3.0, False),
        "one sequence / the same, untrimmed": (1.11, False),
        "most memory resident, MB": (1100.0, True),
        "growth of memory, kB a greeting": (1.01, False),
        "slowest answer to a stop, ms": (99.0, True),
    }


def test_a_ratio_is_the_median_of_the_rounds_as_each_met_one_machine():
    rates = {
        "sequences: 1": [10.0, 20.0, 5.0],
        "sequences: 1, decoding": [12.0, 24.0, 6.0],
        "sequences: 1, untrimmed": [5.0, 5.0, 5.0],
        "sequences: 1, untrimmed, decoding": [8.0, 24.0, 2.0],
        "sequences: 3": [20.0, 20.0, 20.0],
        "sequences: 8": [30.0, 80.0, 20.0],
        "sequences: 16": [10.0, 20.0, 5.0],
        "high-level call, untrimmed": [5.0, 40.0, 10.0],
    }
    found = quotients(rates, 48.0)
    assert found["one sequence / what memory allows"] == 0.25
    assert found["sequences: 8 / sequences: 1"] == 4
    assert found["sequences: 3 / high-level call, untrimmed"] == 2
    assert found["sequences: 1 / sequences: 1, untrimmed"] == 2
    assert found["sequences: 1, decoding / sequences: 1, untrimmed, decoding"] == 1.5
    assert not any(name.endswith("high-level call") for name in found)


def test_of_several_requests_nothing_is_known_of_decoding_alone():
    one, other = Timing(20, 4.0, 1.0, 19, 3.0), Timing(10, 3.0, 1.5, 9, 1.5)
    assert together([one, other]).decode_rate == pytest.approx(28 / 4.5)
    assert together([one, other]).rate == pytest.approx(30 / 7)
    assert isnan(Timing(30, 7.0, 1.0).decode_rate)


def test_growth_is_the_slope_after_the_first_look():
    assert growth({100: 50, 200: 100, 300: 100, 400: 100}) == pytest.approx(0)
    assert growth({100: 0, 200: 1000, 300: 2000, 400: 3000}) == pytest.approx(10)
    assert growth({100: 1, 200: 2}) == 0


def test_the_embeddings_are_not_read_for_a_token(tiny_model: Path):
    header = read_header(tiny_model)
    whole = sum(tensor.nbytes for tensor in header.tensors)
    embeddings = header.tensor("token_embd.weight")
    assert embeddings is not None and weights_a_token(tiny_model) == whole - embeddings.nbytes


def test_a_model_that_is_none_is_said(tmp_path: Path):
    (tmp_path / "x.gguf").write_bytes(b"no model")
    done = bench("--model", tmp_path / "x.gguf", "--runs", 1)
    assert done.returncode == 1 and "Traceback" not in done.stderr and done.stderr.strip()


def test_files_are_compared_with_the_first(tiny_model: Path, tiny_base: Path):
    done = bench("--files", tiny_model, tiny_base, "--runs", 1, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == [str(tiny_model), str(tiny_base)]
    assert set(found[str(tiny_model)]["ratios"].values()) == {1}
    rates = {path: file["tokens a second"]["8"][0] for path, file in found.items()}
    ratio = found[str(tiny_base)]["ratios"]["8"]
    assert ratio == pytest.approx(rates[str(tiny_base)] / rates[str(tiny_model)], abs=0.01)
    table = bench("--files", tiny_model, "--runs", 1).stdout.splitlines()
    assert len(table) == 3 and table[2].startswith(f"| {tiny_model} | ") and "(1.00)" in table[2]


def test_a_file_that_is_none_is_said(tmp_path: Path):
    done = bench("--files", tmp_path / "none.gguf")
    assert done.returncode == 1 and "none.gguf" in done.stderr and "Traceback" not in done.stderr
