"""The engine process through its pipes: it answers everything, survives everything, and ends when it should."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.prompt import Segment
from app.engine.protocol import (
    LONGEST_LINE,
    Cancel,
    Done,
    Failed,
    Finished,
    Loading,
    Piece,
    Ready,
    Sampling,
    encode,
)
from app.models.verify import sha256_of
from tests.engine.conftest import PATIENCE, ROOT, EngineProcess, alive, line, load, write

Start = Callable[..., EngineProcess]


@pytest.fixture
def engine(engine_process: Start, tiny_model: Path) -> EngineProcess:
    """A process with the tiny model open."""
    started = engine_process()
    started.send(load(tiny_model))
    started.events.until(Ready)
    return started


def test_a_job_streams_and_is_done(engine_process: Start, tiny_model: Path) -> None:
    engine = engine_process()
    engine.send(load(tiny_model, sha256=sha256_of(tiny_model)))
    ready = engine.events.until(Ready)
    assert ready.device == "CPU" and ready.reason.zh.startswith("CPU：") and ready.model == "Tiny"
    assert ready.threads == 1 and ready.context == 4096 and ready.layers_on_gpu == 0 and ready.parameters > 0
    assert engine.events.of(Loading)[-1].fraction == 1.0
    engine.send(write(5, draw=3))
    done = engine.events.until(Done)
    assert done.job == 5 and not done.cancelled and done.first_piece is not None and done.first_piece <= done.seconds
    texts = {event.candidate: event.text for event in engine.events.of(Finished)}
    pieces = {
        index: "".join(piece.text for piece in engine.events.of(Piece) if piece.candidate == index)
        for index in range(3)
    }
    assert texts == pieces and len(texts) == 3


def test_the_same_job_gives_the_same_texts_in_another_process(engine_process: Start, tiny_model: Path) -> None:
    found = []
    for _ in range(2):
        engine = engine_process()
        engine.send(load(tiny_model))
        engine.send(write(1, draw=4, most_tokens=40))
        engine.events.until(Done)
        found.append({event.candidate: event for event in engine.events.of(Finished)})
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"draw": 0}, "bad_request"),
        ({"draw": -1}, "bad_request"),
        ({"draw": 1000}, "bad_request"),
        ({"most_tokens": 0}, "bad_request"),
        ({"most_tokens": 1_000_000}, "bad_request"),
        ({"seed": -1}, "bad_request"),
        ({"seed": 2**64}, "bad_request"),
        ({"prompt": ()}, "bad_request"),
        ({"prompt": (Segment("", False),)}, "bad_request"),
        ({"prompt": (Segment("\udc80", False),)}, "bad_request"),
        ({"prompt": (Segment("祝" * 5000, False),)}, "prompt_too_long"),
        ({"sampling": Sampling(-1.0)}, "bad_request"),
        ({"sampling": Sampling(float("nan"))}, "bad_request"),
        ({"sampling": Sampling(0.5, 0.0)}, "bad_request"),
        ({"sampling": Sampling(0.5, 1.0, float("inf"))}, "bad_request"),
    ],
    ids=repr,
)
def test_an_unfit_job_is_refused_and_the_next_one_written(engine: EngineProcess, settings: dict, code: str) -> None:
    engine.send(write(1, **settings))
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (1, code)
    assert failed.sentence.zh.endswith("。") and "Traceback" not in failed.sentence.zh
    engine.send(write(2))
    assert engine.events.until(Done).job == 2


def test_a_context_too_small_for_a_text_is_said_so_and_shorter_ones_are_written(
    engine_process: Start, tiny_model: Path
) -> None:
    engine = engine_process()
    engine.send(load(tiny_model, context=256))
    engine.send(write(1, most_tokens=200))
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (1, "bad_request")
    assert "256" in failed.sentence.zh and "200" in failed.sentence.zh and "请" in failed.sentence.zh
    engine.send(write(2, prompt=(Segment("年" * 300, False),)))
    assert engine.events.until(Failed).code == "prompt_too_long"
    engine.send(write(3, draw=20, most_tokens=100))  # more than fit at once: they wait for each other
    assert engine.events.until(Done).job == 3
    assert [event.tokens for event in engine.events.of(Finished)] == [100] * 20


def test_a_person_who_is_quick_does_not_wait_for_the_trial_of_threads(
    engine_process: Start, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    texts = []
    for _ in range(2):
        engine = engine_process()
        engine.send(load(tiny_model, threads=None))
        engine.events.until(Ready)
        engine.send(write(1, most_tokens=40))
        assert not engine.events.until(Done).cancelled
        texts.append(sorted((event.candidate, event.text) for event in engine.events.of(Finished)))
    assert texts[0] == texts[1] and not engine.errors


@pytest.mark.parametrize(
    "rubbish",
    [
        b"hello\n",
        b"\x00\xff\xfe\n",
        b"{}\n",
        line(type="Write", job=1),
        line(type="Ready"),
        encode(Done(1, 1.0, None, False)),
        b"[" * 100_000 + b"\n",
        b"x" * (3 * LONGEST_LINE) + b"\n",
        b"\n\n\r\n",
    ],
    ids=lambda rubbish: repr(rubbish[:30]),
)
def test_rubbish_on_its_input_does_not_stop_it(engine: EngineProcess, rubbish: bytes) -> None:
    engine.send(rubbish)
    engine.send(write(2))
    assert engine.events.until(Done).job == 2
    refused = engine.events.of(Failed)
    assert [event.code for event in refused] == (["bad_request"] if rubbish.strip() else [])


def test_a_job_that_is_not_understood_is_answered_by_its_number(engine: EngineProcess) -> None:
    engine.send(line(type="Write", job=41, prompt=[["a", False]], draw=2.0, seed=1))
    assert engine.events.until(Failed).job == 41


def test_a_command_in_pieces_is_one_command(engine: EngineProcess) -> None:
    for byte in encode(write(9, draw=1)):
        engine.send(bytes([byte]))
    assert engine.events.until(Done).job == 9


def test_two_jobs_of_one_number_are_one_too_many(engine: EngineProcess) -> None:
    engine.send(encode(write(1, most_tokens=1500)) + encode(write(1)))
    assert engine.events.until(Failed).code == "bad_request"
    engine.send(Cancel(1))
    assert engine.events.until(Done).cancelled


def test_a_job_without_a_model_is_refused(engine_process: Start) -> None:
    engine = engine_process()
    engine.send(write(1))
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (1, "bad_request")


def test_a_second_model_is_refused_and_the_first_goes_on(engine: EngineProcess, tiny_model: Path) -> None:
    engine.send(load(tiny_model))
    assert engine.events.until(Failed).code == "bad_request"
    engine.send(write(1))
    engine.events.until(Done)


@pytest.mark.parametrize("settings", [{"threads": 0}, {"context": -1}, {"context": 1 << 40}, {"device": "tpu"}])
def test_settings_no_model_can_be_opened_with_are_refused(
    engine_process: Start, tiny_model: Path, settings: dict
) -> None:
    engine = engine_process()
    engine.send(load(tiny_model, **settings))
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (None, "bad_request")
    engine.send(load(tiny_model))
    engine.events.until(Ready)


def damaged(kind: str, whole: Path, folder: Path) -> Path:
    """A copy of a model with something wrong with it."""
    path = folder / f"{kind}.gguf"
    data = bytearray(whole.read_bytes())
    if kind == "model_truncated":
        del data[len(data) // 2 :]
    elif kind == "model_empty":
        data.clear()
    elif kind == "model_foreign":
        data[:] = b"<!DOCTYPE html><html><body>404</body></html>" * 100
    elif kind == "model_damaged":
        data[-2000] ^= 0x10
    elif kind == "model_unsupported":
        at = data.index(b"qwen2")
        data[at : at + 5] = b"bert2"
    if kind != "model_missing":
        path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "kind",
    ["model_missing", "model_empty", "model_foreign", "model_truncated", "model_damaged", "model_unsupported"],
)
def test_each_broken_model_has_its_own_sentence(
    engine_process: Start, tiny_model: Path, tmp_path: Path, kind: str
) -> None:
    engine = engine_process()
    engine.send(load(damaged(kind, tiny_model, tmp_path), sha256=sha256_of(tiny_model)))
    engine.send(write(1))
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (None, kind)
    waiting = engine.events.until(Failed)
    assert (waiting.job, waiting.code, waiting.sentence) == (1, kind, failed.sentence)
    engine.send(load(tiny_model))  # the process is none the worse for it
    engine.events.until(Ready)
    assert not engine.events.of(Done) and b"Traceback" not in engine.errors


def test_a_path_with_spaces_and_characters_of_any_script_opens(
    engine_process: Start, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "我的 模型 é😀"
    folder.mkdir()
    path = folder / "拜年 帖.gguf"
    shutil.copy(tiny_model, path)
    engine = engine_process()
    engine.send(load(path, sha256=sha256_of(path)))
    engine.events.until(Ready)


def test_a_waiting_job_is_cancelled_while_the_model_loads(engine_process: Start, tiny_model: Path) -> None:
    engine = engine_process()
    engine.send(encode(load(tiny_model)) + encode(write(1)) + encode(write(2)) + encode(Cancel(1)))
    done = engine.events.until(Done)
    assert (done.job, done.cancelled) == (1, True) and not engine.events.of(Ready)
    assert engine.events.until(Done).job == 2 and {event.job for event in engine.events.of(Finished)} == {2}


def test_a_waiting_job_is_cancelled_while_another_runs(engine: EngineProcess) -> None:
    engine.send(encode(write(1, most_tokens=1500)) + encode(write(2)))
    engine.events.until(Piece)
    engine.send(Cancel(2))
    done = engine.events.until(Done)
    assert (done.job, done.cancelled) == (2, True)
    engine.send(Cancel(1))
    assert engine.events.until(Done).job == 1


def test_a_cancel_while_decoding_ends_every_candidate_and_disturbs_no_later_job(engine: EngineProcess) -> None:
    engine.send(write(1, draw=3))
    engine.events.until(Done)
    expected = {event.candidate: event.text for event in engine.events.of(Finished)}
    engine.send(write(2, draw=4, most_tokens=1500, prompt=(Segment("年" * 200, False),)))
    engine.events.until(Piece, lambda piece: piece.job == 2)
    engine.send(encode(Cancel(2)) + encode(write(3, draw=3)))
    done = engine.events.until(Done)
    ends = [event.end for event in engine.events.of(Finished) if event.job == 2]
    assert (done.job, done.cancelled, ends) == (2, True, ["cancelled"] * 4)
    done = engine.events.until(Done)
    again = {event.candidate: event.text for event in engine.events.of(Finished) if event.job == 3}
    assert (done.job, done.cancelled, again) == (3, False, expected)


def test_a_cancel_while_the_prompt_is_read_ends_the_job(engine: EngineProcess) -> None:
    long = (Segment("年" * 1800, False),)
    for job in range(1, 6):
        engine.send(encode(write(job, prompt=long, most_tokens=200)) + encode(Cancel(job)))
        done = engine.events.until(Done)
        assert (done.job, done.cancelled) == (job, True)
    engine.send(write(9))
    assert not engine.events.until(Done).cancelled


def test_cancelling_what_has_ended_or_never_was_changes_nothing(engine: EngineProcess) -> None:
    engine.send(encode(Cancel(77)) + encode(write(1)))
    engine.events.until(Done)
    engine.send(encode(Cancel(1)) + encode(write(2)))
    done = engine.events.until(Done)
    assert (done.job, done.cancelled) == (2, False) and not engine.events.of(Failed)


def test_it_ends_at_once_when_its_input_closes_while_decoding(engine: EngineProcess) -> None:
    engine.send(write(1, draw=4, most_tokens=1500))
    engine.events.until(Piece)
    assert engine.process.stdin is not None
    began = time.monotonic()
    engine.process.stdin.close()
    assert engine.ended() == 0
    assert time.monotonic() - began < 2


def test_it_ends_when_its_input_closes_while_loading(engine_process: Start, tiny_model: Path) -> None:
    engine = engine_process()
    engine.send(load(tiny_model))
    assert engine.process.stdin is not None
    engine.process.stdin.close()
    assert engine.ended() == 0


def test_it_ends_when_nobody_reads_what_it_says(tiny_model: Path) -> None:
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    process = subprocess.Popen(
        [sys.executable, "-m", "app.engine.process"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(encode(load(tiny_model)) + encode(write(1, draw=64, most_tokens=1500)))
        process.stdin.flush()
        waiting = bytearray(4)
        deadline = time.monotonic() + PATIENCE
        while int.from_bytes(waiting, sys.byteorder) < 60_000:  # a pipe holds 64 KiB
            assert time.monotonic() < deadline
            time.sleep(0.02)
            fcntl.ioctl(process.stdout, termios.FIONREAD, waiting)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_an_interrupt_from_the_terminal_is_not_its_business(engine: EngineProcess) -> None:
    engine.send(write(1, most_tokens=200))
    engine.events.until(Piece)
    os.kill(engine.process.pid, signal.SIGINT)
    assert not engine.events.until(Done).cancelled


def test_what_native_code_prints_does_not_reach_the_events(engine_process: Start, tiny_model: Path) -> None:
    noisy = (
        "import os, threading, time\n"
        "def shout():\n"
        "    while True:\n"
        "        os.write(1, b'native noise\\n'); print('python noise', flush=True); time.sleep(0.001)\n"
        "from app.engine import process\n"
        "read = process._read_lines\n"
        "def begin(*arguments):\n"
        "    threading.Thread(target=shout, daemon=True).start()\n"
        "    read(*arguments)\n"
        "process._read_lines = begin\n"
        "process.main()\n"
    )
    engine = engine_process("-c", noisy)
    engine.send(encode(load(tiny_model)) + encode(write(1, most_tokens=200)))
    engine.events.until(Done)
    assert not engine.broken
    assert b"native noise" in engine.errors and b"python noise" in engine.errors


def test_a_step_that_fails_fails_its_jobs_and_the_next_is_written(engine_process: Start, tiny_model: Path) -> None:
    failing = (
        "from app.engine import batch, process\n"
        "step, failed = batch.Batch.step, []\n"
        "def fail(self):\n"
        "    if not failed:\n"
        "        failed.append(True)\n"
        "        raise MemoryError\n"
        "    yield from step(self)\n"
        "batch.Batch.step = fail\n"
        "process.main()\n"
    )
    engine = engine_process("-c", failing)
    engine.send(load(tiny_model))
    engine.send(write(1))
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (1, "out_of_memory")
    engine.send(write(2))
    assert engine.events.until(Done).job == 2


def test_what_a_person_typed_is_never_on_standard_error(engine: EngineProcess) -> None:
    secret = "王小明的秘密"
    engine.send(write(1, prompt=(Segment(secret, False),)))
    engine.events.until(Done)
    engine.send(write(2, prompt=(Segment(secret * 2000, False),)))
    engine.send(write(3, prompt=(Segment(secret, False), Segment("\ud800", False))))
    engine.send(line(type="Write", job=4, prompt=[[secret, "x"]], draw=1, seed=1))
    failures = [engine.events.until(Failed) for _ in range(3)]
    engine.process.stdin.close()  # type: ignore[union-attr]
    engine.ended()
    assert "秘密" not in engine.errors.decode("utf-8", "replace")
    assert not any("秘密" in failure.detail or "秘密" in failure.sentence.zh for failure in failures)


def test_too_little_memory_is_said_so(engine_process: Start, tiny_model: Path) -> None:
    pytest.importorskip("resource")
    limited = (
        "import resource\n"
        "from app.engine import process, opening\n"
        "from pathlib import Path\n"
        "pages = int(Path('/proc/self/statm').read_text().split()[0])\n"
        "limit = pages * resource.getpagesize() + (500 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "process.main()\n"
    )
    engine = engine_process("-c", limited)
    engine.send(load(tiny_model, context=1 << 20))  # a cache of 1 GB
    failed = engine.events.until(Failed)
    assert (failed.job, failed.code) == (None, "out_of_memory")
    engine.send(load(tiny_model))
    engine.send(write(1))
    engine.events.until(Done)


def test_it_does_not_outlive_a_parent_that_is_killed(tiny_model: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\n"
            "from pathlib import Path\n"
            "from app.compose.prompt import Segment\n"
            "from app.engine.client import EngineClient\n"
            "from app.engine.protocol import Piece, Sampling\n"
            "def tell(event):\n"
            "    if isinstance(event, Piece): print(client.pid, flush=True)\n"
            "client = EngineClient(Path(sys.argv[1]), on_event=tell)\n"
            "client.start()\n"
            "client.write((Segment('年', False),), 4, 1, Sampling(), 1500)\n"
            "time.sleep(600)\n",
            str(tiny_model),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + PATIENCE
    while alive(child):
        assert time.monotonic() < deadline, "the engine process outlived its parent"
        time.sleep(0.02)
