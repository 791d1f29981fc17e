"""The program's side of the engine: starts the process, hands it jobs, passes on events, starts it anew when it dies.

No call waits. Everything happens in one thread of this object, which takes messages from the caller and from the child
in order and calls ``on_event``; the caller brings events into its own thread.
"""

import dataclasses
import functools
import itertools
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from app.compose.prompt import Segment
from app.compose.sentence import Sentence
from app.engine import deaths, protocol
from app.engine.child import COMMAND, ChildProcess
from app.engine.errors import prompt_too_long
from app.engine.protocol import (
    Cancel,
    Died,
    Done,
    Event,
    Failed,
    Finished,
    Load,
    Loading,
    Piece,
    Ready,
    Sampling,
    Write,
)

MOST_RESTARTS = 3  # within RESTART_SECONDS
RESTART_SECONDS = 60.0
_CANCEL_SECONDS = 5.0  # an engine that has not stopped a job by then hangs
_CLOSING_SECONDS = 1.2  # for the process to end by itself; then it is killed
_ALL_CLOSED_SECONDS = 1.9
_NEVER = float("inf")
# A build that can use a GPU asks its driver what there is as soon as it is called, even if nothing is to go there.
_NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "", "GGML_VK_VISIBLE_DEVICES": ""}
_LAST_WORDS = 4000  # characters of a dead process's standard error that are logged

_log = logging.getLogger(__name__)


