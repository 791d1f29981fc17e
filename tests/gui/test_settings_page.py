"""The page 设置: what is chosen there holds at once or from when it says, and is remembered."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from app.engine.protocol import Died
from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow, Options
from app.gui.settings_page import SettingsPage
from app.people.search import Filters, search
from tests.gui.conftest import STAND_IN
from tests.gui.test_compose_page import fill, texts, write_all
from tests.gui.test_keeping import ask
from tests.gui.waiting import settle, wait


class Opened(QObject):
    """What the system was asked to open."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[QUrl] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        """It is asked to open something."""
        self.urls.append(url)


@pytest.fixture
def opened() -> Iterator[Opened]:
    """In the place of the system's file manager."""
    opened = Opened()
    QDesktopServices.setUrlHandler("file", opened, "take")
    yield opened
    QDesktopServices.unsetUrlHandler("file")


def settings_of(window: MainWindow) -> SettingsPage:
    window.pages.show_place("settings")
    page = window.pages.page
    assert isinstance(page, SettingsPage)
    return page


def write_again(window: MainWindow) -> None:
    """By call: a click that comes as fast as a test's counts as the second half of a double click."""
    window.pages.show_place("compose")
    window.page.write()
    wait(lambda: not window.page.session.working, "writing ended")


def open_again(open_window, tmp_path: Path) -> MainWindow:
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    assert isinstance(window, MainWindow)
    return window


def test_everything_chosen_is_remembered(window, open_window, tmp_path):
    page = settings_of(window)
    assert page.device.choice.chosen == "auto" and page.cards.chosen == "3" and page.threads.currentData() == "0"
    page.theme.buttons["dark"].click()
    page.cards.buttons["2"].click()
    page.threads.setCurrentIndex(1)
    page.threads.activated.emit(1)
    page.device.choice.buttons["cpu"].click()
    page.language.buttons["en"].click()
    wait(lambda: page.heading.text() == "Settings", "it speaks English")
    assert window.sidebar.theme.text() == "Dark"
    window.close()
    again = settings_of(open_again(open_window, tmp_path))
    assert (again.theme.chosen, again.language.chosen, again.cards.chosen) == ("dark", "en", "2")
    assert (again.threads.currentData(), again.device.choice.chosen) == ("1", "cpu")


def test_what_the_side_bar_changes_is_shown_here(window):
    page = settings_of(window)
    window.sidebar.theme.click()
    assert page.theme.chosen == "light" and window.sidebar.theme.text() == "浅色"
    window.sidebar.language.click()
    wait(lambda: page.language.chosen == "en", "it speaks English")


def test_a_click_fills_as_many_cards_as_are_wanted(window):
    settings_of(window).cards.buttons["1"].click()
    window.pages.show_place("compose")
    assert [not card.isHidden() for card in window.page.cards] == [True, False, False]
    write_all(window)
    assert [bool(text) for text in texts(window)] == [True, False, False]
    settings_of(window).cards.buttons["3"].click()
    write_again(window)
    assert all(texts(window)) and not any(card.isHidden() for card in window.page.cards)


def test_a_card_with_a_text_stays_until_the_next_click(window):
    write_all(window)
    third = texts(window)[2]
    settings_of(window).cards.buttons["2"].click()
    window.pages.show_place("compose")
    assert window.page.cards[2].isVisible() and texts(window)[2] == third
    write_again(window)
    assert window.page.cards[2].isHidden()
    QGuiApplication.clipboard().clear()
    window.page.copy(2)
    assert QGuiApplication.clipboard().text() == "", "nothing is copied that cannot be seen"
    settings_of(window).cards.buttons["3"].click()
    window.pages.show_place("compose")
    assert window.page.cards[2].isVisible() and texts(window)[2] == third


def test_threads_hold_from_the_next_opening(window):
    page = settings_of(window)
    assert "2 个线程" in page.device.reason.text()
    page.threads.setCurrentIndex(1)
    page.threads.activated.emit(1)
    settle()
    assert window.engine.ready.threads == 2
    page.device.choice.buttons["cpu"].click()
    wait(lambda: window.engine.state is Engine.READY and window.engine.ready.threads == 1, "it is opened anew")
    assert "1 个线程" in page.device.reason.text()


def test_an_odd_value_in_the_file_counts_as_unset(window, open_window, tmp_path):
    window.close()
    (file,) = (tmp_path / "settings").rglob("*.ini")
    file.write_text("[window]\ncards=7\n[engine]\nthreads=many\ndevice=abacus\n", encoding="utf-8")
    page = settings_of(open_again(open_window, tmp_path))
    assert (page.cards.chosen, page.threads.currentData(), page.device.choice.chosen) == ("3", "0", "auto")


def test_the_folder_of_the_data_is_named_and_opened(window, tmp_path, opened):
    page = settings_of(window)
    assert str(tmp_path / "data") in page.where.text()
    page.open_button.click()
    assert [Path(url.toLocalFile()) for url in opened.urls] == [tmp_path / "data"]


def test_everything_can_be_taken_along_and_erased(window):
    write_all(window)
    page = settings_of(window)
    page.export_button.click()
    wait(lambda: page.findChildren(QMenu), "it asks as what")
    assert any("JSON" in action.text() for action in page.findChildren(QMenu)[0].actions())
    page.findChildren(QMenu)[0].close()
    page.erase_button.click()
    assert page.bar.isVisible() and "找不回来" in page.bar.message.text()
    page.bar.confirm.click()
    wait(lambda: "已彻底删除" in page.bar.message.text(), "it is erased")
    assert ask(window, lambda store: len(search(store, Filters()).entries)) == 0


def test_the_diagnostics_are_copied_without_what_was_written(window):
    fill(window)
    page = settings_of(window)
    page.copy_button.click()
    text = QGuiApplication.clipboard().text()
    assert "reason: CPU: " in text and "王总" not in text
    assert "没有你写的内容" in page.bar.message.text()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills with POSIX signals")
def test_of_an_engine_that_died_nothing_is_said_any_more(window):
    page = settings_of(window)
    assert window.engine.ready is not None
    shown: list[object] = []
    window.engine.happened.connect(lambda event: shown.append((event, window.engine.ready, page.device.reason.text())))
    os.kill(window.engine.pid, signal.SIGKILL)
    wait(lambda: any(isinstance(event, Died) for event, *_ in shown), "it died")
    ready, said = next((ready, said) for event, ready, said in shown if isinstance(event, Died))
    assert ready is None and "CPU：" not in said
