"""做成贺卡: a greeting on a card, to be looked at, changed, copied and saved.

What is changed here stays here: the greeting the dialog was opened with is left as it is.
"""

from pathlib import Path

from PySide6.QtCore import QEvent, QStandardPaths, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.cards.collection import load_collection
from app.cards.design import Design, Format
from app.cards.errors import SaveError, TextTooLong
from app.cards.letter import LONGEST_SIGNATURE
from app.compose.sentence import Sentence
from app.compose.zodiac import ANIMALS
from app.gui.banner import Banner
from app.gui.card_painter import Card, CardPainter
from app.gui.card_preview import CardPreview, DesignList
from app.gui.card_type import CardType
from app.gui.card_writer import CardWriter
from app.gui.choice_widgets import ButtonRow, CalmComboBox
from app.gui.composition import CompositionWatch
from app.gui.file_asking import ask_target
from app.gui.theme import Theme
from app.gui.words import Words
from app.gui.write_button import key_name

FIRST_SIZE = (1080, 720)
CONTROLS_WIDTH = 290
LETTER_PIXELS = 17
DRAW_AFTER = 120  # ms without a key before the card is drawn again
COPY_KEYS, PNG_KEYS, PDF_KEYS = "Ctrl+Shift+C", "Ctrl+S", "Ctrl+Shift+S"


