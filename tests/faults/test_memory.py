"""Too little memory, in steps from next to none to enough, while a model is opened and while it writes.

Whatever is asked is answered: done, or a sentence. The process that cannot go on says so or dies, which its client
tells; one that could not do one thing does the next when there is memory again.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.prompt import Segment
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Failed, Ready
from tests.engine.conftest import ENDLESS, PROMPT, Events
from tests.faults.limits import engine_with
from tests.tally import Tally

resource = pytest.importorskip("resource")

MEGABYTE = 1 << 20
# Beyond what an engine has with everything imported. With the least not even the model fits.
STEPS = [step * MEGABYTE for step in (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 512)]
CONTEXT = 1 << 16  # tokens: a cache that takes memory worth speaking of
TEXTS = 32

Make = Callable[..., tuple[EngineClient, Events]]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does"),
    pytest.mark.timeout(1500),
]


def answer(events: Events) -> str:
    """How what was asked for ends."""
    found = events.until(Done | Failed | Died)
    if isinstance(found, Done):
        return "done"
    assert found.sentence.zh.endswith("。") and found.sentence.en.endswith(".")
    if isinstance(found, Died) or found.code == "engine_died":
        return "the engine died, which was told"
    assert found.code == "out_of_memory", found
    return "said to be too little"


def test_too_little_to_open_a_model_is_told_at_every_step(client: Make, tiny_model: Path, tally: Tally) -> None:
    outcomes = []
    for step in STEPS:
        engine, events = client(tiny_model, context=CONTEXT, command=engine_with(step))
        engine.write(PROMPT, 2, 7, ENDLESS, 12)
        engine.start()
        outcomes.append(answer(events))
        engine.close()
        tally.count("openings in little memory", outcomes[-1])
    assert outcomes[0] != "done" and outcomes[-1] == "done"
    assert "said to be too little" in outcomes


def used(pid: int) -> int:
    """Bytes of address space a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def test_too_little_to_write_is_told_at_every_step_and_with_more_it_is_written(
    client: Make, tiny_model: Path, tally: Tally
) -> None:
    """The limit comes down on an engine that is ready, and goes up again."""
    engine, events = client(tiny_model)
    engine.start()
    pid = 0
    for number, step in enumerate(STEPS[:8]):
        if engine.pid != pid:  # the first, or the one before has died
            events.until(Ready)
            pid = engine.pid or 0
        infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(pid, resource.RLIMIT_AS, (used(pid) + step - MEGABYTE, resource.RLIM_INFINITY))
        prompt = (*PROMPT[:1], Segment(f"user\n第{number}位\n{'年' * 1000}", False), *PROMPT[2:])
        engine.write(prompt, TEXTS, number, ENDLESS, 20)
        outcome = answer(events)
        tally.count("texts asked for in little memory", outcome)
        if "died" in outcome:
            continue
        resource.prlimit(pid, resource.RLIMIT_AS, infinite)
        engine.write(prompt, TEXTS, number, ENDLESS, 20)
        assert answer(events) == "done"
