"""What the machine can do at best, and how steady and how responsive it is while something else is measured."""

import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from app.models.gguf_file import read_header

COPIED = 256 << 20  # bytes of one thread's array: far more than any cache holds
TURNS = 5
FRAME = 1 / 60  # seconds


def copy_bandwidth(threads: int) -> float:
    """Bytes a second that go between memory and ``threads`` cores: read and written ones, as STREAM's copy counts them
    (McCalpin 1995). The best of several turns."""
    sources = [np.ones(COPIED // 8) for _ in range(threads)]
    targets = [np.empty_like(source) for source in sources]
    best = float("inf")
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(TURNS):
            began = time.perf_counter()
            list(pool.map(np.copyto, targets, sources))
            best = min(best, time.perf_counter() - began)
    return 2 * COPIED * threads / best


def weights_a_token(model: Path) -> int:
    """Bytes of weights that one token needs: all tensors, and of the embeddings, where they are not the output's too,
    a single row, which is as good as none."""
    header = read_header(model)
    tied = header.tensor("output.weight") is None
    return sum(tensor.nbytes for tensor in header.tensors if tied or tensor.name != "token_embd.weight")


class Frames:
    """Wakes as often as a window that draws 60 frames a second, and notes how late. A context manager."""

    def __init__(self) -> None:
        self.late: list[float] = []  # milliseconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._wake, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _wake(self) -> None:
        while not self._over.is_set():
            due = time.perf_counter() + FRAME
            time.sleep(FRAME)
            self.late.append(1000 * (time.perf_counter() - due))


class Steadiness:
    """The same small piece of work again and again: how much its time varies is how noisy the machine is."""

    def __init__(self) -> None:
        self._matrix = np.random.default_rng(1).standard_normal((768, 768), np.float32)
        self._seconds: list[float] = []

    def look(self) -> None:
        """Do it once more."""
        began = time.perf_counter()
        for _ in range(4):
            self._matrix @ self._matrix
        self._seconds.append(time.perf_counter() - began)

    def summary(self) -> dict[str, float]:
        """``slowest`` and ``median`` against the fastest; the load of the last minute, where the system tells."""
        fastest = min(self._seconds)
        found = {
            "median": round(statistics.median(self._seconds) / fastest, 2),
            "slowest": round(max(self._seconds) / fastest, 2),
        }
        if hasattr(os, "getloadavg"):
            found["load"] = round(os.getloadavg()[0], 2)
        return found
