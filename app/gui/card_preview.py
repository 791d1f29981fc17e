"""A card on the screen: the large one that is being made, and the small ones to choose a design from."""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from app.cards.design import WIDTH, Design, Format
from app.gui.card_painter import Card, CardPainter
from app.gui.words import Words

THUMBNAIL_WIDTH = 92
CELL_WIDTH, TITLE_HEIGHT = 112, 36
SHADOW, SHADOW_OPACITY = 3.0, 26  # pixels, of 255


class CardPreview(QWidget):
    """One card, as large as there is room for, with a thin shadow so that pale paper ends somewhere."""

    def __init__(self, painter: CardPainter) -> None:
        super().__init__()
        self._painter = painter
        self._card: Card | None = None
        self._image = QImage()
        self.setMinimumSize(300, 320)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_card(self, card: Card) -> None:
        """Show ``card`` from now on."""
        self._card = card
        self._image = QImage()
        self.setAccessibleDescription("\n".join(card.set_text.lines))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Drawn anew only when card or size changed."""
        if self._card is None:
            return
        ratio, height = self.devicePixelRatioF(), self._card.format.height
        scale = min((self.width() - 2 * SHADOW) / WIDTH, (self.height() - 2 * SHADOW) / height)
        if self._image.width() != round(WIDTH * scale * ratio):
            self._image = self._painter.image(self._card, round(WIDTH * scale * ratio))
            self._image.setDevicePixelRatio(ratio)
        size = self._image.deviceIndependentSize()
        corner = QPointF(round((self.width() - size.width()) / 2), round((self.height() - size.height()) / 2))
        painter = QPainter(self)
        for spread in (1.0, 2.0, SHADOW):
            edge = QRectF(corner, size).adjusted(-spread, -spread + 1, spread, spread)
            painter.fillRect(edge, QColor(0, 0, 0, SHADOW_OPACITY))
        painter.drawImage(corner, self._image)


class DesignList(QListWidget):
    """Every design as a small card with the person's own text; ``chosen`` is emitted with the design.

    The small ones are drawn one at a time between other events, so that typing never waits for them.
    """

    chosen = Signal(object)

    def __init__(self, painter: CardPainter, words: Words) -> None:
        super().__init__()
        self._painter = painter
        self._words = words
        self._make: Callable[[Design], Card] | None = None
        self._waiting: deque[int] = deque()
        self._drawing = QTimer(self)
        self._drawing.setInterval(0)
        self._drawing.timeout.connect(self._draw_next)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setFixedWidth(2 * CELL_WIDTH + 16)
        for _ in painter.collection.designs:
            self.addItem(QListWidgetItem())
        self.setCurrentRow(0)
        self.currentRowChanged.connect(lambda _: self.chosen.emit(self.design))
        self.retranslate()

    @property
    def design(self) -> Design:
        """The one chosen."""
        return self._painter.collection.designs[max(self.currentRow(), 0)]

    @property
    def busy(self) -> bool:
        """Whether some are still to be drawn."""
        return self._drawing.isActive()

    def show_cards(self, make: Callable[[Design], Card], format: Format) -> None:
        """Draw what ``make`` makes of each design, the chosen one first."""
        height = THUMBNAIL_WIDTH * format.height // WIDTH
        cell = QSize(CELL_WIDTH, height + TITLE_HEIGHT)
        self.setIconSize(QSize(THUMBNAIL_WIDTH, height))
        self.setGridSize(cell)
        for row in range(self.count()):
            self.item(row).setSizeHint(cell)
        self._make = make
        self._waiting = deque(sorted(range(self.count()), key=lambda row: row != self.currentRow()))
        self._drawing.start()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setAccessibleName(self.tr("款式"))
        for row, design in enumerate(self._painter.collection.designs):
            direction = self.tr("竖排") if design.setting.vertical else self.tr("横排")
            self.item(row).setText(self._words.say(design.title))
            self.item(row).setToolTip(direction)
            self.item(row).setData(Qt.ItemDataRole.AccessibleDescriptionRole, direction)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _draw_next(self) -> None:
        if not self._waiting or self._make is None:
            self._drawing.stop()
            return
        row, ratio = self._waiting.popleft(), self.devicePixelRatioF()
        card = self._make(self._painter.collection.designs[row])
        pixmap = QPixmap.fromImage(self._painter.image(card, round(THUMBNAIL_WIDTH * ratio)))
        pixmap.setDevicePixelRatio(ratio)
        icon = QIcon(pixmap)
        icon.addPixmap(pixmap, QIcon.Mode.Selected)  # a chosen card is not tinted
        self.item(row).setIcon(icon)
