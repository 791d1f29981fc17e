"""The page with a real engine process that writes given texts: what a person can do with it, and what they see."""

import os
import signal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.compose.sentence import Sentence
from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow, Options
from app.gui.words import ENGLISH
from app.gui.writing_session import State
from tests.gui.conftest import STAND_IN
from tests.gui.stand_in_engine import TEXTS
from tests.gui.waiting import wait


def fill(window: MainWindow) -> None:
    """The least a greeting needs, and a name."""
    form = window.page.form
    form.relationship.choose("boss")
    form.tone.chosen = "formal"
    form.address.setText("王总")


def texts(window: MainWindow) -> list[str]:
    return [card.text.toPlainText() for card in window.page.cards]


def wait_for_words(window: MainWindow, count: int = 5) -> None:
    wait(lambda: all(len(text) >= count for text in texts(window)), f"{count} characters in every card")


def write_all(window: MainWindow) -> None:
    fill(window)
    window.page.button.click()
    wait(lambda: window.page.session.working, "writing began")
    wait(lambda: not window.page.session.working, "writing ended")


def key(window: MainWindow, code: Qt.Key, control: bool = True) -> None:
    """A key as the person presses it, to whatever has the focus."""
    modifier = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(QApplication.focusWidget() or window, code, modifier)


def test_three_greetings_stream_into_the_cards_and_the_faulty_one_is_replaced(slow_window):
    fill(slow_window)
    slow_window.page.button.click()
    seen: list[list[int]] = []
    wait_for_words(slow_window, 3)
    seen.append([len(text) for text in texts(slow_window)])
    wait_for_words(slow_window, 10)
    seen.append([len(text) for text in texts(slow_window)])
    assert all(later > earlier for earlier, later in zip(*seen, strict=True))
    assert slow_window.page.cards[0].note.text() == "正在写…"
    assert not slow_window.page.cards[0].copy_button.isHidden()
    wait(lambda: not slow_window.page.session.working, "writing ended")
    assert TEXTS[1] not in texts(slow_window), "it says 你 to a boss"
    assert set(texts(slow_window)) <= set(TEXTS)
    wait(lambda: all(card.note.text() == "" for card in slow_window.page.cards), "all of it is kept")
    assert slow_window.page.status.took.text().startswith("用时")


