"""What is made with rule, compasses and scissors: a moon window, a lantern, cut paper, a fret."""

import math
from collections.abc import Sequence

from pen import Point, Shape, circle, curve, line, turned, write


def coins() -> None:
    """One ring of the coin pattern, to be repeated every 90 units, so that rings cut one another into petals."""
    centre = 45 * math.sqrt(2)
    ring = circle(centre, centre, centre - 2)
    hole = f"M{centre:.1f} {centre - 11:.1f} l11 11 l-11 11 l-11 -11Z"
    write(
        "coins",
        (2 * centre, 2 * centre),
        [Shape(f"{ring} {hole}", stroke="bar", width=3.2)],
        "套钱纹窗棂的一环，每 90 重复",
    )


def moon_window() -> None:
    """A round window in its frame."""
    shapes = [
        Shape(circle(460, 460, 456), fill="bar"),
        Shape(circle(460, 460, 444), fill="paper"),
        Shape(circle(460, 460, 428), stroke="bar", width=2.5),
    ]
    write("moon_window", (920, 920), shapes, "月洞窗")


def lantern() -> None:
    """A gauze lantern in fine lines, its cap, its fringe."""
    ribs = [
        f"M{150 - half:.0f} 236 C{150 - half * 1.9:.0f} 290 {150 - half * 1.9:.0f} 390 {150 - half:.0f} 444"
        for half in (20, 42, 62)
    ]
    body = "M80 236 C-10 290 -10 390 80 444 L220 444 C310 390 310 290 220 236Z"
    shapes = [
        Shape("M150 0 V206", stroke="ink", width=2.5),
        Shape(circle(150, 190, 9), stroke="ink", width=2.5),
        Shape(body, fill="glow", stroke="accent", width=4),
        Shape(" ".join(ribs), stroke="accent", width=2.5, opacity=0.75, mirrored=True),
        Shape("M150 236 V444", stroke="accent", width=2.5, opacity=0.75),
        Shape("M70 214 H230 V236 H70Z M70 444 H230 V466 H70Z", fill="ink"),
        Shape("M96 206 H204 V214 H96Z M96 466 H204 V474 H96Z", fill="ink"),
        Shape(
            " ".join(f"M{x} 474 V{540 + abs(150 - x) * 0.2:.0f}" for x in range(104, 200, 8)),
            stroke="accent",
            width=2.5,
        ),
        Shape("M150 474 V560", stroke="accent", width=2.5),
        Shape(circle(150, 566, 7), fill="accent"),
        Shape(
            " ".join(f"M{150 + dx * 0.4:.0f} 572 Q{150 + dx * 0.7:.0f} 620 {150 + dx} 680" for dx in range(-14, 15, 4)),
            stroke="accent",
            width=2.2,
        ),
    ]
    write("lantern", (300, 690), shapes, "纱灯一盏")


def papercut() -> None:
    """A corner cut from paper folded twice: a fan of petals, crescents and saw teeth around a quarter of a flower."""
    radius, teeth = 300.0, 18
    rim = [(0.0, 0.0)]
    for number in range(teeth * 2 + 1):
        angle = number * math.pi / 4 / teeth
        reach = radius if number % 2 == 0 else radius - 16
        rim.append((math.cos(angle) * reach, math.sin(angle) * reach))
    cuts: list[str] = []

    def ring(count: int, at: float, shape: Sequence[Point], scale: float) -> None:
        for number in range(count):
            angle = (number + 0.5) * math.pi / 2 / count
            x, y = math.cos(angle) * at, math.sin(angle) * at
            cuts.append(curve(turned(shape, angle + math.pi / 2, x, y, scale), closed=True))

    petal = [(0.0, 1.0), (0.55, 0.2), (0.42, -0.6), (0.0, -1.0), (-0.42, -0.6), (-0.55, 0.2)]
    crescent = [
        (-1.0, 0.35),
        (-0.5, -0.35),
        (0.0, -0.6),
        (0.5, -0.35),
        (1.0, 0.35),
        (0.5, -0.02),
        (0.0, -0.2),
        (-0.5, -0.02),
    ]
    drop = [(0.0, -1.0), (0.4, 0.1), (0.0, 0.6), (-0.4, 0.1)]
    ring(2, 64, petal, 30)
    ring(5, 112, crescent, 18)
    ring(5, 160, petal, 26)
    ring(10, 208, drop, 13)
    ring(9, 248, crescent, 17)
    write(
        "cut_corner",
        (300, 300),
        [Shape(line(rim) + "Z", fill="accent"), Shape(" ".join(cuts) + " " + circle(12, 12, 10), fill="paper")],
        "剪纸角花：对折两次剪成",
    )


def fret() -> None:
    """One unit of 回纹."""
    write("fret", (60, 60), [Shape("M0 52 H52 V8 H10 V38 H36 V22 H24 M52 52 H60", stroke="soft", width=5)], "回纹一格")
