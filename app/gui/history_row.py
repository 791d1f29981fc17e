"""A row of the history, painted: whom it was for and when, whether it was sent, and how it begins."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QTextLayout, QTextOption
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.gui.entry_words import EntryWords
from app.gui.history_model import ENTRY
from app.gui.star_button import paint_star
from app.gui.theme import Theme
from app.people.history import Written

ROW_HEIGHT = 94
MARGINS = (16, 11, 14, 10)  # left, top, right, bottom
EXCERPT_LINES = 2


class HistoryList(QListView):
    """A list that paints a row again when the focus comes or goes, so that the ring is where the keys are."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("historyList")
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self._top: QPersistentModelIndex | None = None
        self._hidden = 0  # pixels

    def hold(self) -> None:
        """Rows are about to come and go: remember which row is at the top, and how much of it is out of sight."""
        down = self.verticalScrollBar().value()
        self._top = QPersistentModelIndex(self.model().index(down // ROW_HEIGHT, 0)) if down else None
        self._hidden = down % ROW_HEIGHT

    def let_go(self) -> None:
        """They have come and gone: the row that was at the top is there again. A list at its beginning stays there."""
        top, self._top = self._top, None
        if top is not None and top.isValid():
            self.doItemsLayout()
            self.verticalScrollBar().setValue(top.row() * ROW_HEIGHT + self._hidden)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.viewport().update()
        return super().event(event)


class HistoryRow(QStyledItemDelegate):
    """Paints in the colours and faces of the theme."""

    def __init__(self, theme: Theme, words: EntryWords) -> None:
        super().__init__()
        self._theme = theme
        self._words = words

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(ENTRY)
        if not isinstance(entry, Written):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, option)
        left, top, right, bottom = MARGINS
        field = option.rect.adjusted(left, top, -right, -bottom)
        self._paint_heading(painter, option.font, field, entry)
        self._paint_excerpt(painter, field.adjusted(0, 25, 0, 0), entry.text)
        painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        tokens = self._theme.tokens
        box = QRectF(option.rect).adjusted(1, 1, -1, -1)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(Qt.PenStyle.NoPen)
        if chosen:
            painter.setBrush(QColor(tokens.card))
            painter.drawRoundedRect(box, 6, 6)
            focused = option.widget is not None and option.widget.hasFocus()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens.ink if focused else tokens.line))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(tokens.raised))
            painter.drawRoundedRect(box, 6, 6)
        else:
            painter.setPen(QColor(tokens.line))
            painter.drawLine(box.bottomLeft() + QPointF(15, 1), box.bottomRight() + QPointF(-13, 1))

    def _paint_heading(self, painter: QPainter, face: QFont, field: QRect, entry: Written) -> None:
        tokens = self._theme.tokens
        small, plain = QFont(face), QFont(face)
        small.setPixelSize(12)
        plain.setPixelSize(14)
        line = QRect(field.left(), field.top(), field.width(), 20)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(small)
        painter.setPen(QColor(tokens.soft))
        day = " · ".join(filter(None, (self._words.mark(entry), self._words.day(entry.at))))
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, day)
        line.setRight(line.right() - QFontMetrics(small).horizontalAdvance(day) - 10)
        if entry.favourite:
            mark = QRectF(line.right() - 12, line.top() + 4, 12, 12)
            paint_star(painter, mark, QColor(tokens.correction), True)
            line.setRight(line.right() - 20)
        metrics = QFontMetrics(plain)
        who = metrics.elidedText(self._words.who(entry), Qt.TextElideMode.ElideRight, line.width())
        painter.setFont(plain)
        painter.setPen(QColor(tokens.ink))
        painter.drawText(line, middle, who)
        line.setLeft(line.left() + metrics.horizontalAdvance(who) + 10)
        if line.width() > 30:
            painter.setFont(small)
            painter.setPen(QColor(tokens.soft))
            rest = self._words.circumstances(entry)
            painter.drawText(
                line, middle, QFontMetrics(small).elidedText(rest, Qt.TextElideMode.ElideRight, line.width())
            )

    def _paint_excerpt(self, painter: QPainter, field: QRect, text: str) -> None:
        """The first lines of the text; the last of them says with … that there is more."""
        face = self._theme.letter_font(16)
        layout = QTextLayout(" ".join(text[:200].split()), face)
        layout.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
        painter.setPen(QColor(self._theme.tokens.ink))
        painter.setFont(face)
        metrics = QFontMetrics(face)
        y = float(field.top())
        layout.beginLayout()
        for number in range(EXCERPT_LINES):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(field.width())
            if number + 1 < EXCERPT_LINES:
                line.draw(painter, QPointF(field.left(), y))
            else:
                rest = layout.text()[line.textStart() :]
                rest = metrics.elidedText(rest, Qt.TextElideMode.ElideRight, field.width())
                painter.drawText(QPointF(field.left(), y + metrics.ascent()), rest)
            y += metrics.height() + 4
        layout.endLayout()