class CardDialog(QDialog):
    """Opened with a text, and perhaps who signs it and the animal of the year.

    Raises:
        DesignError: the designs cannot be loaded.
    """

    def __init__(
        self,
        words: Words,
        theme: Theme,
        text: str,
        signature: str = "",
        zodiac: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._words = words
        self._folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        self.painter = CardPainter(load_collection(), CardType())
        self.card: Card | None = None  # None while there is nothing to save
        self.designs = DesignList(self.painter, words)
        self.preview = CardPreview(self.painter)
        self.text = QPlainTextEdit(text)
        self.text.setFont(theme.letter_font(LETTER_PIXELS))
        self.text.setTabChangesFocus(True)
        self.signature = QLineEdit(signature)
        self.signature.setMaxLength(LONGEST_SIGNATURE)
        self.zodiac = CalmComboBox()
        self.format = ButtonRow([format.value for format in Format], columns=2, spacing=0, kind="segment")
        self.format.chosen = Format.PORTRAIT.value
        self.labels = {name: QLabel() for name in ("text", "signature", "zodiac", "format")}
        self.trouble = QLabel()
        self.trouble.setProperty("kind", "error")
        self.note = QLabel()
        self.note.setProperty("kind", "note")
        for label in (self.trouble, self.note):
            label.setWordWrap(True)
        self.banner = Banner(words)
        self.copy_button = self._button("primary", self.copy)
        self.png_button = self._button("outline", self.ask_png)
        self.pdf_button = self._button("outline", self.ask_pdf)
        self.close_button = self._button("quiet", self.reject)
        self.writer = CardWriter()
        self._watch = CompositionWatch(self)
        self._watch.watch(self.text, self.signature)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(DRAW_AFTER)
        self._fill_zodiac(zodiac)
        self._build()
        self._connect()
        self.retranslate()
        self.resize(*FIRST_SIZE)
        self.text.setFocus()

    @property
    def shape(self) -> Format:
        """The format chosen."""
        return Format(self.format.chosen)

    def draw(self) -> None:
        """Set the text anew and show it, large and small."""
        self._redraw.stop()
        self._show(self.designs.design)
        self.designs.show_cards(lambda design: self._card(design)[0], self.shape)

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        self._draw_what_was_typed()
        if self.card is not None:
            QGuiApplication.clipboard().setImage(self.painter.image(self.card))
            self._say(Sentence("图片已复制，去聊天窗口粘贴。", "The picture is copied; paste it into a chat."))

    def ask_png(self) -> None:
        """Ask where to, then save the picture."""
        self._ask("png", self.tr("PNG 图片 (*.png)"))

    def ask_pdf(self) -> None:
        """Ask where to, then save the page."""
        self._ask("pdf", self.tr("PDF 文件 (*.pdf)"))

    def save(self, path: Path) -> None:
        """Save the card as what the path's suffix says, PDF or else PNG."""
        if self.card is None:
            return
        content = self.painter.pdf(self.card) if path.suffix.lower() == ".pdf" else self.painter.png(self.card)
        self._folder = str(path.parent)
        self.banner.hide()
        self._say(Sentence("正在保存…", "Saving…"))
        self.writer.write(path, content)

    def reject(self) -> None:
        """Esc closes, but not in the middle of a word: there it is the input method's."""
        if not self._watch.composing:
            super().reject()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setWindowTitle(self.tr("做成贺卡"))
        fields = {
            "text": (self.tr("文字"), self.text),
            "signature": (self.tr("落款"), self.signature),
            "zodiac": (self.tr("生肖印"), self.zodiac),
            "format": (self.tr("尺寸"), self.format),
        }
        for name, (label, field) in fields.items():
            self.labels[name].setText(label)
            self.labels[name].setBuddy(field)
            field.setAccessibleName(label)
        self.preview.setAccessibleName(self.tr("贺卡预览"))
        self.format.label("portrait", self.tr("竖幅 3:4"), self.tr("1080×1440 像素，适合手机屏幕"))
        self.format.label("square", self.tr("方形"), self.tr("1080×1080 像素，适合朋友圈"))
        self._fill_zodiac(self.zodiac.currentData())
        for button, text, keys in (
            (self.copy_button, self.tr("复制图片"), COPY_KEYS),
            (self.png_button, self.tr("存为图片…"), PNG_KEYS),
            (self.pdf_button, self.tr("存为 PDF…"), PDF_KEYS),
            (self.close_button, self.tr("关闭"), "Esc"),
        ):
            button.setText(text)
            button.setToolTip(key_name(keys))
        self.draw()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _card(self, design: Design) -> tuple[Card, TextTooLong | None]:
        """The card of a design; without its text, and why, where that does not fit."""
        shape, zodiac = self.shape, self.zodiac.currentData()
        try:
            return self.painter.card(design, shape, self.text.toPlainText(), self.signature.text(), zodiac), None
        except TextTooLong as error:
            return self.painter.card(design, shape, "", "", zodiac), error

    def _show(self, design: Design) -> None:
        """Show the card of a design; say what is wrong with the text on it."""
        card, error = self._card(design)
        self.preview.show_card(card)
        self.card = card if error is None and card.letter.paragraphs else None
        for button in (self.copy_button, self.png_button, self.pdf_button):
            button.setEnabled(self.card is not None)
        missing = self.painter.type.missing(self.text.toPlainText() + self.signature.text())
        if error is not None:
            trouble = self._words.say(error.sentence)
        elif not card.letter.paragraphs:
            trouble = self.tr("还没有文字，写一句再做成贺卡。")
        elif missing:
            trouble = self.tr("有 {count} 个表情或生僻字，这台电脑没有字体能画，贺卡上会略去。").format(
                count=len(missing)
            )
        else:
            trouble = ""
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))
        self.text.setAccessibleDescription(trouble)
        self._say(None)

    def _say(self, sentence: Sentence | None) -> None:
        """What became of the last thing done, under the buttons."""
        self.note.setText(self._words.say(sentence) if sentence else "")

    def _draw_what_was_typed(self) -> None:
        """What is copied or saved is what the text says, even right after a key."""
        if self._redraw.isActive():
            self.draw()

    def _ask(self, suffix: str, kind: str) -> None:
        self._draw_what_was_typed()
        if self.card is None:
            return
        title = self.card.design.title
        name = self._words.say(Sentence(f"拜年帖-{title.zh}.{suffix}", f"Greeting card - {title.en}.{suffix}"))
        ask_target(self, self.tr("保存贺卡"), kind, suffix, self.save, name=name, folder=self._folder)

    def _saved(self, path: Path) -> None:
        self._say(Sentence(f"已保存：{path}", f"Saved: {path}"))

    def _not_saved(self, error: SaveError) -> None:
        self._say(None)
        self.banner.show_error(error.sentence, error.detail)

    def _fill_zodiac(self, chosen: str) -> None:
        animals = [(animal, self._words.say(name)) for animal, name in ANIMALS.items()]
        self.zodiac.fill([("", self.tr("不盖")), *animals], chosen)

    def _connect(self) -> None:
        self.text.textChanged.connect(self._redraw.start)
        self.signature.textChanged.connect(self._redraw.start)
        self._redraw.timeout.connect(self.draw)
        self.zodiac.currentIndexChanged.connect(self.draw)
        self.format.changed.connect(self.draw)
        self.designs.chosen.connect(self._show)
        self.writer.saved.connect(self._saved)
        self.writer.failed.connect(self._not_saved)
        for keys, act in ((COPY_KEYS, self.copy), (PNG_KEYS, self.ask_png), (PDF_KEYS, self.ask_pdf)):
            QShortcut(QKeySequence(keys), self, act)

    def _button(self, kind: str, act: object) -> QPushButton:
        button = QPushButton()
        button.setProperty("kind", kind)
        button.setAutoDefault(False)
        button.clicked.connect(act)
        return button

    def _build(self) -> None:
        controls = QVBoxLayout()
        controls.setSpacing(6)
        controls.addWidget(self.labels["text"])
        controls.addWidget(self.text, 1)
        controls.addWidget(self.trouble)
        fields = {"signature": self.signature, "zodiac": self.zodiac, "format": self.format}
        for name, field in fields.items():
            controls.addSpacing(6)
            controls.addWidget(self.labels[name])
            controls.addWidget(field)
        controls.addSpacing(14)
        controls.addWidget(self.copy_button)
        saving = QHBoxLayout()
        saving.setSpacing(8)
        saving.addWidget(self.png_button, 1)
        saving.addWidget(self.pdf_button, 1)
        controls.addLayout(saving)
        controls.addWidget(self.note)
        controls.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignRight)
        side = QWidget()
        side.setFixedWidth(CONTROLS_WIDTH)
        side.setLayout(controls)
        controls.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(self.designs)
        row.addWidget(self.preview, 1)
        row.addWidget(side)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 18)
        whole.setSpacing(12)
        whole.addWidget(self.banner)
        whole.addLayout(row, 1)
