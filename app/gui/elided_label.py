"""A line of somebody's own words that is cut where it finds no room: a name must not push the buttons out of sight."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel

from app.gui.plain_text import plain_tip


class ElidedLabel(QLabel):
    """``text`` is what was set; what does not fit ends with …. Where not all is shown, the tool tip says it whole."""

    def __init__(self) -> None:
        super().__init__()
        self._text = self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)

    def text(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        self.show_line(text, text)

    def show_line(self, text: str, whole: str) -> None:
        """Show ``text``, which is already shortened where ``whole``, all there is to say, is another."""
        self._text, self._whole = text, whole
        self.setAccessibleName(whole)
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        # A pixel more than the words take, as their width is no whole number of pixels.
        return QSize(self.fontMetrics().horizontalAdvance(self._text) + 1, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        whole = self.sizeHint()
        return QSize(min(whole.width(), self.fontMetrics().horizontalAdvance("王…")), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.contentsRect().width())
        super().setText(shown)
        self.setToolTip(plain_tip(self._whole) if shown != self._whole else "")
