"""The engine, seen from the window: its events arrive as a Qt signal in the window's thread, and nothing waits."""

import threading
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
    """Owns the client. ``happened`` carries every event of the engine in use; ``state`` is already up to date.

    ``switching``: another engine is about to take the place of this one, and what is being written ends here.
    ``ready`` is what the engine in use said when it was, None while it is not.
    """

    happened = Signal(object)
    switching = Signal()
    _arrived = Signal(int, object)

    def __init__(self, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self._command = command
        self._client: EngineClient | None = None
        self._generation = 0
        self.state = Engine.OFF
        self.ready: Ready | None = None
        self._arrived.connect(self._take)

    def open(self, model: Path, sha256: str | None, device: str, threads: int | None = None) -> None:
        """Open ``model`` in a new engine process, once the one before it has gone; what it says arrives as events.

        ``threads`` is how many compute, None for as many as the engine finds best.
        """
        if self._client is not None:
            self.switching.emit()
        self._generation += 1
        generation = self._generation
        self.state = Engine.OPENING
        self.ready = None
        # The client calls from its own thread: a queued signal brings the event into ours.
        client = EngineClient(
            model,
            sha256=sha256,
            device=device,
            threads=threads,
            on_event=lambda event: self._arrived.emit(generation, event),
            command=self._command,
        )
        old, self._client = self._client, client
        if old is None:
            client.start()
            return

        def hand_over() -> None:
            # Two models at once may be more than fits into memory. Ending the old one can take seconds.
            old.close()
            client.start()

        threading.Thread(target=hand_over, name="engine hand-over", daemon=True).start()

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
        self.ready = None
        if client is not None:
            client.close()

    def _take(self, generation: int, event: Event) -> None:
        if generation != self._generation:
            return
        if isinstance(event, Ready | Loading | Died) or (isinstance(event, Failed) and event.job is None):
            self.ready = event if isinstance(event, Ready) else None
        if isinstance(event, Ready):
            self.state = Engine.READY
        elif isinstance(event, Loading):
            self.state = Engine.OPENING
        elif isinstance(event, Failed) and event.job is None:
            self.state = Engine.FAILED
        elif isinstance(event, Died):
            self.state = Engine.OPENING if event.restarting else Engine.FAILED
        self.happened.emit(event)
