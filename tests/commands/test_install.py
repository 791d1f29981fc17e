"""``python -m app install`` as it is run: its lines, its end, how it is stopped; the trial is the real engine's."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands.progress_bar import ProgressBar
from app.compose.sentence import Sentence
from app.models.gguf_file import read_header
from app.models.install import find_built
from app.models.manifest import load_manifest
from app.models.progress import STEPS, Progress
from app.models.sources import part_path
from app.models.verify import sha256_of
from tests.hub_server import HubServer, until
from tests.models.manifests import REPOSITORY, base_of, write_manifest
from tests.tiny import END_PULL, HIDDEN


def write_base(source: Path, target: Path, pull: float) -> Path:
    """The tiny F16 model with the end of the turn pulled so far along what all activations have in common."""
    header = read_header(source)
    output = header.tensor("output.weight")
    assert output is not None and output.type == "F16"
    token = header.metadata["tokenizer.ggml.tokens"].index("<|im_end|>")
    content = bytearray(source.read_bytes())
    row = np.frombuffer(content, np.float16, HIDDEN, output.offset + 2 * HIDDEN * token)
    embeddings = header.tensor("token_embd.weight")
    assert embeddings is not None
    common = np.frombuffer(content, np.float16, embeddings.rows * HIDDEN, embeddings.offset).reshape(-1, HIDDEN)
    row += ((pull - END_PULL) * np.sign(common.astype(np.float32).mean(0)) / HIDDEN).astype(np.float16)
    target.write_bytes(content)
    return target


@pytest.fixture(scope="module")
def terse_base(tmp_path_factory: pytest.TempPathFactory, tiny_float_base: Path) -> Path:
    """A model that ends its turn soon."""
    return write_base(tiny_float_base, tmp_path_factory.mktemp("terse") / "terse-f16.gguf", END_PULL + 20)


@pytest.fixture
def manifest(tmp_path: Path, terse_base: Path, tiny_adapter: Path) -> Path:
    return write_manifest(tmp_path / "清单 manifest.yaml", base_of(terse_base.read_bytes()), tiny_adapter)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "模型 文件夹"


def command(manifest: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "app", "install", "--manifest", str(manifest), *map(str, arguments)]


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def run(manifest: Path, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(manifest, *arguments),
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


@contextmanager
def running(manifest: Path, *arguments: object, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A process whose standard input we hold."""
    with subprocess.Popen(
        command(manifest, *arguments),
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def direct(hub: HubServer) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.endpoint, "NO_PROXY": "*", "no_proxy": "*"}


def test_json_lines_end_with_the_installed_model(manifest: Path, folder: Path, terse_base: Path) -> None:
    answer = run(manifest, "--source", terse_base, "--json", BAINIANTIE_MODELS=str(folder))
    *progress, last = lines(answer.stdout)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert {line["type"] for line in progress} == {"progress"}
    assert [*dict.fromkeys(line["step"] for line in progress)] == list(STEPS)
    assert all(line["zh"] and line["en"] and line["done"] >= 0 <= line["total"] for line in progress)
    model = folder / "tiny-q4_k_m.gguf"
    said = {"zh": f"模型已就绪：{model}", "en": f"The model is ready: {model}"}
    assert last == {"type": "installed", "path": str(model), "sha256": sha256_of(model)} | said
    assert find_built(folder, load_manifest(manifest)) is not None


