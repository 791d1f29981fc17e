"""What is done with the page 模型 in every test of it: pressing, and waiting until it is idle."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QPushButton

from app.gui.models_page import ModelsPage
from app.models.inventory import State
from app.models.manifest import load_manifest
from app.models.sources import part_path
from tests.gui.waiting import wait

PATIENCE = 240.0  # seconds: every question to a model is a Python of its own
STANDING_STILL = (0,) * 100  # answers that bring nothing more, for as long as anybody asks

Open = Callable[..., ModelsPage]


def state_of(page: ModelsPage, id: str) -> State:
    return next(entry for entry in page.entries if entry.id == id).state


def press(button: QPushButton) -> None:
    """A click, as soon as one is possible; by call, since the test tool's clicks come as fast as a double one."""
    wait(lambda: button.isVisible() and button.isEnabled(), "the button can be pressed")
    button.click()


def idle(page: ModelsPage) -> None:
    """Wait until nothing is asked and nothing is being done."""
    wait(lambda: not page.process.running and not page.quick.running and not page.waiting, "it is done", PATIENCE)


def part_of(folder: Path, manifest: Path) -> Path:
    return part_path(load_manifest(manifest).base, folder / "base")
