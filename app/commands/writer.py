"""Writes greetings one request at a time for commands without a window: engine, guard and selection in one call."""

import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from app.compose.catalog import Catalog
from app.compose.guard import check, never_right
from app.compose.prompt import prompt_segments
from app.compose.request import GreetingRequest
from app.compose.select import Candidate, choose
from app.compose.sentence import ExplainedError, Sentence
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Event, Failed, Finished, Ready, Sampling

OPENING_SECONDS = 300.0  # a cold disk and a large file; past that something is wrong
WRITING_SECONDS = 600.0  # one request on a slow machine
MOST_ROUNDS = 2  # of drawing, when the first leaves too few texts without a fault
SEED_STEP = 1 << 31  # larger than any seed a person gives: a second round is nobody's first


class EngineError(ExplainedError):
    """The engine could not open the model or write; ``code`` is that of protocol.Failed."""

    def __init__(self, code: str, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.code = code


@dataclass(frozen=True)
class Written:
    """What came of one request: the candidates chosen, best first, how many were drawn, and seconds taken."""

    candidates: tuple[Candidate, ...]
    drawn: int
    seconds: float


class Writer:
    """An open engine for one thread. Use as a context manager; entering waits until the model is ready.

    Args:
        draw: how many candidates are drawn for three shown.

    Raises:
        EngineError: the model cannot be opened, or the engine will not start again.
    """

    def __init__(
        self,
        model: Path,
        catalog: Catalog,
        sampling: Sampling,
        draw: int,
        *,
        sha256: str | None = None,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        self._catalog = catalog
        self._sampling = sampling
        self._draw = draw
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._client = EngineClient(model, sha256=sha256, device=device, threads=threads, on_event=self._events.put)
        self.ready: Ready | None = None

    def __enter__(self) -> "Writer":
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

    def write(self, request: GreetingRequest, count: int, seed: int) -> Written:
        """Draw candidates, check each, choose ``count``; draw once more when too few of them are without a fault.

        An engine that dies underneath is given one more try.
        """
        draw = max(count, -(-count * self._draw // 3))
        candidates: list[Candidate] = []
        seconds = 0.0
        for attempt in range(MOST_ROUNDS):
            done = self._persist(request, draw, seed + attempt * SEED_STEP, candidates)
            seconds += done.seconds
            chosen = choose(candidates, count)
            if len(chosen) == count and not any(candidate.faults for candidate in chosen):
                break
        return Written(chosen, len(candidates), seconds)

    def _persist(self, request: GreetingRequest, draw: int, seed: int, candidates: list[Candidate]) -> Done:
        before = len(candidates)
        try:
            return self._draw_candidates(request, draw, seed, candidates)
        except EngineError as error:
            if error.code != "engine_died":
                raise
            del candidates[before:]
            self._wait_until_ready()
            return self._draw_candidates(request, draw, seed, candidates)

    def _draw_candidates(self, request: GreetingRequest, draw: int, seed: int, candidates: list[Candidate]) -> Done:
        """One job of the engine, its candidates checked and added to ``candidates``."""
        sampling = replace(self._sampling, avoid=never_right(request, self._catalog))
        most = self._catalog.length(request.length).most_tokens
        first = len(candidates)
        job = self._client.write(prompt_segments(request, self._catalog), draw, seed, sampling, most)
        try:
            for event in self._until(WRITING_SECONDS):
                if isinstance(event, Finished) and event.job == job:
                    text = event.text.strip()
                    faults = check(text, request, self._catalog)
                    candidates.append(Candidate(first + event.candidate, text, event.tokens, event.logprob, faults))
                elif isinstance(event, Failed) and event.job == job:
                    raise EngineError(event.code, event.sentence, event.detail)
                elif isinstance(event, Done) and event.job == job:
                    return event
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
