"""What of the history is looked for: words, a person, a year, an occasion, favourites, what was sent."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.gui.choice_widgets import CalmComboBox
from app.gui.composition import CompositionWatch
from app.gui.write_button import key_name
from app.people.search import Filters

ASK_AFTER = 150  # ms without a key before the search begins


class HistoryFilters(QWidget):
    """``changed`` carries the filters as soon as the person pauses."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.query = QLineEdit()
        self.query.setClearButtonEnabled(False)
        self.favourites, self.sent = self._chip(84), self._chip(92)
        self.person, self.year, self.occasion = CalmComboBox(), CalmComboBox(), CalmComboBox()
        self._people: tuple[tuple[str, str], ...] = ()
        self._years: tuple[int, ...] = ()
        self._occasions: tuple[tuple[str, str], ...] = ()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(ASK_AFTER)
        self._pause.timeout.connect(self._report)
        self._watch = CompositionWatch(self)
        self._watch.watch(self.query)
        self.query.textChanged.connect(self._pause.start)
        for chip in (self.favourites, self.sent):
            chip.toggled.connect(self._report)
        for box in (self.person, self.year, self.occasion):
            box.currentIndexChanged.connect(self._report)
        escape = QShortcut(QKeySequence("Esc"), self.query)
        escape.activated.connect(self._clear_query)
        self._build()
        self.retranslate()

    @property
    def filters(self) -> Filters:
        """What is looked for now."""
        person, year = self.person.currentData(), self.year.currentData()
        return Filters(
            self.query.text(),
            int(person) if person else None,
            int(year) if year else None,
            self.occasion.currentData() or "",
            self.favourites.isChecked(),
            self.sent.isChecked(),
        )

    def offer(
        self,
        people: Sequence[tuple[str, str]],
        years: Sequence[int],
        occasions: Sequence[tuple[str, str]],
    ) -> None:
        """What can be chosen: people and occasions as (id, name); what is chosen stays."""
        self._people, self._years, self._occasions = tuple(people), tuple(years), tuple(occasions)
        self._fill()

    def clear(self) -> None:
        """Look for nothing in particular."""
        widgets = (self.query, self.favourites, self.sent, self.person, self.year, self.occasion)
        for widget in widgets:
            widget.blockSignals(True)
        self.query.clear()
        for chip in (self.favourites, self.sent):
            chip.setChecked(False)
        for box in (self.person, self.year, self.occasion):
            box.setCurrentIndex(0)
        for widget in widgets:
            widget.blockSignals(False)
            widget.update()
        self._report()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.query.setPlaceholderText(self.tr("搜词、称呼、一件事"))
        self.query.setAccessibleName(self.tr("搜索"))
        self.query.setToolTip(key_name("Ctrl+F"))
        for chip, name in ((self.favourites, self.tr("只看收藏")), (self.sent, self.tr("只看发过的"))):
            chip.setText(name)
            chip.setAccessibleName(name)
        self.person.setAccessibleName(self.tr("写给谁"))
        self.year.setAccessibleName(self.tr("年份"))
        self.occasion.setAccessibleName(self.tr("场合"))
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _fill(self) -> None:
        self.person.fill([("", self.tr("所有人")), *self._people], self.person.currentData() or "")
        years = [(str(year), str(year)) for year in self._years]
        self.year.fill([("", self.tr("每一年")), *years], self.year.currentData() or "")
        self.occasion.fill([("", self.tr("各种场合")), *self._occasions], self.occasion.currentData() or "")

    def _clear_query(self) -> None:
        if not self._watch.composing:
            self.query.clear()

    def _report(self) -> None:
        self._pause.stop()
        self.changed.emit(self.filters)

    def _chip(self, width: int) -> QPushButton:
        chip = QPushButton()
        chip.setCheckable(True)
        chip.setProperty("kind", "chip")
        chip.setFixedWidth(width)
        return chip

    def _build(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self.query, 1)
        first.addWidget(self.favourites)
        first.addWidget(self.sent)
        second = QHBoxLayout()
        second.setSpacing(8)
        for box in (self.person, self.year, self.occasion):
            second.addWidget(box, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(first)
        column.addLayout(second)
