"""Who the greeting is for: a field that opens a sheet with every relationship, one line a group."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from app.compose.catalog import Catalog
from app.gui.words import Words

_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_OPENS = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F4)


class RelationshipSheet(QFrame):
    """The open menu: group names at the left, their relationships as a line of words. Arrow keys walk it."""

    picked = Signal(str)

    def __init__(self, catalog: Catalog, words: Words, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("relationshipSheet")
        self._catalog = catalog
        self._words = words
        self._headings: dict[str, QLabel] = {}
        self.rows: list[list[QPushButton]] = []
        self.buttons: dict[str, QPushButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(18, 14, 14, 14)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        for row, group in enumerate(catalog.groups):
            heading = QLabel()
            heading.setProperty("kind", "heading")
            grid.addWidget(heading, row, 0)
            self._headings[group.id] = heading
            line = QHBoxLayout()
            line.setSpacing(2)
            members = [relationship.id for relationship in catalog.relationships if relationship.group == group.id]
            self.rows.append([self._button(id, line) for id in members])
            line.addStretch(1)
            grid.addLayout(line, row, 1)
        self.retranslate()

    def _button(self, id: str, line: QHBoxLayout) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("kind", "entry")
        button.setObjectName(f"relationship-{id}")
        button.clicked.connect(lambda: self._pick(id))
        button.installEventFilter(self)
        line.addWidget(button)
        self.buttons[id] = button
        return button

    def open_below(self, field: QWidget, chosen: str | None) -> None:
        """Show the sheet under ``field``, inside its screen, the chosen entry focused."""
        for id, button in self.buttons.items():
            button.setChecked(id == chosen)
        self.adjustSize()
        screen = field.screen().availableGeometry()
        corner = field.mapToGlobal(QPoint(0, field.height() + 4))
        if corner.y() + self.height() > screen.bottom():
            corner.setY(max(screen.top(), field.mapToGlobal(QPoint(0, -4)).y() - self.height()))
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - self.width())))
        self.move(corner)
        self.show()
        self.buttons[chosen or self._catalog.relationships[0].id].setFocus(Qt.FocusReason.PopupFocusReason)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        for group in self._catalog.groups:
            self._headings[group.id].setText(self._words.name(group))
        for relationship in self._catalog.relationships:
            self.buttons[relationship.id].setText(self._words.name(relationship))

    def _pick(self, id: str) -> None:
        self.close()
        self.picked.emit(id)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Arrow keys go to the neighbouring word, Enter takes it."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(watched, QPushButton):
            watched.click()
            return True
        if event.key() in _ARROWS and isinstance(watched, QPushButton):
            neighbour(self.rows, watched, *_ARROWS[Qt.Key(event.key())]).setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return False


def neighbour(rows: Sequence[Sequence[QPushButton]], button: QPushButton, down: int, right: int) -> QPushButton:
    """The button an arrow key leads to: along the row and round its end, or the nearest one of the next row."""
    row = next(number for number, buttons in enumerate(rows) if button in buttons)
    if right:
        flat = [other for buttons in rows for other in buttons]
        return flat[(flat.index(button) + right) % len(flat)]
    middle = button.geometry().center().x()
    return min(rows[(row + down) % len(rows)], key=lambda other: abs(other.geometry().center().x() - middle))


class RelationshipField(QPushButton):
    """The closed menu: shows who was chosen. ``chosen`` is an id or None; ``changed`` when the person picked one."""

    changed = Signal()

    def __init__(self, catalog: Catalog, words: Words) -> None:
        super().__init__()
        self.setProperty("kind", "menu")
        self._catalog = catalog
        self._words = words
        self.chosen: str | None = None
        self.sheet = RelationshipSheet(catalog, words, self)
        self.sheet.picked.connect(self._take)
        self.clicked.connect(lambda: self.sheet.open_below(self, self.chosen))
        self.retranslate()

    def choose(self, id: str) -> None:
        """Show ``id`` as chosen."""
        self.chosen = id
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.sheet.retranslate()
        if self.chosen is None:
            self.setText(self.tr("选一个"))
        else:
            self.setText(self._words.name(self._catalog.relationship(self.chosen)))
        self.setProperty("empty", self.chosen is None)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(self.tr("关系"))
        self.setAccessibleDescription(self.text())

    def _take(self, id: str) -> None:
        self.choose(id)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in _OPENS and plain:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self.palette().placeholderText().color(), 1.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        x, y = self.width() - 18, self.height() / 2
        painter.drawPolyline([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
