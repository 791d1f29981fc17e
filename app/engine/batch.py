"""Continuous batching: the candidates of all jobs are decoded together, one token each a step.

A prompt is evaluated once, in a sequence of its own; its candidates begin as copies of that sequence, which share its
cells. A candidate that ends leaves the batch, and one that waits takes its place, of the same job or of the next.

What is guaranteed: the same job on the same device gives the same texts, whatever ran before it, as long as no other
job runs beside it; with other numbers of threads too, as far as :mod:`app.engine.thread_trial` says. Beside others its
candidates are drawn with the same random numbers from the same distributions, but for what floating point makes of
adding in another order. The tiny model of full floats of the tests then writes the same. A quantized one rounds what it
multiplies to eight bits, and a last bit becomes more than half a logit: where a draw falls between two tokens by so
little, a text goes on otherwise.

A batch that is always as wide would not help. With rows in whole groups of four, each came out as among 32 rows, to the
last bit, and what was left over did not. But attention adds up in the order in which the cells lie, and where those of
a sequence lie depends on its neighbours: beside 4, 8 or 12 rows of another prompt, four rows differed from the same
four alone, by up to 0.65 of a logit. (Measured with our model on an x86 processor.)
"""

import heapq
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from app.engine import errors
from app.engine.candidate import Candidate
from app.engine.pieces import shared_tokens
from app.engine.protocol import Done, Event, Piece, Write
from app.engine.runtime import MOST_ROWS, MOST_SEQUENCES, Chances, Runtime
from app.engine.sampling import Tokens, pick

# Tokens left for a prompt below which it is the context that is too small, not the prompt that is too long.
SHORTEST_PROMPT = 64


@dataclass(frozen=True, eq=False)
class _Start:
    """What the candidates of a job begin with: its prompt, the sequence that holds it, and what may come after it."""

    prompt: list[int]
    sequence: int
    first: Chances


@dataclass(eq=False)
class _Job:
    """A job that is not done: candidates in ``waiting`` have not begun, those in ``live`` have not ended.

    It has a ``start`` from when the first of them begins.
    """

    write: Write
    prompt: list[int]
    avoided: Tokens
    waiting: deque[int]
    live: list[Candidate] = field(default_factory=list)
    start: _Start | None = None
    began: float = field(default_factory=time.monotonic)
    first_piece: float | None = None

    @property
    def cells(self) -> int:
        """The most tokens it can come to hold as it is."""
        return (0 if self.start is None else len(self.prompt)) + len(self.live) * self.write.most_tokens


