"""The client: jobs in order, deaths told and mended, nothing lost that was waiting, and a close that is quick."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.prompt import Segment
from app.engine.client import MOST_RESTARTS, EngineClient
from app.engine.protocol import Died, Done, Failed, Finished, Loading, Piece, Ready
from app.models.verify import sha256_of
from tests.engine.conftest import ENDLESS, PATIENCE, PROMPT, Events, alive

Make = Callable[..., tuple[EngineClient, Events]]


def ask(client: EngineClient, *, draw: int = 2, seed: int = 7, most_tokens: int = 12) -> int:
    return client.write(PROMPT, draw, seed, ENDLESS, most_tokens)


def dead(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.01)


def test_jobs_written_before_the_model_is_open_wait_in_order(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model, sha256=sha256_of(tiny_model))
    first = ask(engine)
    engine.start()
    second = ask(engine)
    assert [events.until(Done).job, events.until(Done).job] == [first, second]
    assert len(events.of(Ready)) == 1 and events.of(Loading)[-1].fraction == 1.0
    kinds = [type(event).__name__ for event in events.all]
    assert kinds.index("Ready") < kinds.index("Piece")


def test_the_same_request_gives_the_same_texts_after_a_restart(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    ask(engine)
    events.until(Done)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    events.until(Ready)
    ask(engine)
    events.until(Done)
    texts = [(event.candidate, event.text) for event in events.of(Finished)]
    assert sorted(texts[:2]) == sorted(texts[2:])


def test_a_killed_engine_fails_its_jobs_and_the_next_one_works(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    running, waiting = ask(engine, most_tokens=1500), ask(engine)
    events.until(Piece)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    died = events.until(Died)
    assert (died.exit_code, died.restarting) == (-9, True)
    assert "正在重新启动" in died.sentence.zh and "都还在" in died.sentence.zh
    failed = events.of(Failed)
    assert [(event.job, event.code) for event in failed] == [(running, "engine_died"), (waiting, "engine_died")]
    assert "SIGKILL" in failed[0].detail
    after = ask(engine)
    assert events.until(Done).job == after


def test_a_job_written_while_it_restarts_waits_for_it(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    events.until(Ready)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    events.until(Died)
    jobs = [ask(engine), ask(engine)]
    assert [events.until(Done).job for _ in jobs] == jobs
    assert not events.of(Failed)


def test_an_engine_that_keeps_dying_is_not_restarted_for_ever(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    for _ in range(MOST_RESTARTS):
        events.until(Ready)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        assert events.until(Died).restarting
    waiting = ask(engine)
    assert events.until(Ready) and events.until(Done).job == waiting
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    died = events.until(Died)
    assert not died.restarting and "4 次" in died.sentence.zh and "请" in died.sentence.zh
    late = ask(engine)
    failed = events.until(Failed)
    assert (failed.job, failed.code, failed.sentence) == (late, "engine_died", died.sentence)
    engine.start()  # a person who asks for it gets another attempt
    events.until(Ready)
    ask(engine)
    events.until(Done)


def test_a_model_that_cannot_be_opened_fails_what_waits(client: Make, tmp_path: Path) -> None:
    path = tmp_path / "空.gguf"
    path.touch()
    engine, events = client(path)
    job = ask(engine)
    engine.start()
    failed = events.until(Failed)
    assert (failed.job, failed.code) == (None, "model_empty")
    waiting = events.until(Failed)
    assert (waiting.job, waiting.code, waiting.sentence) == (job, "model_empty", failed.sentence)
    late = ask(engine)
    assert events.until(Failed).job == late
    assert not events.of(Died)


def test_a_model_put_in_place_is_opened_on_the_next_start(client: Make, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    engine, events = client(path)
    engine.start()
    assert events.until(Failed).code == "model_missing"
    path.write_bytes(tiny_model.read_bytes())
    engine.start()
    events.until(Ready)


def test_a_waiting_job_is_cancelled_at_once(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    job = ask(engine)
    engine.cancel(job)
    engine.start()
    done = events.until(Done)
    assert (done.job, done.cancelled) == (job, True) and not events.of(Ready)


def test_a_running_job_is_cancelled_and_the_next_is_undisturbed(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    job = ask(engine, most_tokens=1500)
    events.until(Piece)
    engine.cancel(job)
    engine.cancel(job)
    after = ask(engine)
    done = events.until(Done)
    assert (done.job, done.cancelled) == (job, True)
    done = events.until(Done)
    assert (done.job, done.cancelled) == (after, False)
    engine.cancel(after)
    engine.cancel(999)
    ask(engine)
    assert not events.until(Done).cancelled


def test_an_engine_that_does_not_stop_when_told_is_killed(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    job = ask(engine, most_tokens=1500)
    events.until(Piece)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
    engine.cancel(job)
    done = events.until(Done)
    assert (done.job, done.cancelled) == (job, True)
    died = events.until(Died)
    assert died.restarting and "没有反应" in died.sentence.zh
    ask(engine)
    assert not events.until(Done).cancelled


@pytest.mark.parametrize("frozen", [False, True])
def test_closing_ends_the_process_within_two_seconds(client: Make, tiny_model: Path, frozen: bool) -> None:
    engine, events = client(tiny_model)
    engine.start()
    ask(engine, most_tokens=1500)
    events.until(Piece)
    pid = engine.pid
    assert pid is not None
    if frozen:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 2.0
    dead(pid)


def test_closing_while_loading_ends_the_process_and_says_no_more(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    events.until(Loading)
    pid = engine.pid
    assert pid is not None
    engine.close()
    dead(pid)
    engine.close()


def test_closing_one_never_started_is_harmless(client: Make, tiny_model: Path) -> None:
    engine, _ = client(tiny_model)
    ask(engine)
    engine.close()


def test_no_call_waits_for_an_engine_that_reads_nothing(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    events.until(Ready)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
    began = time.monotonic()
    for _ in range(500):  # far more than a pipe holds
        engine.cancel(ask(engine))
    assert time.monotonic() - began < 1.0


def test_a_job_too_large_for_the_pipe_is_refused_by_its_number(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    job = engine.write((Segment("祝" * 1_000_000, False),), 1, 1, ENDLESS)
    failed = events.until(Failed)
    assert (failed.job, failed.code) == (job, "prompt_too_long")
    ask(engine)
    events.until(Done)


def test_what_no_message_can_carry_is_refused_to_the_caller(client: Make, tiny_model: Path) -> None:
    engine, _ = client(tiny_model)
    with pytest.raises(TypeError):
        engine.write((Segment(Path("a"), False),), 1, 1, ENDLESS)  # type: ignore[arg-type]


def test_a_job_of_the_wrong_kind_is_answered(client: Make, tiny_model: Path) -> None:
    engine, events = client(tiny_model)
    engine.start()
    job = engine.write(PROMPT, 2.5, 1, ENDLESS)  # type: ignore[arg-type]
    failed = events.until(Failed)
    assert (failed.job, failed.code) == (job, "bad_request")


def test_a_receiver_that_fails_does_not_end_the_client(tiny_model: Path) -> None:
    done = threading.Event()

    def receive(event: object) -> None:
        if isinstance(event, Done):
            done.set()
        raise ValueError("a fault in the window")

    engine = EngineClient(tiny_model, threads=1, on_event=receive)
    engine.start()
    try:
        ask(engine)
        assert done.wait(PATIENCE)
    finally:
        engine.close()


def test_a_program_that_cannot_be_started_is_said_so(client: Make, tiny_model: Path, tmp_path: Path) -> None:
    engine, events = client(tiny_model, command=[str(tmp_path / "nothing")])
    job = ask(engine)
    engine.start()
    died = events.until(Died)
    assert not died.restarting and "启动不了" in died.sentence.zh
    assert [event.job for event in events.of(Failed)] == [job]


def test_a_program_that_talks_nonsense_is_ended_and_given_up(client: Make, tiny_model: Path) -> None:
    nonsense = [sys.executable, "-c", "import time; print('Hello!', flush=True); time.sleep(600)"]
    engine, events = client(tiny_model, command=nonsense)
    engine.start()
    died = events.until(Died, lambda died: not died.restarting)
    assert died.exit_code == -9 and len(events.of(Died)) == MOST_RESTARTS + 1


def test_a_death_while_opening_on_a_gpu_leads_to_the_cpu_with_the_reason(client: Make, tiny_model: Path) -> None:
    """The engine itself, but for a GPU that takes the process with it, as one without enough memory can."""
    crashing = (
        "import os\n"
        "from app.engine import process\n"
        "from app.engine.protocol import Loading\n"
        "load = process.Engine._load\n"
        "def fall(self, command):\n"
        "    if command.device == 'auto':\n"
        "        self._wire.send(Loading(0.1, 'CUDA0 NVIDIA Test'))\n"
        "        os.abort()\n"
        "    load(self, command)\n"
        "process.Engine._load = fall\n"
        "process.main()\n"
    )
    engine, events = client(tiny_model, command=[sys.executable, "-c", crashing])
    job = ask(engine)
    engine.start()
    died = events.until(Died)
    assert (died.exit_code, died.restarting) == (-6, True) and "CPU" in died.sentence.zh
    ready = events.until(Ready)
    assert ready.device == "CPU" and "NVIDIA Test" in ready.reason.zh
    assert events.until(Done).job == job and not events.of(Failed)


def test_deaths_before_a_gpu_is_named_lead_to_the_cpu(client: Make, tiny_model: Path) -> None:
    """A driver can take the process with it as soon as it is asked what there is."""
    crashing = (
        "import os\n"
        "from app.engine import process\n"
        "load = process.Engine._load\n"
        "process.Engine._load = lambda self, it: os.abort() if it.device == 'auto' else load(self, it)\n"
        "process.main()\n"
    )
    engine, events = client(tiny_model, command=[sys.executable, "-c", crashing])
    job = ask(engine)
    engine.start()
    first, second = events.until(Died), events.until(Died)
    assert "CPU" not in first.sentence.zh and "CPU" in second.sentence.zh
    ready = events.until(Ready)
    assert ready.device == "CPU" and "查找显卡" in ready.reason.zh
    assert events.until(Done).job == job


@pytest.mark.parametrize(("device", "seen"), [("cpu", ",,,,"), ("auto", "0,0,,,")])
def test_where_only_the_cpu_is_wanted_no_gpu_is_shown(
    client: Make, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, seen: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    telling = (
        f"import os; open({str(tmp_path / 'seen')!r}, 'a').write(os.environ['CUDA_VISIBLE_DEVICES'] + ','); exit(3)"
    )
    engine, events = client(tiny_model, command=[sys.executable, "-c", telling], device=device)
    engine.start()
    events.until(Died, lambda died: not died.restarting)
    assert (tmp_path / "seen").read_text() == seen


def test_a_client_that_fell_over_is_started_again(
    client: Make, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more threads to be had, for want of memory or by a limit."""
    started = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if "_listen" in thread.name:
            raise RuntimeError("can't start new thread")
        started(thread)

    engine, events = client(tiny_model)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    engine.start()
    died = events.until(Died)
    assert not died.restarting and "启动不了" in died.sentence.zh
    monkeypatch.undo()
    engine.start()
    events.until(Ready)
    job = ask(engine)
    assert events.until(Done).job == job


def test_what_the_process_last_wrote_is_kept_for_a_report_and_bounded(client: Make, tiny_model: Path) -> None:
    talking = [sys.executable, "-c", "import sys; sys.stderr.write('x' * 100_000 + 'the end'); sys.exit(3)"]
    engine, events = client(tiny_model, command=talking)
    engine.start()
    events.until(Died, lambda died: not died.restarting)
    assert engine.chatter.endswith("the end") and len(engine.chatter) < 20_000
