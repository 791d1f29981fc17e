"""Text that came out of somebody's file or field, shown as the characters it is.

Left to itself, Qt takes a text with a tag in it for HTML: a name in a table could hide what follows it, or have a
picture fetched from another machine.
"""

import re

from PySide6.QtGui import QResizeEvent, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy

_RUN = re.compile(r"[^\s\u2e80-\uffff]{40}(?=\S)")  # what Qt breaks nowhere; it breaks Chinese everywhere


def plain_label() -> QLabel:
    """A label that shows every text as it is."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


class BreakingLabel(QLabel):
    """A wrapping plain label that breaks long words too: a file's name must not make a page wider than its window.

    ``text`` is what was set; what is drawn has an invisible place to break at every so many characters of a word.
    """

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)

    def setText(self, text: str) -> None:
        self._text = text
        super().setText(_RUN.sub("\\g<0>\u200b", text))

    def text(self) -> str:
        return self._text

    def clear(self) -> None:
        self.setText("")


class ElidedLabel(QLabel):
    """A plain label of one line that is cut where there is no room for more; the tool tip has the whole of it."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = self._tip = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_line(self, text: str, whole: str = "") -> None:
        """Show ``text``; ``whole`` is what it says in full, where that is more."""
        self._whole, self._tip = text, whole or text
        self.setAccessibleName(self._tip)
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._cut()
        super().resizeEvent(event)

    def _cut(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip(plain_tip(self._tip))


def plain_tip(text: str) -> str:
    """``text`` for a tool tip, which can only be kept from being HTML by being made HTML."""
    return Qt.convertFromPlainText(text) if Qt.mightBeRichText(text) else text