class Batch:
    """The jobs of one runtime. One thread uses it; only :meth:`cancel` and :meth:`close` may be called from another."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._jobs: list[_Job] = []  # in the order they came
        self._free = list(range(MOST_SEQUENCES))  # a heap
        # The prompt that is left in its sequence when everything has ended: the next job may be about it too.
        self._kept: _Start | None = None
        self._mixed = False  # jobs ran side by side: cells lie as they would not have for one alone
        self._lock = threading.Lock()  # of what other threads ask for
        self._closed = False
        self._cancelled: set[int] = set()

    @property
    def busy(self) -> bool:
        """Whether any job is not done."""
        return bool(self._jobs)

    def begin(self, write: Write) -> None:
        """Take up a job; its first candidates begin with the next step that has room for them.

        Raises:
            EngineError: bad_request or prompt_too_long.
        """
        runtime = self._runtime
        prompt = runtime.tokenize(write.prompt, verbatim=write.verbatim)
        if not prompt:
            raise errors.bad_request(
                "没有要写的内容，请先填好再写。", "There is nothing to write about; fill the form in."
            )
        context = min(runtime.context, runtime.trained_context)
        longest = context - write.most_tokens
        if longest < SHORTEST_PROMPT:
            raise errors.context_too_small(context, write.most_tokens)
        if len(prompt) > longest:
            raise errors.prompt_too_long(len(prompt), longest)
        avoided = runtime.tokens_with(write.sampling.avoid)
        self._jobs.append(_Job(write, prompt, avoided, deque(range(write.draw))))

    def cancel(self, job: int) -> None:
        """End a job's candidates as ``cancelled``, within the step that is running; the others go on untouched."""
        with self._lock:
            self._cancelled.add(job)
            self._runtime.interrupt()

    def close(self) -> None:
        """Give up the step that is running, and all that follow."""
        with self._lock:
            self._closed = True
            self._runtime.interrupt()

    def step(self) -> Iterator[Event]:
        """One token more for every candidate that has a place, and what has come of it: text, candidates that ended,
        jobs that are done. To be gone through to its end.

        Raises:
            EngineError: out_of_memory, model_damaged or internal; :meth:`drop_all` makes it usable again.
        """
        yield from self._end_cancelled()
        self._admit()
        for job, candidate, chances in self._chances():
            yield from self._draw(job, candidate, chances)
            if not job.live and not job.waiting:
                yield self._end(job, cancelled=False)

    def drop_all(self) -> list[int]:
        """Forget every job; their numbers."""
        numbers = [job.write.job for job in self._jobs]
        self._jobs.clear()
        self._empty()
        return numbers

    def _end_cancelled(self) -> Iterator[Event]:
        with self._lock:
            cancelled, self._cancelled = self._cancelled, set()
            if cancelled and not self._closed:
                self._runtime.resume()
        for job in [job for job in self._jobs if job.write.job in cancelled]:
            for candidate in job.live:
                self._release(candidate.sequence)
            stopped = [*job.live, *(Candidate(index, -1, np.random.default_rng(0)) for index in job.waiting)]
            yield from (candidate.finished(job.write.job, "cancelled") for candidate in stopped)
            yield self._end(job, cancelled=True)

    def _admit(self) -> None:
        """Let candidates begin, in the order their jobs came, as long as there is room for them to grow."""
        rows = sum(len(job.live) for job in self._jobs)
        cells = sum(job.cells for job in self._jobs)
        for job in self._jobs:
            while job.waiting:
                needed = job.write.most_tokens + (len(job.prompt) if job.start is None else 0)
                if rows == MOST_ROWS or cells + needed > self._runtime.context:
                    return
                job.start = job.start or self._start(job)
                if job.start is None:
                    return
                rows, cells = rows + 1, cells + needed
                index, sequence = job.waiting.popleft(), heapq.heappop(self._free)
                self._runtime.copy(job.start.sequence, sequence)
                job.live.append(Candidate(index, sequence, np.random.default_rng((job.write.seed, index))))

    def _start(self, job: _Job) -> _Start | None:
        """A sequence with a job's prompt; None when interrupted.

        A prompt that was left there by the last job is not evaluated again, and of one that begins like another only
        what differs is. For a job alone everything lies then as it would in a new process.
        """
        job.began = time.monotonic()
        others = [other.start for other in self._jobs if other.start is not None]
        if others:
            self._mixed = True
        elif self._kept is not None and self._kept.prompt == job.prompt:
            kept, self._kept = self._kept, None
            return kept
        elif self._kept is not None and (common := shared_tokens(job.prompt, self._kept.prompt)):
            sequence, self._kept = self._kept.sequence, None
            self._runtime.remove(sequence, common)
            return self._evaluate(job, sequence, common)
        else:
            self._empty()
        sequence, common = heapq.heappop(self._free), 0
        source = max(others, key=lambda other: shared_tokens(job.prompt, other.prompt), default=None)
        if source is not None and (common := shared_tokens(job.prompt, source.prompt)):
            self._runtime.copy(source.sequence, sequence, common)
        return self._evaluate(job, sequence, common)

    def _evaluate(self, job: _Job, sequence: int, there: int) -> _Start | None:
        """Put what is not ``there`` yet of a job's prompt into a sequence; None, and an empty one, when interrupted."""
        first = self._runtime.evaluate(sequence, job.prompt, there)
        if first is None:
            heapq.heappush(self._free, sequence)
            return None
        return _Start(job.prompt, sequence, first)

    def _chances(self) -> list[tuple[_Job, Candidate, Chances]]:
        """What may come next in every live candidate; nothing when interrupted."""
        live = [(job, candidate) for job in self._jobs for candidate in job.live]
        going = [(job, candidate) for job, candidate in live if candidate.tokens]
        found: list[Chances] | None = []
        if going:
            found = self._runtime.advance(
                [candidate.last for _, candidate in going],
                [len(job.prompt) + candidate.tokens - 1 for job, candidate in going],
                [candidate.sequence for _, candidate in going],
            )
        if found is None:
            return []
        firsts = [(job, candidate, job.start.first) for job, candidate in live if not candidate.tokens and job.start]
        return [(job, candidate, chances) for (job, candidate), chances in zip(going, found, strict=True)] + firsts

    def _draw(self, job: _Job, candidate: Candidate, chances: Chances) -> Iterator[Event]:
        """The next token of a candidate."""
        token, logprob = pick(*chances, job.write.sampling, candidate.generator, job.avoided)
        text, end = candidate.take(token, logprob, self._runtime.bytes_of(token), job.write.most_tokens)
        if text:
            if job.first_piece is None:
                job.first_piece = time.monotonic() - job.began
            yield Piece(job.write.job, candidate.index, text)
        if end:
            job.live.remove(candidate)
            self._release(candidate.sequence)
            yield candidate.finished(job.write.job, end)

    def _end(self, job: _Job, *, cancelled: bool) -> Done:
        self._jobs.remove(job)
        if job.start is not None:
            if self._mixed:
                self._release(job.start.sequence)
            else:
                self._kept = job.start
        return Done(job.write.job, time.monotonic() - job.began, job.first_piece, cancelled)

    def _release(self, sequence: int) -> None:
        self._runtime.remove(sequence)
        heapq.heappush(self._free, sequence)

    def _empty(self) -> None:
        """Begin with nothing in any sequence, so that what comes next lies as it would in a new process."""
        self._runtime.clear()
        self._free = list(range(MOST_SEQUENCES))
        self._kept = None
        self._mixed = False
