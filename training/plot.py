"""The curve of a training as a picture: loss of the steps, smoothed, and of the validation."""

import json
from pathlib import Path

SMOOTHING = 0.95  # of the exponential mean over steps


def draw_curve(metrics: Path, out: Path) -> None:
    """Draw a stage's ``metrics.jsonl`` to ``out`` (SVG or PNG); the same metrics give the same SVG."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "bainiantie"
    from matplotlib import pyplot

    steps, losses, looks, validated = _series(metrics)
    figure, axes = pyplot.subplots(figsize=(7, 4))
    axes.plot(steps, losses, color="#c9b8a8", linewidth=1.2, label="training, smoothed")
    axes.plot(looks, validated, color="#b03a2e", marker="o", markersize=4, label="validation")
    axes.set_xlabel("step")
    axes.set_ylabel("nats per token")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None, dpi=120)
    pyplot.close(figure)


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