@pytest.mark.parametrize("code", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_control_enter_writes_from_wherever_the_cursor_is(window, code):
    fill(window)
    window.page.form.details[0].setFocus()
    key(window, code)
    assert window.page.session.working
    wait(lambda: not window.page.session.working, "writing ended")
    window.page.cards[0].text.setFocus()
    key(window, code)
    assert window.page.session.working


def test_enter_alone_writes_nothing(window):
    fill(window)
    window.page.form.address.setFocus()
    key(window, Qt.Key.Key_Return, control=False)
    assert not window.page.session.working


def test_enter_inside_a_composition_never_fires(window):
    fill(window)
    address = window.page.form.address
    address.setFocus()
    wait(address.hasFocus, "the field has the focus")
    QApplication.sendEvent(address, QInputMethodEvent("wang", []))
    key(window, Qt.Key.Key_Return)
    key(window, Qt.Key.Key_Return, control=False)
    window.page.button.click()
    assert not window.page.session.working
    commit = QInputMethodEvent("", [])
    commit.setCommitString("王")
    QApplication.sendEvent(address, commit)
    assert address.text().endswith("王")
    key(window, Qt.Key.Key_Return)
    assert window.page.session.working


def test_escape_inside_a_composition_does_not_stop(slow_window):
    fill(slow_window)
    slow_window.page.write()
    address = slow_window.page.form.address
    address.setFocus()
    wait(address.hasFocus, "the field has the focus")
    QApplication.sendEvent(address, QInputMethodEvent("wang", []))
    key(slow_window, Qt.Key.Key_Escape, control=False)
    assert slow_window.page.session.working
    QApplication.sendEvent(address, QInputMethodEvent("", []))
    key(slow_window, Qt.Key.Key_Escape, control=False)
    assert not slow_window.page.session.working


def test_a_composition_left_with_the_focus_does_not_block_the_keys(window):
    fill(window)
    address = window.page.form.address
    address.setFocus()
    wait(address.hasFocus, "the field has the focus")
    QApplication.sendEvent(address, QInputMethodEvent("wang", []))
    window.page.form.signature.setFocus()
    key(window, Qt.Key.Key_Return)
    assert window.page.session.working


def test_a_double_click_is_one_click(slow_window):
    fill(slow_window)
    middle = slow_window.page.button.rect().center()
    QTest.mouseClick(slow_window.page.button, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseDClick(slow_window.page.button, Qt.MouseButton.LeftButton, pos=middle)
    assert slow_window.page.session.working
    assert slow_window.page.button.text() == "停止"


def test_a_click_on_stop_that_comes_too_late_begins_nothing(window):
    write_all(window)
    count = window.page.session.view(0).count
    window.page.button.click()
    assert not window.page.session.working
    assert window.page.session.view(0).count == count


def test_stop_keeps_the_beginnings_and_says_so(slow_window):
    fill(slow_window)
    slow_window.page.write()
    wait_for_words(slow_window)
    key(slow_window, Qt.Key.Key_Escape, control=False)
    kept = texts(slow_window)
    assert slow_window.page.button.text() == "写祝福"
    assert {card.note.text() for card in slow_window.page.cards} == {"没写完"}
    assert all(text.startswith(begun) for begun, text in zip(kept, TEXTS, strict=False))
    slow_window.page.write()
    wait_for_words(slow_window)
    assert [slow_window.page.session.view(card).count for card in range(3)] == [2, 2, 2]


def test_an_empty_form_names_the_field(window):
    window.page.button.click()
    assert window.page.form.fields["relationship"].error.isVisible()
    window.page.form.relationship.choose("boss")
    window.page.button.click()
    assert window.page.form.fields["tone"].error.isVisible()
    assert not window.page.session.working


def test_copy_puts_the_text_on_the_clipboard_and_says_so_without_a_dialog(window):
    write_all(window)
    for number in range(3):
        key(window, Qt.Key(Qt.Key.Key_1.value + number))
        assert QApplication.clipboard().text() == texts(window)[number]
        assert window.page.cards[number].note.text() == "已复制"
    assert QApplication.activeModalWidget() is None
    window.page.cards[1].copy_button.click()
    assert QApplication.clipboard().text() == texts(window)[1]


def test_a_text_changed_after_it_was_copied_is_not_said_to_be_copied(window):
    write_all(window)
    card = window.page.cards[0]
    card.copy_button.click()
    wait(lambda: card.note.text().startswith("已复制，记作"), "it counts as sent")
    card.text.setFocus()
    QTest.keyClicks(card.text, "2027")
    assert card.note.text() == "" and card.undo_button.isHidden()
    card.copy_button.click()
    assert card.note.text() == "已复制"
    wait(lambda: card.note.text().startswith("已复制，记作"), "the new text counts as sent too")


def test_copying_an_empty_card_leaves_the_clipboard_alone(window):
    QApplication.clipboard().setText("别的")
    key(window, Qt.Key.Key_1)
    assert QApplication.clipboard().text() == "别的"


def test_half_a_text_is_not_copied(slow_window):
    QApplication.clipboard().setText("别的")
    fill(slow_window)
    slow_window.page.write()
    wait_for_words(slow_window, 3)
    card = slow_window.page.cards[0]
    assert not card.copy_button.isEnabled()
    key(slow_window, Qt.Key.Key_1)
    assert QApplication.clipboard().text() == "别的"
    assert card.note.text() == "还没写完，写完再复制"
    wait(lambda: not slow_window.page.session.working, "writing ended")
    assert card.copy_button.isEnabled()
    key(slow_window, Qt.Key.Key_1)
    assert QApplication.clipboard().text() == texts(slow_window)[0]


def test_an_edited_text_is_checked_while_it_is_edited(window):
    write_all(window)
    card = window.page.cards[0]
    assert card.faults.isHidden()
    card.text.setFocus()
    card.text.selectAll()
    QTest.keyClicks(card.text, "wang")
    wait(lambda: not card.faults.isHidden(), "the card says what is wrong")
    assert card.faults.text()
    card.text.setPlainText(TEXTS[0])
    wait(lambda: card.faults.isHidden(), "the card takes it back")


def test_pasting_five_thousand_characters_into_a_card_behaves(window):
    write_all(window)
    card = window.page.cards[0]
    QApplication.clipboard().setText("好" * 5000)
    card.text.setFocus()
    card.text.selectAll()
    card.text.paste()
    assert texts(window)[0] == "好" * 5000
    wait(lambda: not card.faults.isHidden(), "the card says that it is too long")
    key(window, Qt.Key.Key_1)
    assert QApplication.clipboard().text() == "好" * 5000


def test_pasted_formatting_does_not_come_along(window):
    write_all(window)
    text = window.page.cards[0].text
    text.selectAll()
    text.insertFromMimeData(html_clipboard("<b>红</b>"))
    assert "<b>" not in texts(window)[0]
    assert text.fontWeight() < 600


def html_clipboard(html: str):
    from PySide6.QtCore import QMimeData

    data = QMimeData()
    data.setHtml(html)
    data.setText("红")
    return data


def test_another_one_keeps_the_last_within_reach(window):
    write_all(window)
    card = window.page.cards[0]
    first = texts(window)[0]
    others = texts(window)[1:]
    card.again_button.click()
    wait(lambda: not window.page.session.working, "another one is written")
    assert texts(window)[0] != first
    assert texts(window)[1:] == others
    while card.previous.isEnabled():
        card.previous.click()
    assert texts(window)[0] == first
    card.next.click()
    assert texts(window)[0] != first


def test_a_new_start_leaves_the_edited_text_within_reach(window):
    write_all(window)
    card = window.page.cards[2]
    card.text.selectAll()
    card.text.insertPlainText("我自己写的一句。")
    window.page.write()
    wait(lambda: not window.page.session.working, "the second round is written")
    while card.previous.isEnabled():
        card.previous.click()
        if texts(window)[2] == "我自己写的一句。":
            return
    pytest.fail("the edited text is gone")


def test_undo_in_a_card_takes_back_the_persons_words_only(window):
    write_all(window)
    card = window.page.cards[0]
    whole = texts(window)[0]
    card.text.setFocus()
    card.text.insertPlainText("好")
    card.text.undo()
    assert texts(window)[0] == whole
    card.text.undo()
    assert texts(window)[0] == whole


def test_a_selection_in_a_card_keeps_its_text(slow_window):
    fill(slow_window)
    slow_window.page.write()
    wait(lambda: slow_window.page.session.view(1).state is State.CHOOSING, "the second text is complete")
    slow_window.page.cards[1].text.selectAll()
    wait(lambda: not slow_window.page.session.working, "writing ended")
    assert texts(slow_window)[1] == TEXTS[1]
    assert not slow_window.page.cards[1].faults.isHidden()


def test_a_killed_engine_is_announced_and_nothing_is_lost(slow_window):
    fill(slow_window)
    slow_window.page.write()
    wait_for_words(slow_window)
    before = texts(slow_window)
    pid = slow_window.engine.pid
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    wait(slow_window.page.banner.isVisible, "the window says so")
    assert "引擎" in slow_window.page.banner.message.text()
    assert all(now.startswith(then) for now, then in zip(texts(slow_window), before, strict=True))
    assert slow_window.page.form.address.text() == "王总"
    assert slow_window.page.button.text() == "写祝福"
    wait(lambda: slow_window.engine.state is Engine.READY, "the engine is back")
    assert slow_window.engine.pid != pid
    told = slow_window.page.banner.message.text()
    assert "已经重新启动" in told and "请再写一次" in told
    slow_window.page.write()
    assert not slow_window.page.banner.isVisible()
    wait(lambda: not slow_window.page.session.working, "it writes again")


def test_what_is_shown_in_the_place_of_a_death_stays_when_the_engine_is_back(slow_window):
    pid = slow_window.engine.pid
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    banner = slow_window.page.banner
    wait(banner.isVisible, "the window says so")
    banner.show_error(Sentence("磁盘满了。", "The disk is full."))
    wait(lambda: slow_window.engine.state is Engine.READY, "the engine is back")
    assert banner.message.text() == "磁盘满了。"


def test_the_banner_shows_and_copies_its_details(slow_window):
    os.kill(slow_window.engine.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    banner = slow_window.page.banner
    wait(banner.isVisible, "the window says so")
    assert not banner.details.text.isVisible()
    banner.details.toggle.click()
    assert banner.details.text.isVisible()
    banner.details.copy.click()
    assert banner.message.text() in QApplication.clipboard().text()
    banner.dismiss.click()
    assert not banner.isVisible()


def test_writing_may_be_asked_for_while_the_model_is_being_opened(open_window, tmp_path):
    options = Options(model=tmp_path / "stand-in.gguf", engine_command=(*STAND_IN, "--opening", "1"))
    window = open_window(options, ready=False)
    wait(lambda: window.engine.state is Engine.OPENING, "the model is being opened")
    fill(window)
    window.page.write()
    assert window.page.session.working
    assert "正在打开模型" in window.page.status.engine.text()
    wait(lambda: not window.page.session.working, "it was written once the model was open")
    assert all(texts(window))


def test_a_model_of_ones_own_that_cannot_be_opened_is_named_and_can_be_tried_again(open_window, tmp_path):
    options = Options(model=tmp_path / "x.gguf", engine_command=(*STAND_IN, "--fail", "model_foreign"))
    window = open_window(options, ready=False)
    wait(window.page.banner.isVisible, "the window says so")
    assert window.engine.state is Engine.FAILED
    assert window.page.button.isEnabled()
    fill(window)
    window.page.write()
    assert not window.page.banner.isVisible()
    wait(window.page.banner.isVisible, "the window says so again")
    assert not window.page.session.working


def test_the_status_line_says_what_runs_where_and_why(window):
    assert window.page.status.engine.text() == "stand-in.gguf  ·  CPU：未检测到可用 GPU"


def test_what_the_cards_show_speaks_the_other_language(window):
    fill(window)
    window.page.form.address.clear()
    window.page.form.details[0].setText("去年帮我改方案")
    window.page.write()
    wait(lambda: not window.page.session.working, "writing ended")
    card = next(card for card in window.page.cards if card.faults.isVisible())
    chinese = card.faults.text()
    window.sidebar.language_asked.emit(ENGLISH)
    wait(lambda: card.copy_button.text() == "Copy", "the card speaks English")
    assert card.faults.text() != chinese
    assert card.faults.text().isascii() or "去年" in card.faults.text()


def test_a_key_writes_another_in_the_place_of_one(window):
    write_all(window)
    before = [window.page.session.view(card).count for card in range(3)]
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_2, both)
    wait(lambda: window.page.session.view(1).count == before[1] + 1, "there is another")
    assert [window.page.session.view(card).count for card in (0, 2)] == [before[0], before[2]]


def test_a_screen_reader_says_that_it_was_copied_and_what_went_wrong(window, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda event: said.append(event.message()))
    write_all(window)
    window.page.copy(0)
    window.page.banner.show_error(Sentence("出错了。", "Something is wrong."))
    assert said == ["已复制", "出错了。"]
