"""The step ``lora``, from recipe to adapter: killed anywhere it ends with the same bytes; it says what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from app.models.adapter import read_adapter
from app.models.errors import ModelError
from app.models.gguf_file import read_header
from app.models.gguf_header import write_header
from app.models.merge import merge_model
from app.models.verify import sha256_of
from tests import tiny
from tests.training.small_corpus import RECORDS, ROOT
from tests.training.tiny_run import lines_of, start_lora, stopped, workspace
from training.adapter_folder import read_facts
from training.errors import TrainingError
from training.likelihood import measure
from training.lora import tune
from training.prepare import prepare
from training.workspace import Workspace

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

EPOCHS = 8  # so many that a process is stopped well before it is done


@pytest.fixture(scope="module")
def whole(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A run nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    made = workspace(folder, tiny_base, tuning={"epochs": EPOCHS}, checkpoint_seconds=0)
    prepare(made)
    tune(made)
    return made


def _said(made: Workspace) -> tuple[str, str]:
    """The sentences a run is refused with."""
    with pytest.raises((TrainingError, ModelError)) as error:
        prepare(made)
        tune(made)
    return error.value.sentence.zh, error.value.sentence.en


def test_the_adapter_is_better_than_the_base_and_says_what_it_was_made_of(whole: Workspace, tiny_base: Path):
    folder = whole.tuning / "adapter"
    facts = read_facts(folder)
    assert facts is not None
    looks = [line for line in lines_of(folder / "metrics.jsonl") if "validation_loss" in line]
    assert facts["validation_loss"] == min(look["validation_loss"] for look in looks)
    assert facts["validation_loss"] < looks[0]["validation_loss"] - 0.5
    assert facts["base"] == {"file": tiny_base.name, "sha256": sha256_of(tiny_base)}
    assert facts["recipe"] == whole.recipe.text and facts["seed"] == 3 and facts["threads"] == 1
    assert facts["records"] == {"train": len(whole.split.train), "validation": 8}
    assert facts["tokens"]["train"] > facts["tokens"]["train_answers"] > 0
    assert facts["steps"] == max(line["step"] for line in lines_of(folder / "metrics.jsonl"))
    changed = sum(change.up.size + change.down.size for change in read_adapter(folder).values())
    assert facts["parameters"] == changed
    assert str(whole.folder) not in json.dumps(facts)
    assert not list(whole.folder.rglob("*.part")) and not (whole.tuning / "below.bf16").exists()


def test_what_is_done_is_not_done_again(whole: Workspace):
    made = whole.tuning / "adapter" / "adapter_model.safetensors"
    before = made.stat().st_mtime_ns, whole.base.stat().st_mtime_ns
    again = Workspace(whole.recipe, whole.folder)
    prepare(again)
    assert tune(again) == made.parent
    assert (made.stat().st_mtime_ns, again.base.stat().st_mtime_ns) == before
    shutil.rmtree(made.parent)  # the checkpoint knows it all
    tune(again)
    assert made.is_file()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
def test_killed_at_several_moments_and_started_again_it_ends_with_the_same_bytes(whole: Workspace, tmp_path: Path):
    out = tmp_path / "run"
    metrics, checkpoint = out / "tuning" / "metrics.jsonl", out / "tuning" / "checkpoint.pt"
    recipe = whole.recipe.path

    status, _ = stopped(start_lora(recipe, out), (out / "prepared.json").exists, signal.SIGKILL)
    assert status == -signal.SIGKILL and not checkpoint.exists()
    status, _ = stopped(start_lora(recipe, out), lambda: len(lines_of(metrics)) > 6, signal.SIGKILL)
    assert status == -signal.SIGKILL
    reached = len(lines_of(metrics))
    status, said = stopped(start_lora(recipe, out), lambda: len(lines_of(metrics)) > reached + 8, signal.SIGTERM)
    assert status == 130 and said.endswith("再运行一次就接着来。\nStopped. What is done is kept; run again to go on.\n")
    assert "Traceback" not in said and "Warning" not in said and "%|" not in said  # nobody's but ours
    steps = [line["step"] for line in lines_of(metrics) if "loss" in line]
    assert torch.load(checkpoint, weights_only=True)["step"] == steps[-1] and steps == [*range(1, steps[-1] + 1)]
    last = start_lora(recipe, out)
    printed, said = last.communicate()
    assert last.returncode == 0, said
    assert "nats per token after step" in printed and "lora 0/" not in said  # it went on, not anew

    for path in (whole.tuning / "adapter").iterdir():
        assert (out / "tuning" / "adapter" / path.name).read_bytes() == path.read_bytes(), path.name


def test_two_runs_in_one_folder_do_not_disturb_each_other(whole: Workspace):
    with whole.alone():
        second = start_lora(whole.recipe.path, whole.folder)
        _, said = second.communicate()
    assert second.returncode == 1 and "正在这个文件夹里训练" in said and "Traceback" not in said
    with whole.alone():
        pass  # the first has let go of it


def test_whatever_a_run_depends_on_makes_it_another_run(whole: Workspace, tiny_float_base: Path, tmp_path: Path):
    def identity(**changes: Any) -> str:
        made = workspace(tmp_path, Path(whole.recipe.base.file), **changes)
        return made.identity("lora", made.recipe.adapter, made.recipe.tuning)

    first = identity()
    assert identity(name="other", title="别的", merge={"seed": 5}, checkpoint_seconds=7) == first
    changes: tuple[dict[str, Any], ...] = ({"seed": 4}, {"tuning": {"learning_rate": 2e-3}}, {"adapter": {"rank": 8}})
    for change in (*changes, {"vocabulary": "whole"}, {"base": {"file": str(tiny_float_base)}}):
        assert identity(**change) != first, change
    with (tmp_path / "corpus" / "few.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert identity() != first


def test_another_corpus_on_another_family_trains_and_merges(tmp_path: Path):
    """A Llama with its own special tokens, every layer adapted, on three records of one kind and nothing to test."""
    base = tmp_path / "llama.gguf"
    tiny.write_float_llama_base(base)
    corpus = tmp_path / "语料"
    corpus.mkdir()
    texts = ("新年快乐，万事如意。", "万事如意，阖家幸福。", "新年快乐，阖家幸福，万事如意。")
    lines = [json.dumps({**RECORDS[0], "text": text}, ensure_ascii=False) for text in texts]
    (corpus / "mine.jsonl").write_text("\n".join([*lines[:2], "", *lines[2:], ""]), encoding="utf-8")
    (corpus / "split.json").write_text('{"validation": ["mine:4"], "test": []}')
    settings = {"corpus": "语料", "adapter": {"first_layer": 0}, "tuning": {"epochs": 30, "learning_rate": 2e-3}}
    (tmp_path / "corpus").mkdir()
    refused = workspace(tmp_path, base, **settings)
    zh, en = _said(refused)
    assert "vocabulary: whole" in zh and "vocabulary: whole" in en

    made = workspace(tmp_path, base, vocabulary="whole", **settings)
    prepare(made)
    folder = tune(made)
    assert made.base == base and len(read_adapter(folder)) == 7 * tiny.LAYERS
    facts = read_facts(folder)
    assert facts is not None and facts["steps"] == 30
    merge_model(base, folder, tmp_path / "m.gguf", vocabulary=None, seed=1, metadata={})
    before = measure(base, made.split.validation, made.catalog).loss
    after = measure(tmp_path / "m.gguf", made.split.validation, made.catalog).loss
    assert after < before - 0.5
    assert after == pytest.approx(facts["validation_loss"], abs=0.05)

    refused = workspace(tmp_path, base, vocabulary="whole", **{**settings, "tuning": {"batch_tokens": 64}})
    assert "mine:" in _said(refused)[1] and "more than batch_tokens (64)" in _said(refused)[1]


def test_few_records_on_a_trimmed_base_train(tiny_base: Path, tmp_path: Path):
    """The same strange corpus with the vocabulary chosen for it."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    lines = [json.dumps(record, ensure_ascii=False) for record in RECORDS[:2]]
    (corpus / "mine.jsonl").write_text(lines[0].replace("，", "，\u2028") + "\n\n" + lines[1], encoding="utf-8")
    (corpus / "split.json").write_text('{"validation": ["mine:3"], "test": []}')
    made = workspace(tmp_path, tiny_base, tuning={"epochs": 1})
    prepare(made)
    assert (read_facts(tune(made)) or {})["records"] == {"train": 1, "validation": 1}


