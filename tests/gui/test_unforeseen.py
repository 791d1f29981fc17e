"""Whatever goes wrong, wherever it does, the person sees a sentence, and where they are looking."""

import sys
import threading
from pathlib import Path

from PySide6.QtWidgets import QDialog

from app.compose.sentence import ExplainedError
from app.gui.about_dialog import AboutDialog
from app.gui.card_dialog import CardDialog
from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow, Options
from app.gui.people_thread import PeopleThread, Trouble
from app.gui.unforeseen import UNFORESEEN, ErrorBox
from tests.gui.conftest import INSTALLER, STAND_IN
from tests.gui.test_compose_page import write_all
from tests.gui.waiting import settle, wait
from tests.models.manifests import base_of, write_manifest

TOO_LONG = "a" * 300  # for a file's name: what looks at it gets an error of the system


def meet(window: MainWindow) -> None:
    """An error as Python hands it to the hook."""
    try:
        int("nothing")
    except ValueError as error:
        window.show_unforeseen(ValueError, error, error.__traceback__)


def open_dialog(window: MainWindow, kind: type[QDialog]) -> QDialog:
    wait(lambda: [each for each in window.findChildren(kind) if each.isVisible()], "the dialog is open")
    return next(each for each in window.findChildren(kind) if each.isVisible())


def test_an_error_that_ends_a_thread_is_said(window, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", sys.__excepthook__)
    window.thread_errors.catch()
    threading.Thread(target=int, args=("nothing",)).start()
    wait(window.page.banner.isVisible, "it is said")
    assert window.page.banner.message.text() == UNFORESEEN.zh
    assert "ValueError" in window.page.banner.details.text.toPlainText()


def test_over_a_dialog_with_a_place_for_errors_it_is_said_there(window):
    write_all(window)
    window.page.make_card(0)
    dialog = open_dialog(window, CardDialog)
    meet(window)
    assert dialog.banner.isVisible() and dialog.banner.message.text() == UNFORESEEN.zh
    assert not window.page.banner.isVisible()
    dialog.reject()


def test_over_any_other_dialog_it_is_said_once_in_front_of_it(window):
    window.sidebar.about.click()
    dialog = open_dialog(window, AboutDialog)
    meet(window)
    meet(window)
    (box,) = dialog.findChildren(ErrorBox)
    assert box.isVisible() and box.text() == UNFORESEEN.zh and "ValueError" in box.detailedText()
    box.accept()
    dialog.accept()
    settle()
    meet(window)
    assert window.page.banner.isVisible()


def test_a_model_that_cannot_even_be_looked_for_is_said(open_window, tmp_path, tiny_base, tiny_adapter):
    manifest = write_manifest(
        tmp_path / "manifest.yaml", base_of(tiny_base.read_bytes()), tiny_adapter, file=f"{TOO_LONG}.gguf"
    )
    (tmp_path / "models").mkdir()
    options = Options(engine_command=STAND_IN, models_command=INSTALLER, manifest=manifest)
    window = open_window(options, ready=False)
    wait(window.page.banner.isVisible, "it is said")
    assert str(tmp_path / "models") in window.page.banner.message.text()
    assert window.page.status.engine.text() == "没有打开模型" and window.engine.state is Engine.OFF


def test_who_asked_the_file_for_what_fails_unforeseen_does_not_wait_for_ever(window, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", window.show_unforeseen)
    refused: list[ExplainedError] = []
    window.people.write(lambda store: int("nothing"), None, refused.append)
    wait(lambda: refused, "it is answered")
    assert refused[0].sentence == UNFORESEEN
    wait(window.page.banner.isVisible, "it is said")
    assert "ValueError" in window.page.banner.details.text.toPlainText()


def test_a_file_of_people_whose_backups_cannot_be_looked_for_is_said(application):
    people = PeopleThread(Path("/") / TOO_LONG / "people.sqlite3")
    troubles: list[Trouble] = []
    refused: list[object] = []
    people.failed.connect(troubles.append)
    people.begin()
    wait(lambda: troubles, "it is said")
    people.write(lambda store: None, None, refused.append)
    wait(lambda: refused, "what is asked then is answered")
    assert people.close()
