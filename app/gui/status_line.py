"""The quiet line at the foot of the page: which model, on what and why, and how long the last greetings took."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from app.compose.sentence import Sentence
from app.engine.protocol import Ready
from app.gui.elided_label import ElidedLabel
from app.gui.words import Words

_NAME_WIDTH = 300  # pixels; a file may call its model what it likes


class StatusLine(QFrame):
    """Text that is there when somebody looks for it."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.setObjectName("statusLine")
        self._words = words
        self._ready: Ready | None = None
        self._title: Sentence | None = None
        self._fraction: float | None = None
        self._seconds: float | None = None
        self._message: Sentence | None = None
        self.engine = ElidedLabel()
        self.engine.setProperty("kind", "status")
        self.engine.setObjectName("engineStatus")
        self.took = QLabel()
        self.took.setProperty("kind", "status")
        self.took.setObjectName("secondsTaken")
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 0, 28, 0)
        row.addWidget(self.engine, 1)
        row.addWidget(self.took)
        self.setFixedHeight(34)
        self.retranslate()

    def show_message(self, message: Sentence) -> None:
        """What the engine is doing while it is not ready."""
        self._ready, self._fraction, self._message = None, None, message
        self.retranslate()

    def show_loading(self, fraction: float) -> None:
        """The model is being opened; ``fraction`` of it is."""
        self._ready, self._message, self._fraction = None, None, fraction
        self.retranslate()

    def show_ready(self, ready: Ready, title: Sentence | None) -> None:
        """The model is open; ``title`` is what it is called, when it is one of ours."""
        self._ready, self._title, self._fraction, self._message = ready, title, None, None
        self.retranslate()

    def show_seconds(self, seconds: float | None) -> None:
        """How long the last greetings took; None while they are being written."""
        self._seconds = seconds
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        if self._ready is not None:
            model = self._words.say(self._title) if self._title else self._ready.model
            reason = self._words.say(self._ready.reason).rstrip("。.")
            short = self.engine.fontMetrics().elidedText(model, Qt.TextElideMode.ElideMiddle, _NAME_WIDTH)
            text, whole = f"{short}  ·  {reason}", f"{model}  ·  {reason}"
        elif self._fraction is not None:
            text = whole = self.tr("正在打开模型… {percent}%").format(percent=round(100 * self._fraction))
        else:
            text = whole = self._words.say(self._message) if self._message else ""
        self.engine.show_line(text, whole)
        seconds = self._seconds
        self.took.setText("" if seconds is None else self.tr("用时 {seconds} 秒").format(seconds=f"{seconds:.1f}"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
