"""``python -m training evaluate``: three systems write, and however often it is killed the same comes of it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.compose.guard import check
from tests.training.small_corpus import ROOT, run_step
from tests.training.tiny_run import stopped
from training.evaluation.outputs import Output, outputs_file, read_outputs
from training.evaluation.requests import as_asked, with_variations
from training.evaluation.table import read_table
from training.reading import read_requests
from training.workspace import read_note

pytestmark = pytest.mark.torch

SEEDS = 2
REQUESTS = (
    {
        **{"id": "one", "relationship": "boss", "tone": "formal", "length": "short", "address": "王总"},
        **{"zodiac": "马", "details": ["刚升职", "搬了新家"]},
    },
    {"id": "two", "relationship": "friend", "tone": "playful", "length": "short"},
    {"id": "three", "relationship": "parents", "tone": "warm", "length": "medium", "address": "妈"},
)
JOBS = [("one", ""), ("one", "name"), ("one", "year"), ("one", "order"), ("two", ""), ("three", "")]


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("asked") / "asked.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in REQUESTS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def command(
    instruct: Callable[..., Path], tiny_model: Path, greetings: Path, requests: Path
) -> Callable[..., list[object]]:
    """The arguments that write everything into a folder, and no more."""

    def arguments(out: Path, *more: object) -> list[object]:
        return [
            *("evaluate", "--base", instruct(), "--model", tiny_model, "--corpus", greetings),
            *("--requests", requests, "--seeds", SEEDS, "--nearest", 2, "--device", "cpu", "--threads", 1),
            *("--unmeasured", "--out", out, *more),
        ]

    return arguments


@pytest.fixture(scope="module")
def whole(command: Callable[..., list[object]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes of it when nothing happens."""
    out = tmp_path_factory.mktemp("evaluated") / "out"
    done = run_step(*command(out))
    assert done.returncode == 0, done.stderr
    for name in ("prompt", "rag", "lora"):
        assert f"{name}: {len(JOBS) * SEEDS} texts" in done.stdout
    return out


def texts(folder: Path, system: str) -> list[Output]:
    """A system's outputs without what no two runs have in common."""
    return [replace(output, seconds=0.0) for output in read_outputs(outputs_file(folder, system))]


def test_every_system_writes_for_every_variation_with_every_seed(whole: Path) -> None:
    catalog = load_catalog()
    asked = with_variations(as_asked(read_requests(whole / "requests.jsonl", catalog), catalog))
    requests = {(one.id, one.variation): one.request for one in asked}
    assert list(requests) == JOBS
    for system in ("prompt", "rag", "lora"):
        outputs = read_outputs(outputs_file(whole, system))
        assert [(output.job, output.seed) for output in outputs] == [(job, n) for job in JOBS for n in range(SEEDS)]
        assert len({output.text for output in outputs if output.request == "two"}) == SEEDS
        for output in outputs:
            assert output.system == system and output.seconds > 0 and output.text == output.text.strip()
            codes = {fault.code for fault in check(output.text, requests[output.job], catalog)}
            assert set(output.reasons) == codes and len(output.reasons) == len(codes)
            assert 0 < output.tokens <= catalog.length(requests[output.job].length).most_tokens
        note = read_note(outputs_file(whole, system).with_suffix(".json"))
        assert note["seeds"] == SEEDS and note["sampling"]["temperature"] > 0
        if sys.platform == "linux":
            assert note["peak_memory"] > 1_000_000


def test_the_prompt_has_its_examples_and_the_tuned_model_needs_none(whole: Path) -> None:
    """Two of a corpus of short texts take less room than eight; ours is a few lines."""
    lengths = {system: texts(whole, system)[0].prompt_tokens for system in ("prompt", "rag", "lora")}
    assert lengths["prompt"] > lengths["rag"] > 5 * lengths["lora"] > 0


