"""``python -m tests.privacy.visit MODEL SECRET``: the program as it is started, used by somebody to whom everything
happens that can go wrong.

They write a greeting with this model and one to somebody else, look at every place, lose the engine to a crash, meet an
error nobody foresaw, copy the diagnostics, and only then ask for a model to be fetched. SECRET is in everything they
type. What is to be known of it all comes as JSON.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.__main__ import main
from app.gui.batch_page import BatchPage
from app.gui.batch_preview import BatchPreview
from app.gui.card_dialog import CardDialog
from app.gui.engine_bridge import Engine
from app.gui.history_page import HistoryPage
from app.gui.main_window import MainWindow
from app.gui.models_page import ModelsPage
from app.gui.settings_page import SettingsPage
from app.models.manifest import load_manifest
from tests.gui.waiting import settle, wait

PATIENCE = 240.0  # seconds: everything is traced, and the machine may be busy


def use(window: MainWindow, secret: str) -> None:
    """Do it all, and print what came of it."""
    wait(lambda: window.engine.state is Engine.READY, "the engine is ready", PATIENCE)
    write_a_greeting(window, secret)
    make_a_card(window)
    write_to_several(window, secret)
    look_everywhere(window)
    lose_the_engine(window)
    error = meet_an_error(window, secret)
    diagnostics = copied_diagnostics(window)
    models = models_page(window)
    asked = time.time()
    models.fetch(load_manifest().base.id)
    wait(models.banner.isVisible, "it says that nothing can be fetched", PATIENCE)
    refusal = models.banner.message.text()
    window.close()
    print(json.dumps({"asked": asked, "refusal": refusal, "diagnostics": diagnostics, "error": error}))


def write_a_greeting(window: MainWindow, secret: str) -> None:
    form = window.page.form
    form.relationship.choose("boss")
    form.tone.chosen = "formal"
    form.address.setText(secret)
    form.details[0].setText(f"{secret}1")
    form.signature.setText(f"{secret}2")
    window.page.write()
    wait(lambda: not window.page.session.working, "three greetings are written", PATIENCE)
    window.page.cards[0].text.setPlainText(f"新年好，{secret}3")
    window.page.cards[0].copy_button.click()


def make_a_card(window: MainWindow) -> None:
    window.page.cards[0].card_button.click()
    wait(lambda: window.findChildren(CardDialog), "the card is open", PATIENCE)
    window.findChildren(CardDialog)[0].close()


def write_to_several(window: MainWindow, secret: str) -> None:
    window.pages.show_place("batch")
    page = window.pages.page
    assert isinstance(page, BatchPage)
    QGuiApplication.clipboard().setText(f"姓名\t关系\t想提到的事\n{secret}4\t朋友\t{secret}5\n")
    page.intake.paste()
    wait(lambda: page.findChildren(BatchPreview), "the preview is open", PATIENCE)
    page.findChildren(BatchPreview)[0].add.click()
    wait(lambda: page.table.rowCount() == 1, "somebody is there", PATIENCE)
    wait(page.foot.write_button.isEnabled, "it can be written", PATIENCE)
    page.foot.write_button.click()
    wait(lambda: not page.session.running and page.table.counts()["written"] == 1, "it is written", PATIENCE)


def look_everywhere(window: MainWindow) -> None:
    for place in window.pages.places:
        window.pages.show_place(place)
        settle()
    window.pages.show_place("history")
    page = window.pages.page
    assert isinstance(page, HistoryPage)
    wait(lambda: page.list.model().rowCount(), "what was written is listed", PATIENCE)


def lose_the_engine(window: MainWindow) -> None:
    """It crashes in native code while it writes."""
    window.pages.show_place("compose")
    window.page.write()
    wait(lambda: any(card.text.toPlainText() for card in window.page.cards), "it is writing", PATIENCE)
    pid = window.engine.pid
    assert pid is not None
    os.kill(pid, getattr(signal, "SIGSEGV", signal.SIGTERM))
    wait(lambda: window.engine.pid not in (None, pid), "another engine is started", PATIENCE)
    wait(lambda: window.engine.state is Engine.READY, "it is ready again", PATIENCE)


def meet_an_error(window: MainWindow, secret: str) -> str:
    """What the window says of an error whose message quotes what was typed."""
    window.page.banner.hide()
    QTimer.singleShot(0, lambda: int(secret))
    wait(window.page.banner.isVisible, "the error is said", PATIENCE)
    return window.page.banner.message.text()


def models_page(window: MainWindow) -> ModelsPage:
    window.pages.show_place("models")
    page = window.pages.page
    assert isinstance(page, ModelsPage)
    wait(lambda: page.entries, "the list is there", PATIENCE)
    wait(lambda: not page.quick.running, "nothing is asked any more", PATIENCE)
    return page


def copied_diagnostics(window: MainWindow) -> str:
    window.pages.show_place("settings")
    page = window.pages.page
    assert isinstance(page, SettingsPage)
    QGuiApplication.clipboard().clear()
    page.copy_button.click()
    wait(lambda: QGuiApplication.clipboard().text(), "they are on the clipboard", PATIENCE)
    return QGuiApplication.clipboard().text()


def use_when_there(secret: str) -> None:
    """Wait, from another thread, for the window to be there, and use it from its own."""
    while not (application := QApplication.instance()):
        time.sleep(0.01)

    def begin() -> None:
        windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)]
        if not windows or not windows[0].isVisible():
            QTimer.singleShot(20, application, begin)
            return
        try:
            use(windows[0], secret)
        except BaseException:  # the window's own hook would only show it
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    QTimer.singleShot(0, application, begin)


if __name__ == "__main__":
    model, secret = sys.argv[1:]
    threading.Thread(target=use_when_there, args=(secret,), daemon=True).start()
    sys.exit(main(["--model", model, "--language", "zh_CN"]))
