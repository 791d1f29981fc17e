"""Step ``choice``: how often what a reader would send comes first, when the texts of a request are put in order by how
likely the model finds them.

Of the texts that were read as fit to send or not (:mod:`training.marks`), those without a fault are ordered by the sum
of their tokens' log-likelihoods over a power of their number: 1 is the mean, by which the window orders candidates
(:func:`app.compose.select.choose`), 0 the sum; in between lies the length normalization of Wu et al. 2016, "Google's
Neural Machine Translation System", §7.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from statistics import fmean

from app.compose.catalog import Catalog, load_catalog
from app.compose.guard import check
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.models.folders import models_folder
from app.models.manifest import load_manifest
from training.errors import TrainingError
from training.evaluation.systems import no_model
from training.marks import Mark, read_marks
from training.options import check_number
from training.part import spread
from training.progress import percent
from training.records import Record

POWERS = {"the mean, as the window": 1.0, "over the root of the length": 0.5, "the sum": 0.0}
SHOWN = 3  # texts of a request, in the window


@dataclass(frozen=True)
class Judged:
    """A text a reader read; ``logprob`` is its mean nats a token, of which there are ``tokens``, the end included."""

    send: bool
    logprob: float
    tokens: int


@dataclass(frozen=True)
class Order:
    """How well an order puts what would be sent first.

    Attributes:
        auc: of two texts for one request, one to send and one not, how often the one to send is first; 0.5 by chance.
        first: share of requests whose first text would be sent.
        shown: share of requests where one of the first :data:`SHOWN` would be.
    """

    auc: float
    first: float
    shown: float


def by_request(marks: Sequence[Mark], catalog: Catalog) -> dict[GreetingRequest, list[Mark]]:
    """The marked texts without a fault of each request that has any."""
    found: defaultdict[GreetingRequest, list[Mark]] = defaultdict(list)
    for mark in marks:
        if not check(mark.text, mark.request, catalog):
            found[mark.request].append(mark)
    return dict(found)


def judged(
    model: Path,
    groups: Sequence[Sequence[Mark]],
    catalog: Catalog,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[list[Judged]]:
    """The same groups, with how likely ``model`` finds each text.

    Raises:
        ModelError, TrainingError: as :func:`training.likelihood.measure`.
    """
    # Compiled code; other steps do without it.
    from training.likelihood import measure

    marks = [mark for group in groups for mark in group]
    records = [Record(f"marks:{number}", mark.request, mark.text) for number, mark in enumerate(marks, 1)]
    found = iter(measure(model, records, catalog, threads=threads, progress=progress).records)
    return [
        [Judged(mark.send, -(one := next(found)).nats / one.tokens, one.tokens) for mark in group] for group in groups
    ]


def order(groups: Sequence[Sequence[Judged]], power: float) -> Order:
    """The order by likelihood over the length to ``power``, over all groups."""
    won: list[float] = []
    first: list[bool] = []
    shown: list[bool] = []
    for group in groups:
        scored = [(each.logprob * each.tokens ** (1 - power), each.send) for each in group]
        sent, left = ([score for score, send in scored if send is wanted] for wanted in (True, False))
        won += [(one > other) + (one == other) / 2 for one in sent for other in left]
        best = [send for _, send in sorted(scored, key=lambda one: -one[0])]
        first.append(best[0])
        shown.append(any(best[:SHOWN]))
    return Order(_mean(won), _mean(first), _mean(shown))


def at_random(groups: Sequence[Sequence[Judged]]) -> Order:
    """What to expect of any order that knows nothing."""

    def none_of(group: Sequence[Judged], drawn: int) -> float:
        left = sum(not each.send for each in group)
        drawn = min(drawn, len(group))
        return comb(left, drawn) / comb(len(group), drawn)

    first, shown = (_mean([1 - none_of(group, drawn) for group in groups]) for drawn in (1, SHOWN))
    return Order(0.5, first, shown)


def perfect(groups: Sequence[Sequence[Judged]]) -> Order:
    """What no order can be better than."""
    some = _mean([any(each.send for each in group) for group in groups])
    return Order(1.0, some, some)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else float("nan")


def table(groups: Sequence[Sequence[Judged]]) -> str:
    """In Markdown: a row an order."""
    rows = {"at random": at_random(groups)} | {name: order(groups, power) for name, power in POWERS.items()}
    rows["perfect"] = perfect(groups)
    lines = [f"| order by | AUC | first is sent | one of {SHOWN} is sent |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {row.auc:.2f} | {row.first:.0%} | {row.shown:.0%} |" for name, row in rows.items()]
    return "\n".join(lines)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("choice", help="how well the model's likelihood finds what a reader would send")
    parser.add_argument("--marks", type=Path, nargs="+", required=True, help="as `reading marks` keeps them")
    parser.add_argument("--model", type=Path, help="a GGUF file (default: the one built here)")
    parser.add_argument("--limit", type=int, help="so many requests only, evenly spread")
    parser.add_argument("--threads", type=int, help="one a processor if not given")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, and print the table."""
    check_number("--limit", args.limit, 1)
    check_number("--threads", args.threads, 1)
    catalog = load_catalog()
    groups = spread(list(by_request(read_marks(args.marks, catalog), catalog).values()), args.limit)
    if not groups:
        raise TrainingError(
            Sentence(
                "这些标记里没有一条不犯规的文字，没有可排的。请换一份标记。",
                "No text in these marks is without a fault, so there is nothing to order. Give other marks.",
            )
        )
    model = args.model or models_folder() / load_manifest().built.file
    if not model.is_file():
        raise no_model(model, "--model")
    found = judged(model, groups, catalog, threads=args.threads, progress=percent("measuring"))
    texts, sent = sum(map(len, found)), sum(each.send for group in found for each in group)
    print(f"{len(found):,} requests, {texts:,} texts without a fault, {sent:,} would be sent\n\n{table(found)}")
    return 0
