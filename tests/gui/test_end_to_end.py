"""The real window with the real engine process: choose, write, watch it stream, stop, edit, copy, lose the engine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.gui.main_window import MainWindow, Options
from tests.gui import person

ROOT = Path(__file__).resolve().parents[2]


def test_a_person_writes_and_copies_a_greeting_with_the_tiny_model(
    open_window: Callable[..., MainWindow], tiny_model: Path
) -> None:
    window = open_window(Options(model=tiny_model, device="cpu"))
    window.activateWindow()
    seen = person.use(window)
    assert seen.lengths == sorted(set(seen.lengths)), "the texts grew while they were watched"
    assert seen.status.startswith("Tiny")
    assert "CPU" in seen.status
    assert "引擎" in seen.death
    assert seen.clipboard.endswith(" 2027")


@pytest.mark.model
@pytest.mark.timeout(1500)
def test_a_person_writes_and_copies_a_greeting_with_the_real_model_on_a_real_screen(
    screen: dict[str, str], tmp_path: Path
) -> None:
    environment = os.environ | screen | {"QT_QPA_PLATFORM": "xcb"}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.gui.person"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1400,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["platform"] == "xcb"
    assert seen["lengths"] == sorted(set(seen["lengths"]))
    assert all("王总" in greeting for greeting in seen["greetings"])
    assert len(set(seen["greetings"])) == 3
    assert seen["took"].startswith("用时")
    assert "引擎" in seen["death"]
    assert gone(seen["pid"]), "the engine process ends with the window"


def gone(pid: int) -> bool:
    """Whether a process has ended, or does within a moment."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
