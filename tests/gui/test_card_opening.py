"""A card whose dialog was closed before it was saved: what became of it is said on the page."""

from pathlib import Path

from app.gui.card_dialog import CardDialog
from app.gui.main_window import MainWindow
from tests.gui.test_compose_page import write_all
from tests.gui.waiting import settle, wait


def open_card(window: MainWindow) -> CardDialog:
    write_all(window)
    window.page.make_card(0)
    wait(lambda: window.findChildren(CardDialog), "the card is open")
    dialog: CardDialog = window.findChildren(CardDialog)[0]
    wait(lambda: not dialog.designs.busy, "the small cards are drawn")
    return dialog


def test_a_failure_after_the_dialog_is_gone_is_said_on_the_page(window, tmp_path):
    dialog = open_card(window)
    dialog.save(tmp_path / "gone" / "card.png")
    dialog.reject()
    wait(window.page.banner.isVisible, "it is said")
    assert "没有保存" in window.page.banner.message.text()


def test_while_the_dialog_is_there_it_says_so_itself(window, tmp_path):
    dialog = open_card(window)
    dialog.save(tmp_path / "gone" / "card.png")
    wait(dialog.banner.isVisible, "it is said")
    assert not window.page.banner.isVisible()
    dialog.reject()


def test_what_is_saved_after_the_dialog_is_gone_is_there(window, tmp_path):
    dialog = open_card(window)
    file: Path = tmp_path / "card.png"
    dialog.save(file)
    dialog.reject()
    wait(file.exists, "it is there")
    settle()
    assert not window.page.banner.isVisible()
