"""Everything ``bench`` measures, in one run and in turns, so that what is compared has met the same machine."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.commands.bench_aims import DECODING, LOOP, PEER, TRIMMED, UNTRIMMED, aims, as_figures
from app.commands.bench_engine import Ours, Peer, Timing, together
from app.commands.bench_machine import Frames, Steadiness, copy_bandwidth, weights_a_token
from app.commands.bench_memory import growth, resident_by_greetings
from app.commands.bench_stops import stop_latencies
from app.commands.model_choice import ModelChoice, choose_model
from app.compose.catalog import load_catalog
from app.compose.prompt import prompt_segments
from app.compose.request import GreetingRequest, make_request
from app.engine.threads import counts_worth_trying, usable_cores
from app.models.folders import base_path, models_folder
from app.models.manifest import load_manifest
from app.models.merge import merge_model
from app.program import ROOT, command

SEQUENCES = (1, 3, 8, 16)
ASKED = (
    {"relationship": "parents", "tone": "warm", "address": "妈", "details": ["今年没能回家"]},
    {"relationship": "boss", "tone": "formal", "address": "王总", "signature": "小李"},
    {"relationship": "close_friend", "tone": "playful", "address": "阿哲", "zodiac": "羊", "details": ["刚升职"]},
)
AT_ONCE, ONE_BY_ONE = ", asked for at once", ", one by one"
QUIET_SECONDS = 2.0  # of the window's frames with nothing running, to compare with


@dataclass
class Measured:
    """What is measured, under the name it is printed with: each time of it, or one figure of the memory."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)  # tokens a second
    memory: dict[str, float] = field(default_factory=dict)
    steady: Steadiness = field(default_factory=Steadiness)


