"""The big button: 写祝福 while nothing is being written, 停止 while something is."""

from PySide6.QtCore import QElapsedTimer, QEvent, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QPushButton


def key_name(keys: str) -> str:
    """A key as this platform writes it: ``Ctrl+Return``, ``⌘↩``."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class WriteButton(QPushButton):
    """Two buttons in one place. Right after it changed its meaning a click is not taken: it was meant for the other.

    That makes a double click one click, and a click on 停止 that comes a moment too late no new greeting.
    """

    write = Signal()
    stop = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("writeButton")
        self.working = False
        self._settled = QElapsedTimer()
        self.clicked.connect(self._act)
        self.retranslate()

    def show_working(self, working: bool) -> None:
        """Become 停止 or 写祝福."""
        if working == self.working:
            return
        self.working = working
        self._settled.start()
        self.setProperty("working", working)
        self.style().unpolish(self)
        self.style().polish(self)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setText(self.tr("停止") if self.working else self.tr("写祝福"))
        self.setToolTip(key_name("Esc" if self.working else "Ctrl+Return"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _act(self) -> None:
        if self._settled.isValid() and not self._settled.hasExpired(QApplication.doubleClickInterval()):
            return
        (self.stop if self.working else self.write).emit()
