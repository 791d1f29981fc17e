"""What a study found: the figures of every run, kept in ``study.json``, shown in a few lines, compared with those of an
earlier study."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.measures import MEASURES
from training.evaluation.reference import Reference
from training.evaluation.requests import Asked, by_job
from training.evaluation.runs import VALIDATION_LOSS, Run
from training.evaluation.table import Table, left, measures_of, rounded, shown
from training.evaluation.written import with_requests
from training.records import Record
from training.study.pipeline import Done
from training.study.poor import MIXED
from training.whole_file import write_json

_SUMMED_UP = ("tone_recognised", "relationship_recognised", "consistent_across_seeds", "guard_pass", "cliche")


@dataclass(frozen=True)
class _Planned:
    """A fact two studies must have in common; ``shown`` is whether its value says anything to a person."""

    name: str
    title: Sentence
    shown: bool = True

    def told(self, old: Mapping[str, Any], now: Mapping[str, Any]) -> Sentence:
        """How it differs."""
        if not self.shown:
            return Sentence(f"{self.title.zh}不同", f"{self.title.en} differs")
        before, after = old[self.name], now.get(self.name)
        return Sentence(
            f"{self.title.zh}那次是 {before}，这次是 {after}", f"{self.title.en} {before} then, {after} now"
        )


_PLANNED = (
    _Planned("steps", Sentence("步数", "steps")),
    _Planned("requests", Sentence("请求数", "requests")),
    _Planned("each", Sentence("每个请求的条数", "texts of each")),
    _Planned("corpus_sha256", Sentence("语料", "the corpus"), shown=False),
)


def measured(done: Sequence[Done], asked: Sequence[Asked], train: Sequence[Record]) -> list[Run]:
    """The figures of every run, the validation loss (nats per token) among them.

    Args:
        train: the training split, which the measures learn from what the corpus is like.
    """
    reference = Reference.of(train)
    requests = by_job(asked)
    return [
        Run(
            name=one.variant.name,
            records=one.records,
            share_poor=one.variant.poor,
            kind=MIXED if one.variant.poor else "",
            measures={VALIDATION_LOSS: one.loss, **measures_of(with_requests(one.outputs, requests), reference)},
        )
        for one in done
    ]


def write_result(path: Path, runs: Sequence[Run], facts: Mapping[str, Any]) -> None:
    """Write the runs as :func:`training.evaluation.runs.read_runs` reads them, and what they were made with.

    Raises:
        TrainingError: the disk does not allow it.
    """
    write_json(path, {**facts, "runs": rounded([asdict(run) for run in runs])})


def summary(runs: Sequence[Run]) -> str:
    """A Markdown table: a row a run, what is most telling of it."""
    chosen = [measure for name in _SUMMED_UP for measure in MEASURES if measure.name == name]
    heads = ["records", "poor", "validation loss", *(measure.title.en for measure in chosen)]
    lines = ["| run | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for run in runs:
        loss = run.measures[VALIDATION_LOSS]
        figures = [run.measures.get(measure.name) for measure in chosen]
        cells = [f"{run.records:,}", f"{run.share_poor:.0%}", f"{loss.value:.3f}" if loss else "—"]
        cells += [
            shown(measure, figure.value) if figure else "—" for measure, figure in zip(chosen, figures, strict=True)
        ]
        lines.append(f"| {run.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def check_plan(path: Path, old: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to compare with a study of other steps, requests or texts, or of another corpus: its figures are of
    something else, not outside an interval.

    Args:
        path: of the old result.
        old, now: facts as :func:`write_result` takes them; what one of them does not have is not compared.

    Raises:
        TrainingError: they differ.
    """
    differing = [each for each in _PLANNED if each.name in old and old[each.name] != now.get(each.name)]
    if differing:
        zh = "、".join(each.told(old, now).zh for each in differing)
        en = ", ".join(each.told(old, now).en for each in differing)
        raise TrainingError(
            Sentence(
                f"{path.name} 和这一次比不了：{zh}。请用当时的设置和语料，或换一份 --check。",
                f"{path.name} cannot be compared with this study: {en}. Use the settings and the corpus of then, or "
                "another file with --check.",
            ),
            str(path),
        )


def outside(old: Sequence[Run], new: Sequence[Run]) -> list[Sentence]:
    """What of the new figures is outside the old ones' intervals, or there no more."""
    found = left(_as_table(old), _as_table(new))
    now = {run.name: run.measures.get(VALIDATION_LOSS) for run in new}
    for run in old:
        before, after = run.measures.get(VALIDATION_LOSS), now.get(run.name)
        if before is not None and after is not None and not before.holds(after.value):
            interval = f"{before.low:.3f}–{before.high:.3f}"
            found.append(
                Sentence(
                    f"{run.name} 的验证损失是 {after.value:.3f}，出了原来的区间 {interval}。",
                    f"{run.name}: the validation loss is {after.value:.3f}, outside the earlier {interval}.",
                )
            )
    return found


def _as_table(runs: Sequence[Run]) -> Table:
    """The runs in the place of systems."""
    return Table(0, 0, {}, (), {run.name: run.measures for run in runs})
