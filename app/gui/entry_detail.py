"""One entry of the history, whole: its text, how it came about, to whom it went and when; what can be done with it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.gui.candidate_card import CARD_KEYS, FAVOURITE_KEYS, GreetingText
from app.gui.entry_words import EntryWords
from app.gui.kind_button import KindButton
from app.gui.plain_text import plain_label, plain_tip
from app.gui.star_button import StarButton
from app.gui.theme import Theme
from app.gui.words import Words
from app.gui.write_button import key_name
from app.people.history import Sent, Written

LETTER_PIXELS = 22  # as in the style sheet
MOST_SENT = 4  # notes that are listed; of more their number is told


class EntryDetail(QFrame):
    """Shows an entry and reports what the person wants done with it."""

    copy = Signal()
    favour = Signal()
    make_card = Signal()
    delete = Signal()

    def __init__(self, words: Words, theme: Theme, entry_words: EntryWords) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._words = words
        self._entry_words = entry_words
        self.entry: Written | None = None
        self._sent: tuple[Sent, ...] = ()
        self.who = plain_label()
        self.who.setProperty("kind", "title")
        self.who.setFont(theme.letter_font(23))
        self.who.setWordWrap(True)
        self.circumstances = self._label("note")
        self.text = GreetingText()
        self.text.setReadOnly(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setFont(theme.letter_font(LETTER_PIXELS))
        self.text.setObjectName("entryText")
        self.sent = self._label("label")
        self.facts = self._label("label")
        self.origin = self._label("note")
        self.star = StarButton(theme)
        self.star.clicked.connect(self.favour)
        self.delete_button = KindButton("quiet", self.delete)
        self.card_button = KindButton("quiet", self.make_card)
        self.copy_button = KindButton("outline", self.copy)
        self._build()
        self.retranslate()

    def show_entry(self, entry: Written | None) -> None:
        """Show an entry; when and to whom it was sent comes with `show_sent`."""
        if entry is None or self.entry is None or entry.id != self.entry.id:
            self._sent = ()
        self.entry = entry
        self.setVisible(entry is not None)
        if entry is not None:
            self.text.show_text(entry.text)
            self.star.setChecked(entry.favourite)
            self.retranslate()

    def show_sent(self, sent: Sequence[Sent]) -> None:
        """When and to whom the entry was sent, newest first."""
        self._sent = tuple(sent)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.text.setAccessibleName(self.tr("祝福"))
        for button, text, keys in (
            (self.copy_button, self.tr("复制"), "Ctrl+C"),
            (self.card_button, self.tr("做成贺卡"), CARD_KEYS),
            (self.delete_button, self.tr("删除"), "Del"),
        ):
            button.setText(text)
            button.setToolTip(key_name(keys))
        favourite = self.tr("取消收藏") if self.star.isChecked() else self.tr("收藏")
        self.star.setAccessibleName(favourite)
        self.star.setToolTip(f"{favourite}  {key_name(FAVOURITE_KEYS)}")
        entry = self.entry
        if entry is None:
            return
        self.who.setText(self._entry_words.who(entry))
        self.circumstances.setText(self._entry_words.all_circumstances(entry))
        facts = "；".join(entry.request.details)
        self.facts.setText(self.tr("想提到的事：{facts}").format(facts=facts))
        self.facts.setVisible(bool(facts))
        self.sent.setText("\n".join(self._sent_lines()))
        self.origin.setText(self.tr("写于 {when}").format(when=self._entry_words.moment(entry.at)))
        # Of use to whoever looks into how a text came about; in the way of everybody else.
        origin = self.tr("模型 {model}，种子 {seed}").format(model=entry.model or "—", seed=entry.seed)
        self.origin.setToolTip(plain_tip(origin))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _sent_lines(self) -> list[str]:
        if not self._sent:
            return [self.tr("还没有发出")]
        lines = []
        for note in self._sent[:MOST_SENT]:
            name = self._entry_words.names.get(note.recipient or 0, "")
            line = self.tr("{when} 发给{name}") if name else self.tr("{when} 发出")
            lines.append(line.format(when=self._entry_words.moment(note.at), name=name))
        if len(self._sent) > MOST_SENT:
            lines.append(self.tr("此前还发过 {count} 次").format(count=len(self._sent) - MOST_SENT))
        return lines

    def _label(self, kind: str) -> QLabel:
        label = plain_label()
        label.setProperty("kind", kind)
        label.setWordWrap(True)
        return label

    def _build(self) -> None:
        heading = QHBoxLayout()
        heading.addWidget(self.who, 1)
        heading.addWidget(self.star, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.delete_button)
        buttons.addStretch(1)
        buttons.addWidget(self.card_button)
        buttons.addWidget(self.copy_button)
        rule = QFrame()
        rule.setProperty("kind", "hairline")
        rule.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 20, 14)
        column.setSpacing(6)
        column.addLayout(heading)
        column.addWidget(self.circumstances)
        column.addSpacing(12)
        column.addWidget(self.text, 1)
        column.addSpacing(8)
        column.addWidget(rule)
        column.addSpacing(6)
        column.addWidget(self.facts)
        column.addWidget(self.sent)
        column.addWidget(self.origin)
        column.addSpacing(8)
        column.addLayout(buttons)
