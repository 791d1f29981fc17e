"""What every drawing is made of: lines, curves, brush strokes and circles as SVG paths, and the file of one."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DRAWINGS = Path(__file__).resolve().parents[1] / "drawings"

Point = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """One path, as ``app.cards.design.Shape`` has it."""

    path: str
    fill: str = ""
    stroke: str = ""
    width: float = 0.0
    opacity: float = 1.0
    mirrored: bool = False


def write(name: str, size: tuple[float, float], shapes: Iterable[Shape], about: str) -> None:
    """Writes one drawing; what a shape does not say is left out."""
    lines = [f"# {about}", f"width: {size[0]:.6g}", f"height: {size[1]:.6g}", "shapes:"]
    for shape in shapes:
        parts = [f"path: {shape.path}"]
        parts += [f"{key}: {value}" for key, value in (("fill", shape.fill), ("stroke", shape.stroke)) if value]
        parts += [f"width: {shape.width:g}"] if shape.stroke else []
        parts += [f"opacity: {shape.opacity:g}"] if shape.opacity != 1 else []
        parts += ["mirrored: true"] if shape.mirrored else []
        lines.append("  - {" + ", ".join(parts) + "}")
    (DRAWINGS / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def line(points: Sequence[Point]) -> str:
    """Straight from point to point."""
    return "M" + " L".join(f"{x:.0f} {y:.0f}" for x, y in points)


def curve(points: Sequence[Point], closed: bool = False) -> str:
    """Smoothly through the points: Catmull and Rom's spline (1974) as Bézier curves."""
    count = len(points)
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for number in range(count if closed else count - 1):
        before, one, other, after = (
            points[index % count] if closed else points[min(max(index, 0), count - 1)]
            for index in range(number - 1, number + 3)
        )
        first = (one[0] + (other[0] - before[0]) / 6, one[1] + (other[1] - before[1]) / 6)
        second = (other[0] - (after[0] - one[0]) / 6, other[1] - (after[1] - one[1]) / 6)
        parts.append("C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in (first, second, other)))
    return " ".join(parts) + ("Z" if closed else "")


def brush(points: Sequence[Point], widths: Sequence[float]) -> str:
    """A stroke through the points that is so wide at each of them."""
    left, right = [], []
    for number, ((x, y), width) in enumerate(zip(points, widths, strict=True)):
        before, after = points[max(number - 1, 0)], points[min(number + 1, len(points) - 1)]
        angle = math.atan2(after[1] - before[1], after[0] - before[0]) + math.pi / 2
        dx, dy = math.cos(angle) * width / 2, math.sin(angle) * width / 2
        left.append((x + dx, y + dy))
        right.append((x - dx, y - dy))
    there, back = curve(left), curve(right[::-1])
    return f"{there} L{back[1:]}Z"


def circle(x: float, y: float, radius: float) -> str:
    return (
        f"M{x - radius:.1f} {y:.1f}a{radius:g} {radius:g} 0 1 0 {2 * radius:g} 0"
        f"a{radius:g} {radius:g} 0 1 0 {-2 * radius:g} 0Z"
    )


def turned(points: Iterable[Point], angle: float, x: float, y: float, scale: float = 1.0) -> list[Point]:
    """The points turned by ``angle`` (radians, clockwise on paper) about the origin, and moved to (x, y)."""
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    return [(x + px * cos - py * sin, y + px * sin + py * cos) for px, py in points]
