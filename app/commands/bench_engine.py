"""The engines that ``bench`` compares: ours, and llama-cpp-python's high-level call, each in processes of its own."""

import json
import queue
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.compose.catalog import Catalog
from app.compose.prompt import Segment, prompt_segments, prompt_text
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.engine.client import EngineClient
from app.engine.errors import EngineError
from app.engine.memory import memory_of
from app.engine.protocol import Died, Done, Event, Failed, Finished, Piece, Ready, Sampling
from app.program import ROOT

PATIENCE = 600.0  # seconds without any event


@dataclass(frozen=True)
class Timing:
    """Of some texts written.

    Attributes:
        tokens: theirs, those of the prompts not counted.
        seconds: from asking to the end of the last.
        first: until the first characters.
        decoded: tokens that came after those: all but the first of every text. 0 where that is not known.
        decoding: the seconds they took.
    """

    tokens: int
    seconds: float
    first: float
    decoded: int = 0
    decoding: float = 0.0

    @property
    def rate(self) -> float:
        """Tokens of the texts a second, of all the time a person waits: reading the prompt is part of it."""
        return self.tokens / self.seconds

    @property
    def decode_rate(self) -> float:
        """Tokens a second once the prompt is read; not a number where nothing is known of it."""
        return self.decoded / self.decoding if self.decoding else float("nan")


def together(timings: Sequence[Timing]) -> Timing:
    """Of what was written one after the other; the first characters are the first's."""
    return Timing(
        tokens=sum(one.tokens for one in timings),
        seconds=sum(one.seconds for one in timings),
        first=timings[0].first,
        decoded=sum(one.decoded for one in timings),
        decoding=sum(one.decoding for one in timings),
    )


class Ours:
    """The app's engine. A context manager: entering waits until the model is open.

    Args:
        threads: None for the number the app itself would use.
    """

    def __init__(
        self,
        model: Path,
        sha256: str | None,
        device: str,
        catalog: Catalog,
        sampling: Sampling,
        threads: int | None = None,
    ) -> None:
        self._catalog = catalog
        self._sampling = sampling
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._done: dict[int, Done] = {}
        self._client = EngineClient(model, sha256=sha256, device=device, threads=threads, on_event=self._events.put)

    def __enter__(self) -> Self:
        began = time.perf_counter()
        self._client.start()
        try:
            self.ready: Ready = self._next(Ready)
        except BaseException:
            self._client.close()
            raise
        self.opened_in = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def write(
        self, requests: Sequence[GreetingRequest], draw: int, seed: int, most_tokens: int | None = None
    ) -> Timing:
        """``draw`` candidates of every request, all asked for at once; ``most_tokens`` where that is less than what the
        request's length allows."""
        began = time.perf_counter()
        jobs = {
            self.ask(
                prompt_segments(request, self._catalog),
                draw,
                seed,
                min(filter(None, (most_tokens, self._catalog.length(request.length).most_tokens))),
            )
            for request in requests
        }
        tokens, texts, first = 0, 0, None
        while jobs:
            event = self._next(Piece, Finished, Done)
            if isinstance(event, Piece) and first is None:
                first = time.perf_counter() - began
            elif isinstance(event, Finished):
                tokens, texts = tokens + event.tokens, texts + 1
            elif isinstance(event, Done):
                jobs.discard(event.job)
        taken = time.perf_counter() - began
        if first is None:
            return Timing(tokens, taken, taken)
        # Of several requests the later prompts are read in between, so nothing is known of decoding alone.
        alone = (max(0, tokens - texts), taken - first) if len(requests) == 1 else (0, 0.0)
        return Timing(tokens, taken, first, *alone)

    def ask(self, prompt: tuple[Segment, ...], draw: int, seed: int, most_tokens: int) -> int:
        """Begin a job; its number."""
        return self._client.write(prompt, draw, seed, self._sampling, most_tokens)

    def stop(self, job: int) -> float | None:
        """Stop a job; the seconds until it was answered, or None when it had ended before."""
        began = time.perf_counter()
        self._client.cancel(job)
        self.wait_for([job])
        return time.perf_counter() - began if self._done[job].cancelled else None

    def wait_for(self, jobs: Collection[int]) -> None:
        """Until each of them is done."""
        while not self._done.keys() >= set(jobs):
            self._next(Done)

    def start(self) -> None:
        """Start opening the model, without waiting; :meth:`close` ends it."""
        self._client.start()

    def close(self) -> None:
        """End the engine's process."""
        self._client.close()

    def memory(self) -> dict[str, int] | None:
        """Bytes the engine's process holds now, and the most it has held; None where the system does not tell."""
        return memory_of(self._client.pid)

    def _next(self, *kinds: type) -> Any:
        """The next event of these kinds; EngineError when the engine fails instead."""
        while True:
            event = self._events.get(timeout=PATIENCE)
            if isinstance(event, Done):
                self._done[event.job] = event
            if isinstance(event, kinds):
                return event
            if isinstance(event, Failed):
                raise EngineError(event.code, event.sentence, event.detail)
            if isinstance(event, Died):
                raise EngineError("engine_died", event.sentence)


class Peer:
    """:mod:`app.commands.bench_peer` in a process of its own. A context manager."""

    def __init__(self, model: Path, catalog: Catalog, sampling: Sampling, threads: int) -> None:
        self._catalog = catalog
        self._sampling = sampling
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.commands.bench_peer", str(model), str(threads)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        try:
            self._answer()
        except BaseException:
            self._process.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            self._process.kill()

    def write(self, requests: Sequence[GreetingRequest], draw: int, seed: int) -> Timing:
        """As :meth:`Ours.write`, one text after another; it does not stream, so the first text is the first of it."""
        assert self._process.stdin is not None
        tokens, seconds, first = 0, 0.0, 0.0
        for request in requests:
            asked = {
                "prompt": prompt_text(request, self._catalog),
                "most_tokens": self._catalog.length(request.length).most_tokens,
                "temperature": self._sampling.temperature,
                "top_p": self._sampling.top_p,
                "min_p": self._sampling.min_p,
            }
            for index in range(draw):
                self._process.stdin.write(json.dumps(asked | {"seed": seed * 1000 + index}) + "\n")
                self._process.stdin.flush()
                answer = self._answer()
                tokens += answer["tokens"]
                seconds += answer["seconds"]
                first = first or seconds
        return Timing(tokens, seconds, first)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sentence = Sentence("llama-cpp-python 打不开这个模型。", "llama-cpp-python cannot open this model.")
            raise EngineError("model_unsupported", sentence)
        answer: dict[str, Any] = json.loads(line)
        return answer
