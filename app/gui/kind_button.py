"""The button of the pages: of a kind the style sheet knows, and for an impatient finger a double click is one click."""

from collections.abc import Callable

from PySide6.QtCore import SignalInstance
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QPushButton


class KindButton(QPushButton):
    """Calls ``act``, or emits it, when clicked. ``kind`` is primary, outline or quiet."""

    def __init__(self, kind: str, act: Callable[[], object] | SignalInstance) -> None:
        super().__init__()
        self.setProperty("kind", kind)
        do = act.emit if isinstance(act, SignalInstance) else act
        self.clicked.connect(lambda: do())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press is taken and does nothing. A plain button would be clicked again: a pause right after a
        start, a second person copied over the first."""
        event.accept()
