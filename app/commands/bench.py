"""``python -m app bench``: how long a person waits, and how that compares, medians of several runs.

The window's time is from starting a new Python process to its first paint; the words' time is from asking to the first
characters, with the model open. Beside it, in turns in the same run, llama-cpp-python's own high-level call writes one
text after another with the same file, and with base and adapter merged without trimming where the base is there. How
much the times of one fixed piece of work varied meanwhile says how far the figures can be trusted.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from app.commands.bench_files import as_table, files_beside_each_other
from app.commands.bench_measure import ASKED, Bench
from app.commands.model_choice import choose_model
from app.compose.catalog import load_catalog
from app.compose.request import make_request
from app.compose.sentence import ExplainedError

NOISY = 1.2  # the fixed work's median against its fastest


def add_parser(subparsers: Any) -> None:
    """Add ``bench`` to the program's commands."""
    parser = subparsers.add_parser("bench", help="量一量有多快 (measure speed)")
    parser.add_argument("--runs", type=int, default=3, help="每项量几次，默认 3")
    parser.add_argument("--recipients", type=int, default=100, help="群发量多少人，默认 100；0 不量")
    parser.add_argument("--stops", type=int, default=15, help="每种停止量几次，默认 15；0 不量")
    parser.add_argument("--greetings", type=int, default=1000, help="连写多少条看内存，默认 1000；0 不量")
    parser.add_argument("--model", type=Path, metavar="FILE", help="用这个 GGUF 文件")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto")
    parser.add_argument("--no-window", action="store_true", help="不量窗口 (skip the window)")
    parser.add_argument("--no-peer", action="store_true", help="不和别的比 (skip what is compared with)")
    parser.add_argument("--files", type=Path, nargs="+", metavar="FILE", help="只比这几个 GGUF 文件，与第一个相比")
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    """Measure and print. Returns 1 when the model cannot be opened."""
    try:
        if options.files:
            return _compare(options)
        figures = Bench(options).figures()
    except ExplainedError as error:
        print(error.sentence.zh, error.sentence.en, sep="\n", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        _print(figures)
    return 0


def _compare(options: argparse.Namespace) -> int:
    catalog = load_catalog()
    requests = [make_request(catalog, fields) for fields in ASKED]
    sampling = choose_model(options.files[0]).sampling
    found = files_beside_each_other(options.files, requests, catalog, sampling, options.runs)
    print(json.dumps(found, ensure_ascii=False, indent=2) if options.json else as_table(found))
    return 0


def _print(figures: dict[str, Any]) -> None:
    for unit in ("seconds", "milliseconds", "tokens a second"):
        if figures[unit]:
            print(f"{unit:44}{'median':>9}{'min':>9}{'max':>9}")
        for name, values in figures[unit].items():
            print(f"  {name:42}{statistics.median(values):9.2f}{min(values):9.2f}{max(values):9.2f}")
    for part in ("ratios", "memory", "machine"):
        print(part)
        for name, value in figures[part].items():
            print(f"  {name:54}{value:>9}")
    print(f"{'aims':44}{'found':>9}{'wanted':>13}")
    for name, aim in figures["aims"].items():
        wanted = next(f"{'≤' if bound == 'at most' else '≥'} {aim[bound]:g}" for bound in aim if bound.startswith("at"))
        print(f"  {name:42}{aim['found']:9.2f}{wanted:>13}  {'holds' if aim['holds'] else 'MISSED'}")
    print(_trust(figures["machine"]))


def _trust(machine: dict[str, Any]) -> str:
    median, slowest = machine["fixed work, median"], machine["fixed work, slowest"]
    said = f"The same fixed work took {median:.2f} times its fastest in the median, {slowest:.2f} times at worst: "
    if median > NOISY:
        return said + "a noisy machine. Ratios hold better than times; measure again when it is quiet."
    return said + "a quiet machine."
