"""The engine, seen from the window: its events arrive as a Qt signal in the window's thread, and nothing waits."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.compose.prompt import Segment
from app.engine.client import EngineClient
from app.engine.protocol import Died, Event, Failed, Loading, Ready, Sampling


class Engine(Enum):
    """How it stands with the engine."""

    OFF = "off"  # there is no model to open
    OPENING = "opening"
    READY = "ready"
    FAILED = "failed"  # the model cannot be opened, or the process died too often


class EngineBridge(QObject):
    """Owns the client. ``happened`` carries every event of the engine in use; ``state`` is already up to date."""

    happened = Signal(object)
    _arrived = Signal(int, object)

    def __init__(self, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self._command = command
        self._client: EngineClient | None = None
        self._generation = 0
        self.state = Engine.OFF
        self._arrived.connect(self._take)

    def open(self, model: Path, sha256: str | None, device: str) -> None:
        """Open ``model`` in a new engine process; what it says arrives as events."""
        self.close()
        self._generation += 1
        generation = self._generation
        self.state = Engine.OPENING
        # The client calls from its own thread: a queued signal brings the event into ours.
        self._client = EngineClient(
            model,
            sha256=sha256,
            device=device,
            on_event=lambda event: self._arrived.emit(generation, event),
            command=self._command,
        )
        self._client.start()

    def reopen(self) -> None:
        """Try once more, after the model could not be opened or the process died too often."""
        if self._client is not None and self.state is Engine.FAILED:
            self.state = Engine.OPENING
            self._client.start()

    def write(self, prompt: tuple[Segment, ...], draw: int, seed: int, sampling: Sampling, most_tokens: int) -> int:
        """Begin a job; it waits until the engine is ready. Not while ``state`` is OFF."""
        assert self._client is not None
        return self._client.write(prompt, draw, seed, sampling, most_tokens)

    def cancel(self, job: int) -> None:
        """Stop a job."""
        if self._client is not None:
            self._client.cancel(job)

    @property
    def pid(self) -> int | None:
        """The engine process running now."""
        return self._client.pid if self._client is not None else None

    @property
    def chatter(self) -> str:
        """The last the engine process said about itself, for a report."""
        return self._client.chatter if self._client is not None else ""

    def close(self) -> None:
        """End the engine process; its last words are not heard."""
        self._generation += 1
        client, self._client = self._client, None
        self.state = Engine.OFF
        if client is not None:
            client.close()

    def _take(self, generation: int, event: Event) -> None:
        if generation != self._generation:
            return
        if isinstance(event, Ready):
            self.state = Engine.READY
        elif isinstance(event, Loading):
            self.state = Engine.OPENING
        elif isinstance(event, Failed) and event.job is None:
            self.state = Engine.FAILED
        elif isinstance(event, Died):
            self.state = Engine.OPENING if event.restarting else Engine.FAILED
        self.happened.emit(event)
