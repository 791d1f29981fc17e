"""Takes the README's pictures: the real window with the installed model, written live. Needs a screen.

xvfb-run -s "-screen 0 1400x900x24" .venv/bin/python -m docs.take_screenshots
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.gui.application import make_application, make_window
from app.gui.engine_bridge import Engine
from app.gui.main_window import Options

FOLDER = Path(__file__).resolve().parent
PICTURES = (
    ("compose-light.png", "zh_CN", "light", "teacher", "formal", "李老师", "我考上研究生了"),
    ("compose-dark.png", "zh_CN", "dark", "team", "festive", "各位同事", "去年新系统上线了"),
    ("compose-english.png", "en", "light", "boss", "formal", "王总", ""),
)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Run the window until the condition holds; RuntimeError when it has not in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"the window did not get there within {seconds:.0f} s")
        QApplication.processEvents()
        time.sleep(0.01)


def take(application: QApplication, name: str, language: str, theme: str, *fields: str) -> None:
    """Fill in the form, write, wait for three greetings, and keep the picture; nothing of it enters the history."""
    relationship, tone, address, fact = fields
    elsewhere = Path(tempfile.mkdtemp())
    window = make_window(application, Options(data=elsewhere), language, theme)
    window.painted.connect(window.begin)
    window.show()
    form = window.page.form
    wait_until(lambda: window.engine.state is Engine.READY, 120)
    form.relationship.choose(relationship)
    form.tone.buttons[tone].click()
    form.address.setText(address)
    form.details[0].setText(fact)
    window.page.button.click()
    wait_until(lambda: not window.page.session.working, 300)
    window.page.button.setFocus()
    application.processEvents()
    window.grab().save(str(FOLDER / name))
    # Not closed as a person would: that would keep this window's place and size.
    window.hide()
    window.engine.close()


def main(names: list[str]) -> int:
    """Without a name: every picture, each in a process of its own, as each is a start of the program."""
    if not names:
        for picture in PICTURES:
            subprocess.run([sys.executable, "-m", "docs.take_screenshots", picture[0]], check=True)
        return 0
    application = make_application()
    for picture in PICTURES:
        if picture[0] in names:
            take(application, *picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
