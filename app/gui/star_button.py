"""A star that is an outline, or filled once something is a favourite."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QPushButton

from app.gui.theme import Theme


def star(field: QRectF) -> QPolygonF:
    """A star of five points in the middle of ``field``."""
    outer = min(field.width(), field.height()) / 2
    turns = [(-90 + 36 * point, outer if point % 2 == 0 else outer * 0.44) for point in range(10)]
    return QPolygonF(
        [
            field.center() + QPointF(radius * math.cos(math.radians(turn)), radius * math.sin(math.radians(turn)))
            for turn, radius in turns
        ]
    )


def paint_star(painter: QPainter, field: QRectF, colour: QColor, filled: bool) -> None:
    """Draw it in ``colour``."""
    pen = QPen(colour, 1.3)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
    painter.drawPolygon(star(field))


class StarButton(QPushButton):
    """Pressing it asks; it is filled, and checked, when it is told that the mark is kept."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setCheckable(True)
        self.setProperty("kind", "star")

    def nextCheckState(self) -> None:
        """Not by itself."""

    def sizeHint(self) -> QSize:
        return QSize(32, 30)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        tokens = self._theme.tokens
        colour = tokens.correction if self.isChecked() else tokens.ink if self.isEnabled() else tokens.soft
        field = QRectF(0, 0, 17, 17)
        field.moveCenter(QRectF(self.rect()).center() + QPointF(0, 0.8))
        paint_star(QPainter(self), field, QColor(colour), self.isChecked())
