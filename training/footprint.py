"""What a model costs to run: bytes on the disk, memory that stays resident, tokens written a second.

Each measurement is a process of its own, or the memory of one model would be counted with the next.
"""

import multiprocessing
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from training.decoder import Decoder

WARM_UP, TIMED = 8, 48  # tokens
ROUNDS = 3


@dataclass(frozen=True)
class Footprint:
    """``resident``: bytes of memory the open model added to the process; None where the system does not tell."""

    bytes: int
    resident: int | None
    tokens_per_second: float


def footprints(models: tuple[Path, ...], threads: int | None = None) -> tuple[Footprint, ...]:
    """Measure the models in turns, so that what else the machine does falls on all alike; the fastest turn counts.

    Raises:
        BrokenProcessPool: llama.cpp took the measuring process with it.
    """
    found: list[list[Footprint]] = [[] for _ in models]
    for _ in range(ROUNDS):
        for model, measured in zip(models, found, strict=True):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                measured.append(process.submit(_footprint, model, threads).result())
    return tuple(max(measured, key=lambda turn: turn.tokens_per_second) for measured in found)


def _footprint(model: Path, threads: int | None) -> Footprint:
    before = _resident()
    with Decoder(model, tokens=WARM_UP + TIMED, sequences=1, threads=threads) as decoder:
        pick = random.Random(1)
        for position in range(WARM_UP + TIMED):
            if position == WARM_UP:
                started = time.perf_counter()
            decoder.decode([pick.randrange(decoder.vocabulary_size)], [position], [0], [True])
        seconds = time.perf_counter() - started
        after = _resident()
    added = None if before is None or after is None else after - before
    return Footprint(model.stat().st_size, added, TIMED / seconds)


def _resident() -> int | None:
    """Bytes of memory this process occupies: on Linux now, on macOS at most so far; Windows has no such file or call
    in the standard library."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None
