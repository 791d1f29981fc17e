"""Whether an input method is in the middle of a word: then Enter and Esc are its keys, not ours."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QWidget


class CompositionWatch(QObject):
    """Follows the composition in the widgets it was told to watch."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._composing: QObject | None = None

    @property
    def composing(self) -> bool:
        """True from the first letter of a composition until it is committed or given up."""
        return self._composing is not None

    def watch(self, *widgets: QWidget) -> None:
        """Follow these text fields from now on."""
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notes what passes, stops nothing."""
        if isinstance(event, QInputMethodEvent):
            self._composing = watched if event.preeditString() else None
        elif event.type() in (QEvent.Type.FocusOut, QEvent.Type.Hide) and watched is self._composing:
            self._composing = None
        return False
