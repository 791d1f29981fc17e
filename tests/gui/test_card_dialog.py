"""做成贺卡 as a person uses it: choose, change, copy, save; and what they are told when it does not work."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget

from app.cards.design import Format
from app.gui.card_dialog import CardDialog
from app.gui.words import ENGLISH
from tests.gui.waiting import settle, wait

TEXT = "李老师，给您拜年。跟您学了三年语文，如今每写完一篇东西，我仍会照您说的，从头默念一遍。——学生何川"


@pytest.fixture
def open_dialog(words, theme) -> Iterator[Callable[..., CardDialog]]:
    """Opens dialogs as the window does; each is closed afterwards."""
    opened: list[CardDialog] = []

    def open_one(text: str = TEXT, signature: str = "", zodiac: str = "马") -> CardDialog:
        dialog = CardDialog(words, theme, text, signature, zodiac)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        opened.append(dialog)
        dialog.open()
        wait(lambda: not dialog.designs.busy, "the small cards are drawn")
        return dialog

    yield open_one
    for dialog in opened:
        dialog.close()
        dialog.deleteLater()
    settle()


def choose_file(dialog: CardDialog, button: QPushButton, path: Path) -> None:
    """Press a button that asks where to save, and answer."""
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    asking = dialog.findChild(QFileDialog)
    assert asking is not None
    asking.setOption(QFileDialog.Option.DontConfirmOverwrite)
    asking.setDirectory(str(path.parent))
    asking.selectFile(str(path))
    asking.accept()
    settle()


def test_it_opens_with_the_card_and_a_small_one_of_every_design(open_dialog):
    dialog = open_dialog()
    assert dialog.card.letter.signature == "学生何川"
    assert dialog.card.zodiac == "马"
    assert dialog.designs.count() == len(dialog.painter.collection.designs)
    for row in range(dialog.designs.count()):
        item = dialog.designs.item(row)
        assert item.text() and not item.icon().isNull()
    assert not dialog.trouble.isVisible()
    assert "".join(dialog.preview.accessibleDescription().split()).startswith("李老师")


def test_arrow_keys_choose_another_design_and_the_card_follows(open_dialog):
    dialog = open_dialog()
    before = dialog.preview.grab().toImage()
    dialog.designs.setFocus()
    QTest.keyClick(dialog.designs, Qt.Key.Key_Right)
    assert dialog.card.design is dialog.painter.collection.designs[1]
    assert dialog.preview.grab().toImage() != before


def test_what_is_typed_is_on_the_card(open_dialog):
    dialog = open_dialog()
    before = dialog.preview.grab().toImage()
    dialog.text.setFocus()
    dialog.text.selectAll()
    QTest.keyClicks(dialog.text, "2027")
    wait(lambda: dialog.card.letter.paragraphs == ("2027",), "the card is drawn again")
    dialog.signature.setText("小何")
    wait(lambda: dialog.card.letter.signature == "小何", "the signature is on it")
    assert dialog.preview.grab().toImage() != before


def test_zodiac_and_format_are_chosen(open_dialog):
    dialog = open_dialog()
    dialog.zodiac.setCurrentIndex(dialog.zodiac.findData(""))
    assert dialog.card.zodiac == ""
    QTest.mouseClick(dialog.format.buttons["square"], Qt.MouseButton.LeftButton)
    assert dialog.card.format is Format.SQUARE
    wait(lambda: not dialog.designs.busy, "the small cards are square")
    assert (
        dialog.designs.item(0).icon().availableSizes()[0].width()
        == dialog.designs.item(0).icon().availableSizes()[0].height()
    )


def test_the_copied_picture_is_the_card(open_dialog):
    dialog = open_dialog()
    dialog.activateWindow()
    QTest.keyClick(dialog, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    copied = QGuiApplication.clipboard().image()
    assert (copied.width(), copied.height()) == (1080, 1440)
    assert copied.convertToFormat(QImage.Format.Format_RGB32) == dialog.painter.image(dialog.card)
    assert dialog.note.text().startswith("图片已复制")


def test_what_was_typed_a_moment_ago_is_copied(open_dialog):
    dialog = open_dialog()
    dialog.text.setPlainText("新年好。")
    dialog.copy_button.click()
    card = dialog.painter.card(dialog.designs.design, Format.PORTRAIT, "新年好。", "", "马")
    assert QGuiApplication.clipboard().image() == dialog.painter.image(card)


def test_a_png_is_saved_where_asked(open_dialog, tmp_path):
    dialog = open_dialog()
    for shape, height in (("portrait", 1440), ("square", 1080)):
        dialog.format.buttons[shape].click()
        target = tmp_path / f"{shape}.png"
        choose_file(dialog, dialog.png_button, target)
        wait(lambda target=target: str(target) in dialog.note.text(), "it says where the picture is")
        assert target.read_bytes() == dialog.painter.png(dialog.card)
        assert QImage(str(target)).height() == height
    assert sorted(path.name for path in tmp_path.iterdir()) == ["portrait.png", "square.png"]


def test_a_pdf_is_saved_with_its_suffix(open_dialog, tmp_path):
    dialog = open_dialog()
    choose_file(dialog, dialog.pdf_button, tmp_path / "贺卡")
    wait(lambda: (tmp_path / "贺卡.pdf").exists(), "the file is there")
    wait(lambda: dialog.note.text().startswith("已保存"), "and the dialog says so")
    assert (tmp_path / "贺卡.pdf").read_bytes() == dialog.painter.pdf(dialog.card)


def test_a_save_that_fails_is_explained_and_the_old_file_stays(open_dialog, tmp_path):
    dialog = open_dialog()
    dialog.save(tmp_path / "gone" / "card.png")
    wait(dialog.banner.isVisible, "the failure is told")
    assert "gone" in dialog.banner.message.text()
    assert not dialog.note.text()
    dialog.save(tmp_path / "card.png")
    wait(lambda: dialog.note.text().startswith("已保存"), "the next one is saved")
    assert not dialog.banner.isVisible()


def test_a_text_too_long_is_explained_and_cannot_be_saved_until_it_is_shorter(open_dialog, tmp_path):
    dialog = open_dialog()
    dialog.text.setPlainText("愿你平安顺遂，" * 80)
    wait(lambda: "560 字" in dialog.trouble.text(), "it says how long the text is")
    for button in (dialog.copy_button, dialog.png_button, dialog.pdf_button):
        assert not button.isEnabled()
    dialog.save(tmp_path / "card.png")
    assert list(tmp_path.iterdir()) == []
    dialog.text.setPlainText("愿你平安顺遂。")
    wait(lambda: not dialog.trouble.isVisible(), "nothing is wrong any more")
    assert dialog.png_button.isEnabled()


def test_without_a_text_there_is_nothing_to_save_and_it_says_so(open_dialog):
    dialog = open_dialog("")
    assert "还没有文字" in dialog.trouble.text()
    assert not dialog.copy_button.isEnabled()


def test_characters_no_font_has_are_counted(open_dialog):
    dialog = open_dialog("新春\U0010fffd安康")
    assert "有 1 个" in dialog.trouble.text()
    assert dialog.png_button.isEnabled()


def test_escape_closes_but_not_in_the_middle_of_a_word(open_dialog):
    dialog = open_dialog()
    dialog.activateWindow()
    dialog.text.setFocus()
    wait(dialog.text.hasFocus, "the text has the focus")
    QApplication.sendEvent(dialog.text, QInputMethodEvent("xin", []))
    dialog.reject()
    assert dialog.isVisible()
    QApplication.sendEvent(dialog.text, QInputMethodEvent("", []))
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_everything_that_is_operated_has_a_name_and_is_reached_by_tab(open_dialog):
    dialog = open_dialog()
    operated = [dialog.text, dialog.signature, dialog.zodiac, dialog.designs, dialog.format]
    for widget in operated:
        assert widget.accessibleName()
    dialog.activateWindow()
    dialog.text.setFocus()
    wait(dialog.text.hasFocus, "the text has the focus")
    reached: set[QWidget] = set()
    for _ in range(14):
        reached.add(QApplication.focusWidget())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert {dialog.text, dialog.signature, dialog.zodiac, dialog.designs, dialog.png_button} <= reached


def test_it_speaks_english(open_dialog, words):
    dialog = open_dialog()
    words.speak(ENGLISH)
    wait(lambda: dialog.copy_button.text() == "Copy picture", "the dialog speaks English")
    left = [
        shown
        for widget in dialog.findChildren(QWidget)
        for get in ("text", "toolTip", "accessibleName", "placeholderText")
        if isinstance(shown := getattr(widget, get, str)(), str) and re.search("[\u4e00-\u9fff]", shown)
    ]
    assert left == []
    assert dialog.zodiac.currentText() == "马 Horse"
    assert not re.search("[\u4e00-\u9fff]", "".join(dialog.designs.item(row).text() for row in range(9)))


@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_fits_the_smallest_window_in_both_themes(open_dialog, theme, look):
    theme.use(look)
    dialog = open_dialog()
    dialog.resize(1024, 640)
    settle()
    assert dialog.minimumSizeHint().width() <= 1024 and dialog.minimumSizeHint().height() <= 660
    ground = dialog.grab().toImage().pixelColor(3, 3)
    assert ground == dialog.palette().window().color()
