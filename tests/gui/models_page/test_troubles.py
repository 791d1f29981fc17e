"""The page 模型 when what it fetches from fails in the middle: what it says, and that it goes on from there."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.models.inventory import State
from app.models.manifest import load_manifest
from tests.gui.models_page.bench import PATIENCE, STANDING_STILL, Open, idle, part_of, press, state_of
from tests.gui.waiting import wait
from tests.hub_server import HubServer
from tests.index_server import IndexServer, write_index
from tests.people.test_store import mounted

DISK = "size=90m"  # the base and what is to stay free, and not much more


@pytest.fixture
def from_source(folder: Path) -> Callable[[str], None]:
    """Sets where models are fetched from."""

    def choose(source: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "fetching.yaml").write_text(f"source: {source}\n", encoding="utf-8")

    return choose


@pytest.fixture
def index(tmp_path: Path, manifest: Path, base_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    with IndexServer(tmp_path / "index") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        yield server


def begun(part: Path, size: int) -> None:
    """Wait until so many bytes are here."""
    wait(lambda: part.exists() and part.stat().st_size >= size, "a part is here", PATIENCE)


def test_a_line_that_stands_still_is_said_and_taken_up_again_where_it_stood(
    open_page: Open,
    hub: HubServer,
    folder: Path,
    manifest: Path,
    from_source: Callable[[str], None],
) -> None:
    from_source("hub")
    hub.behaviour.stalls = [1_000_000, *STANDING_STILL]
    page = open_page()
    row = page.rows["base"]
    press(row.main)
    begun(part_of(folder, manifest), 1_000_000)
    wait(lambda: "暂时没有数据过来" in row.figures.text(), "it is said that it waits", PATIENCE)
    assert "MB/s" not in row.figures.text()
    press(row.main)
    idle(page)
    wait(lambda: row.main.text() == "继续下载", "it is paused", PATIENCE)
    hub.behaviour.stalls = []
    press(row.main)
    wait(lambda: state_of(page, "base") is State.READY, "it is there", PATIENCE)
    assert hub.downloads[-1].range == "bytes=1000000-"


def test_the_package_index_gives_it_piece_by_piece_and_is_paused_between_two(
    open_page: Open,
    index: IndexServer,
    manifest: Path,
    base_file: Path,
    folder: Path,
    from_source: Callable[[str], None],
    tmp_path: Path,
) -> None:
    from_source("index")
    base = load_manifest(manifest).base
    write_index(tmp_path / "index", base, base_file.read_bytes())
    assert base.pieces is not None
    index.hold = rf"{base.pieces.package.format(number=2).replace('-', '.')}.*\.whl"
    page = open_page()
    row = page.rows["base"]
    press(row.main)
    begun(part_of(folder, manifest), base.pieces.size)
    wait(lambda: "软件包索引" in row.message.text() and "第 2/3 份" in row.message.text(), "how far it is", PATIENCE)
    press(row.main)
    idle(page)
    wait(lambda: row.main.text() == "继续下载", "it is paused", PATIENCE)
    first = [name for name in index.wheels if "part1" in name]
    index.release()
    press(row.main)
    wait(lambda: state_of(page, "base") is State.READY, "it is there", PATIENCE)
    assert [name for name in index.wheels if "part1" in name] == first, "what was there was not fetched again"


def test_a_piece_the_index_does_not_have_is_a_sentence(
    open_page: Open,
    index: IndexServer,
    from_source: Callable[[str], None],
) -> None:
    from_source("index")
    page = open_page()
    press(page.rows["base"].main)
    wait(page.banner.isVisible, "it is said", PATIENCE)
    assert "软件包索引上找不到 bainian-part1==1.0" in page.banner.message.text()
    assert "换成模型站" in page.banner.message.text()
    idle(page)
    assert page.rows["base"].main.isEnabled()


def test_a_disk_that_fills_up_on_the_way_is_said_and_it_goes_on_with_more_room(
    open_page: Open,
    hub: HubServer,
    folder: Path,
    manifest: Path,
    from_source: Callable[[str], None],
) -> None:
    mounted(folder, DISK)
    try:
        from_source("hub")
        hub.behaviour.stalls = [1_000_000]
        page = open_page()
        row = page.rows["base"]
        press(row.main)
        begun(part_of(folder, manifest), 1_000_000)
        fill(folder / "somebody-else's")
        hub.release()
        wait(page.banner.isVisible, "it is said", PATIENCE)
        said = page.banner.message.text()
        assert "磁盘写满了" in said and "腾出一些空间再继续" in said and "不会丢" in said
        idle(page)
        assert row.main.text() == "继续下载"
        (folder / "somebody-else's").unlink()
        press(row.main)
        wait(lambda: state_of(page, "base") is State.READY, "it is there", PATIENCE)
        assert hub.downloads[-1].range is not None, "it went on"
        page.window().close()
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1):
            try:
                while file.write(bytes(size)) == size:
                    continue
            except OSError:
                continue
