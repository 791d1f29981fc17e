"""``python -m app bench``: how long a person waits, and how that compares, medians of several runs.

The window's time is from starting a new Python process to its first paint; the words' time is from asking to the first
characters, with the model open. Beside it, in turns in the same run, llama-cpp-python's own high-level call writes one
text after another with the same file, and with base and adapter merged without trimming where the base is there.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from app.commands.bench_engine import REPOSITORY, Ours, Peer, Timing
from app.commands.bench_machine import Steadiness, copy_bandwidth, weights_a_token
from app.commands.model_choice import ModelChoice, choose_model
from app.compose.catalog import Catalog, load_catalog
from app.compose.request import GreetingRequest, make_request
from app.compose.sentence import ExplainedError
from app.engine.threads import usable_cores
from app.models.folders import models_folder
from app.models.manifest import load_manifest
from app.models.merge import merge_model

SEQUENCES = (1, 3, 8, 16)
ASKED = (
    {"relationship": "parents", "tone": "warm", "address": "妈", "details": ["今年没能回家"]},
    {"relationship": "boss", "tone": "formal", "address": "王总", "signature": "小李"},
    {"relationship": "close_friend", "tone": "playful", "address": "阿哲", "zodiac": "羊", "details": ["刚升职"]},
)


def add_parser(subparsers: Any) -> None:
    """Add ``bench`` to the program's commands."""
    parser = subparsers.add_parser("bench", help="量一量有多快 (measure speed)")
    parser.add_argument("--runs", type=int, default=5, help="每项量几次，默认 5")
    parser.add_argument("--recipients", type=int, default=100, help="群发量多少人，默认 100；0 不量")
    parser.add_argument("--model", type=Path, metavar="FILE", help="用这个 GGUF 文件")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto")
    parser.add_argument("--no-window", action="store_true", help="不量窗口 (skip the window)")
    parser.add_argument("--no-peer", action="store_true", help="不和别的比 (skip what is compared with)")
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    """Measure and print. Returns 1 when the model cannot be opened."""
    try:
        figures = _measure(options)
    except ExplainedError as error:
        print(error.sentence.zh, error.sentence.en, sep="\n", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
        return 0
    for unit in ("seconds", "tokens a second"):
        print(f"{unit:44}{'median':>9}{'min':>9}{'max':>9}")
        for name, values in figures[unit].items():
            print(f"  {name:42}{statistics.median(values):9.2f}{min(values):9.2f}{max(values):9.2f}")
    for part in ("ratios", "memory", "machine"):
        print(part)
        for name, value in figures[part].items():
            print(f"  {name:42}{value:>9}")
    return 0


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    catalog = load_catalog()
    choice = choose_model(options.model)
    requests = [make_request(catalog, fields) for fields in ASKED]
    steady = Steadiness()
    seconds: dict[str, list[float]] = {}
    if not options.no_window:
        # The first start fills the disk's cache, and is not counted.
        seconds["window, first paint"] = [_first_paint() for _ in range(options.runs + 1)][1:]
    seconds["model open (hash checked)"] = [
        _opened_in(choice, options.device, catalog) for _ in range(options.runs + 1)
    ][1:]
    with ExitStack() as open_ones:
        ours = open_ones.enter_context(_ours(choice, options.device, catalog))
        peers: dict[str, Peer] = {}
        if not options.no_peer:
            peers["high-level call"] = open_ones.enter_context(Peer(choice.path, catalog, choice.sampling))
            untrimmed = open_ones.enter_context(_untrimmed(choice))
            if untrimmed is not None:
                peer = Peer(untrimmed, catalog, choice.sampling)
                peers["high-level call, untrimmed"] = open_ones.enter_context(peer)
        rates: dict[str, list[float]] = {}
        first, click = [], []
        for number in range(options.runs + 1):
            round_rates: dict[str, Timing] = {}
            for count in SEQUENCES:
                steady.look()
                round_rates[f"sequences: {count}"] = _each(ours, requests, count, number)
            for name, peer in peers.items():
                steady.look()
                round_rates[name] = _each(peer, requests, 1, number)
            drawn = [ours.write([request], choice.draw, number) for request in requests]
            if number:  # what the first round warms up is not counted
                for name, timing in round_rates.items():
                    rates.setdefault(name, []).append(timing.rate)
                first += [timing.first for timing in drawn]
                click += [timing.seconds for timing in drawn]
        seconds["first characters"] = first
        seconds[f"three greetings ({choice.draw} drawn)"] = click
        if options.recipients:
            steady.look()
            _recipients(ours, catalog, options.recipients, seconds)
        memory = ours.memory() or {}
        ready = ours.ready
    needed = weights_a_token(choice.path)
    bound = copy_bandwidth(ready.threads or usable_cores()) / needed
    return {
        "seconds": seconds,
        "tokens a second": rates,
        "ratios": _ratios(rates, seconds, bound, options.recipients),
        "memory": {f"{name}, MB": round(value / 1e6) for name, value in memory.items()},
        "machine": {
            "device": ready.device,
            "threads": ready.threads,
            "model": choice.path.name,
            "model, MB": round(choice.path.stat().st_size / 1e6, 1),
            "weights a token, MB": round(needed / 1e6, 1),
            "tokens/s that memory allows": round(bound, 1),
            **{f"fixed work, {name}": value for name, value in steady.summary().items()},
        },
    }


def _ours(choice: ModelChoice, device: str, catalog: Catalog) -> Ours:
    return Ours(choice.path, choice.sha256, device, catalog, choice.sampling)


def _opened_in(choice: ModelChoice, device: str, catalog: Catalog) -> float:
    with _ours(choice, device, catalog) as ours:
        return ours.opened_in


def _each(engine: Ours | Peer, requests: list[GreetingRequest], draw: int, seed: int) -> Timing:
    """The requests one after the other, ``draw`` texts of each."""
    timings = [engine.write([request], draw, seed) for request in requests]
    return Timing(sum(one.tokens for one in timings), sum(one.seconds for one in timings), timings[0].first)


def _recipients(ours: Ours, catalog: Catalog, count: int, seconds: dict[str, list[float]]) -> None:
    """A text for each of many people: asked for together, and a part of them one by one."""
    names = [f"{'赵钱孙李周吴郑王'[number % 8]}{'明华丽强'[number // 8 % 4]}" for number in range(count)]
    people = [
        make_request(catalog, {**ASKED[number % len(ASKED)], "address": name}) for number, name in enumerate(names)
    ]
    together = ours.write(people, 1, 1)
    seconds["a person, all asked for at once"] = [together.seconds / count]
    some = people[: max(1, count // 5)]
    seconds["a person, one by one"] = [sum(ours.write([person], 1, 1).seconds for person in some) / len(some)]


def _ratios(
    rates: dict[str, list[float]], seconds: dict[str, list[float]], bound: float, recipients: int
) -> dict[str, float]:
    median = {name: statistics.median(values) for name, values in rates.items()}
    one = median["sequences: 1"]
    found = {"one sequence / what memory allows": one / bound}
    for name, rate in median.items():
        if name.startswith("sequences: ") and name != "sequences: 1":
            found[f"{name} / one"] = rate / one
    for peer in [name for name in median if name.startswith("high-level")]:
        for count in SEQUENCES:
            found[f"sequences: {count} / {peer}"] = median[f"sequences: {count}"] / median[peer]
    if recipients:
        found["a person one by one / at once"] = (
            seconds["a person, one by one"][0] / seconds["a person, all asked for at once"][0]
        )
    return {name: round(value, 2) for name, value in found.items()}


@contextmanager
def _untrimmed(choice: ModelChoice) -> Iterator[Path | None]:
    """The installed model merged with its whole vocabulary, in a place of its own; None where its base is not there."""
    manifest = load_manifest()
    base = models_folder() / "base" / manifest.base.file
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
        [sys.executable, "-m", "app", "--report-first-paint"],
        cwd=REPOSITORY,
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
