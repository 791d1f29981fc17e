"""The request: what the person says about the greeting they want. It only gathers; `make_request` decides."""

from collections.abc import Callable
from datetime import date
from typing import Any

from PySide6.QtCore import QEvent, QMargins, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QWidget

from app.compose.calendar import coming_zodiac, likely_occasion, new_years_day, welcomed_year
from app.compose.catalog import Catalog
from app.compose.request import MOST_DETAILS, ZODIAC, RequestError
from app.compose.zodiac import ANIMALS
from app.gui.choice_widgets import ButtonRow, CalmComboBox
from app.gui.column_scroll import ColumnScroll
from app.gui.composition import CompositionWatch
from app.gui.form_field import FormField
from app.gui.relationship_field import RelationshipField
from app.gui.theme import Theme
from app.gui.tone_chips import ToneChips
from app.gui.words import Words


class RequestForm(ColumnScroll):
    """The form at the left of the page; it scrolls where the window is low. ``changed``: by the person."""

    changed = Signal()

    def __init__(self, catalog: Catalog, words: Words, watch: CompositionWatch, theme: Theme, today: date) -> None:
        super().__init__("formBody", QMargins(28, 20, 24, 8), 11)
        self._catalog = catalog
        self._words = words
        self._today = today
        self._theme = theme
        self.setObjectName("requestForm")

        self.relationship = RelationshipField(catalog, words)
        self.tone = ToneChips(catalog, words)
        self.occasion = CalmComboBox()
        self.length = ButtonRow([length.id for length in catalog.lengths], columns=3, spacing=0, kind="segment")
        self.length.chosen = "medium"
        self.address = QLineEdit()
        self.details = [QLineEdit() for _ in range(MOST_DETAILS)]
        self.zodiac = CalmComboBox()
        self.signature = QLineEdit()
        watch.watch(self.address, *self.details, self.signature)
        self.fields = {
            name: FormField(name, *controls)
            for name, controls in {
                "relationship": (self.relationship,),
                "tone": (self.tone,),
                "occasion": (self.occasion,),
                "length": (self.length,),
                "address": (self.address,),
                "details": tuple(self.details),
                "zodiac": (self.zodiac,),
                "signature": (self.signature,),
            }.items()
        }
        self._occasion_id = likely_occasion(today)
        self._occasion_chosen = False  # by the person, who may mean what is likely
        self._build()
        self._connect()
        self.retranslate()

    def values(self) -> dict[str, Any]:
        """The fields as `make_request` takes them."""
        return {
            "relationship": self.relationship.chosen,
            "tone": self.tone.chosen,
            "occasion": self.occasion.currentData(),
            "length": self.length.chosen,
            "address": self.address.text(),
            "details": [detail.text() for detail in self.details],
            "zodiac": self.zodiac.currentData(),
            "signature": self.signature.text(),
        }

    def turn_to(self, today: date) -> None:
        """It is this day now: where the person has not chosen an occasion, the likely one is another."""
        if today == self._today:
            return
        self._today, self._occasion_id = today, likely_occasion(today)
        self.zodiac.fill(self._animals(), self.zodiac.currentData() or "")
        if not self._occasion_chosen:
            self.occasion.setCurrentIndex(self.occasion.findData(self._occasion_id))
            self._occasion_chosen = False

    def show_error(self, error: RequestError) -> None:
        """Say at the field what is wrong with it, and go there."""
        field = self.fields["details" if error.field == "detail" else error.field]
        field.mark(self._words.say(error.sentence))
        field.controls[0].setFocus(Qt.FocusReason.OtherFocusReason)
        self.column.activate()
        self.ensureWidgetVisible(field, 0, 16)

    def clear_errors(self) -> None:
        """Take back every mark."""
        for field in self.fields.values():
            field.mark("")

    def retranslate(self) -> None:
        """Say everything in the language in use; what was typed and chosen stays, marks go."""
        self.clear_errors()
        self._heading.setText(self.tr("这一条写给谁？"))
        self._optional.setText(self.tr("下面的都可以不填"))
        for name, title in {
            "relationship": self.tr("关系"),
            "tone": self.tr("语气"),
            "occasion": self.tr("场合"),
            "length": self.tr("篇幅"),
            "address": self.tr("称呼"),
            "details": self.tr("想提到的事"),
            "zodiac": self.tr("生肖"),
            "signature": self.tr("落款"),
        }.items():
            self.fields[name].label(title)
        self.relationship.retranslate()
        self.tone.retranslate()
        for length in self._catalog.lengths:
            tip = self.tr("{low} 到 {high} 字").format(low=length.low, high=length.high)
            self.length.label(length.id, self._words.name(length), tip)
        occasions = [(occasion.id, self._words.name(occasion)) for occasion in self._catalog.occasions]
        self.occasion.fill(occasions, self.occasion.currentData() or self._occasion_id)
        self.zodiac.fill(self._animals(), self.zodiac.currentData() or "")
        self.address.setPlaceholderText(self.tr("怎么叫对方，例如：阿哲"))
        for detail, example in zip(self.details, (self.tr("例如：今年升职"), self.tr("例如：搬了新家")), strict=True):
            detail.setPlaceholderText(example)
        self.signature.setPlaceholderText(self.tr("例如：小李"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _animals(self) -> list[tuple[str, str]]:
        """Off, then the animal being welcomed, then the others in the order of their years."""
        names = {animal: self._words.say(name) for animal, name in ANIMALS.items()}
        coming = coming_zodiac(self._today)
        start = ZODIAC.index(coming)
        ahead = self._today < new_years_day(welcomed_year(self._today))
        when = self.tr("{animal}（来年）") if ahead else self.tr("{animal}（今年）")
        others = ZODIAC[start + 1 :] + ZODIAC[:start]
        return [
            ("", self.tr("不写")),
            (coming, when.format(animal=names[coming])),
            *((animal, names[animal]) for animal in others),
        ]

    def _build(self) -> None:
        self._heading = QLabel()
        self._heading.setFont(self._theme.letter_font(23))
        self._heading.setProperty("kind", "title")
        self._heading.setWordWrap(True)
        self._optional = QLabel()
        self._optional.setProperty("kind", "aside")
        column = self.column
        column.addWidget(self._heading)
        column.addWidget(self.fields["relationship"])
        column.addWidget(self.fields["tone"])
        column.addLayout(_pair(self.fields["occasion"], self.fields["length"]))
        column.addWidget(_divider(self._optional))
        column.addWidget(self.fields["address"])
        column.addWidget(self.fields["details"])
        column.addLayout(_pair(self.fields["zodiac"], self.fields["signature"]))
        column.addStretch(1)

    def _connect(self) -> None:
        self.occasion.currentIndexChanged.connect(self._note_occasion)
        signals: dict[str, list[Any]] = {
            "relationship": [self.relationship.changed],
            "tone": [self.tone.changed],
            "occasion": [self.occasion.currentIndexChanged],
            "length": [self.length.changed],
            "address": [self.address.textChanged],
            "details": [detail.textChanged for detail in self.details],
            "zodiac": [self.zodiac.currentIndexChanged],
            "signature": [self.signature.textChanged],
        }
        for name, of_field in signals.items():
            for signal in of_field:
                signal.connect(self._changed(self.fields[name]))

    def _note_occasion(self) -> None:
        self._occasion_chosen = True

    def _changed(self, field: FormField) -> Callable[[], None]:
        def react(*_: object) -> None:
            field.mark("")
            self.changed.emit()

        return react


def _pair(left: QWidget, right: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(14)
    row.addWidget(left, 10, Qt.AlignmentFlag.AlignTop)
    row.addWidget(right, 11, Qt.AlignmentFlag.AlignTop)
    return row


def _divider(label: QLabel) -> QWidget:
    """A hairline with a word in it."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 3, 0, 0)
    row.setSpacing(10)
    line = QFrame()
    line.setProperty("kind", "hairline")
    line.setFixedHeight(1)
    row.addWidget(label)
    row.addWidget(line, 1)
    return holder
