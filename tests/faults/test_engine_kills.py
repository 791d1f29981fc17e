"""The engine process killed a hundred times, at any moment: it comes back, and writes what it would have written.

Somebody insists on the same request through each kill: what failed is asked for again, and an engine that has died too
often is opened again by hand, as the window offers it.
"""

import gc
import math
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.compose.prompt import Segment
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Failed, Finished, Loading, Piece, Ready
from tests.engine.conftest import ENDLESS, PATIENCE, PROMPT, Events, alive
from tests.hub_server import until
from tests.tally import Tally

KILLS = 100
MOMENTS = ("loading", "prompt", "decoding", "idle")
LEAST = KILLS // 10  # kills that really came in each of the moments
MOST_PIECES = 60  # seen before a kill while decoding; there are three times as many
MOST_IDLE = 0.05  # seconds between the end of a job and the kill
RESTING = 1.0  # seconds without any work, after which an engine is taken to have none
SEED = 20270206

Texts = dict[int, str]  # by candidate


@dataclass(frozen=True)
class Request:
    """What is asked of the engine."""

    prompt: tuple[Segment, ...]
    seed: int
    draw: int = 2
    most_tokens: int = 90


def requests_for(moment: str) -> tuple[Request, ...]:
    """Three, of which no two in a row share a prompt: the engine would keep it. To be hit in its prompt, a long one."""
    subject = "年" * 1500 if moment == "prompt" else "关系：挚友"
    return tuple(
        Request((*PROMPT[:1], Segment(f"user\n第{number}位\n{subject}", False), *PROMPT[2:]), number)
        for number in range(3)
    )


class Person:
    """Somebody who uses one engine client."""

    def __init__(self, model: Path) -> None:
        self.events = Events()
        self.engine = EngineClient(model, threads=1, on_event=self.events.put)

    def ask(self, request: Request) -> int:
        """Ask for a request; the number of the job."""
        return self.engine.write(request.prompt, request.draw, request.seed, ENDLESS, request.most_tokens)

    def answer(self, job: int) -> Done | Failed:
        """Wait until a job is answered."""
        return self.events.until(Done | Failed, lambda event: event.job == job)  # type: ignore[arg-type]

    def texts(self, job: int, request: Request) -> Texts:
        """The texts of a job once it is done; one that fails is asked for once more."""
        if isinstance(self.answer(job), Failed):
            job = self.ask(request)
            assert isinstance(self.answer(job), Done)
        return {event.candidate: event.text for event in self.events.of(Finished) if event.job == job}

    def pid(self) -> int:
        """The process there is, as soon as there is one."""
        until(lambda: self.engine.pid, PATIENCE)
        assert self.engine.pid is not None
        return self.engine.pid


@dataclass(frozen=True)
class Unkilled:
    """What an engine that nobody kills does: its texts, and the seconds of a processor it takes to open the model and
    to read a long prompt. Those are as many however busy the machine is."""

    texts: dict[Request, Texts]
    opening: float
    reading: float


