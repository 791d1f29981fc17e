"""The page 模型 in a real window, with the real command in its child processes and a Hub on this machine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.gui.main_window import MainWindow, Options
from app.gui.models_page import ModelsPage
from app.gui.models_process import COMMAND
from app.models.manifest import load_manifest
from tests.commands.test_install import write_base
from tests.gui.conftest import STAND_IN
from tests.gui.models_page.bench import PATIENCE, Open
from tests.gui.waiting import wait
from tests.hub_server import HubServer
from tests.models.manifests import base_of, write_manifest
from tests.tiny import END_PULL

FILLER = 3_000_000  # bytes after the tiny base, so that there is a middle to stop in


@pytest.fixture(scope="module")
def base_file(tmp_path_factory: pytest.TempPathFactory, tiny_float_base: Path) -> Path:
    """A base whose greetings end, large enough to be stopped in the middle of."""
    path = write_base(tiny_float_base, tmp_path_factory.mktemp("page") / "base-f16.gguf", END_PULL + 20)
    with path.open("ab") as file:
        file.write(bytes(FILLER))
    return path


@pytest.fixture
def manifest(tmp_path: Path, base_file: Path, tiny_adapter: Path) -> Path:
    return write_manifest(tmp_path / "manifest.yaml", base_of(base_file.read_bytes()), tiny_adapter)


@pytest.fixture
def hub(manifest: Path, base_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    base = load_manifest(manifest).base
    with HubServer(base.repo, base.file, base_file.read_bytes()) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where ``open_window`` has the models."""
    return tmp_path / "models"


@pytest.fixture
def open_page(open_window: Callable[..., MainWindow], manifest: Path) -> Open:
    """Opens a window on the page 模型."""

    def open_one(engine: tuple[str, ...] = STAND_IN) -> ModelsPage:
        options = Options(engine_command=engine, models_command=COMMAND, manifest=manifest)
        window = open_window(options, ready=False)
        window.pages.show_place("models")
        page = window.pages.page
        assert isinstance(page, ModelsPage)
        wait(lambda: page.entries, "the list is there", PATIENCE)
        return page

    return open_one
