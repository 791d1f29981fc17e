"""Starting the program: what it must not load before the window is there, and that it says nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PAINT = """
import sys
from app.gui.application import run
heavy = lambda: sorted(name for name in sys.modules if name in %r)
code = run(on_first_paint=lambda: print("painted", heavy(), file=sys.__stdout__, flush=True))
sys.exit(code)
"""
HEAVY = (
    *("numpy", "gguf", "llama_cpp", "huggingface_hub", "safetensors", "torch", "requests", "httpx"),
    *("app.people", "app.cards", "sqlite3"),
)


def start(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """A new program on no screen, with its own settings and models."""
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(tmp_path / "settings"),
        "BAINIANTIE_MODELS": str(tmp_path / "models"),
    }
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )


def test_nothing_heavy_is_loaded_before_the_first_paint_and_nothing_else_is_printed(tmp_path):
    done = start(PAINT % (HEAVY,), tmp_path)
    assert done.stdout == "painted []\n"
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    "content", ["[window]\ntheme=pink\nlanguage=tlh\ngeometry=@Invalid()\n", "\x00\xff not a file"]
)
def test_odd_settings_are_as_good_as_none(tmp_path, content):
    folder = tmp_path / "settings" / "Bainiantie"
    folder.mkdir(parents=True)
    (folder / "Bainiantie.ini").write_text(content, encoding="utf-8")
    done = start(PAINT % (HEAVY,), tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("painted []\n", "", 0)


def test_only_this_package_knows_qt():
    for path in (ROOT / "app").rglob("*.py"):
        if "gui" not in path.parts:
            assert "PySide6" not in path.read_text(encoding="utf-8"), path


def test_an_unforeseen_error_is_shown_and_the_window_goes_on(window):
    try:
        raise RuntimeError("the reason")
    except RuntimeError as error:
        window.show_unforeseen(type(error), error, error.__traceback__)
    assert window.page.banner.isVisible()
    assert "RuntimeError" not in window.page.banner.message.text()
    assert "the reason" in window.page.banner.details.text.toPlainText()
