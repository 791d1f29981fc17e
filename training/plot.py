"""The curve of a training as a picture: loss of the steps, smoothed, and of the validation."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from training.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTHING = 0.95  # of the exponential mean over steps


def draw_curve(metrics: Path, out: Path) -> None:
    """Draw a stage's ``metrics.jsonl`` to ``out`` (SVG or PNG); the same metrics give the same SVG."""
    from matplotlib.figure import Figure

    steps, losses, looks, validated = _series(metrics)
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    axes.plot(steps, losses, color="#c9b8a8", linewidth=1.2, label="training, smoothed")
    axes.plot(looks, validated, color="#b03a2e", marker="o", markersize=4, label="validation")
    axes.set_xlabel("step")
    axes.set_ylabel("nats per token")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.tight_layout()
    save_figure(figure, out)


def save_figure(figure: "Figure", out: Path) -> None:
    """Write a figure to ``out`` (SVG or PNG); the same figure gives the same bytes.

    Raises:
        TrainingError: the disk does not allow it.
    """
    from matplotlib import rc_context

    format = out.suffix.removeprefix(".")
    metadata = {"Date": None} if format == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "bainiantie"}), whole_file(out) as part:
        figure.savefig(part, format=format, metadata=metadata, dpi=120)


def _series(metrics: Path) -> tuple[list[int], list[float], list[int], list[float]]:
    steps: list[int] = []
    losses: list[float] = []
    looks: list[int] = []
    validated: list[float] = []
    for line in metrics.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "validation_loss" in entry:
            looks.append(entry["step"])
            validated.append(entry["validation_loss"])
        else:
            steps.append(entry["step"])
            last = losses[-1] if losses else entry["loss"]
            losses.append(SMOOTHING * last + (1 - SMOOTHING) * entry["loss"])
    return steps, losses, looks, validated
