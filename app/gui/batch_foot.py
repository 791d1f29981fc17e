"""The foot of the page 群发: writing and pausing, how far it is, the way to a model, and the queue of copying."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from app.gui.batch_table import BatchTable
from app.gui.kind_button import KindButton
from app.gui.write_button import key_name


class BatchFoot(QWidget):
    """``write``: the first button, whatever it says; ``model_asked``: there is no model, and one is wanted."""

    write = Signal()
    copy_next = Signal()
    model_asked = Signal()

    def __init__(self, table: BatchTable) -> None:
        super().__init__()
        self._table = table
        self._running = self._off = False
        self.write_button = KindButton("primary", self.write)
        self.copy_button = KindButton("outline", self.copy_next)
        self.model_button = KindButton("link", self.model_asked)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setObjectName("batchProgress")
        self.count = QLabel()
        self.count.setProperty("kind", "aside")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self.write_button)
        row.addWidget(self.progress, 1)
        row.addWidget(self.count)
        row.addWidget(self.model_button)
        row.addWidget(self.copy_button)
        self.retranslate()

    def show_state(self, running: bool, off: bool) -> None:
        """Show how far the table is; ``off``: no model is there to write with."""
        self._running, self._off = running, off
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        counts, rows = self._table.counts(), len(self._table.rows)
        done = counts["written"]
        for widget in (self.progress, self.write_button, self.copy_button):
            widget.setVisible(bool(rows))
        self.progress.setRange(0, max(rows, 1))
        self.progress.setValue(done)
        self.progress.setAccessibleName(self.tr("写好的"))
        self.write_button.setText(
            self.tr("暂停") if self._running else self.tr("继续") if done and counts["waiting"] else self.tr("全部写好")
        )
        self.write_button.setToolTip(key_name("Ctrl+Return"))
        self.write_button.setEnabled(self._running or (not self._off and counts["waiting"] > 0))
        self.copy_button.setText(self.tr("复制下一条"))
        self.copy_button.setToolTip(key_name("Ctrl+Shift+C"))
        self.copy_button.setEnabled(counts["left"] > 0)
        self.model_button.setText(self.tr("去准备模型"))
        self.model_button.setVisible(bool(rows) and self._off)
        parts = self._table.summary()
        if rows and self._off:
            parts.append(self.tr("模型准备好就能写"))
        self.count.setText("  ·  ".join(parts))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
