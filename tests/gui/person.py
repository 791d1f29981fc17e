"""What a person does with the window, from choosing to copying, and what they must see: for whatever engine is inside.

As a program, ``python -m tests.gui.person``, it drives the window of this program with the model installed here on the
screen that is there, and prints what it saw as JSON.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow
from app.gui.writing_session import State
from tests.gui.waiting import settle, wait

PATIENCE = 240.0  # seconds for one round of greetings on a slow, busy machine


@dataclass
class Seen:
    """What the person saw."""

    lengths: list[int] = field(default_factory=list)  # characters in the cards, as they grew
    first_characters: float = 0.0  # seconds after the click
    greetings: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    status: str = ""
    took: str = ""
    clipboard: str = ""
    death: str = ""


def type_in(field_: QLineEdit, text: str) -> None:
    """Type Chinese as an input method gives it: a composition, then the commit."""
    field_.setFocus()
    wait(field_.hasFocus, "the field has the focus")
    QApplication.sendEvent(field_, QInputMethodEvent("pinyin", []))
    commit = QInputMethodEvent("", [])
    commit.setCommitString(text)
    QApplication.sendEvent(field_, commit)


def click(widget: object) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def texts(window: MainWindow) -> list[str]:
    return [card.text.toPlainText() for card in window.page.cards]


def use(window: MainWindow) -> Seen:
    """Choose, write, watch, stop, write again, edit, copy; then lose the engine in the middle and go on."""
    seen = Seen()
    wait(lambda: window.engine.state is Engine.READY, "the engine is ready", PATIENCE)
    seen.status = window.page.status.engine.text()
    choose(window)
    watch_and_stop(window, seen)
    write_to_the_end(window, seen)
    edit_and_copy(window, seen)
    lose_the_engine(window, seen)
    return seen


def choose(window: MainWindow) -> None:
    form = window.page.form
    click(form.relationship)
    wait(form.relationship.sheet.isVisible, "the sheet is open")
    settle()
    click(form.relationship.sheet.buttons["boss"])
    wait(lambda: not form.relationship.sheet.isVisible(), "the sheet is closed")
    window.activateWindow()
    settle()
    wait(window.isActiveWindow, "the window has the keys again")
    click(form.tone.buttons["formal"])
    type_in(form.address, "王总")
    assert form.values()["relationship"] == "boss"
    assert form.values()["tone"] == "formal"
    assert form.values()["address"] == "王总"


def watch_and_stop(window: MainWindow, seen: Seen) -> None:
    start = time.monotonic()
    click(window.page.button)
    assert window.page.button.text() == "停止"
    for _ in range(3):
        before = sum(map(len, texts(window)))
        wait(lambda before=before: sum(map(len, texts(window))) > before, "the texts grow", PATIENCE)  # type: ignore[misc]
        seen.first_characters = seen.first_characters or time.monotonic() - start
        seen.lengths.append(sum(map(len, texts(window))))
    stopped = window.page.session.working
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert window.page.button.text() == "写祝福"
    kept = texts(window)
    if stopped:
        states = {window.page.session.view(card).state for card in range(3)}
        assert State.WRITING not in states
        assert State.UNFINISHED in states
        assert "没写完" in {card.note.text() for card in window.page.cards}
    wait(lambda: window.engine.state is Engine.READY, "the engine goes on")
    assert texts(window) == kept


def write_to_the_end(window: MainWindow, seen: Seen) -> None:
    window.page.form.signature.setFocus()
    QTest.keyClick(window.page.form.signature, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert window.page.session.working
    wait(lambda: not window.page.session.working, "three greetings are written", PATIENCE)
    seen.greetings = texts(window)
    seen.faults = [card.faults.text() if card.faults.isVisible() else "" for card in window.page.cards]
    seen.took = window.page.status.took.text()


def edit_and_copy(window: MainWindow, seen: Seen) -> None:
    card = window.page.cards[1]
    click(card.text.viewport())
    card.text.setFocus()
    card.text.moveCursor(card.text.textCursor().MoveOperation.End)
    QTest.keyClicks(card.text, " 2027")
    edited = card.text.toPlainText()
    assert edited.endswith(" 2027")
    QTest.keyClick(card.text, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert card.note.text() == "已复制"
    seen.clipboard = read_clipboard()
    assert seen.clipboard == edited


def read_clipboard() -> str:
    """The clipboard as another program sees it, where one is there to look."""
    if QGuiApplication.platformName() != "xcb" or shutil.which("xclip") is None:
        return QGuiApplication.clipboard().text()
    other = subprocess.Popen(["xclip", "-selection", "clipboard", "-out"], stdout=subprocess.PIPE)
    wait(lambda: other.poll() is not None, "the other program has read the clipboard")
    return other.communicate()[0].decode("utf-8")


def lose_the_engine(window: MainWindow, seen: Seen) -> None:
    edited = texts(window)[1]
    window.page.write()
    wait(lambda: any(texts(window)), "the texts grow", PATIENCE)
    pid = window.engine.pid
    assert pid is not None
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    wait(window.page.banner.isVisible, "the window says that the engine is gone")
    seen.death = window.page.banner.message.text()
    assert any(texts(window)), "what was written is still there"
    assert window.page.form.values()["address"] == "王总"
    assert not window.page.session.working
    card = window.page.cards[1]
    while card.text.toPlainText() != edited:
        assert card.previous.isEnabled(), "the edited text is gone"
        click(card.previous)
    wait(lambda: window.engine.state is Engine.READY, "the engine is there again", PATIENCE)
    assert window.engine.pid != pid
    window.page.write()
    wait(lambda: not window.page.session.working, "it writes again", PATIENCE)
    assert any(texts(window))


def main() -> None:
    """Drive the window of this program."""
    from app.gui.application import make_application, make_window
    from app.gui.main_window import Options

    application = make_application()
    window = make_window(application, Options())
    window.painted.connect(window.begin)
    window.show()
    window.activateWindow()
    wait(window.isActiveWindow, "the window is active")
    seen = use(window)
    pid = window.engine.pid
    window.close()
    print(json.dumps(asdict(seen) | {"platform": QGuiApplication.platformName(), "pid": pid}, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