def _with_value(path: Path, key: str, value: str, out: Path) -> Path:
    """A copy of a GGUF file in which the header says one thing otherwise, or more."""
    header = read_header(path)
    kinds = header.kinds | {key: header.kinds["general.architecture"]}
    tensors = [(tensor.name, tensor.type, tensor.shape) for tensor in header.tensors]
    with out.open("wb") as file:
        write_header(file, header.metadata | {key: value}, kinds, tensors)
        file.write(path.read_bytes()[header.data_offset :])
    return out


def test_a_base_that_cannot_be_trained_is_refused_with_a_sentence(tiny_base: Path, tmp_path: Path):
    zh, en = _said(workspace(tmp_path, tmp_path / "none.gguf"))
    assert "none.gguf 不在" in zh and "base.file" in en
    zh, en = _said(workspace(tmp_path, tiny_base, base={"sha256": "0" * 64}))
    assert "SHA-256 对不上" in zh and tiny_base.name in en
    (tmp_path / "page.gguf").write_bytes(b"<html>" * 100)
    assert "一个网页" in _said(workspace(tmp_path, tmp_path / "page.gguf"))[0]
    (tmp_path / "half.gguf").write_bytes(tiny_base.read_bytes()[:200_000])
    zh, en = _said(workspace(tmp_path, tmp_path / "half.gguf"))
    assert "half.gguf" in zh and "half.gguf" in en
    for family, reason in (("bert", "of a kind that does not write text"), ("phi3", "Qwen3")):
        other = _with_value(tiny_base, "general.architecture", family, tmp_path / f"{family}.gguf")
        zh, en = _said(workspace(tmp_path, other))
        assert family in zh and family in en and reason in en.replace("qwen3", "Qwen3")
    stretched = _with_value(tiny_base, "qwen2.rope.scaling.type", "yarn", tmp_path / "long.gguf")
    zh, en = _said(workspace(tmp_path, stretched))
    assert "rope.scaling" in zh and "without stretching" in en
    upper = {"sha256": sha256_of(tiny_base).upper()}
    prepare(workspace(tmp_path, tiny_base, base=upper))
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"base.gguf", "vocabulary.txt", "prepared.json"}


