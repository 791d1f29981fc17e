"""An engine for code without a window, which may wait: one job at a time, in one call."""

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from app.compose.prompt import Segment
from app.compose.sentence import Sentence
from app.engine.client import EngineClient
from app.engine.errors import EngineError
from app.engine.protocol import Died, Done, Event, Failed, Finished, Ready, Sampling

OPENING_SECONDS = 300.0  # a cold disk and a large file; past that something is wrong
WRITING_SECONDS = 600.0  # one request on a slow machine


class Drawn(NamedTuple):
    """What came of a job: its candidates, by their number, and the seconds it took in the engine."""

    candidates: tuple[Finished, ...]
    seconds: float


class Session:
    """An open engine for one thread. Use as a context manager; entering waits until the model is ready.

    Raises:
        EngineError: the model cannot be opened, or the engine will not start again.
    """

    def __init__(
        self, model: Path, *, sha256: str | None = None, device: str = "auto", threads: int | None = None
    ) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._client = EngineClient(model, sha256=sha256, device=device, threads=threads, on_event=self._events.put)
        self.ready: Ready | None = None

    def __enter__(self) -> Self:
        try:
            self._client.start()
            self._wait_until_ready()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def pid(self) -> int | None:
        """The engine's process."""
        return self._client.pid

    def write(
        self,
        prompt: tuple[Segment, ...],
        draw: int,
        seed: int,
        sampling: Sampling,
        most_tokens: int,
        *,
        verbatim: bool = False,
    ) -> Drawn:
        """One job (:class:`app.engine.protocol.Write`). An engine that dies underneath is given one more try."""
        try:
            return self._write(prompt, draw, seed, sampling, most_tokens, verbatim)
        except EngineError as error:
            if error.code != "engine_died":
                raise
            self._client.start()  # does nothing where it is being started anew already
            self._wait_until_ready()
            return self._write(prompt, draw, seed, sampling, most_tokens, verbatim)

    def _write(
        self,
        prompt: tuple[Segment, ...],
        draw: int,
        seed: int,
        sampling: Sampling,
        most_tokens: int,
        verbatim: bool,
    ) -> Drawn:
        finished: list[Finished] = []
        job = self._client.write(prompt, draw, seed, sampling, most_tokens, verbatim=verbatim)
        try:
            for event in self._until(WRITING_SECONDS):
                if isinstance(event, Finished) and event.job == job:
                    finished.append(event)
                elif isinstance(event, Failed) and event.job == job:
                    raise EngineError(event.code, event.sentence, event.detail)
                elif isinstance(event, Done) and event.job == job:
                    return Drawn(tuple(sorted(finished, key=lambda one: one.candidate)), event.seconds)
        except BaseException:
            self._client.cancel(job)
            raise
        raise AssertionError("the event stream never ends by itself")

    def _wait_until_ready(self) -> None:
        for event in self._until(OPENING_SECONDS):
            if isinstance(event, Ready):
                self.ready = event
                return
            if isinstance(event, Failed) and event.job is None:
                raise EngineError(event.code, event.sentence, event.detail)
            if isinstance(event, Died) and not event.restarting:
                raise EngineError("engine_died", event.sentence)

    def _until(self, seconds: float) -> Iterator[Event]:
        """The engine's events as they come; EngineError when none has come to an end within ``seconds``."""
        end = time.monotonic() + seconds
        while True:
            try:
                yield self._events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise EngineError(
                    "timeout",
                    Sentence(
                        f"写作引擎 {seconds:.0f} 秒没有答复，这一次先停下。再试一次；还不行就重新启动程序。",
                        f"The engine did not answer within {seconds:.0f} s. Try again; if it persists, start anew.",
                    ),
                ) from None
