"""Everything can be operated by keys alone: Tab reaches every control, each has a name and shows that it is focused."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QTextEdit,
    QWidget,
)

from app.compose.sentence import Sentence
from app.gui.batch_preview import BatchPreview
from app.gui.card_dialog import CardDialog
from app.gui.document_dialog import DocumentDialog
from app.gui.main_window import MainWindow, Options
from app.people.document import export_document
from app.people.recipients import recipient_fields
from tests.gui.conftest import STAND_IN
from tests.gui.test_card_dialog import TEXT
from tests.gui.test_history_page import data  # noqa: F401  a file with more than two pages of texts
from tests.gui.test_keeping import ask
from tests.gui.waiting import settle, wait

OPERATED = (QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QAbstractItemView)
MOST_STOPS = 120


def controls(top: QWidget) -> list[QWidget]:
    """What can be operated now: on the screen, enabled, and no part of another control."""
    return [
        widget
        for widget in top.findChildren(QWidget)
        if isinstance(widget, OPERATED)
        and not isinstance(widget, QHeaderView)
        and widget.isVisible()
        and widget.isEnabled()
        and not isinstance(widget.parent(), QComboBox | QTableView)
    ]


def name_of(widget: QWidget) -> str:
    """What a screen reader calls it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def walk(top: QWidget, key: Qt.Key) -> list[QWidget]:
    """Where one key leads, from where the focus is until it is there again."""
    first = QApplication.focusWidget()
    assert first is not None and top.isAncestorOf(first)
    stops = [first]
    for _ in range(MOST_STOPS):
        QTest.keyClick(QApplication.focusWidget(), key)
        now = QApplication.focusWidget()
        assert now is not None
        if now is first:
            return stops
        stops.append(now)
    raise AssertionError(f"the focus goes round without end: {stops[-5:]}")


def stands_for(widget: QWidget, stops: list[QWidget]) -> bool:
    """Whether a control is reached: by Tab, or by the arrow keys from the pressed one of its group."""
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    return widget in stops or (group is not None and any(button in stops for button in group.buttons()))


def check_keys(top: QWidget) -> None:
    """The whole rule, for a page or a dialog."""
    top.window().activateWindow()
    wait(top.isActiveWindow, "it has the keys")
    settle()
    stops = walk(top.window(), Qt.Key.Key_Tab)
    there = controls(top)
    assert there
    assert [_said(widget) for widget in there if not stands_for(widget, stops)] == [], "not reached by Tab"
    assert [_said(widget) for widget in {*there, *stops} if not name_of(widget).strip()] == [], "without a name"
    back = walk(top.window(), Qt.Key.Key_Backtab)
    assert {*back} == {*stops}, "Shift+Tab leads the same way"
    assert [_said(widget) for widget in stops if top.isAncestorOf(widget) and not shows_focus(widget)] == []


def shows_focus(widget: QWidget) -> bool:
    """Whether a control looks otherwise with the focus than without."""
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    settle()
    focused = widget.grab().toImage()
    widget.clearFocus()
    settle()
    return focused != widget.grab().toImage()


def _said(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName()} {name_of(widget)!r} in {type(widget.parent()).__name__}"


@pytest.fixture
def open_page(open_window, tmp_path) -> Callable[[str], MainWindow]:
    """Opens the window at a place."""

    def open_one(place: str) -> MainWindow:
        window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
        window.pages.show_place(place)
        return window

    return open_one


def test_a_batch_without_rows(open_page):
    window = open_page("batch")
    check_keys(window.pages.page)


def test_a_batch_with_rows_one_of_them_chosen_and_a_message(open_page):
    window = open_page("batch")
    page = window.pages.page
    people = [recipient_fields(name, relationship="friend") for name in ("王芳", "赵强")]
    page.batch.add(people, "除夕", page.wish.wish, lambda: None)
    wait(lambda: len(page.table.rows) == 2, "the rows are there")
    page.write_or_pause()
    wait(lambda: {row.state for row in page.table.rows} == {"written"}, "they are written")
    wait(lambda: page.foot.copy_button.isEnabled(), "they can be copied")
    page.view.selectRow(0)
    page.bar.tell(Sentence("移走了 1 行", "1 row removed"), lambda: None)
    page.banner.show_error(Sentence("出错了。", "Something is wrong."), "details")
    settle()
    check_keys(page)
    page.view.setFocus()
    page.view.selectRow(0)
    QTest.keyClick(page.view, Qt.Key.Key_Down)
    assert page.view.currentIndex().row() == 1, "the arrow keys lead from row to row"


def test_the_strip_of_copying(open_page):
    window = open_page("batch")
    page = window.pages.page
    page.batch.add([recipient_fields("王芳", relationship="friend")], "除夕", page.wish.wish, lambda: None)
    wait(lambda: page.table.rows, "the row is there")
    page.write_or_pause()
    wait(page.foot.copy_button.isEnabled, "there is something to copy")
    page.foot.copy_button.click()
    wait(page.strip.isVisible, "the strip is there")
    check_keys(page.strip)


def test_the_preview_of_a_table(open_page):
    window = open_page("batch")
    QApplication.clipboard().setText("姓名\t关系\n王芳\t朋友\n\t朋友\n")
    window.pages.page.intake.paste()
    check_keys(shown(window.pages.page, BatchPreview))


def test_a_history_without_texts(open_page):
    window = open_page("history")
    wait(window.pages.page.nothing_button.isVisible, "nothing is here yet")
    check_keys(window.pages.page)


def test_a_history_with_texts_and_a_question(open_page, data):  # noqa: F811
    window = open_page("history")
    page = window.pages.page
    wait(lambda: page.model.rowCount() > 0, "the first page is there")
    check_keys(page)
    page._ask_delete_all()
    check_keys(page)
    page.bar.keep.click()
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    assert page.list.currentIndex().row() == 1, "the arrow keys lead from row to row"


def test_the_look_at_an_export(open_page, data, tmp_path):  # noqa: F811
    window = open_page("history")
    ask(window, lambda store: export_document(store, tmp_path / "all.json"))
    window.pages.page.files.import_file(tmp_path / "all.json")
    dialog = shown(window.pages.page, DocumentDialog)
    wait(lambda: "没有什么要导入的" in dialog.message.text(), "it is read")
    check_keys(dialog)


def test_the_settings_with_a_question_and_an_error(open_page):
    window = open_page("settings")
    page = window.pages.page
    check_keys(page)
    page.erase_button.click()
    page.banner.show_error(Sentence("出错了。", "Something is wrong."), "details")
    settle()
    check_keys(page)


def test_a_card(words, theme):
    dialog = CardDialog(words, theme, TEXT)
    dialog.open()
    try:
        wait(lambda: not dialog.designs.busy, "the small cards are drawn")
        dialog.banner.show_error(Sentence("没有保存。", "Not saved."), "details")
        settle()
        check_keys(dialog)
    finally:
        dialog.close()


def shown(owner: QWidget, kind: type[QDialog]) -> QDialog:
    """The dialog of a kind that is open."""
    wait(lambda: [each for each in owner.findChildren(kind) if each.isVisible()], "the dialog is open")
    (dialog,) = (each for each in owner.findChildren(kind) if each.isVisible())
    return dialog
