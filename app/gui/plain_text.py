"""Text that came out of somebody's file or field, shown as the characters it is.

Left to itself, Qt takes a text with a tag in it for HTML: a name in a table could hide what follows it, or have a
picture fetched from another machine.
"""

import re

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel

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


def plain_tip(text: str) -> str:
    """``text`` for a tool tip, which can only be kept from being HTML by being made HTML."""
    return Qt.convertFromPlainText(text) if Qt.mightBeRichText(text) else text
