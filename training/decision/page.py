"""A decision as one HTML page that needs nothing else, in the style of the evaluation's report."""

from pathlib import Path

from training.decision.evidence import NAMES, likeness
from training.decision.questions import Answer
from training.decision.result import Result, told
from training.evaluation.page import rendered

_TEMPLATE = Path(__file__).resolve().parent / "decision.html.jinja"


def page_html(result: Result) -> str:
    """The page, whole."""
    return rendered(
        _TEMPLATE,
        result=result,
        verdict=result.verdict,
        told=told,
        yes=Answer.YES,
        systems=_rows(result),
        notes=result.corpus.notes if result.corpus else (),
    )


def _rows(result: Result) -> list[dict[str, object]]:
    """A row a system, with what was measured of its texts."""
    if result.trial is None or result.corpus is None:
        return []
    return [
        {"name": NAMES[name], "like": likeness(result.corpus, figures), "figures": figures}
        for name, figures in result.trial.systems.items()
    ]
