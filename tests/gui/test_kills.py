"""The whole program, killed at any moment of writing, importing and batch-writing: nothing confirmed on the screen is
lost, the file is sound, and the next start goes on exactly where the last one was.

One folder of data for all kills, so that what one of them leaves behind is what the next start has to recover from.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gui.kill_ledger import Ledger, Row, differences, read_line
from tests.gui.test_end_to_end import ROOT, gone

KILLS = 100
PARTS = ("compose", "imports", "batch")
EARLY = 0.15  # share of the kills that come while the program starts, at any moment
LONGEST_START = 1.0  # seconds
MOST_LINES = 20  # confirmed before one of the others
LONGEST_WAIT = 0.05  # seconds between the last of them and the kill

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills with POSIX signals"),
    pytest.mark.timeout(1500),
]


class Nursery:
    """Starts the program over one folder, as often as it is told to, and keeps the ledger of what it shows."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.kill_child", str(model), str(folder)],
            cwd=ROOT,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(folder / "settings")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._to_show: dict[int, Row] = {}
        self.ledger = Ledger()
        self.engine: int | None = None
        self.starts_compared = 0

    def start(self, part: str, seed: int) -> int:
        """Start the program; the number of its process."""
        assert self._process.stdin is not None
        self.engine = None
        self.ledger.shown.clear()
        self._process.stdin.write(f"{part} {seed}\n".encode())
        self._process.stdin.flush()
        word, pid = self._line()
        assert word == "pid"
        return int(pid)

    def lines(self) -> Iterator[str]:
        """The kind of each line it says, once that is in the ledger, until it is dead; then the file is checked."""
        while (line := self._line())[0] != "dead":
            self.ledger.take(*line)
            if line[0] == "engine":
                self.engine = line[1]
            elif line[0] == "opened":
                assert not (wrong := differences(self.ledger.shown, self._to_show)), f"it is not where it was:\n{wrong}"
                self.starts_compared += 1
            yield str(line[0])
        yield f"dead {line[1]}"
        self._to_show = self.ledger.check(self._folder / "data", self._folder / "scratch")

    def close(self) -> None:
        """End it, with the program and the engine that run where a test failed: they are in its process group."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=60)

    def _line(self) -> tuple[Any, ...]:
        assert self._process.stdout is not None
        line = read_line(self._process.stdout.readline())
        assert line[0] != "failed", line[1]
        return line


@pytest.fixture
def nursery(tiny_model: Path, tmp_path: Path) -> Iterator[Nursery]:
    opened = Nursery(tiny_model, tmp_path)
    yield opened
    opened.close()


def test_a_hundred_kills_of_the_program_lose_nothing_that_was_on_the_screen(nursery: Nursery) -> None:
    drawn = random.Random(2027)
    kills: Counter[str] = Counter()
    engines = 0
    for number in range(KILLS):
        part = PARTS[number % len(PARTS)]
        kill(nursery, part, number, drawn)
        kills[part] += 1
        if nursery.engine is not None:
            assert gone(nursery.engine), "the engine lives on without its window"
            engines += 1
    assert sum(kills.values()) == KILLS
    nursery.start("finish", 0)
    kinds = list(nursery.lines())
    assert kinds[-2:] == ["finished", "dead 0"]
    said = nursery.ledger.counts
    for kind in ("whole", "sent", "starred", "row", "strip", "imported"):
        assert said[kind], f"nothing of the kind {kind} was ever confirmed"
    print(f"{KILLS} kills ({', '.join(f'{count} of {part}' for part, count in kills.items())})")
    print(f"confirmed on the screen and all there: {said}")
    print(f"{nursery.starts_compared} starts showed every row as it was; {engines} engines ended with their window")


def kill(nursery: Nursery, part: str, seed: int, drawn: random.Random) -> None:
    """Start the program and kill it: while it starts, or after some lines and a moment."""
    pid = nursery.start(part, seed)
    lines = nursery.lines()
    if drawn.random() < EARLY:
        wait = drawn.random() * LONGEST_START
    else:
        for kind in lines:
            if kind == "begin":
                break
        for _ in range(drawn.randrange(MOST_LINES)):
            next(lines)
        wait = drawn.random() * LONGEST_WAIT
    timer = threading.Timer(wait, os.kill, (pid, signal.SIGKILL))
    timer.start()
    try:
        *_, last = lines
    finally:
        timer.cancel()
        timer.join()
    assert last == f"dead {int(signal.SIGKILL)}"
