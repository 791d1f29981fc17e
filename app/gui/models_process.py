"""``python -m app models`` as a child process: its lines read, its end understood, its speed measured.

Pausing ends the child: it keeps what it has, and the next one goes on from there.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, QProcess, Qt, QTimer, Signal

from app import program
from app.compose.sentence import Sentence
from app.gui.models_progress import Rate
from app.models.errors import OF_SOURCES
from app.models.progress import Progress

COMMAND = program.command("models")
PATIENCE = 4000  # ms a child gets to end by itself before it is ended
SILENCE = 5000  # ms without a line of progress after which a download is said to stand still
LONGEST_LINE = 1 << 20
_PROGRESS = "progress"
_RESULTS = ("models", "installed", "imported", "verified", "used", "removed", "set", "error")


@dataclass(frozen=True)
class Job:
    """What a child is to do: an action of the command, on which model, with what besides."""

    action: str
    id: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """The command line after the command; ``id`` comes last, so that it can never be taken for an option."""
        return [self.action, "--json", *self.arguments, *(["--", self.id] if self.id else [])]


@dataclass(frozen=True)
class Refusal:
    """Why a job was not done."""

    code: str
    sentence: Sentence
    detail: str

    @property
    def details(self) -> str:
        """What is shown one click away."""
        return f"{self.code}\n{self.detail}".strip()


@dataclass(frozen=True)
class Outcome:
    """What the last line of a child said: ``facts`` are its fields."""

    kind: str
    sentence: Sentence
    facts: dict[str, Any] = field(default_factory=dict)


class ModelsProcess(QObject):
    """One job at a time. After ``started`` comes exactly one of ``done``, ``failed`` and ``paused``.

    ``progress`` is how far the running job is, None before it says so.
    """

    started = Signal(object)  # Job
    progressed = Signal(object, object)  # Job, Progress
    done = Signal(object, object)  # Job, Outcome
    failed = Signal(object, object)  # Job, Refusal
    paused = Signal(object)  # Job

    def __init__(self, command: Sequence[str] | None = None, options: Sequence[str] = ()) -> None:
        super().__init__()
        self._command = tuple(command or COMMAND)
        self._options = tuple(options)
        self._pausing = False
        self._last: dict[str, Any] = {}
        self.job = Job("")
        self.progress: Progress | None = None
        self.rate = Rate()
        self._process = QProcess(self)
        self._process.setWorkingDirectory(str(program.ROOT))
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._ended)
        # Queued: a program that cannot be started is told of within start(), before `started`.
        self._process.errorOccurred.connect(self._not_started, Qt.ConnectionType.QueuedConnection)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._process.kill)
        self._silence = QTimer(self)
        self._silence.setSingleShot(True)
        self._silence.setInterval(SILENCE)
        self._silence.timeout.connect(self._note_silence)

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    @property
    def pid(self) -> int:
        """The child running now; 0 when there is none."""
        return self._process.processId()

    @property
    def pausing(self) -> bool:
        """Whether it has been told to end."""
        return self.running and self._pausing

    def start(self, job: Job) -> None:
        """Do ``job``, from wherever an earlier run of it stopped; nothing happens while another is being done."""
        if self.running:
            return
        self.job = job
        self._pausing = False
        self._last = {}
        self.progress = None
        self.rate = Rate()
        action, *rest = job.words
        self._process.start(self._command[0], [*self._command[1:], action, *self._options, *rest])
        self.started.emit(job)

    def pause(self) -> None:
        """End the child; what it has is kept."""
        if self.running and not self._pausing:
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
                if kind == _PROGRESS:
                    sentence = Sentence(str(message["zh"]), str(message["en"]))
                    self.progress = Progress(message["step"], int(message["done"]), int(message["total"]), sentence)
                    self.rate.feed(self.progress, time.monotonic())
                    self._silence.start()
                    self.progressed.emit(self.job, self.progress)
                elif kind in _RESULTS:
                    self._last = message
            except (ValueError, KeyError, TypeError):
                # A library's stray line: what counts is how the child ends, which is looked at below.
                continue

    def _note_silence(self) -> None:
        self.rate.stalled = True
        self.progressed.emit(self.job, self.progress)

    def _ended(self, code: int, status: QProcess.ExitStatus) -> None:
        self._patience.stop()
        self._read()
        self._silence.stop()
        errors = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        kind = str(self._last.get("type", ""))
        sentence = Sentence(str(self._last.get("zh", "")), str(self._last.get("en", "")))
        if kind not in ("", "error"):
            self.done.emit(self.job, Outcome(kind, sentence, self._last))
        elif self._pausing:
            self.paused.emit(self.job)
        elif kind == "error":
            detail = "\n".join(part for part in (str(self._last.get("detail", "")), errors[-4000:]) if part)
            why = str(self._last.get("code", ""))
            self.failed.emit(self.job, Refusal(why, _with_place(why, sentence), detail))
        else:
            how = f"exit code {code}" if status is QProcess.ExitStatus.NormalExit else f"killed ({code})"
            self.failed.emit(self.job, _died(f"{how}\n{errors[-4000:]}".strip()))

    def _not_started(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.failed.emit(self.job, _died(self._process.errorString()))


def _with_place(code: str, sentence: Sentence) -> Sentence:
    """The sentence of an error; where another source may help, with where in the window that is chosen."""
    if code not in OF_SOURCES:
        return sentence
    return Sentence(
        f"{sentence.zh}\n到左边“模型”页的“下载设置”里换来源。",
        f"{sentence.en}\nThe source is chosen under Downloads on the page Models, at the left.",
    )


def _died(detail: str) -> Refusal:
    return Refusal(
        "models_died",
        Sentence(
            "做这件事的程序意外停下了，已做完的部分还在。请再试一次，会接着来；如果又停下，请看详情。",
            "The program that did this stopped unexpectedly; what is done is kept. Try again to go on from there; if "
            "it stops again, see the details.",
        ),
        detail,
    )
