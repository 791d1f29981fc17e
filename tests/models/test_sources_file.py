"""The base from a file somebody already has."""

import errno
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, storage_error
from app.models.manifest import BaseFile
from app.models.sources import fetch_base, part_path
from tests.models.manifests import base_of


def base_at(path: Path) -> BaseFile:
    return replace(base_of(path.read_bytes(), file="base.gguf"), pieces=None)


def fetch(file: Path, base: BaseFile, folder: Path) -> Path:
    return fetch_base(base, folder, str(file), lambda *_: None, lambda: False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "模型 文件夹"
    folder.mkdir()
    return folder


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than ``tmp_path``."""
    for place in (Path("/dev/shm"), Path("/var/tmp"), Path.home()):
        if place.is_dir() and os.access(place, os.W_OK) and place.stat().st_dev != tmp_path.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=place) as folder:
                yield Path(folder)
            return
    pytest.skip("only one file system here")


def test_on_the_same_disk_it_takes_no_room(tmp_path: Path, folder: Path, tiny_base: Path) -> None:
    mine = tmp_path / "我的 模型.gguf"
    mine.write_bytes(tiny_base.read_bytes())
    before = mine.stat()
    target = fetch(mine, base_at(mine), folder)
    assert target.samefile(mine)
    assert (mine.stat().st_mtime_ns, mine.stat().st_size) == (before.st_mtime_ns, before.st_size)
    target.unlink()
    assert mine.read_bytes() == tiny_base.read_bytes()


def test_through_a_symbolic_link_the_file_itself_is_taken(tmp_path: Path, folder: Path, tiny_base: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(tiny_base.read_bytes())
    link = tmp_path / "link.gguf"
    link.symlink_to(mine)
    target = fetch(link, base_at(mine), folder)
    assert target.samefile(mine) and not target.is_symlink()


def test_from_another_disk_it_is_copied_and_an_interrupted_copy_continued(
    folder: Path, other_disk: Path, tiny_base: Path
) -> None:
    mine = other_disk / "mine.gguf"
    mine.write_bytes(tiny_base.read_bytes() + bytes(5_000_000))
    base = base_at(mine)
    copied: list[int] = []

    def report(done: int, total: int, sentence: Sentence) -> None:
        if "复制" in sentence.zh:
            copied.append(done)

    with pytest.raises(Cancelled):
        fetch_base(base, folder, str(mine), report, lambda: bool(copied))
    assert part_path(base, folder).stat().st_size == copied[-1]
    target = fetch(mine, base, folder)
    assert target.read_bytes() == mine.read_bytes() and not target.samefile(mine)
    assert [entry.name for entry in folder.iterdir()] == ["base.gguf"]


def test_a_wrong_file_is_named_and_left_alone(tmp_path: Path, folder: Path, tiny_base: Path) -> None:
    whole = tiny_base.read_bytes()
    base = base_at(tiny_base)
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    cases = {"model_empty": b"", "model_foreign": b"<html>", "model_truncated": whole[:-5000], "model_other": flipped}
    mine = tmp_path / "mine.gguf"
    for code, content in cases.items():
        mine.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            fetch(mine, base, folder)
        assert caught.value.code == code
        assert mine.read_bytes() == content
        assert list(folder.iterdir()) == []


def test_no_such_file(tmp_path: Path, folder: Path, tiny_base: Path) -> None:
    with pytest.raises(ModelError) as caught:
        fetch(tmp_path / "nothing.gguf", base_at(tiny_base), folder)
    assert caught.value.code == "model_missing"


def test_a_model_of_another_size_is_another_model(folder: Path, tiny_base: Path) -> None:
    with pytest.raises(ModelError) as caught:
        fetch(tiny_base, replace(base_at(tiny_base), size=1_117_320_768, sha256="0" * 64), folder)
    assert caught.value.code == "model_other" and "1,117 MB" in caught.value.sentence.zh


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EACCES, "folder_unwritable"),
        (errno.EROFS, "folder_unwritable"),
        (errno.EIO, "storage_failed"),
    ],
)
def test_what_the_system_refuses_becomes_a_sentence(number: int, code: str) -> None:
    error = storage_error(OSError(number, os.strerror(number)), Path("/模型/a.part"))
    assert error.code == code
    assert "a.part" in error.sentence.zh and os.strerror(number) in error.detail
