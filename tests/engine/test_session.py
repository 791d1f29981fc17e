"""A session waits: for the model, for a job, and through the death of its engine."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from app.compose.prompt import Segment
from app.engine.client import MOST_RESTARTS
from app.engine.errors import EngineError
from app.engine.memory import memory_of
from app.engine.session import Session
from tests.engine.conftest import ENDLESS, PATIENCE, PROMPT


def test_a_job_is_answered_with_all_its_candidates_in_order_and_the_same_again(tiny_model: Path) -> None:
    with Session(tiny_model, device="cpu", threads=1) as session:
        assert session.ready is not None and session.ready.device == "CPU"
        first, second = (session.write(PROMPT, 5, 7, ENDLESS, 12) for _ in range(2))
        assert [one.candidate for one in first.candidates] == list(range(5))
        assert [one.text for one in first.candidates] == [one.text for one in second.candidates]
        assert first.seconds > 0
        memory = memory_of(session.pid)
        assert memory is None or 0 < memory["now"] <= memory["peak"]


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as refused, Session(tmp_path / "nowhere.gguf", device="cpu"):
        pass
    assert refused.value.code == "model_missing"


def test_a_verbatim_prompt_is_evaluated_as_it_stands(tiny_base: Path) -> None:
    """Without that, a general model is asked through its own template for what a prompt of ours says: another has
    nothing to ask for."""
    prompt = (Segment("新年快乐，祝", False),)
    with Session(tiny_base, device="cpu", threads=1) as session:
        first, second = (session.write(prompt, 2, 7, ENDLESS, 12, verbatim=True) for _ in range(2))
        assert [one.text for one in first.candidates] == [one.text for one in second.candidates]
        with pytest.raises(EngineError):
            session.write(prompt, 2, 7, ENDLESS, 12)
        other = session.write((Segment("平安", False),), 2, 7, ENDLESS, 12, verbatim=True)
        assert [one.text for one in other.candidates] != [one.text for one in first.candidates]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_an_engine_that_dies_underneath_is_started_once_more(tiny_model: Path) -> None:
    with Session(tiny_model, device="cpu", threads=1) as session:
        wanted = session.write(PROMPT, 4, 7, ENDLESS, 400)
        engine = session.pid
        assert engine is not None

        def kill() -> None:
            time.sleep(0.05)
            os.kill(engine, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = session.write(PROMPT, 4, 7, ENDLESS, 400)
        killer.join(PATIENCE)
        assert session.pid != engine
        assert [one.text for one in found.candidates] == [one.text for one in wanted.candidates]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_an_engine_that_was_given_up_is_started_again_for_the_next_job(tiny_model: Path) -> None:
    """As for each line of a file of requests: one that kills the engine is not the end of the others."""
    with Session(tiny_model, device="cpu", threads=1) as session:
        killed: set[int] = set()
        deadline = time.monotonic() + PATIENCE
        while len(killed) <= MOST_RESTARTS:
            assert time.monotonic() < deadline
            if (pid := session.pid) is not None and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        with contextlib.suppress(EngineError):  # where it came too early for the new one
            session.write(PROMPT, 2, 7, ENDLESS, 12)
        assert len(session.write(PROMPT, 2, 7, ENDLESS, 12).candidates) == 2
        assert time.monotonic() < deadline


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert memory_of(None) is None
    assert memory_of(2**22 + 1) is None
