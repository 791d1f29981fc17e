"""A double click by an impatient finger is one click; two clicks are two; the key works too."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.gui.kind_button import KindButton


def double_click(button: QPushButton) -> None:
    """What Qt sends for one: press, release, double press, release. QTest's own leaves the first two out."""
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.mouseDClick(button, Qt.MouseButton.LeftButton)
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)


def test_a_plain_button_would_be_clicked_twice(application):
    clicks = []
    button = QPushButton()
    button.clicked.connect(lambda: clicks.append(1))
    button.show()
    double_click(button)
    assert clicks == [1, 1]
    button.close()


def test_a_double_click_is_one_click(application):
    clicks = []
    button = KindButton("primary", lambda: clicks.append(1))
    button.show()
    double_click(button)
    assert clicks == [1]
    for _ in range(2):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert len(clicks) == 4
    button.close()


def test_a_signal_is_emitted_without_arguments(application):
    class Owner(QObject):
        asked = Signal()

    owner, heard = Owner(), []
    owner.asked.connect(lambda: heard.append(True))
    button = KindButton("quiet", owner.asked)
    button.click()
    assert heard == [True] and button.property("kind") == "quiet"
