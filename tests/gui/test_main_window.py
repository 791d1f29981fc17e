"""The window as a whole: small, in another language, in another light, and closed in the middle of things."""

import os
import sys
from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.compose.calendar import likely_occasion
from app.compose.sentence import Sentence
from app.gui.batch_page import BatchPage
from app.gui.main_window import MainWindow, Options
from tests.gui.conftest import STAND_IN
from tests.gui.test_compose_page import fill, texts, wait_for_words, write_all
from tests.gui.waiting import settle, wait


def turn_day(window: MainWindow, days: list[date], day: date) -> None:
    """The window, left open, is come back to on another day."""
    days.append(day)
    window.activateWindow()
    wait(window.isActiveWindow, "the window is active")
    QApplication.sendEvent(window, QEvent(QEvent.Type.ActivationChange))


def test_closing_while_writing_ends_the_engine(slow_window):
    fill(slow_window)
    slow_window.page.write()
    wait_for_words(slow_window)
    pid = slow_window.engine.pid
    slow_window.close()
    assert not slow_window.isVisible()
    if sys.platform != "win32":
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_language_and_theme_are_remembered(window, open_window, tmp_path):
    QTest.mouseClick(window.sidebar.language, Qt.MouseButton.LeftButton)
    QTest.mouseClick(window.sidebar.theme, Qt.MouseButton.LeftButton)
    window.close()
    again = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    wait(lambda: again.page.button.text() == "Write", "it speaks English")
    assert again.sidebar.theme.text() == "Light"


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (960, 520), (860, 480)])
def test_everything_can_be_reached_in_a_small_window(window, width, height):
    window.resize(width, height)
    write_all(window)
    settle()
    assert (window.width(), window.height()) == (width, height)
    button = window.page.button
    bottom = button.mapTo(window, QPoint(0, button.height())).y()
    assert bottom <= height
    for card in window.page.cards:
        assert card.text.geometry().bottom() < card.copy_button.geometry().top()
        assert not card.faults.isVisible() or not card.faults.geometry().intersects(card.text.geometry())
        for widget in (card, card.copy_button):
            assert widget.mapTo(window, QPoint(widget.width(), 0)).x() <= width


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (860, 480)])
def test_a_long_text_with_long_faults_and_a_banner_have_room(window, width, height):
    window.resize(width, height)
    write_all(window)
    card = window.page.cards[0]
    card.text.setPlainText("字" * 5000)
    wait(card.faults.isVisible, "the card says what is wrong")
    window.page.banner.show_error(Sentence("模型文件不见了。" * 8, "The model file is gone. " * 8))
    settle()
    assert card.height() >= card.minimumSizeHint().height()
    assert card.faults.height() >= card.faults.heightForWidth(card.faults.width())
    assert card.text.geometry().bottom() < card.faults.geometry().top()
    assert card.faults.geometry().bottom() < card.copy_button.geometry().top()


def test_a_file_name_without_an_end_makes_no_page_wider(window):
    window.resize(1024, 700)
    name = f"{'a' * 250}.gguf"
    for place in window.pages.places:
        window.pages.show_place(place)
        banner = window.pages.page.banner
        banner.show_error(Sentence(f"{name} 不是模型文件。", f"{name} is no model."))
        settle()
        assert window.width() == 1024
        assert banner.dismiss.mapTo(window, QPoint(banner.dismiss.width(), 0)).x() <= 1024, place
        assert banner.message.text() == f"{name} 不是模型文件。"


def test_the_name_a_file_gives_its_model_is_shown_as_it_is_and_not_at_any_length(window):
    window.resize(1024, 700)
    window.page.status.show_ready(replace(window.engine.ready, model="<b>" + "a" * 300), None)
    settle()
    assert window.width() == 1024
    assert window.page.status.engine.text().startswith("<b>a") and "…" in window.page.status.engine.text()


def test_a_status_too_long_for_its_line_is_cut_and_whole_in_its_tip(window):
    window.resize(860, 480)
    reason = "CPU：" + "显卡试运行没有成功" * 20
    window.page.status.show_ready(replace(window.engine.ready, reason=Sentence(reason, reason)), None)
    window.page.status.show_seconds(12.3)
    settle()
    line = window.page.status
    assert window.width() == 860
    shown = QLabel.text(line.engine)
    assert shown.endswith("…") and reason in line.engine.toolTip()
    assert line.engine.fontMetrics().horizontalAdvance(shown) <= line.engine.width()
    assert line.took.geometry().right() <= line.width()
    window.resize(1600, 480)
    settle()
    assert len(QLabel.text(line.engine)) > 60, "with more room more of it is shown"


@pytest.mark.parametrize("chosen", [None, "lantern_festival"])
def test_after_midnight_the_likely_occasion_is_another_unless_one_was_chosen(open_window, tmp_path, chosen):
    days = [date(2027, 2, 5)]
    options = Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN, today=lambda: days[-1])
    window = open_window(options)
    occasion = window.page.form.occasion
    assert occasion.currentData() == "new_years_eve"
    if chosen:
        occasion.setCurrentIndex(occasion.findData(chosen))
    turn_day(window, days, date(2027, 2, 6))
    assert occasion.currentData() == (chosen or likely_occasion(days[-1])) != "new_years_eve"
    assert "今年" in window.page.form.zodiac.itemText(1)


def test_after_midnight_a_batch_not_begun_wishes_for_the_new_day(open_window, tmp_path):
    days = [date(2027, 2, 5)]
    options = Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN, today=lambda: days[-1])
    window = open_window(options)
    window.pages.show_place("batch")
    page = window.pages.currentWidget()
    assert isinstance(page, BatchPage)
    occasion = page.wish.occasion
    assert occasion.currentData() == "new_years_eve"
    turn_day(window, days, date(2027, 2, 6))
    assert occasion.currentData() == likely_occasion(days[-1]) != "new_years_eve"
    occasion.setCurrentIndex(occasion.findData("lantern_festival"))
    occasion.activated.emit(occasion.currentIndex())
    turn_day(window, days, date(2027, 3, 20))
    assert occasion.currentData() == "lantern_festival", "the person's choice stays"


def test_text_and_form_survive_a_change_of_theme(window):
    write_all(window)
    before = (texts(window), window.page.form.values())
    for choice in ("dark", "light", "system"):
        window.sidebar.theme_asked.emit(choice)
    assert (texts(window), window.page.form.values()) == before


def test_places_are_turned_by_key_and_keep_their_focus(window):
    window.page.form.address.setFocus()
    wait(window.page.form.address.hasFocus, "the field has the focus")
    QTest.keyClick(window.page.form.address, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    last = window.pages.places[-1]
    wait(lambda: window.pages.place == last, "round the end the last page is shown")
    assert window.sidebar.places[last].isChecked()
    assert not window.sidebar.places["compose"].isChecked()
    fill(window)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert not window.page.session.working, "the keys of a page that is not shown do nothing"
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    wait(window.page.form.address.hasFocus, "the focus is where it was")
