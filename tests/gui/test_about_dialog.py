"""关于, and what is told of a crash."""

from pathlib import Path

from PySide6.QtWidgets import QMessageBox

from app import __version__
from app.gui.about_dialog import AboutDialog
from app.gui.crash_report import left_by_crash, report, tell_unopened
from app.gui.log import CRASH_FILE
from app.gui.main_window import MainWindow
from app.licences import licences
from tests.gui.waiting import wait


def test_it_is_opened_from_the_side_bar_and_shows_version_and_licences(window: MainWindow) -> None:
    window.sidebar.about.click()
    wait(lambda: bool(window.findChildren(AboutDialog)), "the dialog is open")
    dialog = window.findChildren(AboutDialog)[0]
    assert __version__ in dialog.version.text()
    assert "SIL Open Font License" in dialog.text.toPlainText()  # the list of everything, which is shown first
    window.words.speak("en")
    wait(lambda: dialog.title.text() == "拜年帖 Bainiantie", "it speaks English")
    assert dialog.close_button.text() == "Close"
    dialog.close_button.click()
    wait(lambda: not window.findChildren(AboutDialog), "the dialog is gone")


def test_every_licence_can_be_read_and_the_large_ones_are_there() -> None:
    found = {licence.name: licence.text() for licence in licences()}
    assert all(found.values())
    for words, name in (
        ("Apache License", "拜年帖"),
        ("GNU LESSER GENERAL PUBLIC LICENSE", "Qt, PySide6 - LGPL-3.0"),
        ("SIL OPEN FONT LICENSE", "BainianKai"),
        ("The ggml authors", "llama.cpp, ggml"),
    ):
        assert words.lower() in found[name].lower(), name
    assert any(name.startswith("numpy ") for name in found)


def test_a_licence_that_cannot_be_read_is_said(window: MainWindow, monkeypatch) -> None:
    def refuse(licence: object) -> str:
        raise OSError("gone")

    monkeypatch.setattr("app.licences.Licence.text", refuse)
    window.sidebar.about.click()
    wait(lambda: bool(window.findChildren(AboutDialog)), "the dialog is open")
    assert "gone" in window.findChildren(AboutDialog)[0].text.toPlainText()


def test_what_a_crash_left_is_reported_without_the_name_of_the_home(tmp_path: Path) -> None:
    assert left_by_crash(tmp_path) == ""
    (tmp_path / CRASH_FILE).write_text("\n", encoding="utf-8")
    assert left_by_crash(tmp_path) == ""
    (tmp_path / CRASH_FILE).write_text(f'Fatal Python error: Aborted\n  File "{Path.home()}/x.py"', encoding="utf-8")
    said = left_by_crash(tmp_path)
    assert said.startswith(f"Bainiantie {__version__}") and "Aborted" in said
    assert str(Path.home()) not in said and "~/x.py" in said


def test_a_window_that_cannot_be_opened_says_why(application, monkeypatch, capsys) -> None:
    shown: list[QMessageBox] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: shown.append(box))
    try:
        raise RuntimeError("the reason")
    except RuntimeError as error:
        tell_unopened(type(error), error, error.__traceback__)
    assert "没能打开" in shown[0].text() and "could not be opened" in shown[0].informativeText()
    assert "the reason" in shown[0].detailedText() and "the reason" in capsys.readouterr().err
    assert report("x").endswith("\n\nx")
