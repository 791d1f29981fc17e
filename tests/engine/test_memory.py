"""The engine holds no more after a thousand greetings than after the first hundreds."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.prompt import Segment
from app.engine.protocol import Cancel, Done, Ready
from tests.engine.conftest import PROMPT, EngineProcess, encode, load, write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

A_JOB = 8
FIRST, ALL = 200, 1200  # greetings
MOST_GROWTH = 1 << 20  # bytes


def resident(engine: EngineProcess) -> int:
    lines = Path(f"/proc/{engine.process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def test_a_thousand_greetings_take_no_more_memory(
    engine_process: Callable[..., EngineProcess], tiny_model: Path
) -> None:
    """Prompts of all kinds, some of them stopped, refused or side by side."""
    engine = engine_process()
    engine.send(load(tiny_model))
    engine.events.until(Ready)
    after_first = 0
    for job in range(ALL // A_JOB):
        prompt = (*PROMPT[:1], Segment(f"写祝福\n称呼：{'年' * (job % 60)}{job}", False), *PROMPT[2:])
        engine.send(write(job, prompt=prompt, draw=A_JOB, seed=job, most_tokens=4))
        if job % 10 == 3:
            engine.send(encode(write(10_000 + job, most_tokens=1500)) + encode(Cancel(10_000 + job)))
            engine.events.until(Done, lambda done, number=10_000 + job: done.job == number)
        if job % 10 == 7:
            engine.send(write(20_000 + job, draw=1000))
        if job not in {event.job for event in engine.events.of(Done)}:
            engine.events.until(Done, lambda done, number=job: done.job == number)
        engine.events.all.clear()
        if job == FIRST // A_JOB:
            after_first = resident(engine)
    assert resident(engine) - after_first < MOST_GROWTH
