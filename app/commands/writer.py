"""Writes greetings one request at a time for commands without a window: engine, guard and selection in one call."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from app.compose.catalog import Catalog
from app.compose.guard import check, never_right
from app.compose.prompt import prompt_segments
from app.compose.request import GreetingRequest
from app.compose.select import Candidate, choose
from app.engine.protocol import Ready, Sampling
from app.engine.session import Session

MOST_ROUNDS = 2  # of drawing, when the first leaves too few texts without a fault
SEED_STEP = 1 << 31  # larger than any seed a person gives: a second round is nobody's first


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
        self._session = Session(model, sha256=sha256, device=device, threads=threads)

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.__exit__(kind, error, trace)

    @property
    def ready(self) -> Ready | None:
        """What was opened, on what."""
        return self._session.ready

    def write(self, request: GreetingRequest, count: int, seed: int) -> Written:
        """Draw candidates, check each, choose ``count``; draw once more when too few of them are without a fault.

        An engine that dies underneath is given one more try.
        """
        draw = max(count, -(-count * self._draw // 3))
        candidates: list[Candidate] = []
        seconds = 0.0
        for attempt in range(MOST_ROUNDS):
            seconds += self._draw_candidates(request, draw, seed + attempt * SEED_STEP, candidates)
            chosen = choose(candidates, count)
            if len(chosen) == count and not any(candidate.faults for candidate in chosen):
                break
        return Written(chosen, len(candidates), seconds)

    def _draw_candidates(self, request: GreetingRequest, draw: int, seed: int, candidates: list[Candidate]) -> float:
        """One job of the engine, its candidates checked and added to ``candidates``; the seconds it took."""
        sampling = replace(self._sampling, avoid=never_right(request, self._catalog))
        most = self._catalog.length(request.length).most_tokens
        drawn = self._session.write(prompt_segments(request, self._catalog), draw, seed, sampling, most)
        first = len(candidates)
        for one in drawn.candidates:
            text = one.text.strip()
            faults = check(text, request, self._catalog)
            candidates.append(Candidate(first + one.candidate, text, one.tokens, one.logprob, faults))
        return drawn.seconds
