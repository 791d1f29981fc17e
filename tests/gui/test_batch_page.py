"""The page 群发 with a real store, a real engine process that writes given texts, and what a person does with it."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QStyleOptionViewItem

from app.compose.catalog import Catalog
from app.compose.sentence import Sentence
from app.gui.batch_desk import Verdict
from app.gui.batch_page import BatchPage
from app.gui.batch_preview import BatchPreview
from app.gui.batch_table import ADDRESS, FACTS, NAME, RELATIONSHIP, STATE, TEXT, TONE
from app.gui.choice_widgets import CalmComboBox
from app.gui.engine_bridge import Engine, EngineBridge
from app.gui.people_thread import PeopleThread
from app.gui.theme import Theme
from app.gui.words import ENGLISH, Words
from app.people.batch import batches, rows_of
from app.people.deletion import delete, undo
from app.people.history import sent_to, written
from app.people.recipients import all_recipients, recipient_fields
from app.people.store import open_store
from tests.gui.batch_bench import text_of
from tests.gui.person import type_in
from tests.gui.waiting import settle, wait

FIVE = "姓名\t关系\t语气\n王芳\t朋友\t温暖\n赵强\t同学\t俏皮\n孙丽\t闺蜜\t温暖\n周涛\t朋友\t简洁\n吴静\t同事\t温暖\n"


@dataclass
class Desk:
    """A page in a window of its own, its engine and its people."""

    page: BatchPage
    engine: EngineBridge
    people: PeopleThread
    file: Path

    def column(self, column: int) -> list[str]:
        table = self.page.table
        return [table.index(row, column).data() for row in range(table.rowCount())]

    def states(self) -> list[str]:
        return [row.state for row in self.page.table.rows]

    def written(self) -> None:
        wait(lambda: self.page.table.rows and set(self.states()) == {"written"}, "every row is written")
        wait(lambda: not self.page.session.running, "writing has ended")

    def paste(self, text: str) -> None:
        before = len(self.page.table.rows)
        preview = self.preview(text)
        QTest.mouseClick(preview.add, Qt.MouseButton.LeftButton)
        wait(lambda: len(self.page.table.rows) > before, "the rows are there")
        settle()

    def preview(self, text: str) -> BatchPreview:
        QGuiApplication.clipboard().setText(text)
        self.page.paste_button.click()
        return self.shown_preview()

    def shown_preview(self) -> BatchPreview:
        wait(lambda: self.page.findChildren(BatchPreview), "the preview is open")
        (preview,) = self.page.findChildren(BatchPreview)
        wait(preview.isVisible, "the preview is on the screen")
        return preview

    def activate(self) -> None:
        """The keys go to the page again, after a dialog."""
        self.page.activateWindow()
        wait(self.page.isActiveWindow, "the page has the keys")

    def open_cell(self, row: int, column: int) -> QLineEdit:
        """Begin to type in a cell."""
        self.activate()
        self.page.view.edit_cell(self.page.table.index(row, column))
        return next(field for field in self.page.view.findChildren(QLineEdit) if field.isVisible())

    def close(self) -> None:
        self.page.close()
        self.people.close()
        self.engine.close()


@pytest.fixture
def open_desk(
    application: QApplication, words: Words, theme: Theme, catalog: Catalog, tmp_path: Path
) -> Iterator[Callable[..., Desk]]:
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps([text_of(n) for n in range(300)]), encoding="utf-8")
    desks: list[Desk] = []

    def open_one(pace: float = 0.0005, given: list[str] | None = None) -> Desk:
        if given is not None:
            texts.write_text(json.dumps(given), encoding="utf-8")
        command = (sys.executable, "-m", "tests.gui.stand_in_engine", "--pace", str(pace), "--texts", str(texts))
        engine, file = EngineBridge(command), tmp_path / "people.sqlite3"
        people = PeopleThread(file)
        page = BatchPage(catalog, words, theme, engine, people, date(2027, 1, 30))
        desk = Desk(page, engine, people, file)
        desks.append(desk)
        page.resize(1088, 760)
        page.show()
        page.activateWindow()
        people.begin()
        page.begin()
        engine.open(tmp_path / "stand-in.gguf", None, "cpu")
        wait(lambda: engine.state is Engine.READY, "the engine is ready")
        return desk

    yield open_one
    for desk in desks:
        desk.close()
        desk.page.deleteLater()
    settle()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


def test_pasted_cells_become_people_with_a_preview_and_each_gets_a_text(desk):
    assert desk.page.hint.isVisible()
    preview = desk.preview(FIVE + "王芳\t朋友\t温暖\n\t朋友\t\n")
    assert preview.meanings == ("name", "relationship", "tone")
    assert preview.add.text() == "加入 5 人"
    said = [preview.sentences.item(row).text() for row in range(preview.sentences.count())]
    assert said[0].startswith("第 7 行和第 2 行完全一样") and said[1].startswith("第 8 行没有姓名")
    QTest.mouseClick(preview.add, Qt.MouseButton.LeftButton)
    wait(lambda: len(desk.page.table.rows) == 5, "the rows are there")
    assert desk.column(NAME) == ["王芳", "赵强", "孙丽", "周涛", "吴静"]
    assert desk.column(RELATIONSHIP) == ["朋友", "老同学", "挚友", "朋友", "同事"]
    wait(desk.page.foot.write_button.isEnabled, "it can be written")
    assert desk.page.foot.write_button.text() == "全部写好"
    QTest.mouseClick(desk.page.foot.write_button, Qt.MouseButton.LeftButton)
    assert desk.page.foot.write_button.text() == "暂停"
    desk.written()
    assert len(set(desk.column(TEXT))) == 5
    wait(lambda: desk.page.foot.count.text().startswith("写好 5 / 5"), "the count is there")


@pytest.mark.parametrize("full", [False, True])
def test_control_v_takes_the_cells(desk, full):
    if full:
        desk.paste(FIVE)
    QGuiApplication.clipboard().setText("李雷\t朋友\n")
    desk.page.first_focus().setFocus()
    QTest.keyClick(desk.page.first_focus(), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    desk.shown_preview().add.click()
    wait(lambda: desk.column(NAME)[-1:] == ["李雷"], "the row is there")


def test_the_person_says_what_a_column_means(desk):
    preview = desk.preview("甲\t乙\n芳芳\t王芳\n")
    names = preview.menus[1]
    names.setCurrentIndex(names.findData("name"))
    names.activated.emit(names.currentIndex())
    other = preview.menus[0]
    other.setCurrentIndex(other.findData("address"))
    other.activated.emit(other.currentIndex())
    preview.add.click()
    wait(lambda: desk.column(NAME) == ["乙", "王芳"], "the rows are there")
    assert desk.column(ADDRESS) == ["甲", "芳芳"]


def test_a_file_is_imported_and_a_bad_one_is_said_to_be_bad(desk, tmp_path):
    good, bad = tmp_path / "名单.csv", tmp_path / "名单.xlsx"
    good.write_bytes("姓名;关系\r\n王芳;客户\r\n".encode("gb18030"))
    bad.write_bytes(b"PK\x03\x04...")
    desk.page.intake.import_file(bad)
    wait(desk.page.banner.isVisible, "the banner is there")
    assert "Excel" in desk.page.banner.message.text()
    desk.page.intake.import_file(good)
    preview = desk.shown_preview()
    assert preview.format.text() == "GB18030，分号分隔"
    preview.add.click()
    wait(lambda: desk.column(RELATIONSHIP) == ["客户"], "the row is there")


def test_a_row_is_typed_by_hand_and_edited_in_place(desk):
    desk.page.add_button.click()
    wait(lambda: desk.page.table.rows, "a row is there")
    editor = desk.page.view.findChild(QLineEdit)
    assert editor is not None
    type_in(editor, "王芳")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait(lambda: desk.page.table.rows[0].fields.recipient is not None, "the person is known")
    index = desk.page.table.index(0, RELATIONSHIP)
    desk.page.view.setCurrentIndex(index)
    desk.page.view.edit(index)
    menu = desk.page.view.findChild(CalmComboBox)
    assert menu is not None and menu.count() == 21
    menu.setCurrentIndex(menu.findData("friend"))
    menu.activated.emit(menu.currentIndex())
    assert desk.column(RELATIONSHIP) == ["朋友"]
    desk.page.write_or_pause()
    desk.written()


def test_a_choice_is_made_for_every_selected_row(desk):
    desk.paste(FIVE)
    desk.page.view.selectAll()
    index = desk.page.table.index(2, TONE)
    desk.page.view._choose(index, "festive")
    assert desk.column(TONE) == ["喜庆"] * 5


def test_a_row_without_a_relationship_says_what_to_do(desk):
    desk.paste("姓名\t关系\n王芳\t\n赵强\t朋友\n")
    desk.page.write_or_pause()
    wait(lambda: desk.states() == ["failed", "written"], "one is written")
    wait(lambda: not desk.page.session.running, "writing has ended")
    desk.page.view.selectRow(0)
    assert "还没有选关系" in desk.page.detail.remarks.text()
    desk.page.table.setData(desk.page.table.index(0, RELATIONSHIP), "friend")
    wait(lambda: desk.page.foot.write_button.text() == "继续", "it can be written")
    desk.page.write_or_pause()
    desk.written()


def test_why_a_row_was_not_written_stands_where_its_text_would(desk):
    desk.paste("姓名\t关系\n王芳\t\n赵强\t朋友\n")
    desk.page.write_or_pause()
    wait(lambda: desk.states() == ["failed", "written"], "one is written")
    wait(lambda: not desk.page.session.running, "writing has ended")
    settle()
    view, index = desk.page.view, desk.page.table.index(0, TEXT)
    assert desk.column(STATE)[0] == "没写成"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == desk.column(TEXT)[0] == "还没有选关系，选一个再写。"
    room = view.visualRect(index).size()
    needed = view.itemDelegate().sizeHint(QStyleOptionViewItem(), index)
    assert needed.width() <= room.width() and needed.height() <= room.height()


def test_a_chosen_row_is_redone_while_the_others_are_paused(open_desk):
    desk = open_desk(pace=0.005)
    desk.paste(FIVE)
    desk.page.write_or_pause()
    wait(lambda: "written" in desk.states(), "one is written")
    desk.page.write_or_pause()
    wait(lambda: "writing" not in desk.states(), "nothing is being written")
    first = desk.states().index("written")
    before = desk.column(TEXT)
    waiting = desk.states().count("waiting")
    assert waiting
    desk.page.view.selectRow(first)
    desk.page.activateWindow()
    wait(desk.page.isActiveWindow, "the page has the keys")
    QTest.keyClick(desk.page.view, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: desk.column(TEXT)[first] != before[first], "it has another text")
    wait(lambda: not desk.page.session.running, "writing has ended")
    assert desk.states().count("waiting") == waiting
    desk.page.view.clearSelection()
    chosen = [place for place, state in enumerate(desk.states()) if state == "waiting"][:2]
    for place in chosen:
        desk.page.view.selectionModel().select(
            desk.page.table.index(place, NAME),
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
        )
    wait(lambda: len(chosen) == 1 or f"选中的 {len(chosen)} 行" in desk.page.detail.redo_button.text(), "it says so")
    desk.page.detail.redo_button.click()
    wait(lambda: all(desk.states()[place] == "written" for place in chosen), "they are written")
    wait(lambda: not desk.page.session.running, "writing has ended")
    assert desk.states().count("waiting") == waiting - len(chosen)


def test_removals_are_undone_one_by_one_also_from_another_batch(desk):
    desk.paste(FIVE)
    first = desk.page.session.batch
    for _ in range(2):
        before = len(desk.page.table.rows)
        desk.page.view.selectRow(1)
        desk.page.remove()
        wait(lambda before=before: len(desk.page.table.rows) == before - 1, "a row is gone")
    desk.page.batch.leave()
    desk.page.hide()
    desk.page.show()
    desk.page.bar.undo.click()
    wait(lambda: desk.column(NAME) == ["王芳", "孙丽", "周涛", "吴静"], "the last one is back, in its batch")
    assert desk.page.session.batch == first
    QTest.keyClick(desk.page.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: desk.column(NAME) == ["王芳", "赵强", "孙丽", "周涛", "吴静"], "both are back")
    assert desk.page.bar.isHidden()


def test_removed_rows_come_back_where_they_were(desk):
    desk.paste(FIVE)
    desk.page.view.selectRow(1)
    desk.page.view.setFocus()
    QTest.keyClick(desk.page.view, Qt.Key.Key_Delete)
    wait(lambda: len(desk.page.table.rows) == 4, "the row is gone")
    assert desk.page.bar.message.text() == "移走了 1 行"
    assert desk.page.view.currentIndex().isValid(), "the keys are still in the table"
    desk.page.bar.undo.click()
    wait(lambda: desk.column(NAME) == ["王芳", "赵强", "孙丽", "周涛", "吴静"], "the row is back")


def test_what_the_batch_has_in_common_goes_to_rows_not_yet_written(desk):
    desk.paste(FIVE)
    menu = desk.page.wish.length
    menu.setCurrentIndex(menu.findData("long"))
    menu.activated.emit(menu.currentIndex())
    assert {row.fields.request.length for row in desk.page.table.rows} == {"long"}


def test_pausing_and_closing_and_opening_again_goes_on_where_it_was(open_desk):
    desk = open_desk(pace=0.01)
    desk.paste(FIVE)
    desk.page.write_or_pause()
    wait(lambda: "written" in desk.states(), "one is written")
    desk.page.write_or_pause()
    wait(lambda: "writing" not in desk.states(), "nothing is being written")
    texts = [text for text in desk.column(TEXT) if text]
    assert 0 < len(texts) < 5
    wait(lambda: desk.page.foot.write_button.text() == "继续", "the button says so")
    desk.page.write_or_pause()
    wait(lambda: "writing" in desk.states(), "writing goes on")
    desk.close()
    again = open_desk()
    wait(lambda: len(again.page.table.rows) == 5, "the batch is there")
    assert again.column(TEXT)[: len(texts)] == texts
    assert "writing" not in again.states()
    again.page.write_or_pause()
    again.written()
    assert again.column(TEXT)[: len(texts)] == texts


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills with POSIX signals")
def test_the_engine_dies_in_the_middle_and_nothing_is_lost(open_desk):
    desk = open_desk(pace=0.01)
    desk.paste(FIVE)
    desk.page.write_or_pause()
    wait(lambda: "written" in desk.states(), "one is written")
    before = desk.column(TEXT)[0]
    pid = desk.engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    desk.written()
    assert desk.column(TEXT)[0] == before and desk.engine.pid != pid


def test_one_row_is_written_anew_and_its_text_can_be_changed(desk):
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    before = desk.column(TEXT)
    desk.page.view.selectRow(2)
    desk.page.detail.redo_button.click()
    wait(lambda: desk.column(TEXT)[2] != before[2], "another text is there")
    desk.written()
    assert desk.column(TEXT)[:2] + desk.column(TEXT)[3:] == before[:2] + before[3:]
    desk.page.detail.text.setFocus()
    desk.page.detail.text.moveCursor(desk.page.detail.text.textCursor().MoveOperation.End)
    QTest.keyClicks(desk.page.detail.text, " 2027")
    desk.page.view.selectRow(0)
    assert desk.column(TEXT)[2].endswith(" 2027")
    desk.people.close()
    store = open_store(desk.file)
    assert rows_of(store, batches(store)[0].id)[2].text.endswith(" 2027")
    store.close()


def test_texts_too_alike_are_marked(open_desk):
    desk = open_desk(given=[text_of(1)] * 3)
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    wait(lambda: desk.column(STATE) == ["与别人相近"] * 5, "the rows are marked")
    desk.page.view.selectRow(0)
    wait(lambda: "很像" in desk.page.detail.remarks.text(), "it says whose it is like")


def test_the_strip_walks_the_queue_and_copied_counts_as_sent(desk):
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    wait(desk.page.foot.copy_button.isEnabled, "there is something to copy")
    desk.page.foot.copy_button.click()
    strip = desk.page.strip
    wait(lambda: strip.name.text() == "王芳", "the first is copied")
    assert strip.isVisible() and strip.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert QGuiApplication.clipboard().text() == desk.column(TEXT)[0] == strip.text.text()
    assert desk.column(STATE)[0] == "已复制"
    strip.next.click()
    wait(lambda: strip.name.text() == "赵强", "the second is copied")
    strip.undo.click()
    wait(lambda: desk.column(STATE)[1] == "写好了", "it is not sent after all")
    strip.next.click()
    wait(lambda: strip.name.text() == "赵强", "it is its turn again")
    strip.skip.click()
    wait(lambda: strip.name.text() == "周涛", "one was passed over")
    strip.next.click()
    wait(lambda: strip.name.text() == "吴静", "the last")
    strip.next.click()
    wait(lambda: strip.name.text() == "孙丽", "and the one passed over")
    wait(lambda: not strip.next.isEnabled(), "nobody is left")
    desk.people.close()
    store = open_store(desk.file)
    assert [len(sent_to(store, person.id)) for person in all_recipients(store)] == [1] * 5
    store.close()


def test_a_copied_row_that_waits_to_be_written_anew_leaves_the_others_in_the_queue(desk):
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    button, table = desk.page.foot.copy_button, desk.page.table
    for number in range(5):
        wait(button.isEnabled, f"{5 - number} are not copied")
        button.click()
        wait(lambda number=number: desk.column(STATE)[number] == "已复制", "the next is copied")
        if number == 0:
            assert table.setData(table.index(0, TONE), "playful")
            assert desk.column(STATE)[0] == "等着写"
    wait(lambda: not button.isEnabled(), "nobody is left")
    assert "已复制 4" in desk.page.foot.count.text()


def test_the_batch_is_exported(desk, tmp_path):
    desk.paste("姓名\t关系\n=cmd|x\t朋友\n")
    desk.page.write_or_pause()
    desk.written()
    desk.page.batch.export(tmp_path / "out.csv", "zh_CN")
    wait(desk.page.bar.isVisible, "it says where")
    text = (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    assert desk.column(TEXT)[0] in text and '"\'=cmd|x"' in text


def test_another_batch_begins_and_the_first_stays(desk):
    desk.paste(FIVE)
    first = desk.page.session.batch
    desk.page.batch.leave()
    wait(desk.page.hint.isVisible, "the page is empty")
    desk.paste("王芳\n李四\n")
    assert desk.page.session.batch != first
    assert desk.column(RELATIONSHIP)[0] == "朋友", "who is known is known"
    desk.page.batch.turn_to(first, lambda: None)
    wait(lambda: len(desk.page.table.rows) == 5, "the first batch is there")


def test_two_thousand_rows_are_pasted_changed_together_removed_and_brought_back(desk):
    desk.paste("姓名\t关系\n" + "".join(f"人{n}\t朋友\n" for n in range(2000)))
    assert len(desk.page.table.rows) == 2000
    desk.page.view.selectAll()
    desk.page.view._choose(desk.page.table.index(5, TONE), "festive")
    menu = desk.page.wish.length
    menu.setCurrentIndex(menu.findData("long"))
    menu.activated.emit(menu.currentIndex())
    asked = desk.people.writes
    desk.page.remove()
    assert desk.people.writes == asked + 1, "one step, not two thousand"
    wait(lambda: not desk.page.table.rows, "every row is gone")
    desk.page.bar.undo.click()
    wait(lambda: len(desk.page.table.rows) == 2000, "every row is back")
    assert desk.column(NAME) == [f"人{n}" for n in range(2000)]
    assert set(desk.column(TONE)) == {"喜庆"}
    assert {row.fields.request.length for row in desk.page.table.rows} == {"long"}


def test_it_speaks_english_and_wears_black(desk, words, theme):
    desk.paste(FIVE)
    words.speak(ENGLISH)
    settle()
    assert desk.page.foot.write_button.text() == "Write all"
    assert desk.page.table.headerData(0, Qt.Orientation.Horizontal) == "Name"
    assert desk.column(RELATIONSHIP)[0] == "Friend"
    theme.use("dark")
    assert theme.tokens.card in desk.page.styleSheet()


def test_without_a_model_it_says_so_once_offers_the_way_and_writes_nothing(desk):
    desk.paste(FIVE)
    desk.engine.close()
    desk.page.changeEvent(QEvent(QEvent.Type.LanguageChange))
    assert not desk.page.foot.write_button.isEnabled()
    assert "模型准备好就能写" in desk.page.foot.count.text()
    asked = []
    desk.page.model_asked.connect(lambda: asked.append(True))
    desk.page.write_or_pause()
    desk.page.redo([desk.page.table.rows[0].id])
    assert desk.page.banner.isVisible() and "没有能用的模型" in desk.page.banner.message.text()
    assert desk.page.focusWidget() is desk.page.foot.model_button, "Enter leads there"
    desk.page.foot.model_button.click()
    assert asked == [True]
    assert desk.states() == ["waiting"] * 5
    desk.engine.open(desk.file.parent / "stand-in.gguf", None, "cpu")
    wait(lambda: desk.engine.state is Engine.READY, "the engine is ready")
    wait(lambda: not desk.page.banner.isVisible(), "nothing is wrong any more")
    wait(desk.page.foot.write_button.isEnabled, "it can be written")


def test_the_window_has_the_place_and_writes_a_batch_there(window):
    window.pages.show_place("batch")
    page = window.pages.page
    assert isinstance(page, BatchPage)
    wait(lambda: page.session.model == "stand-in.gguf", "the model's name is known")
    page.add_row()
    wait(lambda: page.table.rows, "a row is there")
    for column, value in ((NAME, "王总"), (RELATIONSHIP, "boss"), (TONE, "formal")):
        page.table.setData(page.table.index(0, column), value)
    wait(page.foot.write_button.isEnabled, "it can be written")
    page.write_or_pause()
    wait(lambda: page.table.rows[0].state == "written", "it is written")
    assert page.table.rows[0].text.startswith("王总")
    window.pages.show_place("compose")
    assert not window.page.session.working


def write_signature(desk: Desk, text: str) -> None:
    """Type it, and stay in the field."""
    field = desk.page.wish.signature
    desk.activate()
    field.clear()
    type_in(field, text)
    assert field.hasFocus() and field.text() == text


def test_what_is_signed_afterwards_reaches_the_rows_that_are_written_anew(desk):
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    before = desk.column(TEXT)
    desk.page.view.selectAll()
    write_signature(desk, "小李")
    desk.page.redo_chosen()
    wait(lambda: all(new != old for new, old in zip(desk.column(TEXT), before, strict=True)), "all are written anew")
    desk.written()
    wait(lambda: not desk.page.session.running, "writing has ended")
    desk.people.close()
    store = open_store(desk.file)
    kept = rows_of(store, batches(store)[0].id)
    entries = [written(store, row.written or 0) for row in kept]
    store.close()
    assert {row.fields.request.signature for row in kept} == {"小李"}
    assert {entry.request.signature for entry in entries if entry is not None} == {"小李"}, (
        "that was asked of the model"
    )


def test_what_is_still_being_typed_counts_when_writing_starts_and_when_a_row_is_added(desk):
    write_signature(desk, "小李")
    desk.page.add_row()
    wait(lambda: desk.page.table.rows, "a row is there")
    assert desk.page.table.rows[0].fields.request.signature == "小李"
    editor = desk.page.view.findChild(QLineEdit)
    assert editor is not None
    type_in(editor, "王芳")
    desk.page.table.setData(desk.page.table.index(0, RELATIONSHIP), "friend")
    write_signature(desk, "小李和小王")
    desk.page.write_or_pause()
    desk.written()
    (row,) = desk.page.table.rows
    assert (row.fields.name, row.fields.request.signature) == ("王芳", "小李和小王")


def test_a_cell_still_open_counts_when_writing_starts(desk):
    desk.paste("姓名\t关系\n王芳\t朋友\n")
    editor = desk.open_cell(0, ADDRESS)
    type_in(editor, "芳芳")
    desk.page.write_or_pause()
    desk.written()
    assert desk.column(ADDRESS) == ["芳芳"]


def test_what_is_still_being_typed_is_saved_when_the_window_closes(open_desk):
    desk = open_desk()
    desk.paste("姓名\t关系\n王芳\t朋友\n")
    type_in(desk.open_cell(0, ADDRESS), "芳芳")
    desk.close()
    again = open_desk()
    wait(lambda: again.column(ADDRESS) == ["芳芳"], "it is there")


def test_a_text_that_breaks_a_rule_to_the_end_asks_to_be_looked_at(open_desk):
    desk = open_desk(given=[text_of(1)[:-1], text_of(2)[:-1], text_of(3)[:-1]])
    desk.paste("姓名\t关系\n王芳\t朋友\n")
    desk.page.write_or_pause()
    desk.written()
    wait(lambda: desk.column(STATE) == ["请看一眼"], "it is marked")
    index = desk.page.table.index(0, STATE)
    assert index.data(Qt.ItemDataRole.ForegroundRole).name() == desk.page._theme.tokens.correction
    assert "话没说完。" in index.data(Qt.ItemDataRole.ToolTipRole)
    wait(lambda: "1 行请看一眼" in desk.page.foot.count.text(), "it is counted")
    desk.page.view.selectRow(0)
    wait(lambda: "话没说完。" in desk.page.detail.remarks.text(), "it says why")
    desk.page.foot.copy_button.click()
    strip = desk.page.strip
    wait(strip.isVisible, "it is copied")
    assert strip.remarks.isVisible() and "话没说完。" in strip.remarks.text()
    strip.undo.click()
    wait(lambda: desk.column(STATE) == ["请看一眼"], "it is not sent after all")
    desk.close()
    again = open_desk()
    wait(lambda: again.column(STATE) == ["请看一眼"], "it is still marked")
    again.page.batch.edit_text(again.page.table.rows[0].id, text_of(1))
    wait(lambda: again.column(STATE) == ["写好了"], "put right, it is not")


def test_a_text_like_what_the_person_had_before_is_said_to_be_so(open_desk):
    desk = open_desk(given=[text_of(1)])
    desk.paste("姓名\t关系\n王芳\t朋友\n")
    desk.page.write_or_pause()
    desk.written()
    desk.page.foot.copy_button.click()
    wait(lambda: desk.column(STATE) == ["已复制"], "it counts as sent")
    desk.page.view.selectRow(0)
    desk.page.redo_chosen()
    wait(lambda: desk.column(STATE) == ["请看一眼"], "the same was written again")
    wait(lambda: "和以前发给这个人的一条太像。" in desk.page.detail.remarks.text(), "it says so")


def test_a_row_given_another_name_is_for_another_person(desk):
    desk.paste("姓名\t关系\n王芳\t朋友\n李雷\t朋友\n")
    first, second = (row.fields.recipient for row in desk.page.table.rows)
    table = desk.page.table
    table.setData(table.index(0, NAME), "赵强")
    table.setData(table.index(0, NAME), "李雷")
    wait(lambda: table.rows[0].fields.recipient is not None, "the person is known")
    assert table.rows[0].fields.recipient == second != first
    table.setData(table.index(0, NAME), "孙丽")
    wait(lambda: table.rows[0].fields.recipient not in (None, first, second), "a new person is known")
    desk.people.close()
    store = open_store(desk.file)
    names = {person.id: person.fields.name for person in all_recipients(store)}
    row = rows_of(store, batches(store)[0].id)[0]
    store.close()
    assert names[row.fields.recipient] == "孙丽" and names[first] == "王芳"


def test_a_text_deleted_in_the_history_is_gone_from_the_batch_too_until_it_is_brought_back(desk):
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    texts, ids = desk.column(TEXT), [row.written for row in desk.page.table.rows]
    tokens: list[int] = []
    desk.page.hide()
    desk.people.write(lambda store: delete(store, "written", ids[:2]), tokens.append)
    desk.page.show()
    wait(lambda: desk.states() == ["waiting"] * 2 + ["written"] * 3, "they wait")
    assert desk.column(TEXT) == ["", "", *texts[2:]]
    wait(lambda: desk.page.foot.count.text().startswith("写好 3 / 5"), "the count is right")
    desk.page.foot.copy_button.click()
    wait(lambda: desk.page.strip.name.text() == "孙丽", "the first with a text is copied")
    assert QGuiApplication.clipboard().text() == texts[2]
    desk.page.hide()
    desk.people.write(lambda store: undo(store, tokens[0]))
    desk.page.show()
    wait(lambda: desk.column(TEXT) == texts, "they are back")


def test_what_is_changed_while_the_batch_is_read_anew_stays(desk):
    desk.paste(FIVE)
    desk.page.batch.renew()
    desk.page.table.setData(desk.page.table.index(0, ADDRESS), "芳芳")
    answered: list[bool] = []
    for _ in range(3):
        desk.people.read(lambda store: True, answered.append)
    wait(lambda: len(answered) == 3, "everything asked before is answered")
    settle()
    assert desk.column(ADDRESS)[0] == "芳芳"


def test_the_only_one_left_is_not_copied_by_passing_it_over(desk):
    desk.paste("姓名\t关系\n王芳\t朋友\n赵强\t朋友\n孙丽\t朋友\n")
    desk.page.write_or_pause()
    desk.written()
    wait(desk.page.foot.copy_button.isEnabled, "there is something to copy")
    strip = desk.page.strip
    desk.page.foot.copy_button.click()
    wait(lambda: strip.name.text() == "王芳", "the first is copied")
    strip.skip.click()
    wait(lambda: strip.name.text() == "孙丽", "one was passed over")
    clipboard = QGuiApplication.clipboard().text()
    strip.skip.click()
    wait(lambda: strip.name.text() == "没有别的了", "it says so")
    assert "赵强" in strip.text.text() and QGuiApplication.clipboard().text() == clipboard
    assert desk.column(STATE) == ["已复制", "写好了", "已复制"]
    strip.next.click()
    wait(lambda: strip.name.text() == "赵强", "asked for, it is copied")


def test_passing_over_at_the_end_of_the_queue_leaves_the_one_whose_turn_it_was(desk):
    desk.paste(FIVE)
    desk.page.write_or_pause()
    desk.written()
    wait(desk.page.foot.copy_button.isEnabled, "there is something to copy")
    desk.page.view.selectRow(4)
    desk.page.detail.copy_button.click()
    wait(lambda: desk.column(STATE)[4] == "已复制", "the last is copied")
    desk.page.queue.pass_next()
    wait(lambda: desk.page.strip.name.text() == "赵强", "not the first, whose turn it was")
    assert desk.column(STATE)[0] == "写好了"


FACTS_TOO_MANY = "升职；搬了新家；养了一只猫"
FACT_TOO_LONG = "长" * 41


@pytest.mark.parametrize(("typed", "said"), [(FACTS_TOO_MANY, "最多 2 件"), (FACT_TOO_LONG, "太长了")])
def test_what_a_cell_refuses_stays_there_to_be_put_right_before_anything_is_written(desk, typed, said):
    desk.paste(FIVE)
    view, table = desk.page.view, desk.page.table
    editor = desk.open_cell(1, FACTS)
    type_in(editor, typed)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait(desk.page.banner.isVisible, "the page says so")
    assert said in desk.page.banner.message.text()
    settle()
    index = table.index(1, FACTS)
    assert index.data() == index.data(Qt.ItemDataRole.EditRole) == typed
    assert index.data(Qt.ItemDataRole.ForegroundRole).name() == desk.page._theme.tokens.correction
    assert said in index.data(Qt.ItemDataRole.ToolTipRole)
    assert table.rows[1].fields.request.details == ()
    view.clearFocus()
    desk.page.write_or_pause()
    assert not desk.page.session.running and said in desk.page.banner.message.text()
    wait(lambda: view.currentIndex() == index, "the way to the cell")
    editor = next(field for field in view.findChildren(QLineEdit) if field.isVisible())
    assert editor.text() == typed
    editor.clear()
    type_in(editor, "升职")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait(lambda: table.rows[1].fields.request.details == ("升职",), "put right, it counts")
    settle()
    desk.page.write_or_pause()
    assert desk.page.session.running
    desk.written()


def test_what_a_cell_refused_is_given_up_with_escape(desk):
    desk.paste(FIVE)
    table = desk.page.table
    table.setData(table.index(0, FACTS), "升职")
    table.setData(table.index(0, FACTS), FACTS_TOO_MANY)
    assert desk.column(FACTS)[0] == FACTS_TOO_MANY
    editor = desk.open_cell(0, FACTS)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert desk.column(FACTS)[0] == "升职"


def test_a_form_of_address_takes_no_more_than_fits(desk):
    desk.paste(FIVE)
    editor = desk.open_cell(0, ADDRESS)
    QTest.keyClicks(editor, "a" * 30)
    assert editor.text() == "a" * 20
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait(lambda: desk.column(ADDRESS)[0] == "a" * 20, "it counts")


def test_two_additions_at_once_to_no_batch_make_one(desk):
    names = ("王芳", "赵强")
    for name in names:
        people = (recipient_fields(name, relationship="friend"),)
        desk.page.batch.add(people, "除夕", desk.page.wish.wish, lambda: None)
    desk.page.add_row()
    wait(lambda: desk.column(NAME) == [*names, ""], "all are there")
    desk.people.close()
    store = open_store(desk.file)
    (batch,) = batches(store)
    assert batch.id == desk.page.session.batch
    assert [row.fields.name for row in rows_of(store, batch.id)] == [*names, ""]
    store.close()


def test_the_detail_grows_with_what_is_to_be_said_against_a_text(desk):
    desk.paste("姓名\t关系\n王芳\t朋友\n" + "赵强" * 15 + "\t朋友\n")
    desk.page.write_or_pause()
    desk.written()
    detail, table = desk.page.detail, desk.page.table
    desk.page.view.selectRow(0)
    wait(lambda: detail.name.text() == "王芳", "the row is shown")
    settle()
    alone, room = detail.height(), detail.text.height()
    faults = tuple(Sentence(f"第{number}条规矩没有守住，请看看这里，再看看那里。" * 3, "") for number in range(4))
    table.take(Verdict(table.rows[0].id, faults))
    wait(detail.remarks.isVisible, "it is said")
    settle()
    assert detail.remarks.height() >= detail.remarks.heightForWidth(detail.remarks.width()) > 40
    assert detail.height() > alone + 40 and detail.text.height() >= room - 2
    desk.page.foot.copy_button.click()
    wait(lambda: table.counts()["copied"] == 1, "the first is copied")
    desk.page.foot.copy_button.click()
    strip = desk.page.strip
    wait(lambda: strip.name.text() == "赵强" * 15, "the second is copied")
    settle()
    assert strip.width() == 420 and strip.name.geometry().right() < strip.state.geometry().left()
    assert strip.state.geometry().right() <= strip.width() and strip.state.width() >= strip.state.sizeHint().width()
    assert QLabel.text(strip.name).endswith("…") and strip.name.toolTip() == "赵强" * 15


def test_a_batch_that_was_begun_keeps_its_occasion_after_midnight(desk):
    desk.paste(FIVE)
    before = desk.page.wish.occasion.currentData()
    desk.page.turn_to(date(2027, 1, 1) if before != "new_year" else date(2027, 2, 5))
    assert desk.page.wish.occasion.currentData() == before
