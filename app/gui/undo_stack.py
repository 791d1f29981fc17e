"""What a person can take back on a page, the last first; the quiet bar says it and has the button."""

from collections.abc import Callable
from typing import Any

from app.compose.sentence import Sentence
from app.gui.quiet_bar import QuietBar


class UndoStack:
    """Deeds and their ways back, for as long as the window is open. A deed taken back makes room for the one before."""

    def __init__(self, bar: QuietBar) -> None:
        self._bar = bar
        self._deeds: list[tuple[Sentence, Callable[[], Any]]] = []

    def did(self, message: Sentence, back: Callable[[], Any]) -> None:
        """Say what was done; ``back`` takes it back."""
        self._deeds.append((message, back))
        self._bar.tell(message, self.undo)

    def undo(self) -> None:
        """Take back what was done last, and say what can be taken back next."""
        if not self._deeds:
            return
        _, back = self._deeds.pop()
        if self._deeds:
            self._bar.tell(self._deeds[-1][0], self.undo)
        else:
            self._bar.hide()
        back()

    def clear(self) -> None:
        """Nothing can be taken back any more."""
        self._deeds.clear()
        self._bar.hide()
