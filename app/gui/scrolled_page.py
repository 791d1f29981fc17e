"""How a page is laid out that scrolls: what it says of errors and of what was done stays in sight."""

from PySide6.QtCore import QEvent, QMargins, QObject
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.gui.banner import Banner
from app.gui.column_scroll import ColumnScroll
from app.gui.quiet_bar import QuietBar

SIDE = 28  # pixels at the left and the right


class _Margined(QWidget):
    """A widget with room around it, which goes when the widget is hidden; of a layout the margins would stay."""

    def __init__(self, widget: QWidget, margins: QMargins) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(margins)
        column.addWidget(widget)
        widget.installEventFilter(self)
        self.setVisible(not widget.isHidden())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the widget."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self.setVisible(event.type() == QEvent.Type.ShowToParent)
        return super().eventFilter(watched, event)


def lay_out_scrolled(page: QWidget, banner: Banner, scroll: ColumnScroll, bar: QuietBar) -> None:
    """The banner above the column, the quiet bar below it; hidden, they take no room."""
    whole = QVBoxLayout(page)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.setSpacing(0)
    whole.addWidget(_Margined(banner, QMargins(SIDE, 20, SIDE, 0)))
    whole.addWidget(scroll, 1)
    whole.addWidget(_Margined(bar, QMargins(SIDE, 8, SIDE, 16)))
