"""The clock on the wall jumps by years, forwards and back, whenever it is looked at: nothing waits longer or shorter.

Time-outs, speeds and restarts are measured with the clock that cannot be set; the other says only what day it is.
"""

import ast
import dataclasses
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engine import thread_record
from app.engine.client import MOST_RESTARTS, EngineClient
from app.engine.protocol import Died, Done, Finished, Piece, Ready
from app.models.registry import change_registry, read_registry
from app.models.sources import fetch_base
from tests.engine.conftest import ENDLESS, PROMPT, Events
from tests.hub_server import Behaviour, HubServer
from tests.models.manifests import HASTY, base_of
from tests.models.test_sources_hub import direct_line  # noqa: F401  a fixture for all tests here
from tests.tally import Tally
from tests.test_layout import module_name, product_files

YEAR = 365 * 24 * 3600.0
# Where it matters what day it is, or what time.
MAY_LOOK = {
    "app.engine.thread_record",
    "app.gui.main_window",
    "app.people.backup",
    "app.people.beside",
    "app.people.document",
    "app.people.moment",
}
LOOKS = {"time.time", "time.time_ns", "time.localtime", "datetime.now", "datetime.today", "date.today"}

# The engine's own module in a process whose clock jumps.
LEAPING_ENGINE = (
    "import itertools, time\n"
    "leaps = itertools.cycle((10, -20, 0, 40, -3))\n"
    "real = time.time\n"
    "time.time = lambda: real() + next(leaps) * 31536000.0\n"
    "from app.engine import process\n"
    "process.main()\n"
)

Make = Callable[..., tuple[EngineClient, Events]]


@pytest.fixture
def leaping(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock on the wall that is another each time it is looked at; how far it has leapt each time."""
    leaps = itertools.cycle((10 * YEAR, -20 * YEAR, 0.0, 40 * YEAR, -3 * YEAR))
    leapt: list[float] = []
    real = time.time

    def look() -> float:
        leapt.append(next(leaps))
        return real() + leapt[-1]

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", look)
        yield leapt


def test_a_download_that_is_refused_and_stalls_is_waited_out_as_ever(
    leaping: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    content = b"GGUF" + random.Random(1).randbytes(300_000)
    base = base_of(content)
    # Nothing but the fault itself is to be what is waited for, however busy the machine.
    patience = dataclasses.replace(HASTY, answer=60.0, connect=20.0, silence=3.0)
    with HubServer(base.repo, base.file, content) as hub:
        hub.behaviour = Behaviour(statuses=[503, 429], retry_after="1", stalls=[100_000])
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        fetched = fetch_base(base, tmp_path, "hub", lambda *_: None, lambda: False, patience)
        assert fetched.read_bytes() == content
        assert len(hub.downloads) == 4, "each fault is one more request, and none is lost to the clock"
    tally.count("things done while the clock jumped", "as ever")


def test_an_engine_is_written_with_stopped_killed_and_given_up_as_ever(
    leaping: list[float], client: Make, tiny_model: Path, tally: Tally
) -> None:
    """Deaths within a minute are counted, and a job that does not stop has its seconds, whatever the clock says."""
    engine, events = client(tiny_model, command=[sys.executable, "-c", LEAPING_ENGINE])
    engine.start()
    texts = []
    for _ in range(2):
        job = engine.write(PROMPT, 2, 7, ENDLESS, 12)
        done = events.until(Done)
        assert not done.cancelled and done.first_piece is not None and 0 <= done.first_piece <= done.seconds < YEAR
        texts.append({event.candidate: event.text for event in events.of(Finished) if event.job == job})
    assert texts[0] == texts[1]
    job = engine.write(PROMPT, 2, 7, ENDLESS, 1500)
    events.until(Piece, lambda piece: piece.job == job)
    engine.cancel(job)
    assert events.until(Done).cancelled and not events.of(Died)
    for death in range(MOST_RESTARTS + 1):
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        assert events.until(Died).restarting == (death < MOST_RESTARTS)
        if death < MOST_RESTARTS:
            events.until(Ready)
    tally.count("things done while the clock jumped", "as ever", 4)


def test_a_second_window_is_waited_for_as_ever(leaping: list[float], tmp_path: Path, tally: Tally) -> None:
    for _ in range(5):
        change_registry(tmp_path, lambda registry: registry)
    assert read_registry(tmp_path).imported == ()
    tally.count("things done while the clock jumped", "as ever", 5)


def test_what_was_measured_at_an_impossible_time_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    now = time.time()
    for then, remembered in ((now, 2), (now + 10 * YEAR, None), (now - 10 * YEAR, None), (now, 2)):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda then=then: then)
            thread_record.record_threads("m", (1, 2), 2)
        assert thread_record.recorded_threads("m", (1, 2)) == remembered


def looks_at_the_clock(path: Path) -> bool:
    """Whether ``time.time`` or its like stands in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if f"{owner}.{node.attr}" in LOOKS:
                return True
    return False


def test_only_what_has_to_do_with_days_looks_at_the_clock_on_the_wall() -> None:
    assert {module_name(path) for path in product_files() if looks_at_the_clock(path)} == MAY_LOOK
