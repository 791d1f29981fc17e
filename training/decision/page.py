"""A decision as one HTML page that needs nothing else: no network, no script.

What models wrote is strangers' text: it is escaped wherever it stands, and the page's own policy lets nothing run.
"""

from pathlib import Path

from training.decision.evidence import NAMES, likeness
from training.decision.questions import Answer
from training.decision.result import Result, told

_HERE = Path(__file__).resolve().parent
_SHARED = _HERE.parent / "evaluation"  # where the report's style is


def page_html(result: Result) -> str:
    """The page, whole."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_HERE, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("decision.html.jinja").render(
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
        {
            "name": NAMES[name],
            "passes": figures.passes,
            "like": likeness(result.corpus, figures),
            "steady": figures.steady,
            "flips": figures.flips,
            "tokens": figures.prompt_tokens,
            "seconds": figures.seconds,
        }
        for name, figures in result.trial.systems.items()
    ]