class EngineClient:
    """An engine process, kept running.

    Args:
        model: the GGUF file.
        sha256: its hash, checked while it loads; None to check its structure only.
        device: ``auto`` or ``cpu``.
        threads: None for as many as were measured to be fastest here, else one a core.
        context: tokens of all candidates of all jobs at work together.
        on_event: called with every event, from a thread of this object; must not wait.
        command: what to start instead of the engine's own module, for a packaged program.
    """

    def __init__(
        self,
        model: Path,
        *,
        sha256: str | None = None,
        device: str = "auto",
        threads: int | None = None,
        context: int = protocol.CONTEXT,
        on_event: Callable[[Event], None],
        command: Sequence[str] | None = None,
    ) -> None:
        self._load = Load(str(Path(model).absolute()), sha256, device, None, threads, context)
        self._command = tuple(command or COMMAND)
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._supervisor: threading.Thread | None = None
        self._closing = False
        self._child: ChildProcess | None = None
        self._ready: Ready | None = None
        self._loading_on = ""
        self._waiting: dict[int, bytes] = {}  # jobs written, and not yet sent to a process
        self._open: set[int] = set()  # jobs sent, and not yet answered
        self._killed = False  # by this object, as it hung
        self._stopping: dict[int, float] = {}  # cancelled, and when that must have taken effect
        self._deaths: deque[float] = deque()
        self._hopeless: Failed | None = None  # why no process will take up a job, once that is so
        self._chatter = ""

    def start(self) -> None:
        """Start the process and open the model; also after it has failed or died too often, to try once more."""
        if self._supervisor is None or not self._supervisor.is_alive():
            self._supervisor = threading.Thread(target=self._run, name="engine client", daemon=True)
            self._supervisor.start()
        self._inbox.put(self._start)

    def write(
        self,
        prompt: tuple[Segment, ...],
        draw: int,
        seed: int,
        sampling: Sampling,
        most_tokens: int = 160,
        *,
        verbatim: bool = False,
    ) -> int:
        """Ask for a job. It waits its turn, also through loading and a restart; its number is on all its events.

        Raises:
            TypeError: an argument of a kind that no message can carry.
        """
        number = next(self._numbers)
        job = Write(number, tuple(prompt), draw, seed, sampling, most_tokens, verbatim)
        self._inbox.put(functools.partial(self._take_up, number, protocol.encode(job)))
        return number

    def cancel(self, job: int) -> None:
        """Stop a job, waiting or running. It ends with Done; one that has ended already is left alone."""
        self._inbox.put(functools.partial(self._cancel, job))

    def close(self) -> None:
        """End the process, within 2 seconds whatever it is doing. No event comes after this."""
        self._closing = True
        self._inbox.put(lambda: None)
        supervisor = self._supervisor
        if supervisor is not None and supervisor is not threading.current_thread():
            supervisor.join(_ALL_CLOSED_SECONDS)
        if supervisor is not None and supervisor.is_alive() and self._child is not None:
            self._child.kill()

    @property
    def pid(self) -> int | None:
        """The process running now."""
        child = self._child
        return child.pid if child is not None else None

    @property
    def chatter(self) -> str:
        """The last the engine process wrote to standard error, for a report; nothing a person typed is in it."""
        child = self._child
        return child.chatter() if child is not None else self._chatter

    # From here on, everything runs in the supervisor's thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                self._act()
        except Exception:
            _log.exception("the engine's client failed")
            self._give_up(deaths.UNSTARTABLE, -1)
        child = self._child
        if child is not None:
            child.end_input()
            if not child.wait(_CLOSING_SECONDS):
                child.kill()
                child.wait(_CLOSING_SECONDS)

    def _act(self) -> None:
        due = min(self._stopping.values(), default=_NEVER)
        try:
            message = self._inbox.get(timeout=None if due == _NEVER else max(0.0, due - time.monotonic()))
        except queue.Empty:
            self._kill_hanging()
        else:
            if not self._closing:
                message()

    def _tell(self, event: Event) -> None:
        if self._closing:
            return
        try:
            self._on_event(event)
        except Exception:
            _log.exception("the receiver of %s failed", type(event).__name__)

    def _start(self) -> None:
        if self._child is None:
            self._hopeless = None
            self._deaths.clear()
            self._launch()

    def _launch(self) -> None:
        self._ready = None
        self._loading_on = ""
        self._killed = False
        try:
            self._child = ChildProcess(
                self._command,
                lambda child, line: self._inbox.put(lambda: self._take_line(child, line)),
                lambda child, code: self._inbox.put(lambda: self._take_exit(child, code)),
                _NO_GPU if self._load.device == "cpu" else {},
            )
        except (OSError, RuntimeError) as error:
            self._chatter = f"{type(error).__name__}: {error}"
            self._give_up(deaths.UNSTARTABLE, -1)
            return
        self._child.send(protocol.encode(self._load))

    def _take_up(self, job: int, line: bytes) -> None:
        if self._hopeless is not None:
            self._tell(dataclasses.replace(self._hopeless, job=job))
        elif len(line) > protocol.LONGEST_LINE:
            refusal = prompt_too_long(len(line), protocol.LONGEST_LINE)
            self._tell(Failed(job, refusal.code, refusal.sentence, refusal.detail))
        elif self._ready is not None and self._child is not None:
            self._send(self._child, job, line)
        else:
            self._waiting[job] = line

    def _send(self, child: ChildProcess, job: int, line: bytes) -> None:
        self._open.add(job)
        child.send(line)

    def _cancel(self, job: int) -> None:
        if self._waiting.pop(job, None) is not None:
            self._tell(Done(job, 0.0, None, True))
        elif job in self._open and self._child is not None and job not in self._stopping:
            self._child.send(protocol.encode(Cancel(job)))
            self._stopping[job] = time.monotonic() + _CANCEL_SECONDS

    def _kill_hanging(self) -> None:
        now = time.monotonic()
        if self._child is not None and any(due <= now for due in self._stopping.values()):
            self._stopping = dict.fromkeys(self._stopping, _NEVER)
            self._killed = True
            self._child.kill()

    def _take_line(self, child: ChildProcess, line: bytes) -> None:
        if child is not self._child:
            return
        try:
            event = protocol.decode(line)
        except protocol.ProtocolError:
            _log.error("the engine process sent a line that is not an event; ending it")
            child.kill()
            return
        if isinstance(event, Loading):
            self._loading_on = event.device
            self._tell(event)
        elif isinstance(event, Ready):
            self._ready = event
            self._tell(event)
            for job in list(self._waiting):
                self._send(child, job, self._waiting.pop(job))
        elif isinstance(event, Failed) and event.job is None:
            if self._ready is None:
                self._end_unopened(child, event)
            else:
                _log.error("the engine process refused a command: %s", event.detail)
        elif isinstance(event, Piece | Finished | Done | Failed) and event.job in self._open:
            if isinstance(event, Done | Failed):
                self._open.discard(event.job)
                self._stopping.pop(event.job, None)
            self._tell(event)

    def _end_unopened(self, child: ChildProcess, failure: Failed) -> None:
        """The model cannot be opened: this process is of no more use."""
        self._chatter = child.chatter()
        self._child = None
        child.end_input()
        self._hopeless = failure
        self._tell(failure)
        self._fail_waiting(failure)

    def _take_exit(self, child: ChildProcess, code: int) -> None:
        if child is not self._child:
            return
        self._child = None
        self._chatter = child.chatter()
        if self._chatter:
            _log.error("the engine's last words:\n%s", self._chatter[-_LAST_WORDS:])
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - RESTART_SECONDS:
            self._deaths.popleft()
        gpu = self._ready.device if self._ready is not None else self._loading_on
        on_gpu = gpu not in ("", "CPU")
        if code in deaths.ILLEGAL_INSTRUCTION:
            self._give_up(deaths.WRONG_PROCESSOR, code)
        elif len(self._deaths) > MOST_RESTARTS:
            self._give_up(deaths.too_often(len(self._deaths), code), code)
        else:
            sentence = deaths.HUNG if self._killed else deaths.restarting(code)
            again = len(self._deaths) > 1
            # Looking for a GPU comes before the first word of loading on one.
            looking = self._ready is None and gpu == "" and again
            if self._load.device != "cpu" and (looking or (on_gpu and (self._ready is None or again))):
                sentence = deaths.restarting_on_cpu(gpu)
                self._load = dataclasses.replace(self._load, device="cpu", device_reason=deaths.why_cpu(gpu))
            if self._ready is None:
                # llama.cpp aborts at some files that its own checks let through. The hash says what is wrong with them.
                self._load = dataclasses.replace(self._load, hash_first=True)
            self._fail_open(deaths.UNFINISHED, code)
            self._tell(Died(code, sentence, True))
            self._launch()

    def _give_up(self, sentence: Sentence, code: int) -> None:
        self._hopeless = Failed(None, "engine_died", sentence, self._died_how(code))
        self._fail_open(sentence, code)
        self._fail_waiting(self._hopeless)
        self._tell(Died(code, sentence, False))

    def _fail_open(self, sentence: Sentence, code: int) -> None:
        """Answer every job the dead process had; one the person had stopped is done."""
        for job in sorted(self._open):
            if job in self._stopping:
                self._tell(Done(job, 0.0, None, True))
            else:
                self._tell(Failed(job, "engine_died", sentence, self._died_how(code)))
        self._open.clear()
        self._stopping.clear()

    def _fail_waiting(self, failure: Failed) -> None:
        for job in list(self._waiting):
            self._tell(dataclasses.replace(failure, job=job))
        self._waiting.clear()

    def _died_how(self, code: int) -> str:
        return f"{deaths.name_of(code)}\n{self._chatter}".strip()
