"""The engine's protocol: any bytes are a message or are refused, and an engine that is sent them answers each line it
does not understand, and writes on.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compose.sentence import Sentence
from app.engine.protocol import (
    LONGEST_LINE,
    Cancel,
    Died,
    Done,
    Failed,
    Finished,
    Load,
    Loading,
    Piece,
    ProtocolError,
    Ready,
    Sampling,
    Write,
    decode,
    encode,
)
from tests.engine.conftest import PROMPT, EngineProcess, load, write
from tests.fuzz.hostile import changed_bytes, changed_trees
from tests.tally import Tally

TOLD = Sentence("没有显卡。", "There is no GPU.")
# Jobs small enough to be written hundreds of times where a change leaves them in order.
MESSAGES = (
    Load("model.gguf", "0" * 64, "cpu", TOLD, 1, 512),
    Write(3, PROMPT, 1, 7, Sampling(0.4, 1.0, 0.1, ("你",)), 2),
    Cancel(3),
    Loading(0.5, "CPU"),
    Ready("CPU", TOLD, "Tiny", 1000, 0, 1, 512, 0.5, ("CUDA0",)),
    Piece(3, 0, "新年"),
    Finished(3, 0, "新年好。", 3, -0.5, "stop"),
    Done(3, 0.5, 0.1, False),
    Failed(3, "internal", TOLD, "detail"),
    Died(-9, TOLD, True),
)
TREES = [json.loads(encode(message)) for message in MESSAGES]
KEYS = sorted({key for tree in TREES for key in tree})

NASTY = (b'"', b"\\ud800", b"NaN", b"1e999", b"9" * 5000, b"[" * 3000, b"{", b"\x00", b"\xff", b"\xef\xbb\xbf", b"null")


def one_line(tree: Any) -> bytes:
    return json.dumps(tree).encode("ascii")


changed = st.sampled_from(TREES).flatmap(lambda tree: changed_trees(tree, KEYS)).map(one_line)
broken = st.sampled_from(MESSAGES).flatmap(lambda message: changed_bytes(encode(message).rstrip(b"\n"), NASTY))
giant = st.integers(1, 3 * LONGEST_LINE).map(lambda size: b'{"type": "Cancel", "job": "' + b"x" * size + b'"}')
lines = st.one_of(changed, broken, st.binary(max_size=200)).map(lambda line: line.replace(b"\n", b" "))


@settings(max_examples=800)
@given(lines)
def test_any_line_is_a_message_or_is_refused(tally: Tally, line: bytes) -> None:
    try:
        message = decode(line)
    except ProtocolError as error:
        assert len(str(error)) < 1000, "what is wrong is said, not repeated"
        tally.count("lines of the protocol", "refused")
        return
    assert encode(decode(encode(message))) == encode(message)
    tally.count("lines of the protocol", "understood")


class Fed:
    """A live engine with the tiny model open, fed lines, with a job after each meal to see that it goes on."""

    def __init__(self, engine: EngineProcess, model: Path) -> None:
        self._engine = engine
        self._jobs = 1_000_000  # beyond any number a changed line has
        engine.send(load(model))
        engine.events.until(Ready)

    def feed(self, meal: list[bytes]) -> int:
        """Send lines, then a job, and wait for it; how many of the lines were refused."""
        self._jobs += 1
        events = self._engine.events
        before = len(events.all)
        for line in meal:
            self._engine.send(line + b"\n")
        self._engine.send(write(self._jobs, draw=1, most_tokens=2))
        events.until(Done, lambda done: done.job == self._jobs)
        failures = [event for event in events.all[before:] if isinstance(event, Failed)]
        assert all(event.sentence.zh.endswith("。") and event.sentence.en.endswith(".") for event in failures)
        assert not [event for event in failures if event.code == "internal"], failures
        assert not self._engine.broken, "every line it says is an event"
        refused = sum(map(_refused, meal))
        assert len([event for event in failures if event.code == "bad_request"]) >= refused
        return refused


def _refused(line: bytes) -> bool:
    """Whether a line gets an answer that says it was not understood; an empty one gets none."""
    try:
        decode(line)
    except ProtocolError:
        return bool(line.strip())
    return False


@pytest.fixture(scope="module")
def fed(tiny_model: Path) -> Iterator[Fed]:
    engine = EngineProcess([sys.executable, "-m", "app.engine.process"])
    yield Fed(engine, tiny_model)
    engine.process.kill()
    engine.process.wait()


@settings(max_examples=60)
@given(st.lists(lines, min_size=5, max_size=30))
def test_a_live_engine_answers_and_goes_on(tally: Tally, fed: Fed, meal: list[bytes]) -> None:
    refused = fed.feed(meal)
    tally.count("lines sent to a live engine", "refused, and it went on", refused)
    tally.count("lines sent to a live engine", "understood, and it went on", len(meal) - refused)


@settings(max_examples=12)
@given(giant)
def test_a_live_engine_refuses_a_giant_line_and_goes_on(tally: Tally, fed: Fed, line: bytes) -> None:
    assert fed.feed([line]) == 1
    tally.count("giant lines sent to a live engine", "refused, and it went on")
