"""The messages: what is sent is what arrives, and anything else is refused."""

import json

import pytest

from app.compose.prompt import Segment
from app.compose.sentence import Sentence
from app.engine import protocol
from app.engine.protocol import (
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
from tests.engine.conftest import line

SENTENCE = Sentence("显卡不行。", "The GPU does not do.")
MESSAGES = [
    Load("/home/小李/我的 模型.gguf"),
    Load("C:\\模型.gguf", "ab" * 32, "cpu", SENTENCE, 2, 2048),
    Write(
        3, (Segment("<|im_start|>", True), Segment("𠮷\n“\u2028\x00😀", False)), 8, 2**63, Sampling(0.7, 0.9, 0.0), 99
    ),
    Cancel(3),
    Loading(0.25),
    Ready("CPU", SENTENCE, "拜年", 1_500_000_000, 0, 2, 4096, 1.5),
    Piece(3, 1, "恭喜"),
    Finished(3, 1, "恭喜发财。", 4, -0.5, "stop"),
    Done(3, 2.5, None, True),
    Failed(None, "model_missing", SENTENCE, "detail"),
    Died(-9, SENTENCE, True),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_was(message: protocol.Command | protocol.Event) -> None:
    encoded = encode(message)
    assert encoded.endswith(b"\n") and encoded.count(b"\n") == 1 and encoded.isascii()
    assert decode(encoded) == message


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"hello",
        b"[1, 2]",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        line(type="Dance"),
        line(type=["Write"]),
        line(job=1),
        line(type="Cancel"),
        line(type="Cancel", job="1"),
        line(type="Cancel", job=True),
        line(type="Cancel", job=1.5),
        line(type="Cancel", job=1, why="because"),
        line(type="Loading", fraction="half"),
        line(type="Loading", fraction=10**400),
        line(type="Load", path=None),
        line(type="Load", path="a", device_reason={"zh": "一"}),
        line(type="Write", job=1, prompt="text", draw=1, seed=1),
        line(type="Write", job=1, prompt=[["text"]], draw=1, seed=1),
        line(type="Write", job=1, prompt=[["text", 1]], draw=1, seed=1),
        line(type="Write", job=1, prompt=[], draw=1, seed=1, sampling={"heat": 1}),
        json.dumps({"type": "Cancel", "job": 1, "x": "y" * protocol.LONGEST_LINE}).encode(),
    ],
    ids=lambda bad: repr(bad[:40]),
)
def test_a_line_that_is_not_a_message_is_refused(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(bad)


def test_a_whole_number_is_good_enough_for_a_fraction() -> None:
    assert decode(line(type="Loading", fraction=1)) == Loading(1.0)
