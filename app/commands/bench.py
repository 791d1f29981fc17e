"""``python -m app bench``: how long a person waits, measured from outside, medians of several runs.

The window's time is from starting a new Python process to its first paint; the words' time is from pressing the button
to the first characters, with the model open.
"""

import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.commands.model_choice import choose_model
from app.commands.writer import EngineError
from app.compose.catalog import load_catalog
from app.compose.prompt import prompt_segments
from app.compose.request import make_request
from app.compose.sentence import ExplainedError
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Event, Failed, Finished, Piece, Ready

REPOSITORY = Path(__file__).resolve().parents[2]
REQUESTS = (
    {"relationship": "parents", "tone": "warm", "address": "妈", "details": ["今年没能回家"]},
    {"relationship": "boss", "tone": "formal", "address": "王总", "signature": "小李"},
    {"relationship": "close_friend", "tone": "playful", "address": "阿哲", "zodiac": "羊", "details": ["刚升职"]},
)


def add_parser(subparsers: Any) -> None:
    """Add ``bench`` to the program's commands."""
    parser = subparsers.add_parser("bench", help="量一量有多快 (measure speed)")
    parser.add_argument("--runs", type=int, default=5, help="每项量几次，默认 5")
    parser.add_argument("--model", type=Path, metavar="FILE", help="用这个 GGUF 文件")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto")
    parser.add_argument("--no-window", action="store_true", help="不量窗口 (skip the window)")
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
    print(f"{'':36}{'median':>9}{'min':>9}{'max':>9}")
    for name, values in figures["seconds"].items():
        print(f"{name:36}{statistics.median(values):9.2f}{min(values):9.2f}{max(values):9.2f}  s")
    for name, value in figures.items():
        if name != "seconds":
            print(f"{name:36}{value}")
    return 0


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    catalog = load_catalog()
    choice = choose_model(options.model)
    seconds: dict[str, list[float]] = {}
    if not options.no_window:
        # The first start fills the disk's cache, and is not counted.
        seconds["window, first paint"] = [_first_paint() for _ in range(options.runs + 1)][1:]
    opened, first, all_three, rates = [], [], [], []
    ready: Ready | None = None
    for number in range(options.runs + 1):
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        client = EngineClient(choice.path, sha256=choice.sha256, device=options.device, on_event=events.put)
        start = time.perf_counter()
        client.start()
        try:
            ready = _await(events, Ready)
            opened.append(time.perf_counter() - start)
            for request in REQUESTS:
                asked = make_request(catalog, request)
                prompt, most = prompt_segments(asked, catalog), catalog.length(asked.length).most_tokens
                tokens, start = 0, time.perf_counter()
                client.write(prompt, choice.draw, number, choice.sampling, most)
                began = None
                while not isinstance(event := _await(events, Piece | Finished | Done), Done):
                    if isinstance(event, Piece) and began is None:
                        began = time.perf_counter() - start
                    if isinstance(event, Finished):
                        tokens += event.tokens
                taken = time.perf_counter() - start
                first.append(began if began is not None else taken)
                all_three.append(taken)
                rates.append(tokens / taken)
        finally:
            client.close()
    skipped = len(REQUESTS)
    seconds["model open (hash checked)"] = opened[1:]
    seconds["first characters"] = first[skipped:]
    seconds[f"three greetings ({choice.draw} drawn)"] = all_three[skipped:]
    assert ready is not None
    return {
        "seconds": seconds,
        "tokens a second, all candidates": round(statistics.median(rates[skipped:]), 1),
        "device": ready.device,
        "threads": ready.threads,
        "model": choice.path.name,
        "megabytes": round(choice.path.stat().st_size / 1e6, 1),
    }


def _await(events: "queue.SimpleQueue[Event]", kind: Any) -> Any:
    """The next event of a kind; EngineError when the engine fails instead."""
    while True:
        event = events.get(timeout=600)
        if isinstance(event, kind):
            return event
        if isinstance(event, Failed):
            raise EngineError(event.code, event.sentence, event.detail)
        if isinstance(event, Died):
            raise EngineError("engine_died", event.sentence)


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
