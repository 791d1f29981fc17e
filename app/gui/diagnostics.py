"""What can be told of this machine, the engine and the models to somebody who helps; nothing a person wrote."""

from PySide6.QtGui import QGuiApplication

from app.compose.sentence import Sentence
from app.engine.protocol import Ready
from app.gui.report import program_and_system, without_home
from app.models.inventory import Entry
from app.models.memory import machine_memory

COPIED = Sentence("诊断信息已复制，里面没有你写的内容。", "The diagnostics are copied; nothing you wrote is in them.")


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
