"""Every way a model file can be wrong has its own code and its own sentence."""

import gzip
import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from app.compose.prompt import CHAT_TEMPLATE
from app.models.errors import Cancelled, ModelError
from app.models.verify import is_tuned, sha256_of, verify_model


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_small(
    path: Path,
    architecture: str = "qwen2",
    tokenizer: bool = True,
    tensors: bool = True,
    parts: int = 1,
    type: str = "model",
    template: str | None = None,
) -> Path:
    """A GGUF file that is whole and says no more of itself than is asked."""
    writer = gguf.GGUFWriter(path, architecture)
    if tokenizer:
        writer.add_tokenizer_model("gpt2")
        writer.add_token_list(["a", "b"])
    writer.add_type(type)
    if template is not None:
        writer.add_chat_template(template)
    if parts > 1:
        writer.add_uint16("split.count", parts)
    if tensors:
        writer.add_tensor("token_embd.weight", np.zeros((2, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def caught(path: Path, sha256: str | None = None) -> ModelError:
    with pytest.raises(ModelError) as error:
        verify_model(path, sha256=sha256)
    assert error.value.sentence.zh != error.value.sentence.en
    return error.value


def test_a_whole_model_passes_with_and_without_its_hash(tiny_base: Path) -> None:
    steps: list[tuple[int, int]] = []
    header = verify_model(tiny_base, sha256=hash_of(tiny_base).upper(), progress=lambda *step: steps.append(step))
    assert header.metadata["general.architecture"] == "qwen2"
    assert steps[-1] == (tiny_base.stat().st_size, tiny_base.stat().st_size)
    verify_model(tiny_base, sha256=None)


def test_a_missing_file(tmp_path: Path) -> None:
    error = caught(tmp_path / "模型 没有.gguf")
    assert error.code == "model_missing"
    assert "找不到模型文件" in error.sentence.zh and "模型 没有.gguf" in error.sentence.zh


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "空.gguf"
    path.touch()
    error = caught(path)
    assert error.code == "model_empty"
    assert "0 字节" in error.sentence.zh


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.gguf", b"GGUF")


@pytest.mark.parametrize(
    ("write", "zh", "en"),
    [
        (lambda path: path.write_text("<!DOCTYPE html><title>Login</title>"), "一个网页", "a web page"),
        (lambda path: path.write_text("\ufeff\n  <HTML>"), "一个网页", "a web page"),
        (lambda path: path.write_text("version https://git-lfs"), "Git LFS 占位文件", "Git LFS pointer"),
        (write_zip, "zip 压缩包", "zip archive"),
        (lambda path: path.write_bytes(gzip.compress(b"GGUF")), "gzip 压缩包", "gzip archive"),
        (lambda path: path.write_text(json.dumps({"error": "nope"})), "JSON 文件", "JSON file"),
        (lambda path: path.write_text("这是一段文字。\n" * 100, encoding="utf-8"), "一个文本文件", "a text file"),
        (lambda path: path.write_bytes(random.Random(1).randbytes(5000)), "别的格式", "another format"),
    ],
)  # fmt: skip
def test_a_foreign_file_is_called_what_it_is(tmp_path: Path, write: Callable[[Path], None], zh: str, en: str) -> None:
    path = tmp_path / "model.gguf"
    write(path)
    error = caught(path, "0" * 64)
    assert error.code == "model_foreign"
    assert zh in error.sentence.zh and en in error.sentence.en


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    assert caught(tmp_path).code == "model_foreign"


def test_a_truncated_file_says_how_much_of_it_is_there(tmp_path: Path, tiny_base: Path) -> None:
    whole = tiny_base.read_bytes()
    path = tmp_path / "model.gguf"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    error = caught(path, hash_of(tiny_base))
    assert error.code == "model_truncated"
    shown = [
        f"{round(size / 1e6):,} MB" if size >= 1e6 else f"{-(-size // 1000):,} KB"
        for size in (len(whole) * 3 // 4, len(whole))
    ]
    assert all(size in error.sentence.zh and size in error.sentence.en for size in shown)


@pytest.mark.parametrize("length", [1, 3, 4, 11, 24, 500, 5000])
def test_a_file_cut_inside_its_header_is_truncated(tmp_path: Path, tiny_base: Path, length: int) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_base.read_bytes()[:length])
    assert caught(path).code == "model_truncated"


def test_one_flipped_byte_is_found_by_the_hash_alone(tmp_path: Path, tiny_base: Path) -> None:
    content = bytearray(tiny_base.read_bytes())
    content[-100] ^= 1
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    verify_model(path, sha256=None)
    error = caught(path, hash_of(tiny_base))
    assert error.code == "model_damaged"
    assert "校验和" in error.sentence.zh
    assert hash_of(tiny_base) in error.detail


def test_a_header_that_contradicts_itself_is_damaged(tmp_path: Path, tiny_base: Path) -> None:
    content = bytearray(tiny_base.read_bytes())
    content[8:16] = b"\xff" * 8  # the number of tensors
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert caught(path).code == "model_damaged"


@pytest.mark.parametrize(
    ("settings", "zh"),
    [
        ({"architecture": "nomic-bert"}, "nomic-bert"),
        ({"architecture": "clip"}, "不会写文字"),
        ({"architecture": "llama", "type": "adapter"}, "LoRA 适配器"),
        ({"type": "mmproj"}, "看图用的附件"),
        ({"tokenizer": False}, "词表"),
        ({"tensors": False}, "没有权重"),
        ({"parts": 3}, "分卷"),
    ],
)
def test_a_whole_file_we_cannot_use_is_unsupported(tmp_path: Path, settings: dict[str, object], zh: str) -> None:
    error = caught(write_small(tmp_path / "model.gguf", **settings))  # type: ignore[arg-type]
    assert error.code == "model_unsupported"
    assert zh in error.sentence.zh


@pytest.mark.parametrize("architecture", ["qwen2", "gemma3", "phi3", "a-family-of-next-year"])
def test_whether_a_family_is_known_is_for_llama_cpp_to_say(tmp_path: Path, architecture: str) -> None:
    verify_model(write_small(tmp_path / "model.gguf", architecture), sha256=None)


def test_a_model_is_tuned_when_it_carries_our_prompt_and_needs_a_template_when_not(tmp_path: Path) -> None:
    def tuned(template: str | None) -> bool:
        path = write_small(tmp_path / "model.gguf", template=template)
        return is_tuned(path, verify_model(path, sha256=None))

    assert tuned(CHAT_TEMPLATE) is True
    assert tuned("{{ messages[0]['content'] }}") is False
    with pytest.raises(ModelError) as error:
        tuned(None)
    assert error.value.code == "model_speechless" and "Instruct" in error.value.sentence.zh


def test_hashing_stops_when_told_to(tiny_base: Path) -> None:
    with pytest.raises(Cancelled):
        verify_model(tiny_base, sha256="0" * 64, cancelled=lambda: True)
    with pytest.raises(Cancelled):
        sha256_of(tiny_base, cancelled=lambda: True)


def test_the_sentences_of_all_faults_differ(tmp_path: Path, tiny_base: Path) -> None:
    whole = tiny_base.read_bytes()
    files = {"missing": None, "empty": b"", "foreign": b"<html>", "cut": whole[:-1000], "flipped": whole[:-1] + b"\x99"}
    sentences = set()
    for content in files.values():
        path = tmp_path / "model.gguf"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        sentences.add(caught(path, hash_of(tiny_base)).sentence)
    assert len(sentences) == len(files)
