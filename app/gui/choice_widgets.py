"""Controls to choose one of a few: rows of buttons of which one is pressed, and a combo box the wheel leaves alone."""

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QGridLayout, QListView, QPushButton, QWidget


class ButtonRow(QWidget):
    """Buttons of which at most one is pressed; arrow keys move between them, the pressed one is the tab stop.

    ``chosen`` is the id of the pressed one or None; ``changed`` is emitted when the person presses another.
    """

    changed = Signal()

    def __init__(self, ids: Sequence[str], *, columns: int, spacing: int, kind: str) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self.buttons = {id: QPushButton() for id in ids}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(spacing)
        for number, (id, button) in enumerate(self.buttons.items()):
            button.setCheckable(True)
            button.setObjectName(f"{kind}-{id}")
            button.setProperty("kind", kind)
            button.setProperty("place", _place(number % columns, columns))
            button.setMinimumWidth(10)
            self._group.addButton(button, number)
            grid.addWidget(button, number // columns, number % columns)
        for column in range(columns):
            grid.setColumnStretch(column, 1)
        self._group.buttonClicked.connect(self.changed)
        self._group.buttonToggled.connect(self._place_tab_stop)
        self._place_tab_stop()

    @property
    def chosen(self) -> str | None:
        """The id of the pressed button."""
        return next((id for id, button in self.buttons.items() if button.isChecked()), None)

    @chosen.setter
    def chosen(self, id: str) -> None:
        self.buttons[id].setChecked(True)

    def _place_tab_stop(self) -> None:
        """One tab stop a row: the pressed button, the first while none is. Within the row the arrow keys lead on."""
        stop = self.buttons[self.chosen or next(iter(self.buttons))]
        for button in self.buttons.values():
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if button is stop else Qt.FocusPolicy.ClickFocus)
        self.setFocusProxy(stop)

    def label(self, id: str, text: str, tip: str) -> None:
        """What a button says, and what it explains."""
        self.buttons[id].setText(text)
        self.buttons[id].setToolTip(tip)
        self.buttons[id].setAccessibleName(text)
        self.buttons[id].setAccessibleDescription(tip)


def _place(column: int, columns: int) -> str:
    return "first" if column == 0 else "last" if column == columns - 1 else "middle"


class CalmComboBox(QComboBox):
    """A combo box that the wheel changes only when it has the focus, so that scrolling a form changes nothing."""

    _OPENS: ClassVar = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

    def __init__(self) -> None:
        super().__init__()
        self.setView(QListView())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(3)
        self.setMaxVisibleItems(14)

    def fill(self, entries: Sequence[tuple[str, str]], chosen: str) -> None:
        """The entries as (id, text), without telling anybody; ``chosen`` is the one shown."""
        self.blockSignals(True)
        self.clear()
        for id, text in entries:
            self.addItem(text, id)
        self.setCurrentIndex(max(self.findData(chosen), 0))
        self.blockSignals(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in self._OPENS and not event.modifiers():
            self.showPopup()
        else:
            super().keyPressEvent(event)
