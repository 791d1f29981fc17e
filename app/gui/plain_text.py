"""Text that came out of somebody's file or field, shown as the characters it is.

Left to itself, Qt takes a text with a tag in it for HTML: a name in a table could hide what follows it, or have a
picture fetched from another machine.
"""

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel


def plain_label() -> QLabel:
    """A label that shows every text as it is."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def plain_tip(text: str) -> str:
    """``text`` for a tool tip, which can only be kept from being HTML by being made HTML."""
    return Qt.convertFromPlainText(text) if Qt.mightBeRichText(text) else text
