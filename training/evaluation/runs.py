"""What a study measured: training runs on more or less, and cleaner or poorer data, each with its figures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compose.schema import Misfit, typed
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate
from training.json_lines import parse_json

STUDY_FILE = "study.json"
VALIDATION_LOSS = "validation_loss"  # a measure of a training, and of nothing that only writes


@dataclass(frozen=True)
class Run:
    """One training of a study.

    Attributes:
        records: trained on, poor ones counted.
        share_poor: of the records, 0 to 1.
        kind: of the poor records; "" where there are none.
        measures: by name, as :data:`training.evaluation.measures.MEASURES` has them, and the validation loss; None
            where there is no figure.
    """

    name: str
    records: int
    share_poor: float
    kind: str
    measures: dict[str, Estimate | None]


@dataclass(frozen=True)
class Study:
    """The result of a study: its runs, and the ``facts`` of what they were made with, by name."""

    runs: tuple[Run, ...]
    facts: dict[str, Any]


def read_runs(path: Path) -> tuple[Run, ...]:
    """The runs of a study's result, as :func:`read_study`."""
    return read_study(path).runs


def read_study(path: Path) -> Study:
    """A study's result: a JSON object whose ``runs`` is a list of :class:`Run`, figures as ``value``, ``low`` and
    ``high``; all else in it are facts.

    Raises:
        TrainingError: it cannot be read or is something else, or has no run.
    """
    try:
        raw, fault = parse_json(path.read_text(encoding="utf-8"))
        if fault is None:
            runs = typed(tuple[Run, ...], raw["runs"], "runs")
            if runs:
                facts = {name: fact for name, fact in raw.items() if name != "runs"}
                return Study(tuple(_with_figures(run) for run in runs), facts)
        detail = fault.en if fault else "no run in it"
    except Misfit as misfit:
        detail = misfit.clause.en
    except (OSError, UnicodeDecodeError, TypeError, KeyError) as error:
        detail = f"{type(error).__name__}: {error}"
    raise TrainingError(
        Sentence(
            f"{path.name} 不是 `python -m training study` 的结果。请检查路径，或再跑一次。",
            f"{path.name} is not the result of `python -m training study`. Check the path, or run it again.",
        ),
        f"{path}: {detail}",
    )


def _with_figures(run: Run) -> Run:
    figures = {name: typed(Estimate | None, figure, f"{run.name}.{name}") for name, figure in run.measures.items()}
    return Run(run.name, run.records, run.share_poor, run.kind, figures)