def test_a_changed_input_gives_another_prompt_and_the_same_seed_the_same_text(whole: Path) -> None:
    outputs = {(output.job, output.seed): output for output in texts(whole, "lora")}
    assert outputs[("one", ""), 0].text != outputs[("one", "year"), 0].text


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_at_any_moment_it_ends_with_the_same_outputs(
    whole: Path, command: Callable[..., list[object]], tmp_path: Path
) -> None:
    out, moments = tmp_path / "out", random.Random(3)
    line = [sys.executable, "-m", "training", *map(str, command(out))]
    size = sum(map(len, _data(whole)))
    for moment in sorted(moments.uniform(0, 0.9) for _ in range(4)):
        process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")
        stopped(process, lambda moment=moment: sum(map(len, _data(out))) >= moment * size, signal.SIGKILL)
        if sys.platform == "linux":
            for file in out.glob("outputs-*.jsonl"):  # what was written is not there without what it took
                assert not file.read_bytes() or read_note(file.with_suffix(".json"))["peak_memory"] > 1_000_000
        for file in out.glob("outputs-*.jsonl"):
            # As if the last write had not come to the disk as a whole.
            file.write_bytes(file.read_bytes()[: -moments.randrange(1, 40)])
    done = run_step(*command(out))
    assert done.returncode == 0, done.stderr
    for system in ("prompt", "rag", "lora"):
        assert texts(out, system) == texts(whole, system)


def _data(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.glob("outputs-*.jsonl")]


def test_what_is_done_is_not_done_again(whole: Path, command: Callable[..., list[object]]) -> None:
    before = _data(whole)
    done = run_step(*command(whole))
    assert done.returncode == 0 and _data(whole) == before


def test_it_ends_with_figures_and_a_report(whole: Path, command: Callable[..., list[object]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    study = tmp_path / "study.json"
    figure = {"tone_recognised": {"value": 0.5, "low": 0.4, "high": 0.6}}
    lines = [
        {"name": name, "records": records, "share_poor": 0, "kind": "", "measures": figure}
        for name, records in (("whole", 40), ("half", 20))
    ]
    study.write_text(json.dumps({"runs": lines}), encoding="utf-8")
    measuring = [*(word for word in command(out) if word != "--unmeasured"), "--study", study]
    done = run_step(*measuring)
    assert done.returncode == 0, done.stderr
    assert "| | 提示词 Prompt | 检索 RAG | 微调 Fine-tune | 语料原文 Corpus author |" in done.stdout
    assert read_table(out / "measures.json").requests == len(REQUESTS)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "盲读：3 个请求" in page and "数据多少和效果" in page and (out / "data-size.png").exists()
    assert "temperature 0.7, min-p 0.1, 2 texts a request" in page
    assert (out / "style-consistency.png").exists() and _data(out) == _data(whole)
    old = shutil.copy(out / "measures.json", tmp_path / "old.json")
    again = run_step(*measuring, "--check", old)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--seeds", 3), "in another evaluation"),
        (("--systems", "rag", "--nearest", 1), "in another evaluation"),
        (("--limit", 1), "other requests"),
    ],
)
def test_outputs_of_other_settings_are_not_mixed(
    whole: Path, command: Callable[..., list[object]], more: tuple[object, ...], said: str
) -> None:
    before = _data(whole)
    refused = run_step(*command(whole, *more))
    assert refused.returncode == 1 and said in refused.stderr and "--out" in refused.stderr
    assert _data(whole) == before


