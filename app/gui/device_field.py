"""On what the model is to run, and what it does run on and why."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.engine.protocol import Ready
from app.gui.choice_widgets import ButtonRow
from app.gui.form_field import FormField
from app.gui.plain_text import BreakingLabel
from app.gui.settings import AUTO, CPU, DEVICES
from app.gui.words import Words


class DeviceField(QFrame):
    """``cpu_asked`` carries whether only the CPU is to be used."""

    cpu_asked = Signal(bool)

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._ready: Ready | None = None
        self.choice = ButtonRow(DEVICES, columns=len(DEVICES), spacing=0, kind="segment")
        self.choice.changed.connect(lambda: self.cpu_asked.emit(self.choice.chosen == CPU))
        self._field = FormField("device", self.choice)
        self.reason = BreakingLabel()
        self.reason.setProperty("kind", "aside")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(self._field)
        column.addWidget(self.reason)
        self.retranslate()

    def show_choice(self, device: str, is_fixed: bool) -> None:
        """What is asked for; ``is_fixed`` where the command line decided."""
        self.choice.chosen = device
        self.choice.setEnabled(not is_fixed)

    def show_ready(self, ready: Ready | None) -> None:
        """The model is open, or none is."""
        self._ready = ready
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self._field.label(self.tr("设备"))
        self.choice.label(AUTO, self.tr("自动"), self.tr("有合适的显卡就用，没有就用 CPU"))
        self.choice.label(CPU, self.tr("只用 CPU"), self.tr("显卡写出来的不对，或者写着写着就停，可以试试"))
        self.reason.setText(self._found())

    def _found(self) -> str:
        """What it runs on, with how many layers and threads."""
        ready = self._ready
        if ready is None:
            return self.tr("还没有打开模型。")
        layers = self.tr("{count} 层在显卡上").format(count=ready.layers_on_gpu) if ready.layers_on_gpu else ""
        threads = self.tr("{count} 个线程").format(count=ready.threads)
        return "  ·  ".join(part for part in (self._words.say(ready.reason), layers, threads) if part)
