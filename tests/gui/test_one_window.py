"""A second start: it is answered by the window that is open, or opens one where nobody answers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.gui.one_window import OneWindow, come_forward, server_name
from app.program import ROOT
from tests.gui.waiting import wait

# Another start: what it is told, and then it waits to be ended.
_START = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.gui.one_window import OneWindow
application = QCoreApplication([])
window = OneWindow(Path(sys.argv[1]))
print(window.take(float(sys.argv[2])), flush=True)
sys.stdin.read(1)
"""


@pytest.fixture
def window(application, tmp_path: Path) -> Iterator[OneWindow]:
    one = OneWindow(tmp_path / "数据 data")
    yield one
    one.leave()


def start(folder: Path, patience: float = 30.0, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", _START, str(folder), str(patience)],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def said(process: "subprocess.Popen[bytes]") -> bytes:
    """What the start was told; it ends."""
    answer, _ = process.communicate(b"x", timeout=60)
    return answer.strip()


def test_a_second_start_has_the_first_ones_window_shown(window: OneWindow, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    asked: list[str | None] = []
    window.asked.connect(lambda: asked.append(os.environ.get("XDG_ACTIVATION_TOKEN")))
    assert window.take()
    second = start(tmp_path / "数据 data", XDG_ACTIVATION_TOKEN="granted by the desktop")
    wait(lambda: second.stdout is not None and bool(asked), "the second start asks")
    assert said(second) == b"False"
    assert asked == ["granted by the desktop"]


def test_another_folder_has_a_window_of_its_own(window: OneWindow, tmp_path: Path) -> None:
    assert window.take()
    assert said(start(tmp_path / "other")) == b"True"


def test_what_a_killed_window_leaves_is_no_obstacle(window: OneWindow, tmp_path: Path) -> None:
    first = start(tmp_path / "数据 data")
    assert first.stdout is not None and first.stdout.readline().strip() == b"True"
    first.kill()
    first.wait(20)
    assert window.take(patience=0.0)
    second = start(tmp_path / "数据 data")
    asked: list[bool] = []
    window.asked.connect(lambda: asked.append(True))
    wait(lambda: bool(asked), "the one after it is answered")
    assert said(second) == b"False"


def test_a_start_waits_for_a_window_that_is_closing(window: OneWindow, tmp_path: Path) -> None:
    first = start(tmp_path / "数据 data")
    assert first.stdout is not None and first.stdout.readline().strip() == b"True"
    # It runs no event loop, as a window does not while it ends its engine, and so answers nobody.
    second = start(tmp_path / "数据 data")
    assert said(first) == b""
    assert said(second) == b"True"


def test_a_window_that_hangs_keeps_nobody_from_another(tmp_path: Path) -> None:
    hanging = start(tmp_path)
    assert hanging.stdout is not None and hanging.stdout.readline().strip() == b"True"
    assert said(start(tmp_path, patience=0.2)) == b"True"
    said(hanging)


def test_a_folder_that_cannot_be_written_to_still_gets_a_window(application, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = OneWindow(tmp_path / "file" / "data")
    assert nowhere.take(patience=0.0)
    nowhere.leave()


def test_a_minimized_window_comes_back(application) -> None:
    widget = QWidget()
    widget.showMinimized()
    come_forward(widget)
    assert widget.isVisible() and not widget.windowState() & Qt.WindowState.WindowMinimized
    widget.close()


def test_the_socket_lies_in_the_session_and_its_path_is_short(tmp_path: Path) -> None:
    session = {"XDG_RUNTIME_DIR": str(tmp_path)}
    long = Path("/home") / ("很长的用户名" * 20) / "Bainiantie"
    assert Path(server_name(long, session, "linux")).parent == tmp_path
    assert server_name(long, {"XDG_RUNTIME_DIR": "/nowhere"}, "linux") == server_name(long, {}, "linux")
    for platform in ("win32", "darwin"):
        name = server_name(long, session, platform)
        assert "/" not in name and len(name) < 40
    assert server_name(long, {}) != server_name(long / "other", {})
