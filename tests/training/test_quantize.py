"""Every type can be made of floats, a merge can end in one, and what is refused leaves no file and says why."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.compose.catalog import load_catalog
from app.models.errors import ModelError
from app.models.gguf_file import read_header
from app.models.merge import merge_model
from tests.training.small_corpus import ROOT, few_records, run_step
from training.errors import TrainingError
from training.likelihood import measure
from training.quantize import TYPES, quantize
from training.whole_file import unwritten

CATALOG = load_catalog()


@pytest.mark.parametrize("type_name", TYPES)
def test_every_type_is_made_and_says_about_the_same(type_name: str, tiny_float_base: Path, tmp_path: Path):
    records = few_records(tmp_path / "corpus")
    folder = tmp_path / "模型"
    folder.mkdir()
    out = folder / f"拜年-{type_name}.gguf"
    if os.name == "nt":
        out = tmp_path / "拜年.gguf"
    quantize(tiny_float_base, out, type_name)
    header = read_header(out)
    assert header.metadata["general.file_type"] == TYPES[type_name]
    assert len(header.tensors) == len(read_header(tiny_float_base).tensors)
    assert not list(out.parent.glob("*.part"))
    expected = measure(tiny_float_base, records, CATALOG).loss
    assert measure(out, records, CATALOG).loss == pytest.approx(expected, abs=1.0 if type_name < "Q4" else 0.4)


def test_smaller_types_make_smaller_files(tiny_float_base: Path, tmp_path: Path):
    sizes = []
    for type_name in ("F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"):
        quantize(tiny_float_base, tmp_path / "m.gguf", type_name)
        sizes.append((tmp_path / "m.gguf").stat().st_size)
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes)


def test_a_quantized_file_goes_back_to_floats_but_not_to_another_type(tiny_base: Path, tmp_path: Path):
    quantize(tiny_base, tmp_path / "f16.gguf", "F16")
    assert {tensor.type for tensor in read_header(tmp_path / "f16.gguf").tensors} == {"F16", "F32"}
    with pytest.raises(TrainingError) as error:
        quantize(tiny_base, tmp_path / "m.gguf", "Q4_0")
    assert "python -m training merge" in error.value.sentence.zh and "inside its grid" in error.value.sentence.en
    assert not (tmp_path / "m.gguf").exists()


def test_what_is_no_model_is_refused(tiny_float_base: Path, tmp_path: Path):
    (tmp_path / "half.gguf").write_bytes(tiny_float_base.read_bytes()[:100_000])
    with pytest.raises(ModelError) as error:
        quantize(tmp_path / "half.gguf", tmp_path / "m.gguf")
    assert error.value.code == "model_truncated"


def test_a_file_llama_cpp_does_not_understand_is_refused(tiny_float_base: Path, tmp_path: Path):
    raw = tiny_float_base.read_bytes().replace(b"qwen2.block_count", b"qwen2.block_xxxxx")
    (tmp_path / "odd.gguf").write_bytes(raw)
    with pytest.raises(TrainingError) as error:
        quantize(tmp_path / "odd.gguf", tmp_path / "m.gguf")
    assert "odd.gguf" in error.value.sentence.zh and "block_count" in error.value.detail
    assert [path.name for path in tmp_path.iterdir()] == ["odd.gguf"]


def test_a_folder_that_is_not_there_is_named(tiny_float_base: Path, tmp_path: Path):
    with pytest.raises(TrainingError) as error:
        quantize(tiny_float_base, tmp_path / "nowhere" / "m.gguf")
    assert str(tmp_path / "nowhere") in error.value.sentence.zh


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_named(tiny_float_base: Path, tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(TrainingError) as error:
            quantize(tiny_float_base, tmp_path / "m.gguf")
    finally:
        tmp_path.chmod(0o700)
    assert "没有权限" in error.value.sentence.zh


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "磁盘写满"), (errno.EACCES, "没有权限"), (errno.EROFS, "没有权限"), (errno.EIO, "出错")],
)
def test_what_the_system_refuses_becomes_a_sentence(number: int, words: str, tmp_path: Path):
    error = unwritten(OSError(number, os.strerror(number)), tmp_path / "m.gguf")
    assert words in error.sentence.zh and "m.gguf" in error.sentence.en and os.strerror(number) in error.detail


_TO_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size=400k tmpfs "$1"
"$2" -m training quantize "$3" --out "$1/m.gguf" && exit 7
ls "$1"
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="needs a disk of its own")
def test_a_full_disk_is_said_and_nothing_stays(tiny_float_base: Path, tmp_path: Path):
    alone = ("unshare", "--user", "--map-root-user", "--mount")
    small = ["mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if subprocess.run([*alone, *small], capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    done = subprocess.run(
        [*alone, "bash", "-c", _TO_A_SMALL_DISK, "bash", tmp_path, sys.executable, tiny_float_base],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done
    assert "磁盘写满了" in done.stderr and "The disk is full" in done.stderr and "Traceback" not in done.stderr


_BEYOND_A_LIMIT = """
import resource, sys
from pathlib import Path
from training.errors import TrainingError
from training.quantize import quantize

resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    quantize(Path(sys.argv[1]), Path(sys.argv[2]))
except TrainingError as error:
    print(error.sentence.en, error.detail)
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such limit")
def test_a_disk_that_fails_leaves_nothing_under_the_name(tiny_float_base: Path, tmp_path: Path):
    command = [sys.executable, "-c", _BEYOND_A_LIMIT, tiny_float_base, tmp_path / "m.gguf"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    assert "m.gguf failed, the file is unfinished" in done.stdout and "File too large" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "nt", reason="elsewhere llama.cpp writes to any path")
def test_a_path_llama_cpp_cannot_write_on_windows_is_said(tiny_float_base: Path, tmp_path: Path):
    (tmp_path / "模型").mkdir()
    with pytest.raises(TrainingError) as error:
        quantize(tiny_float_base, tmp_path / "模型" / "m.gguf")
    assert "ASCII" in error.value.sentence.en


def test_a_merge_into_floats_can_end_in_a_type(tiny_float_base: Path, tiny_adapter: Path, tmp_path: Path):
    arguments = ("merge", "--base", tiny_float_base, "--adapter", tiny_adapter, "--whole-vocabulary")
    done = run_step(*arguments, "--type", "Q4_K_M", "--out", tmp_path / "m.gguf")
    assert done.returncode == 0, done.stderr
    header = read_header(tmp_path / "m.gguf")
    assert {tensor.type for tensor in header.tensors} == {"Q4_K", "Q6_K", "F32"}
    assert header.metadata["bainiantie.seed"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["m.gguf"]

    merge_model(tiny_float_base, tiny_adapter, tmp_path / "f16.gguf", vocabulary=None, seed=1, metadata={})
    quantize(tmp_path / "f16.gguf", tmp_path / "same.gguf")
    for tensor in header.tensors:
        same = read_header(tmp_path / "same.gguf").tensor(tensor.name)
        pair = [
            np.fromfile(tmp_path / name, np.uint8, tensor.nbytes, offset=each.offset)
            for name, each in (("m.gguf", tensor), ("same.gguf", same))
        ]
        assert np.array_equal(*pair), tensor.name


def test_a_quantized_base_keeps_its_type(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    arguments = ("merge", "--base", tiny_base, "--adapter", tiny_adapter, "--whole-vocabulary")
    refused = run_step(*arguments, "--type", "Q5_K_M", "--out", tmp_path / "m.gguf")
    assert refused.returncode == 1 and "is quantized already" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    named = run_step(*arguments, "--type", "Q4_K_M", "--out", tmp_path / "named.gguf")
    plain = run_step(*arguments, "--out", tmp_path / "plain.gguf")
    assert named.returncode == plain.returncode == 0, named.stderr
    assert (tmp_path / "named.gguf").read_bytes() == (tmp_path / "plain.gguf").read_bytes()


def test_what_a_merge_is_given_is_looked_at_first(tiny_base: Path, tmp_path: Path):
    nothing = run_step("merge", "--base", tiny_base, "--adapter", tmp_path / "none", "--out", tmp_path / "m.gguf")
    assert nothing.returncode == 1 and "Traceback" not in nothing.stderr
    nothing = run_step("merge", "--base", tmp_path / "none.gguf", "--out", tmp_path / "m.gguf")
    assert nothing.returncode == 1 and "找不到模型文件" in nothing.stderr


def test_rounding_to_nearest_loses_most_of_the_adapter(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    """Why the app never does it: without a seed few codes move, and the same ones each time."""
    changed = {}
    tensor = read_header(tiny_base).tensor("blk.0.attn_q.weight")
    before = np.fromfile(tiny_base, np.uint8, tensor.nbytes, offset=tensor.offset)
    for seed in (None, 1):
        out = tmp_path / f"{seed}.gguf"
        merge_model(tiny_base, tiny_adapter, out, vocabulary=None, seed=seed, metadata={})
        place = read_header(out).tensor(tensor.name)
        changed[seed] = np.mean(np.fromfile(out, np.uint8, tensor.nbytes, offset=place.offset) != before)
    assert 0 < changed[None] < 0.5 * changed[1]
