"""Takes the README's pictures: the real window with the installed model, written live. Needs a screen.

xvfb-run -s "-screen 0 1400x900x24" .venv/bin/python -m docs.take_screenshots [NAME.png ...]

Where the window finds a fault in one of the three greetings, no picture is kept and they are written anew, in a new
window. What a check cannot find, such as a sentence without sense, is for whoever takes them: the texts are printed.
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
TRIES = 20  # for each picture
ONE_TRY = "--one-try"  # in this process: each is a start of the program
FAULTY = 3  # its exit code where there was a fault
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


def take(application: QApplication, name: str, language: str, theme: str, *fields: str) -> bool:
    """Fill in the form, write, wait for three greetings, and keep the picture; nothing of it enters the history.

    Returns:
        Whether there is a picture: there is none where a greeting is missing or has a fault.
    """
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
    cards = window.page.cards
    wait_until(lambda: not any(card.note.text() for card in cards), 30)  # each is kept, and says nothing more
    window.page.button.setFocus()
    application.processEvents()
    good = all(card.faults.isHidden() and card.text.toPlainText().strip() for card in cards)
    if good:
        window.grab().save(str(FOLDER / name))
        print(name, *(card.text.toPlainText() for card in cards), sep="\n  ", flush=True)
    # Not closed as a person would: that would keep this window's place and size.
    window.hide()
    window.engine.close()
    return good


def taken(name: str) -> bool:
    """Whether one of the tries, each a process of its own, gave the picture."""
    for _ in range(TRIES):
        code = subprocess.run([sys.executable, "-m", "docs.take_screenshots", ONE_TRY, name], check=False).returncode
        if code != FAULTY:
            return code == 0
    print(f"{name}: {TRIES} times there was a fault; the picture is the old one", file=sys.stderr)
    return False


def main(arguments: list[str]) -> int:
    """Take the pictures that are named, or all; returns 0 when each was."""
    if arguments[:1] == [ONE_TRY]:
        picture = next(picture for picture in PICTURES if picture[0] == arguments[1])
        return 0 if take(make_application(), *picture) else FAULTY
    return int(not all([taken(name) for name in arguments or [picture[0] for picture in PICTURES]]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
