"""Errors: a sentence in a band across the page, its technical details one click away and copyable."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.compose.sentence import Sentence
from app.gui.announcing import announce
from app.gui.plain_text import BreakingLabel
from app.gui.words import Words

CONFIRMED_FOR = 2200  # ms the word 已复制 stays


class Details(QObject):
    """Three widgets for whoever shows an error to place: a button that unfolds, the text, a button that copies it."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self.sentence = Sentence("", "")
        self.toggle = QPushButton(owner)
        self.toggle.setProperty("kind", "quiet")
        self.toggle.setCheckable(True)
        self.toggle.toggled.connect(self._unfold)
        self.copy = QPushButton(owner)
        self.copy.setProperty("kind", "quiet")
        self.copy.clicked.connect(self._copy)
        self.text = QPlainTextEdit(owner)
        self.text.setObjectName("detailText")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(84)
        self._copied = QTimer(owner)
        self._copied.setSingleShot(True)
        self._copied.setInterval(CONFIRMED_FOR)
        self._copied.timeout.connect(self.retranslate)

    def fill(self, sentence: Sentence, detail: str) -> None:
        """The details of ``sentence``, folded; without any there is no button."""
        self.sentence = sentence
        self.text.setPlainText(detail)
        self.toggle.setVisible(bool(detail))
        self.toggle.setChecked(False)
        self._unfold(False)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.toggle.setText(self.tr("收起") if self.toggle.isChecked() else self.tr("详情"))
        self.copy.setText(self.tr("已复制") if self._copied.isActive() else self.tr("复制详情"))
        self.text.setAccessibleName(self.tr("详情"))

    def _unfold(self, open: bool) -> None:
        self.text.setVisible(open)
        self.copy.setVisible(open)
        self.retranslate()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.sentence.zh}\n{self.sentence.en}\n\n{self.text.toPlainText()}")
        self._copied.start()
        self.retranslate()


class Banner(QFrame):
    """Hidden until there is an error to show."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._words = words
        self._sentence = Sentence("", "")
        self.message = BreakingLabel()
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.setMinimumHeight(30)
        self.details = Details(self)
        self.dismiss = QPushButton()
        self.dismiss.setProperty("kind", "dismiss")
        self.dismiss.setIconSize(QSize(16, 16))
        self.dismiss.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.message, 1)
        for button in (self.details.toggle, self.dismiss):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 8, 8)
        column.addLayout(row)
        column.addWidget(self.details.text)
        column.addWidget(self.details.copy, 0, Qt.AlignmentFlag.AlignRight)
        self.hide()
        self.retranslate()

    def show_error(self, sentence: Sentence, detail: str = "") -> None:
        """Show ``sentence``; with a ``detail`` there is a button for it."""
        self._sentence = sentence
        self.details.fill(sentence, detail)
        self.retranslate()
        self.show()
        announce(self, self.message.text(), at_once=True)

    def amend(self, old: Sentence, new: Sentence) -> None:
        """Say ``new`` where ``old`` is being shown, over the same details; anything else stays as it is."""
        if not self.isHidden() and self._sentence == old:
            self._sentence = self.details.sentence = new
            self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.message.setText(self._words.say(self._sentence))
        self.details.retranslate()
        self.dismiss.setToolTip(self.tr("知道了"))
        self.dismiss.setAccessibleName(self.tr("知道了"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
