"""Engine processes and clients that are gone when the test is, and prompts for the tiny model."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.compose.prompt import Segment
from app.engine.client import EngineClient
from app.engine.protocol import Event, Load, Sampling, Write, decode, encode

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds; on a busy machine everything takes its time

PROMPT = (
    Segment("<|im_start|>", True),
    Segment("user\n写祝福\n关系：挚友", False),
    Segment("<|im_end|>", True),
    Segment("\n", False),
    Segment("<|im_start|>", True),
    Segment("assistant\n", False),
)
# The tiny model never ends its turn when unlikely tokens are cut: a job as long as one wants.
ENDLESS = Sampling(0.25, 1.0, 0.05)

T = TypeVar("T")


class Events:
    """Everything an engine said, in order; tests wait for what they need."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self._new: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def put(self, event: Event) -> None:
        self._new.put(event)

    def until(self, kind: type[T], wanted: Callable[[T], bool] = lambda _: True) -> T:
        """The next event of a kind; AssertionError when it does not come."""
        while True:
            try:
                event = self._new.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} came; before: {self.all[-5:]}") from None
            self.all.append(event)
            if isinstance(event, kind) and wanted(event):
                return event

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.all if isinstance(event, kind)]


class EngineProcess:
    """The engine's module as a child process, spoken to in raw lines."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.events = Events()
        self.errors = b""
        self.broken: list[bytes] = []  # lines that are not events
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()

    def send(self, command: Any) -> None:
        line = command if isinstance(command, bytes) else encode(command)
        assert self.process.stdin is not None
        view = memoryview(line)
        while view:
            view = view[self.process.stdin.write(view) :]

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        pending = b""
        while chunk := self.process.stdout.read(65536):
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                try:
                    self.events.put(decode(line))
                except Exception:
                    self.broken.append(line)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        while chunk := self.process.stderr.read(65536):
            self.errors += chunk


@pytest.fixture
def engine_process() -> Iterator[Callable[..., EngineProcess]]:
    """Starts engine processes; each is killed at the end."""
    started: list[EngineProcess] = []

    def start(*arguments: str) -> EngineProcess:
        started.append(EngineProcess([sys.executable, *(arguments or ("-m", "app.engine.process"))]))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def client() -> Iterator[Callable[..., tuple[EngineClient, Events]]]:
    """Makes clients, not yet started; each is closed at the end."""
    made: list[EngineClient] = []

    def make(model: Path, **options: Any) -> tuple[EngineClient, Events]:
        events = Events()
        made.append(EngineClient(model, threads=1, on_event=events.put, **options))
        return made[-1], events

    yield make
    for one in made:
        one.close()


def load(model: Path, **settings: Any) -> Load:
    return Load(str(model), **{"threads": 1, **settings})


def write(job: int = 1, **settings: Any) -> Write:
    defaults: dict[str, Any] = {"prompt": PROMPT, "draw": 2, "seed": 7, "sampling": ENDLESS, "most_tokens": 12}
    return Write(job, **{**defaults, **settings})


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and only not yet waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"
