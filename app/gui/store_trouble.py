"""In the place of the history, when its file cannot be opened: why, and the ways on."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from app.compose.sentence import Sentence
from app.gui.banner import Details
from app.gui.people_thread import Trouble, Way
from app.gui.theme import Theme
from app.gui.words import Words


class StoreTrouble(QFrame):
    """``chosen`` carries the way the person takes."""

    chosen = Signal(object)

    def __init__(self, words: Words, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("firstStart")
        self._words = words
        self._sentence = Sentence("", "")
        self.title = QLabel()
        self.title.setProperty("kind", "panelTitle")
        self.title.setFont(theme.letter_font(19))
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.buttons = {way: QPushButton() for way in (Way.BACKUP, Way.AGAIN, Way.ANEW)}
        self.details = Details(self)
        row = QHBoxLayout()
        row.setSpacing(8)
        for way, button in self.buttons.items():
            button.setProperty("kind", "outline" if way is Way.ANEW else "primary")
            button.clicked.connect(lambda _=False, way=way: self._choose(way))
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.details.toggle)
        row.addWidget(self.details.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 20)
        column.setSpacing(12)
        column.addWidget(self.title)
        column.addWidget(self.message)
        column.addLayout(row)
        column.addWidget(self.details.text)
        self.retranslate()

    @property
    def first_button(self) -> QPushButton:
        """The way that is offered first."""
        return next(button for button in self.buttons.values() if not button.isHidden())

    def show_trouble(self, trouble: Trouble) -> None:
        """Say what is wrong."""
        self._sentence = trouble.error.sentence
        self.details.fill(trouble.error.sentence, trouble.error.detail)
        for way, button in self.buttons.items():
            button.setVisible(way in trouble.ways)
            button.setEnabled(True)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.title.setText(self.tr("以前写的打不开"))
        self.message.setText(self._words.say(self._sentence))
        self.buttons[Way.BACKUP].setText(self.tr("恢复最近的备份"))
        self.buttons[Way.AGAIN].setText(self.tr("再试一次"))
        self.buttons[Way.ANEW].setText(self.tr("从空的开始"))
        self.buttons[Way.ANEW].setToolTip(self.tr("原来的文件留在旁边，不删"))
        self.details.retranslate()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _choose(self, way: Way) -> None:
        for button in self.buttons.values():
            button.setEnabled(False)
        self.chosen.emit(way)