def test_another_temperature_is_another_system_of_the_same_folder(
    whole: Path, command: Callable[..., list[object]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    for more in (("--systems", "lora-at-1.50"), ("--systems", "lora", "--temperature", 1.5)):  # the same, twice
        done = run_step(*command(out, *more))
        assert done.returncode == 0 and f"lora-at-1.5: {len(JOBS) * SEEDS} texts" in done.stdout, done.stderr
    assert {file.name for file in out.glob("outputs-*.jsonl")} == {
        f"outputs-{name}.jsonl" for name in ("prompt", "rag", "lora", "lora-at-1.5")
    }
    assert read_note(out / "outputs-lora-at-1.5.json")["sampling"]["temperature"] == 1.5
    assert {output.system for output in texts(out, "lora-at-1.5")} == {"lora-at-1.5"}
    assert texts(out, "lora") == texts(whole, "lora")
    assert [each.text for each in texts(out, "lora-at-1.5")] != [each.text for each in texts(whole, "lora")]


def test_a_temperature_that_is_a_system_s_own_gives_it_no_other_name(
    whole: Path, command: Callable[..., list[object]], tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "out")
    done = run_step(*command(tmp_path / "out", "--systems", "prompt", "--temperature", 0.7))
    assert done.returncode == 0 and f"prompt: {len(JOBS) * SEEDS} texts" in done.stdout, done.stderr


def test_whatever_the_measuring_needs_is_looked_at_before_anything_is_written(
    command: Callable[..., list[object]], tmp_path: Path
) -> None:
    study = tmp_path / "study.json"
    study.write_text("[]", encoding="utf-8")
    measuring = [word for word in command(tmp_path / "out", "--systems", "prompt") if word != "--unmeasured"]
    old = tmp_path / "old.json"
    figures = {"requests": 3, "records": 9, "readers": {}, "notes": [], "systems": {}, "requests_sha256": "0"}
    old.write_text(json.dumps(figures), encoding="utf-8")
    for more, said in (
        (("--study", study), "study.json"),
        (("--corpus", tmp_path / "nowhere"), "no corpus"),
        (("--check", old), "old.json has the figures of other requests"),
    ):
        refused = run_step(*measuring, *more)
        assert refused.returncode == 1 and said in refused.stderr, refused.stderr
        assert not list((tmp_path / "out").glob("outputs-*"))


def test_without_a_file_the_corpus_s_test_part_is_asked(
    instruct: Callable[..., Path], greetings: Path, tmp_path: Path
) -> None:
    done = run_step(
        *("evaluate", "--systems", "prompt", "--base", instruct(), "--corpus", greetings, "--seeds", 1),
        *("--layout", "none", "--plain", "--unmeasured", "--out", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    assert [output.request for output in texts(tmp_path / "out", "prompt")] == ["few:1"]


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        ("", (), ("一个请求也没有", "no request in asked.jsonl")),
        ("{}\n", (), ("没有 id", "no id of its own")),
        ('{"id": "a", "relationship": "boss", "tone": "formal"}\n{"id": "b"\n', (), ("第 2 行", "Line 2")),
        ('{"id": "a", "relationship": "nobody", "tone": "formal"}\n', (), ("nobody", "nearest")),
        (None, ("--systems", "prompt,magic"), ("没有叫 'magic'", "no system 'magic'")),
        (None, ("--systems", "prompt,lora-at-11"), ("没有叫 'lora-at-11'", "no system 'lora-at-11'")),
        (None, ("--temperature", -1), ("没有叫 'prompt-at--1'", "no system 'prompt-at--1'")),
        # Whatever is wrong with the last system is said before the first has written.
        (None, ("--model", "nowhere.gguf"), ("--model 指一个", "with --model")),
        (None, ("--systems", "prompt,rag", "--corpus", "nowhere"), ("没有语料", "no corpus")),
        (None, ("--study", "nowhere.json"), ("nowhere.json 不是", "nowhere.json is not")),
        (None, ("--check", ROOT / "pyproject.toml"), ("pyproject.toml", "pyproject.toml")),
        (None, ("--seeds", 0), ("--seeds 要在", "between 1 and 32")),
        (None, ("--requests", "nowhere.jsonl"), ("读不出来", "cannot be read")),
        (None, ("--base", "nowhere.gguf"), ("--base 指一个", "with --base")),
        (None, ("--systems", "lora", "--model", "nowhere.gguf"), ("--model 指一个", "with --model")),
        (None, ("--base", ROOT / "pyproject.toml"), ("不是模型文件", "is not a model file")),
        (None, ("--systems", "rag", "--corpus", "nowhere"), ("没有语料", "no corpus")),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(
    command: Callable[..., list[object]],
    tmp_path: Path,
    content: str | None,
    more: tuple[object, ...],
    said: tuple[str, str],
) -> None:
    if content is not None:
        asked = tmp_path / "asked.jsonl"
        asked.write_text(content, encoding="utf-8")
        more = ("--requests", asked)
    refused = run_step(*command(tmp_path / "out", *more))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr and all(words in refused.stderr for words in said), refused.stderr
    assert not list((tmp_path / "out").glob("outputs-*.jsonl"))