class Bench:
    """One run, of what the options ask for."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._catalog = load_catalog()
        self._choice = choose_model(options.model)
        self._requests = [make_request(self._catalog, fields) for fields in ASKED]
        self._measured = Measured()

    def figures(self) -> dict[str, Any]:
        """Measure it all.

        Raises:
            ExplainedError: the model cannot be opened, or the engine fails.
        """
        measured, options = self._measured, self._options
        runs = options.runs
        if not options.no_window:
            # The first start fills the disk's cache, and is not counted.
            measured.seconds["window, first paint"] = [_first_paint() for _ in range(runs + 1)][1:]
        measured.seconds["model open (hash checked)"] = [self._opened_in() for _ in range(runs + 1)][1:]
        self._threads()
        with ExitStack() as opened:
            ours = opened.enter_context(self._ours())
            self._rates(ours, opened)
            self._frames(ours)
            if options.recipients:
                self._recipients(ours)
            if options.stops:
                prompt = prompt_segments(self._requests[0], self._catalog)
                measured.milliseconds |= stop_latencies(self._ours, ours, prompt, options.stops)
            self._memory(ours)
            ready = ours.ready
        needed = weights_a_token(self._choice.path)
        bound = copy_bandwidth(ready.threads) / needed
        ratios = quotients(measured.rates, bound)
        return {
            "seconds": measured.seconds,
            "milliseconds": measured.milliseconds,
            "tokens a second": measured.rates,
            "ratios": {name: round(value, 2) for name, value in (ratios | _one_by_one(measured.seconds)).items()},
            "memory": measured.memory,
            "machine": {
                "device": ready.device,
                "threads": ready.threads,
                "model": self._choice.path.name,
                "model, MB": round(self._choice.path.stat().st_size / 1e6, 1),
                "weights a token, MB": round(needed / 1e6, 1),
                "tokens/s that memory allows": round(bound, 1),
                **{f"fixed work, {name}": value for name, value in measured.steady.summary().items()},
            },
            "aims": as_figures(aims(ratios, measured.memory, measured.milliseconds)),
        }

    def _ours(self, threads: int | None = None) -> Ours:
        """The app's engine with as many threads as what it is compared with, and as it begins with itself: it would
        otherwise try other numbers of them beside what is measured."""
        choice, used = self._choice, threads or usable_cores()
        return Ours(choice.path, choice.sha256, self._options.device, self._catalog, choice.sampling, used)

    def _opened_in(self) -> float:
        with self._ours() as ours:
            return ours.opened_in

    def _threads(self) -> None:
        """How fast eight sequences are with each number of threads among which the engine chooses."""
        for count in counts_worth_trying():
            with self._ours(count) as ours:
                self._measured.steady.look()
                self._each(ours, 8, 0)
                self._measured.rates[f"sequences: 8, threads: {count}"] = [self._each(ours, 8, 1).rate]

    def _rates(self, ours: Ours, opened: ExitStack) -> None:
        """Tokens a second, in rounds: some sequences at once, beside one text after another by the high-level call."""
        engines: dict[str, tuple[Ours | Peer, int]] = {TRIMMED.format(count): (ours, count) for count in SEQUENCES}
        if not self._options.no_peer:
            choice = self._choice
            threads = usable_cores()
            peer = opened.enter_context(Peer(choice.path, self._catalog, choice.sampling, threads))
            engines[PEER] = (peer, 1)
            untrimmed = opened.enter_context(_untrimmed(choice))
            if untrimmed is not None:
                whole = Ours(untrimmed, None, self._options.device, self._catalog, choice.sampling, threads)
                engines[UNTRIMMED] = (opened.enter_context(whole), 1)
                engines[LOOP] = (opened.enter_context(Peer(untrimmed, self._catalog, choice.sampling, threads)), 1)
        seconds, rates, draw = self._measured.seconds, self._measured.rates, self._choice.draw
        first, click, three = "first characters", f"three greetings ({draw} drawn)", "three sequences"
        again = "first characters, another person"
        for number in range(self._options.runs + 1):
            timings: dict[str, Timing] = {}
            for name, (engine, count) in engines.items():
                self._measured.steady.look()
                timings[name] = self._each(engine, count, number)
            clicks = [ours.write([request], draw, number) for request in self._requests]
            # The same choices for somebody else: what both prompts begin with is kept. The first has nothing to keep.
            _, *others = [ours.write([self._addressed(0, name)], draw, number) for name in ("爸", "奶奶", "姥爷")]
            if number == 0:  # warms up, and is not counted
                continue
            for name, timing in timings.items():
                rates.setdefault(name, []).append(timing.rate)
                if isinstance(engines[name][0], Ours):
                    rates.setdefault(name + DECODING, []).append(timing.decode_rate)
            seconds.setdefault(first, []).extend(timing.first for timing in clicks)
            seconds.setdefault(again, []).extend(timing.first for timing in others)
            seconds.setdefault(click, []).extend(timing.seconds for timing in clicks)
            seconds.setdefault(three, []).append(timings[TRIMMED.format(3)].seconds / len(self._requests))

    def _each(self, engine: Ours | Peer, draw: int, seed: int) -> Timing:
        """The requests one after the other, ``draw`` texts of each."""
        return together([engine.write([request], draw, seed) for request in self._requests])

    def _frames(self, ours: Ours) -> None:
        """How late a window's frames would be while texts are written beside it."""
        with Frames() as quiet:
            time.sleep(QUIET_SECONDS)
        with Frames() as busy:
            for request in self._requests:
                ours.write([request], self._choice.draw, 1)
        self._measured.milliseconds["frame late, nothing running"] = quiet.late
        self._measured.milliseconds["frame late, while writing"] = busy.late

    def _recipients(self, ours: Ours) -> None:
        """A text for each of many people: asked for together, and a part of them one by one."""
        count = self._options.recipients
        people = self._people(count)
        self._measured.steady.look()
        together = ours.write(people, 1, 1)
        some = people[: max(1, count // 5)]
        alone = [ours.write([person], 1, 1).seconds for person in some]
        drawn = some[: max(1, count // 10)]
        click = [ours.write([person], self._choice.draw, 1).seconds for person in drawn]
        clicks = ours.write(drawn, self._choice.draw, 1)
        draw = self._choice.draw
        self._measured.seconds |= {
            f"{count} people, a text each": [together.seconds],
            f"a person{AT_ONCE}": [together.seconds / count],
            f"a person{ONE_BY_ONE}": [sum(alone) / len(some)],
            f"a person, {draw} drawn{AT_ONCE}": [clicks.seconds / len(drawn)],
            f"a person, {draw} drawn{ONE_BY_ONE}": [sum(click) / len(drawn)],
        }

    def _memory(self, ours: Ours) -> None:
        """What the engine holds; after many greetings too, where they are asked for."""
        memory = self._measured.memory
        people = self._people(self._options.greetings // 8 + 1)
        resident = resident_by_greetings(ours, people, self._options.greetings)
        memory |= {f"after {written} greetings, MB": round(size / 1e6, 1) for written, size in resident.items()}
        if len(resident) > 2:
            memory["growth, kB a greeting"] = round(growth(resident) / 1e3, 2)
        memory |= {f"{name}, MB": round(size / 1e6, 1) for name, size in (ours.memory() or {}).items()}

    def _people(self, count: int) -> list[GreetingRequest]:
        names = [f"{'赵钱孙李周吴郑王'[number % 8]}{'明华丽强'[number // 8 % 4]}" for number in range(count)]
        return [self._addressed(number, name) for number, name in enumerate(names)]

    def _addressed(self, number: int, name: str) -> GreetingRequest:
        return make_request(self._catalog, {**ASKED[number % len(ASKED)], "address": name})


def quotients(rates: dict[str, list[float]], bound: float) -> dict[str, float]:
    """How many times as fast one is as another: the median over the rounds, each of which met one machine.

    Args:
        rates: tokens a second in each round; what was not measured in rounds is not compared.
        bound: the tokens a second that memory allows.
    """
    one, alone = TRIMMED.format(1), TRIMMED.format(1) + DECODING
    pairs = [(TRIMMED.format(count), one) for count in SEQUENCES[1:]]
    pairs += [(one, UNTRIMMED), (alone, UNTRIMMED + DECODING)]
    pairs += [(TRIMMED.format(count), peer) for peer in (PEER, LOOP) for count in SEQUENCES]
    found = {"one sequence / what memory allows": statistics.median(rates.get(alone, rates[one])) / bound}
    for first, second in pairs:
        if second in rates:
            each = (a / b for a, b in zip(rates[first], rates[second], strict=True))
            found[f"{first} / {second}"] = statistics.median(each)
    return found


def _one_by_one(seconds: dict[str, list[float]]) -> dict[str, float]:
    found = {}
    for name in seconds:
        if name.endswith(AT_ONCE):
            (at_once,), (alone,) = seconds[name], seconds[name.replace(AT_ONCE, ONE_BY_ONE)]
            found[f"{name.replace(AT_ONCE, ONE_BY_ONE)} / at once"] = alone / at_once
    return found


@contextmanager
def _untrimmed(choice: ModelChoice) -> Iterator[Path | None]:
    """The installed model merged with its whole vocabulary, in a place of its own; None where its base is not there."""
    manifest = load_manifest()
    base = base_path(models_folder(), manifest.base)
    if not base.is_file() or choice.path.name != manifest.built.file:
        yield None
        return
    with tempfile.TemporaryDirectory(dir=models_folder()) as folder:
        out = Path(folder) / "untrimmed.gguf"
        merge_model(base, manifest.adapter, out, vocabulary=None, seed=manifest.built.seed, metadata={})
        yield out


def _first_paint() -> float:
    """Seconds from starting a process to its window's first paint; on no screen when there is none."""
    environment = dict(os.environ)
    if sys.platform.startswith("linux") and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    start = time.perf_counter()
    child = subprocess.Popen(
        command("--report-first-paint"),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    line = child.stdout.readline()
    painted = time.perf_counter() - start
    child.wait(timeout=60)
    if line.strip() != b"painted":
        raise RuntimeError(f"the window did not report its first paint: {line!r}")
    return painted
