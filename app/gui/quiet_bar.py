"""A quiet line at the foot of a page: what was done, with the way back; or a question, with both answers."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from app.compose.sentence import Sentence
from app.gui.plain_text import BreakingLabel
from app.gui.words import Words


class QuietBar(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.setObjectName("quietBar")
        self._words = words
        self._message = Sentence("", "")
        self._undo: Callable[[], Any] | None = None
        self._confirm: Callable[[], Any] | None = None
        self._confirm_words = Sentence("", "")
        self.message = BreakingLabel()
        self.undo = self._button("link", self._act_undo)
        self.confirm = self._button("outline", self._act_confirm)
        self.keep = self._button("quiet", self.hide)
        self.dismiss = self._button("dismiss", self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.message, 1)
        for button in (self.undo, self.confirm, self.keep, self.dismiss):
            row.addWidget(button)
        self.hide()
        self.retranslate()

    def tell(self, message: Sentence, undo: Callable[[], Any] | None = None) -> None:
        """Say what was done; ``undo`` takes it back."""
        self._message, self._undo, self._confirm = message, undo, None
        self._show()

    def ask(self, question: Sentence, yes: Sentence, confirm: Callable[[], Any]) -> None:
        """Ask before something is done; ``yes`` is what the button that does it says."""
        self._message, self._confirm_words, self._confirm, self._undo = question, yes, confirm, None
        self._show()
        self.keep.setFocus()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.message.setText(self._words.say(self._message))
        self.undo.setText(self.tr("撤销"))
        self.confirm.setText(self._words.say(self._confirm_words))
        self.keep.setText(self.tr("留着"))
        self.dismiss.setToolTip(self.tr("知道了"))
        self.dismiss.setAccessibleName(self.tr("知道了"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _show(self) -> None:
        asking = self._confirm is not None
        self.undo.setVisible(self._undo is not None)
        self.confirm.setVisible(asking)
        self.keep.setVisible(asking)
        self.dismiss.setVisible(not asking)
        self.retranslate()
        self.show()

    def _act_undo(self) -> None:
        self.hide()
        if self._undo is not None:
            self._undo()

    def _act_confirm(self) -> None:
        self.hide()
        if self._confirm is not None:
            self._confirm()

    def _button(self, kind: str, act: Callable[[], Any]) -> QPushButton:
        button = QPushButton()
        button.setProperty("kind", kind)
        button.clicked.connect(lambda: act())
        return button
