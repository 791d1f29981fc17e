"""A window on no screen, with its own settings and its own empty models folder, and waiting for what is to come."""

import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.compose.catalog import Catalog, load_catalog
from app.gui.application import make_application, make_window
from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow, Options
from app.gui.theme import Theme, load_faces
from app.gui.words import CHINESE, Words
from app.people.store import Store, open_store
from tests.gui.batch_bench import Bench, make_bench
from tests.gui.waiting import settle, wait
from tests.virtual_screen import virtual_screen

STAND_IN = (sys.executable, "-m", "tests.gui.stand_in_engine")
SLOWLY = (*STAND_IN, "--pace", "0.05")
INSTALLER = (sys.executable, "-m", "tests.gui.stand_in_installer")


@pytest.fixture(autouse=True)
def no_error_goes_unseen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Qt goes on after an exception in a slot; the test does not."""
    seen: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: seen.append("".join(traceback.format_exception(*error))))
    yield
    assert not seen, "\n".join(seen)


@pytest.fixture(scope="session")
def application() -> QApplication:
    """The one application of the session."""
    existing = QApplication.instance()
    return existing if isinstance(existing, QApplication) else make_application()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The catalogue of the program."""
    return load_catalog()


@pytest.fixture
def words(application: QApplication) -> Iterator[Words]:
    """Chinese, to begin with and again afterwards."""
    words = Words(CHINESE)
    yield words
    words.silence()


@pytest.fixture
def theme(application: QApplication) -> Iterator[Theme]:
    """Paper by day."""
    theme = Theme(application, load_faces(), "light")
    yield theme
    theme.deleteLater()
    settle()


@pytest.fixture
def open_window(
    application: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., MainWindow]]:
    """Opens windows as the program does; each is closed afterwards, with its child processes."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    monkeypatch.setenv("BAINIANTIE_MODELS", str(tmp_path / "models"))
    windows: list[MainWindow] = []

    def open_one(
        options: Options, language: str | None = None, theme: str | None = None, ready: bool = True
    ) -> MainWindow:
        data = options.data or tmp_path / "data"
        window = make_window(application, replace(options, data=data), language, theme)
        windows.append(window)
        window.painted.connect(window.begin)
        window.show()
        if ready:
            wait(lambda: window.engine.state is Engine.READY, "the engine is ready")
        return window

    yield open_one
    for window in windows:
        window.close()
        window.words.silence()
        window.deleteLater()
    settle()


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """A window whose engine is the stand-in, ready to write."""
    return open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))


@pytest.fixture
def slow_window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """A window whose engine writes so slowly that one can act in the middle of it."""
    return open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=SLOWLY))


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """The environment of a real X screen: the one that is there, or one started for the test."""
    if os.environ.get("DISPLAY"):
        yield {}
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no display, and Xvfb is not installed")
    with virtual_screen() as display:
        yield {"DISPLAY": display}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A file of people of its own, empty."""
    opened = open_store(tmp_path / "people.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store) -> Bench:
    """A batch without a window, over the file."""
    return make_bench(store)
