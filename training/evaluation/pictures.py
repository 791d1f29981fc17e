"""The pictures of an evaluation and a study, as PNG and SVG: the same figures give the same bytes.

Drawn with the program's own font, so that they need none of the machine's. Every mark is an estimate, every line
through it its 95 % interval.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.compose.sentence import Sentence
from training.evaluation.bootstrap import Estimate
from training.evaluation.measures import MEASURES, Measure
from training.evaluation.names import parts_of
from training.evaluation.runs import VALIDATION_LOSS, Run
from training.evaluation.table import Table
from training.plot import save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONSISTENCY, QUALITY, SIZE = "style-consistency", "data-quality", "data-size"
FORMATS = (".svg", ".png")
INK, PAPER, RULE = "#2b2521", "#fbf8f3", "#ddd3c6"  # the report puts its own in their place
COLOURS = {"prompt": "#7b8794", "rag": "#c0872f", "lora": "#b8402f", "corpus": "#4f7f6a"}
_FURTHER_COLOURS = ("#b8402f", "#c0872f", "#5b7fa3", "#7a5c8e", "#4f7f6a")

_FONT = Path(__file__).resolve().parents[2] / "resources" / "fonts" / "BainianSans-Regular.otf"
_FAMILY = "Bainian Sans"
_LOSS = Measure(
    VALIDATION_LOSS,
    Sentence("验证损失", "Validation loss"),
    Sentence("没见过的记录，每个词元多少 nat", "of records it was not trained on, nats a token"),
    "lower",
    None,
)
_STUDIED = (
    *(VALIDATION_LOSS, "tone_recognised", "consistent_across_seeds"),
    *("guard_pass", "bigram_divergence", "cliche"),
)
_KINDS = {
    "base": Sentence("底座写的", "written by the base"),
    "shuffled": Sentence("标签打乱", "labels shuffled"),
    "cliche": Sentence("套话", "clichés"),
    "mixed": Sentence("各种差数据", "poor records of all kinds"),
}


def draw_consistency(table: Table, out: Path) -> None:
    """Style consistency of every system, across seeds and under changes of the input; hollow is a system at another
    temperature than its own."""
    measures = [_measure("consistent_across_seeds"), _measure("consistent_across_changes")]
    systems = [
        system
        for system, figures in table.systems.items()
        if any(figures.get(measure.name) is not None for measure in measures)
    ]
    with _figure(8.4, 1.5 + 0.5 * max(1, len(systems))) as figure:
        for axes, measure in zip(figure.subplots(1, 2, sharex=True, sharey=True), measures, strict=True):
            for place, system in enumerate(systems):
                estimate = table.systems[system].get(measure.name)
                if estimate is not None:
                    kind, temperature = parts_of(system)
                    _mark(axes, place, estimate, COLOURS.get(kind, INK), hollow=temperature is not None)
            axes.set_yticks(range(len(systems)), [_two_lines(table.title(system)) for system in systems])
            axes.set_ylim(len(systems) - 0.4, -0.6)
            axes.set_title(_two_lines(measure.title), loc="left", fontsize=10)
            _quiet(axes, "x")
        save_figure(figure, out)


def draw_quality(runs: Sequence[Run], out: Path) -> None:
    """The measures against the share of poor records, a line a kind of them, from the run without any."""
    clean = max((run for run in runs if not run.share_poor), key=lambda run: run.records, default=None)
    kinds = list(dict.fromkeys(run.kind for run in runs if run.share_poor))
    lines = {
        _KINDS.get(kind, Sentence(kind, kind)): [
            *([clean] if clean else []),
            *sorted((run for run in runs if run.share_poor and run.kind == kind), key=lambda run: run.share_poor),
        ]
        for kind in kinds
    }
    _draw_study(lines, lambda run: 100 * run.share_poor, Sentence("差数据占的百分比", "% of poor records"), out)


def draw_size(runs: Sequence[Run], out: Path) -> None:
    """The measures against the number of records, all of them clean."""
    clean = sorted((run for run in runs if not run.share_poor), key=lambda run: run.records)
    label = Sentence("训练用的记录数", "records trained on")
    _draw_study({Sentence("干净的语料", "clean records"): clean}, lambda run: run.records, label, out, doubling=True)


def draw_all(table: Table, runs: Sequence[Run], folder: Path) -> list[Path]:
    """Every picture there are figures for, in every format, in ``folder``; their files.

    Raises:
        TrainingError: the disk does not allow it.
    """
    return [
        *_in_every_format(CONSISTENCY, lambda out: draw_consistency(table, out), folder),
        *draw_runs(runs, folder),
    ]


def draw_runs(runs: Sequence[Run], folder: Path) -> list[Path]:
    """The pictures of a study, those there are figures for, as :func:`draw_all`."""
    files = []
    if any(run.share_poor for run in runs):
        files += _in_every_format(QUALITY, lambda out: draw_quality(runs, out), folder)
    if len({run.records for run in runs if not run.share_poor}) > 1:
        files += _in_every_format(SIZE, lambda out: draw_size(runs, out), folder)
    return files


def _in_every_format(name: str, draw: Callable[[Path], None], folder: Path) -> list[Path]:
    files = [folder / f"{name}{suffix}" for suffix in FORMATS]
    for file in files:
        draw(file)
    return files


def _draw_study(
    lines: Mapping[Sentence, Sequence[Run]],
    place: Callable[[Run], float],
    label: Sentence,
    out: Path,
    *,
    doubling: bool = False,
) -> None:
    runs = [run for line in lines.values() for run in line]
    measures = [_measure(name) for name in _STUDIED if any(run.measures.get(name) for run in runs)]
    rows = max(1, -(-len(measures) // 3))
    with _figure(10.2, 0.7 + 2.9 * rows) as figure:
        panels = figure.subplots(rows, 3, squeeze=False).ravel()
        for axes, measure in zip(panels, measures, strict=False):
            for (title, line), colour in zip(lines.items(), _FURTHER_COLOURS * len(lines), strict=False):
                _line(axes, [(place(run), run.measures.get(measure.name)) for run in line], title, colour)
            axes.set_title(_two_lines(measure.title), loc="left", fontsize=10)
            places = sorted({place(run) for run in runs})
            if doubling:
                axes.set_xscale("log", base=2)
                axes.minorticks_off()
            axes.set_xticks(places, [f"{value:,.0f}" for value in places])
            axes.set_xlabel(f"{label.zh}  {label.en}", fontsize=8)
            if measure.form == "share":
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            _quiet(axes, "y")
        for axes in panels[len(measures) :]:
            axes.set_visible(False)
        if len(lines) > 1:
            handles, labels = panels[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=len(lines), frameon=False, fontsize=9)
        save_figure(figure, out)


def _line(axes: "Axes", points: Sequence[tuple[float, Estimate | None]], title: Sentence, colour: str) -> None:
    known = [(place, figure) for place, figure in points if figure is not None]
    places = [place for place, _ in known]
    axes.plot(
        places, [figure.value for _, figure in known], color=colour, marker="o", markersize=4, linewidth=1.6,
        label=f"{title.zh} {title.en}",
    )  # fmt: skip
    axes.fill_between(
        places, [figure.low for _, figure in known], [figure.high for _, figure in known], color=colour, alpha=0.13,
        linewidth=0,
    )  # fmt: skip


def _mark(axes: "Axes", place: int, figure: Estimate, colour: str, *, hollow: bool) -> None:
    axes.plot([figure.low, figure.high], [place, place], color=colour, linewidth=2.2, solid_capstyle="round")
    face = PAPER if hollow else colour
    axes.plot([figure.value], [place], color=colour, marker="o", markersize=8, markerfacecolor=face, markeredgewidth=2)
    axes.annotate(
        f"{figure.value:.2f}", (figure.value, place), (0, 8), textcoords="offset points", ha="center", fontsize=9
    )


def _quiet(axes: "Axes", grid: Literal["x", "y"]) -> None:
    """Nothing but what is read: no frame, rules across the axis that values are read on."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=8.5)
    axes.grid(axis=grid, color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)


def _two_lines(title: Sentence) -> str:
    return f"{title.zh}\n{title.en}"


def _measure(name: str) -> Measure:
    return next(measure for measure in (*MEASURES, _LOSS) if measure.name == name)


@contextmanager
def _figure(width: float, height: float) -> "Iterator[Figure]":
    """A figure of so many inches in the program's font and colours."""
    from matplotlib import font_manager, rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    if _FAMILY not in font_manager.get_font_names():
        font_manager.fontManager.addfont(_FONT)
    look: dict[Any, Any] = {
        "font.family": _FAMILY,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.facecolor": PAPER,
        "figure.facecolor": PAPER,
        "axes.unicode_minus": False,
        "text.parse_math": False,  # a dollar sign in a name is no formula
    }
    with rc_context(look):
        yield Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12, hspace=0.06))