def worked(pid: int) -> float:
    """Seconds of a processor that a process has used; of one that is gone, endless."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return math.inf
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime: proc(5)


@pytest.fixture(scope="module")
def unkilled(tiny_model: Path) -> Unkilled:
    person = Person(tiny_model)
    person.engine.start()
    person.events.until(Ready)
    pid = person.pid()
    opening, readings, texts = worked(pid), [], {}
    for request in dict.fromkeys(request for moment in MOMENTS for request in requests_for(moment)):
        before = worked(pid)
        job = person.ask(request)
        person.events.until(Piece)
        if request in requests_for("prompt"):
            readings.append(worked(pid) - before)
        texts[request] = person.texts(job, request)
    person.engine.close()
    return Unkilled(texts, opening, min(readings))


def wait_for_work(pid: int, seconds: float) -> None:
    """Wait until a process has used a processor for so long, or rests: it has done the same with less."""
    end = time.monotonic() + PATIENCE
    last, since = worked(pid), time.monotonic()
    while last < seconds and time.monotonic() < min(end, since + RESTING):
        time.sleep(0.01)
        if (now := worked(pid)) != last:
            last, since = now, time.monotonic()
    assert time.monotonic() < end, f"{pid} neither works for {seconds} s nor rests"


def reach(person: Person, moment: str, job: int, drawn: random.Random, unkilled: Unkilled) -> None:
    """Wait for a moment of a job."""
    pid = person.pid()
    if moment == "loading":
        if drawn.random() < 0.5:
            wait_for_work(pid, drawn.random() * unkilled.opening)
        else:
            fraction = drawn.random()
            person.events.until(Loading, lambda loading: loading.fraction >= fraction)
    elif moment == "prompt":
        wait_for_work(pid, worked(pid) + drawn.random() * unkilled.reading)
    elif moment == "decoding":
        for _ in range(drawn.randint(1, MOST_PIECES)):
            person.events.until(Piece, lambda piece: piece.job == job)
    else:
        assert isinstance(person.answer(job), Done)
        time.sleep(drawn.random() * MOST_IDLE)


def struck(person: Person, since: int, job: int) -> str:
    """What the engine was doing when it died, told by what it had said of the job."""
    seen = person.events.all[since:]
    if any(isinstance(event, Done) and event.job == job for event in seen):
        return "idle"
    if any(isinstance(event, Piece) and event.job == job for event in seen):
        return "decoding"
    opened = any(isinstance(event, Ready) for event in person.events.all)
    return "prompt" if opened else "loading"


def assert_only_a_beginning_was_shown(person: Person, job: int, expected: Texts) -> None:
    """What the person has seen of a job that was never finished is how its texts begin."""
    for candidate, text in expected.items():
        pieces = [event for event in person.events.of(Piece) if (event.job, event.candidate) == (job, candidate)]
        assert text.startswith("".join(piece.text for piece in pieces))


def kill_and_recover(
    person: Person, moment: str, request: Request, drawn: random.Random, unkilled: Unkilled
) -> tuple[str, str]:
    """One kill, after which the request is written. Returns what the engine was doing, and how it came back."""
    since, expected = len(person.events.all), unkilled.texts[request]
    job = person.ask(request)
    if moment == "loading":
        person.engine.start()
    pid = person.pid()
    reach(person, moment, job, drawn, unkilled)
    os.kill(pid, signal.SIGKILL)
    # Half of those who see a finished text press the button again before anybody knows that the engine is dead.
    pressed = person.ask(request) if moment == "idle" and drawn.random() < 0.5 else None
    died = person.events.until(Died)
    doing = struck(person, since, job)
    assert died.exit_code == -signal.SIGKILL and "都还在" in died.sentence.zh and died.sentence.en
    assert_only_a_beginning_was_shown(person, job, expected)
    failed = {event.job: event for event in person.events.all[since:] if isinstance(event, Failed)}
    assert (job in failed) == (doing in ("prompt", "decoding")), f"{doing}: {failed}"
    assert all(event.code == "engine_died" and event.sentence.zh for event in failed.values())
    if not died.restarting:
        person.engine.start()
    if doing == "loading":
        current = job  # it has waited
    elif pressed is not None and pressed not in failed:
        current = pressed
    else:
        current = person.ask(request)
    assert person.texts(current, request) == expected
    assert not alive(pid)
    return doing, "by itself" if died.restarting else "opened again by hand"


@pytest.fixture
def people(tiny_model: Path) -> Iterator["list[Person]"]:
    """Those who used the engine, one after the other; all their engines are closed at the end."""
    made: list[Person] = []
    yield made
    for person in made:
        person.engine.close()


def open_descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="kills with POSIX signals, counts as Linux does")
@pytest.mark.timeout(1500)
def test_a_hundred_kills_are_a_hundred_recoveries(
    people: list[Person], tiny_model: Path, unkilled: Unkilled, tally: Tally
) -> None:
    drawn = random.Random(SEED)
    moments = list(MOMENTS) * (KILLS // len(MOMENTS))
    drawn.shuffle(moments)
    before = open_descriptors()
    moments_hit: Counter[str] = Counter()
    ways_back: Counter[str] = Counter()
    people.append(Person(tiny_model))
    people[-1].engine.start()
    people[-1].events.until(Ready)
    for number, moment in enumerate(moments):
        if moment == "loading":  # of an engine that has not been opened
            people[-1].engine.close()
            people.append(Person(tiny_model))
        request = requests_for(moment)[number % 3]
        doing, way = kill_and_recover(people[-1], moment, request, drawn, unkilled)
        moments_hit[doing] += 1
        ways_back[way] += 1
    people[-1].engine.close()
    for moment in MOMENTS:
        tally.count("engine kills", moment, moments_hit[moment])
    for way, times in ways_back.items():
        tally.count("recoveries with the request and its texts intact", way, times)
    assert moments_hit.total() == ways_back.total() == KILLS
    assert min(moments_hit[moment] for moment in MOMENTS) >= LEAST, moments_hit
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("engine ")])
    assert open_descriptors() <= before, "pipes of dead engines pile up"