def test_json_lines_end_with_the_error(manifest: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>")
    answer = run(manifest, "--source", tmp_path / "page.gguf", "--json", "--folder", folder)
    last = lines(answer.stdout)[-1]
    assert answer.returncode == 1
    assert (last["type"], last["code"]) == ("error", "model_foreign")
    assert "网页" in last["zh"] and "web page" in last["en"] and last["detail"]


def test_a_person_reads_lines_and_sentences(manifest: Path, folder: Path, terse_base: Path) -> None:
    answer = run(manifest, "--source", terse_base, "--folder", folder, LC_ALL="zh_CN.UTF-8")
    assert answer.returncode == 0
    assert "正在试写一条祝福" in answer.stdout and f"模型已就绪：{folder}" in answer.stdout
    assert "\r" not in answer.stdout
    wrong = run(manifest, "--source", folder / "没有.gguf", "--folder", folder / "else", LC_ALL="en_US.UTF-8")
    assert wrong.returncode == 1
    assert "找不到模型文件" in wrong.stderr and "is not there" in wrong.stderr and "Traceback" not in wrong.stderr


def test_a_broken_manifest_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text("bass: 1\n")
    answer = run(tmp_path / "manifest.yaml", "--json", "--folder", tmp_path)
    last = lines(answer.stdout)[-1]
    assert answer.returncode == 1 and last["type"] == "error" and "base" in last["en"]


def test_a_model_that_writes_nothing_is_not_put_in_place(
    tmp_path: Path, folder: Path, tiny_float_base: Path, tiny_adapter: Path
) -> None:
    base = write_base(tiny_float_base, tmp_path / "endless.gguf", END_PULL - 100)
    manifest = write_manifest(tmp_path / "manifest.yaml", base_of(base.read_bytes()), tiny_adapter)
    answer = run(manifest, "--source", base, "--json", "--folder", folder)
    last = lines(answer.stdout)[-1]
    assert (answer.returncode, last["type"], last["code"]) == (1, "error", "trial_failed")
    assert "试写" in last["zh"] and last["detail"].count("length") == 3
    assert not (folder / "tiny-q4_k_m.gguf").exists()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "input"])
def test_stopped_while_the_line_stands_still_it_ends_within_two_seconds(
    manifest: Path, folder: Path, terse_base: Path, how: str
) -> None:
    content = terse_base.read_bytes()
    base = load_manifest(manifest).base
    part = part_path(base, folder / "base")
    with HubServer(base.repo, base.file, content) as hub:
        hub.behaviour.stalls = [200_000]
        with running(manifest, "--source", "hub", "--json", "--folder", folder, **direct(hub)) as process:
            until(lambda: part.exists() and part.stat().st_size == 200_000)
            begun = time.monotonic()
            if how == "input":
                assert process.stdin is not None
                process.stdin.close()
                process.stdin = None
            else:
                process.send_signal(getattr(signal, how))
            output, _ = process.communicate(timeout=60)
            assert time.monotonic() - begun < 2.5
            assert process.returncode == 130
        assert lines(output)[-1]["code"] == "cancelled"
        assert part.stat().st_size == 200_000
        answer = run(manifest, "--source", "hub", "--json", "--folder", folder, **direct(hub))
        assert lines(answer.stdout)[-1]["type"] == "installed"
        assert hub.downloads[-1].range == "bytes=200000-"


def test_when_nobody_reads_its_lines_any_more_it_ends(manifest: Path, folder: Path, terse_base: Path) -> None:
    base = load_manifest(manifest).base
    part = part_path(base, folder / "base")
    with HubServer(base.repo, base.file, terse_base.read_bytes()) as hub:
        hub.behaviour.cuts = [1000] * 1000  # so that there is always something to tell
        with running(manifest, "--source", "hub", "--json", "--folder", folder, **direct(hub)) as process:
            until(lambda: part.exists() and part.stat().st_size)
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert process.wait(60) != 0
            assert "Traceback" not in process.stderr.read()
        assert part.exists()


def test_the_null_device_is_nobody_to_be_missed(manifest: Path, folder: Path, terse_base: Path) -> None:
    answer = run(manifest, "--source", terse_base, "--json", "--folder", folder)
    assert lines(answer.stdout)[-1]["type"] == "installed"


class Screen(StringIO):
    """A terminal of 60 columns."""

    def isatty(self) -> bool:
        return True


def test_the_bar_fits_its_line_and_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    screen = Screen()
    bar = ProgressBar(screen, "zh")
    sentence = Sentence("正在从包索引下载基础模型：559 MB / 1,117 MB（第 11/22 份）", "Downloading")
    bar.show(Progress("download", 559, 1117, sentence))
    bar.show(replace(Progress("merge", 0, 0, sentence)))
    bar.close()
    first, second, rest = screen.getvalue().split("\n")
    assert " 50%" in first and "正在从包索引下载" in first and first.count("█") == 10
    width = sum(2 if "\u2e80" <= character <= "\uffef" else 1 for character in first.strip("\r").removesuffix("\x1b[K"))
    assert width < 60
    assert "…" in second or "%" not in second
    assert rest == ""


def test_a_log_gets_a_line_now_and_then() -> None:
    log = StringIO()
    bar = ProgressBar(log, "en")
    for done in range(1000):
        bar.show(Progress("download", done, 1000, Sentence("下载", "Downloading")))
    bar.close()
    assert log.getvalue().count("\n") == 10
    assert "Downloading (50%)" in log.getvalue()
