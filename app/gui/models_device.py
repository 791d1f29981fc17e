"""What the model runs on and why, the wish for the CPU alone, and what can be told of this machine for a report."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.engine.protocol import Ready
from app.gui.kind_button import KindButton
from app.gui.report import program_and_system, without_home
from app.gui.words import Words
from app.models.inventory import Entry
from app.models.memory import machine_memory


class DevicePanel(QFrame):
    """``cpu_asked`` carries whether only the CPU is to be used; ``copied``: the diagnostics are on the clipboard."""

    cpu_asked = Signal(bool)
    copied = Signal()

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._ready: Ready | None = None
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.found = QLabel()
        self.found.setProperty("kind", "aside")
        self.found.setWordWrap(True)
        self.cpu_only = QCheckBox()
        self.cpu_only.clicked.connect(self.cpu_asked)
        self.copy = KindButton("quiet", self.copied)
        foot = QHBoxLayout()
        foot.addWidget(self.cpu_only)
        foot.addStretch(1)
        foot.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.reason)
        column.addWidget(self.found)
        column.addLayout(foot)
        self.retranslate()

    def show_ready(self, ready: Ready | None) -> None:
        """The model is open, or none is."""
        self._ready = ready
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        ready = self._ready
        if ready is None:
            self.reason.setText(self.tr("还没有打开模型。"))
        else:
            self.reason.setText(self._words.say(ready.reason))
        self.found.setText("" if ready is None else self._how(ready))
        self.found.setVisible(ready is not None)
        self.cpu_only.setText(self.tr("只用 CPU"))
        self.cpu_only.setToolTip(self.tr("显卡写出来的不对，或者写着写着就停，可以试试"))
        self.copy.setText(self.tr("复制诊断信息"))
        self.copy.setToolTip(self.tr("系统、设备和模型的情况，没有你写的内容"))

    def _how(self, ready: Ready) -> str:
        layers = self.tr("{count} 层在显卡上").format(count=ready.layers_on_gpu) if ready.layers_on_gpu else ""
        threads = self.tr("{count} 个线程").format(count=ready.threads)
        return "  ·  ".join(part for part in (layers, threads) if part)


def copy_diagnostics(ready: Ready | None, entries: tuple[Entry, ...], chatter: str, log: str) -> None:
    """Put on the clipboard what somebody who helps needs to know."""
    QGuiApplication.clipboard().setText(diagnostics(ready, entries, chatter, log))


def diagnostics(ready: Ready | None, entries: tuple[Entry, ...], chatter: str, log: str) -> str:
    """Plain text, in English: versions, machine, device, models, the last the engine said about itself, and how the
    log ends.

    Nothing a person wrote is in it; the name of their home folder is taken out.
    """
    memory = machine_memory()
    lines = [
        program_and_system(),
        f"memory: {memory.total / 1e9:.1f} GB, {memory.free / 1e9:.1f} GB free" if memory else "memory: not known",
    ]
    if ready is None:
        lines.append("engine: not ready")
    else:
        lines += [
            f"engine: {ready.model}, {ready.parameters:,} parameters, on {ready.device}",
            f"reason: {ready.reason.en}",
            f"layers on GPU: {ready.layers_on_gpu}; threads: {ready.threads}; context: {ready.context}",
            *(f"found: {device}" for device in ready.found),
        ]
    for entry in entries:
        mark = "*" if entry.in_use else " "
        fault = f" — {entry.fault.en}" if entry.fault else ""
        lines.append(f"{mark} {entry.id} [{entry.kind.value}, {entry.state.value}] {entry.size:,} bytes{fault}")
    if chatter.strip():
        lines += ["the engine's last words:", chatter.strip()[-4000:]]
    if log:
        lines += ["the log ends:", log]
    return without_home("\n".join(lines))