def test_a_corpus_that_cannot_be_trained_on_is_refused_with_file_and_line(tiny_base: Path, tmp_path: Path):
    zh, en = _said(workspace(tmp_path, tiny_base, corpus="nowhere"))
    assert "nowhere 里没有语料" in zh and "nowhere" in en
    made = workspace(tmp_path, tiny_base)
    few, split = tmp_path / "corpus" / "few.jsonl", tmp_path / "corpus" / "split.json"
    lines, ids = few.read_text(encoding="utf-8").splitlines(), json.loads(split.read_text())
    few.write_text("\n".join([*lines[:11], '{"relationship": "boss", oops}', *lines[11:]]), encoding="utf-8")
    zh, en = _said(made)
    assert "few.jsonl 第 12 行" in zh and "Line 12 of few.jsonl" in en
    few.write_text("\n".join(lines), encoding="utf-8")
    for wrong, said in (
        ({"validation": [], "test": ids["test"]}, "python -m training split"),
        ({"validation": [f"few:{number}" for number in range(1, len(lines) + 1)], "test": []}, "nothing to train on"),
        ({"validation": ["few:1000"], "test": []}, "few:1000"),
    ):
        split.write_text(json.dumps(wrong))
        assert said in _said(workspace(tmp_path, tiny_base))[1]
    split.unlink()
    assert "split.json" in _said(workspace(tmp_path, tiny_base))[1]
    assert not (tmp_path / "run").exists()  # nothing was begun


def test_what_is_not_installed_is_named(whole: Workspace, tmp_path: Path):
    without = "import sys; sys.modules['torch'] = None; from training.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", without, "lora", "--recipe", whole.recipe.path, "--out", tmp_path / "run"]
    environment = os.environ | {"BAINIANTIE_ALLOCATOR": "1"}  # no second start of the process
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1 and "python3 run.py training" in done.stderr and "Traceback" not in done.stderr
    assert "要用 torch" in done.stderr and "needs torch" in done.stderr


_ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size=1100k tmpfs "$1"
OMP_NUM_THREADS=1 "$2" -m training lora --recipe "$3" --out "$1" && exit 7
cd "$1" && find . -type f | sort
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="needs a disk of its own")
def test_a_full_disk_is_said_and_only_what_is_whole_stays(whole: Workspace, tmp_path: Path):
    """The trimmed base finds room (0.96 MB), the checkpoint (0.25 MB) does not."""
    alone = ("unshare", "--user", "--map-root-user", "--mount")
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    command = [*alone, "bash", "-c", _ON_A_SMALL_DISK, "bash", tmp_path, sys.executable, whole.recipe.path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done
    assert "磁盘写满了" in done.stderr and "The disk is full" in done.stderr and "Traceback" not in done.stderr
    kept = done.stdout.split()
    assert "./base.gguf" in kept and not any(name.endswith((".part", "checkpoint.pt")) for name in kept), kept
