"""The installation of the model as a child process: its lines read, its end understood, its speed measured.

Pausing ends the child: it keeps what it has, and the next one goes on from there.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from app.compose.sentence import Sentence
from app.models.progress import STEPS, Progress

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "app", "install", "--json", "--source", "auto")
PATIENCE = 4000  # ms a child gets to end by itself before it is ended
LONGEST_LINE = 1 << 20
# Roughly how much of the whole each step takes, for one bar that never runs backwards.
SHARES = {"check": 0.01, "download": 0.72, "verify": 0.03, "merge": 0.17, "hash": 0.02, "trial": 0.05}


def overall(progress: Progress) -> float:
    """How far the whole installation is, 0 to 1."""
    if progress.step not in STEPS:
        return 0.0
    before = sum(SHARES[step] for step in STEPS[: STEPS.index(progress.step)])
    part = min(progress.done / progress.total, 1.0) if progress.total > 0 else 0.0
    # Rounded: the last bits of a sum must not let the bar step back.
    return round(before + part * SHARES[progress.step], 6)


@dataclass
class Rate:
    """The speed of one step, smoothed; bytes and seconds."""

    step: str = ""
    _mark: tuple[float, int] | None = None
    _speed: float | None = None

    def feed(self, progress: Progress, now: float) -> None:
        """Note how far it is at ``now``, in seconds of any steady clock."""
        if progress.step != self.step or self._mark is None or progress.done < self._mark[1]:
            self.step, self._mark, self._speed = progress.step, (now, progress.done), None
            return
        seconds, done = now - self._mark[0], progress.done - self._mark[1]
        if seconds >= 1.0:
            speed = done / seconds
            self._speed = speed if self._speed is None else 0.7 * self._speed + 0.3 * speed
            self._mark = (now, progress.done)

    @property
    def speed(self) -> float | None:
        """Bytes a second; None until there is something to say."""
        return self._speed

    def left(self, progress: Progress) -> float | None:
        """Seconds left of this step; None until there is something to say, or while nothing moves."""
        return (progress.total - progress.done) / self._speed if self._speed else None


class InstallProcess(QObject):
    """One run of the installer. Ends with exactly one of ``installed``, ``failed`` and ``paused``."""

    progressed = Signal(object)
    installed = Signal()
    failed = Signal(str, object, str)  # code, Sentence, detail
    paused = Signal()

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        super().__init__()
        self._command = command
        self._pausing = False
        self._outcome: dict[str, Any] = {}
        self.rate = Rate()
        self._process = QProcess(self)
        self._process.setWorkingDirectory(str(ROOT))
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._not_started)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._process.kill)

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self) -> None:
        """Install, from wherever the last run stopped."""
        if self.running:
            return
        self._pausing = False
        self._outcome = {}
        self.rate = Rate()
        self._process.start(self._command[0], list(self._command[1:]))

    def pause(self) -> None:
        """End the child; what it has is kept."""
        if self.running:
            self._pausing = True
            self._process.closeWriteChannel()
            self._process.terminate()
            self._patience.start()

    def close(self) -> None:
        """End the child and wait for it, for when the window is gone."""
        if self.running:
            self.pause()
            if not self._process.waitForFinished(PATIENCE):
                self._process.kill()
                self._process.waitForFinished(PATIENCE)

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine(LONGEST_LINE).data())
            try:
                message = json.loads(line)
                kind = message["type"]
                if kind == "progress":
                    sentence = Sentence(str(message["zh"]), str(message["en"]))
                    progress = Progress(message["step"], int(message["done"]), int(message["total"]), sentence)
                    self.rate.feed(progress, time.monotonic())
                    self.progressed.emit(progress)
                elif kind in ("installed", "error"):
                    self._outcome = message
            except (ValueError, KeyError, TypeError):
                # A library's stray line: what counts is how the child ends, which is looked at below.
                continue

    def _ended(self, code: int, status: QProcess.ExitStatus) -> None:
        self._patience.stop()
        self._read()
        errors = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        kind = self._outcome.get("type")
        if kind == "installed":
            self.installed.emit()
        elif self._pausing:
            self.paused.emit()
        elif kind == "error":
            sentence = Sentence(str(self._outcome.get("zh", "")), str(self._outcome.get("en", "")))
            detail = "\n".join(part for part in (str(self._outcome.get("detail", "")), errors[-4000:]) if part)
            self.failed.emit(str(self._outcome.get("code", "")), sentence, detail)
        else:
            how = f"exit code {code}" if status is QProcess.ExitStatus.NormalExit else f"killed ({code})"
            self.failed.emit("install_died", _died(), f"{how}\n{errors[-4000:]}".strip())

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.failed.emit("install_died", _died(), self._process.errorString())


def _died() -> Sentence:
    return Sentence(
        "准备模型的程序意外停下了，已下载的部分还在。点“重试”接着准备；如果又停下，请看详情。",
        "Preparing the model stopped unexpectedly; what was fetched is kept. Press Try again to go on; if it stops "
        "again, see the details.",
    )
