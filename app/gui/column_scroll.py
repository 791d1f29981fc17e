"""A column that scrolls when the window is too low for it, and keeps its width when the scroll bar comes and goes."""

from PySide6.QtCore import QEvent, QMargins, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

BAR = 10  # pixels, as in the style sheet


class ColumnScroll(QScrollArea):
    """``column`` is the layout to fill; ``margins`` are around it, the scroll bar inside the right one."""

    def __init__(self, name: str, margins: QMargins, spacing: int) -> None:
        super().__init__()
        self._margins = margins
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        body.setObjectName(name)
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(margins)
        self.column.setSpacing(spacing)
        self.setWidget(body)
        self.verticalScrollBar().rangeChanged.connect(self._make_room)

    def _make_room(self, low: int, high: int) -> None:
        self.column.setContentsMargins(self._margins - QMargins(0, 0, BAR if high > low else 0, 0))


class FlowingColumn(ColumnScroll):
    """One whose texts wrap: it is as high as they need at its width, and scrolls instead of squeezing them."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A scroll area watches its body; of heights that follow from widths it knows nothing."""
        if watched is self.widget() and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            # Later: what lies in the column has its own layout to do first.
            QTimer.singleShot(0, self, self._fit)
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        if (body := self.widget()) is not None:
            # -1 while nothing in it wraps
            body.setMinimumHeight(max(self.column.totalHeightForWidth(body.width()), 0))
