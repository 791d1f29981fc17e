"""What all rows of a batch have in common: occasion, length, animal, signature; and the tone of new rows."""

from datetime import date

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.compose.calendar import coming_zodiac, likely_occasion
from app.compose.catalog import Catalog
from app.compose.request import LONGEST, ZODIAC, GreetingRequest, fold
from app.compose.zodiac import ANIMALS
from app.gui.choice_widgets import CalmComboBox
from app.gui.composition import CompositionWatch
from app.gui.words import Words

_TONE = "warm"  # of a row that says none


class BatchWish(QWidget):
    """One line of four fields. ``changed``: by the person."""

    changed = Signal()

    def __init__(self, catalog: Catalog, words: Words, watch: CompositionWatch, today: date) -> None:
        super().__init__()
        self._catalog = catalog
        self._words = words
        self._coming = coming_zodiac(today)
        self._given = False  # whether the occasion is the person's, not only the day's likely one
        self.occasion = CalmComboBox()
        self.length = CalmComboBox()
        self.zodiac = CalmComboBox()
        self.signature = QLineEdit()
        self.signature.setMaxLength(LONGEST["signature"])
        watch.watch(self.signature)
        self._labels = [QLabel() for _ in range(4)]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        controls = (self.occasion, self.length, self.zodiac, self.signature)
        for label, control, share in zip(self._labels, controls, (3, 3, 3, 4), strict=True):
            label.setProperty("kind", "label")
            label.setBuddy(control)
            column = QVBoxLayout()
            column.setSpacing(5)
            column.addWidget(label)
            column.addWidget(control)
            row.addLayout(column, share)
        likely = GreetingRequest("", _TONE, likely_occasion(today))
        self._fill(likely.occasion, likely.length, likely.zodiac)
        for menu in (self.occasion, self.length, self.zodiac):
            menu.activated.connect(self.changed)
        self.occasion.activated.connect(self.keep_occasion)
        self.signature.editingFinished.connect(self.commit)

    @property
    def wish(self) -> GreetingRequest:
        """What a new row begins with."""
        return GreetingRequest(
            "",
            _TONE,
            self.occasion.currentData(),
            self.length.currentData(),
            zodiac=self.zodiac.currentData(),
            signature=fold(self.signature.text()).lstrip("—-– "),
        )

    def commit(self) -> None:
        """What was typed counts now, wherever the cursor is."""
        if self.signature.isModified():
            self.signature.setModified(False)
            self.changed.emit()

    def show_wish(self, request: GreetingRequest) -> None:
        """Show what a batch has in common."""
        self.keep_occasion()
        self._fill(request.occasion, request.length, request.zodiac)
        self.signature.setText(request.signature)

    def keep_occasion(self) -> None:
        """The occasion stays what it is, whatever the day."""
        self._given = True

    def turn_to(self, today: date) -> None:
        """It is this day now: where the occasion is nobody's choice, the likely one is another."""
        self._coming = coming_zodiac(today)
        occasion = self.occasion.currentData() if self._given else likely_occasion(today)
        self._fill(occasion, self.length.currentData(), self.zodiac.currentData())

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self._fill(self.occasion.currentData(), self.length.currentData(), self.zodiac.currentData())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _fill(self, occasion: str, length: str, zodiac: str) -> None:
        names = (self.tr("场合"), self.tr("篇幅"), self.tr("生肖"), self.tr("落款"))
        controls = (self.occasion, self.length, self.zodiac, self.signature)
        for label, control, name in zip(self._labels, controls, names, strict=True):
            label.setText(name)
            control.setAccessibleName(name)
        self.occasion.fill([(one.id, self._words.name(one)) for one in self._catalog.occasions], occasion)
        self.length.fill([(one.id, self._words.name(one)) for one in self._catalog.lengths], length)
        start = ZODIAC.index(self._coming)
        animals = ZODIAC[start:] + ZODIAC[:start]
        self.zodiac.fill(
            [("", self.tr("不写")), *((animal, self._words.say(ANIMALS[animal])) for animal in animals)], zodiac
        )
        self.signature.setPlaceholderText(self.tr("例如：小李"))
