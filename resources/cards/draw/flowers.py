"""The flowers of the season: a plum branch and a pot of narcissus."""

import math

from pen import Shape, brush, circle, curve, line, turned, write


def blossom(x: float, y: float, radius: float, angle: float) -> list[Shape]:
    """Five round petals that hardly touch, and the stamens."""
    petal = [(0.0, -0.1), (0.42, -0.42), (0.36, -0.86), (0.0, -1.0), (-0.36, -0.86), (-0.42, -0.42)]
    turns = [angle + number * math.tau / 5 for number in range(5)]
    petals = " ".join(curve(turned(petal, turn, x, y, radius), closed=True) for turn in turns)
    stamens = [angle + math.pi / 5 + number * math.tau / 10 for number in range(10)]
    reach = [0.5 if number % 2 else 0.38 for number in range(10)]
    threads = " ".join(
        line([(x, y), (x + math.sin(turn) * radius * r, y - math.cos(turn) * radius * r)])
        for turn, r in zip(stamens, reach, strict=True)
    )
    tips = " ".join(
        circle(x + math.sin(turn) * radius * r, y - math.cos(turn) * radius * r, radius * 0.05)
        for turn, r in zip(stamens, reach, strict=True)
    )
    return [
        Shape(petals, fill="blossom"),
        Shape(threads, stroke="paper", width=max(radius * 0.03, 0.8), opacity=0.9),
        Shape(tips, fill="paper"),
    ]


def bud(x: float, y: float, radius: float, angle: float) -> list[Shape]:
    """Closed, in its calyx."""
    shape = [(0.0, 0.5), (0.7, -0.05), (0.5, -0.8), (0.0, -1.1), (-0.5, -0.8), (-0.7, -0.05)]
    calyx = [(0.0, 0.95), (0.42, 0.55), (0.62, 0.0), (0.2, 0.22), (0.0, 0.0), (-0.2, 0.22), (-0.62, 0.0), (-0.42, 0.55)]
    return [
        Shape(curve(turned(shape, angle, x, y, radius), closed=True), fill="blossom"),
        Shape(curve(turned(calyx, angle, x, y, radius), closed=True), fill="branch"),
    ]


def plum() -> None:
    """A branch from the lower left, old and angular, its young twigs straight."""
    old = [(-30, 820), (60, 742), (112, 640), (96, 560), (160, 470), (236, 416), (262, 330), (340, 262), (402, 226)]
    shapes = [
        Shape(brush(old, [62, 50, 46, 34, 36, 24, 22, 13, 5]), fill="branch"),
        Shape(brush([(104, 590), (70, 500), (84, 420), (52, 330), (60, 226)], [24, 17, 13, 9, 3]), fill="branch"),
        Shape(brush([(150, 482), (176, 380), (160, 290), (186, 170)], [18, 12, 8, 3]), fill="branch"),
        Shape(brush([(236, 416), (330, 404), (420, 352), (520, 336)], [15, 11, 8, 3]), fill="branch"),
        Shape(brush([(262, 330), (280, 240), (262, 150)], [11, 7, 3]), fill="branch"),
        Shape(brush([(112, 640), (200, 606), (276, 556)], [16, 9, 3]), fill="branch"),
    ]
    for x, y, radius, angle in (
        (170, 372, 42, 0.2),
        (262, 322, 50, 0.9),
        (84, 424, 38, 2.0),
        (330, 398, 40, 1.4),
        (64, 300, 32, 0.5),
        (402, 232, 34, 0.1),
        (180, 244, 30, 2.6),
        (212, 600, 36, 0.7),
    ):
        shapes += blossom(x, y, radius, angle)
    for x, y, radius, angle in (
        (60, 212, 15, 0.1),
        (188, 158, 14, 0.2),
        (262, 138, 15, -0.2),
        (534, 332, 14, 1.4),
        (424, 350, 17, 0.6),
        (436, 208, 13, 1.0),
        (282, 552, 14, 1.2),
        (278, 216, 15, 0.9),
    ):
        shapes += bud(x, y, radius, angle)
    write("plum", (560, 820), shapes, "梅：老干从左下角伸出，新枝笔直")


def narcissus() -> None:
    """Leaves, three flowers on their stalks, the bulb; in fine lines and pale washes."""
    leaves = [
        ([(150, 700), (120, 520), (70, 380), (38, 210)], [26, 34, 30, 3]),
        ([(176, 700), (178, 500), (160, 330), (190, 130)], [26, 36, 30, 3]),
        ([(206, 700), (250, 540), (300, 420), (318, 270)], [24, 34, 28, 3]),
        ([(226, 704), (300, 600), (380, 540), (440, 560)], [22, 30, 24, 3]),
        ([(136, 704), (80, 610), (30, 560), (0, 566)], [20, 26, 20, 3]),
    ]
    shapes = [Shape(brush(points, widths), fill="leaf", opacity=0.9) for points, widths in leaves]
    veins = " ".join(curve(points) for points, _ in leaves)
    shapes.append(Shape(veins, stroke="paper", width=2, opacity=0.7))
    stalks = [
        [(168, 700), (140, 480), (128, 300), (110, 214)],
        [(190, 700), (214, 500), (238, 330), (250, 196)],
        [(196, 700), (240, 560), (300, 470), (352, 400)],
    ]
    shapes += [Shape(curve(stalk), stroke="leaf", width=9) for stalk in stalks]
    for x, y, radius, angle in ((108, 196, 66, -0.3), (252, 160, 74, 0.35), (372, 380, 60, 0.8)):
        shapes += narcissus_flower(x, y, radius, angle)
    bulb = [(150, 700), (120, 740), (122, 792), (160, 822), (206, 824), (246, 796), (250, 742), (224, 700)]
    shapes += [
        Shape(curve(bulb, closed=True), fill="petal", stroke="leaf", width=3),
        Shape(
            " ".join(
                curve([(186 + dx * 0.5, 704), (186 + dx, 760), (186 + dx * 0.4, 820)]) for dx in (-40, -18, 16, 40)
            ),
            stroke="leaf",
            width=2,
            opacity=0.7,
        ),
        Shape(
            " ".join(
                curve([(186 + dx * 0.5, 822), (186 + dx, 846), (186 + dx * 1.6, 872)]) for dx in range(-28, 29, 8)
            ),
            stroke="leaf",
            width=2,
        ),
    ]
    write("narcissus", (450, 880), shapes, "水仙：一球，五叶，三花")


def narcissus_flower(x: float, y: float, radius: float, angle: float) -> list[Shape]:
    """Six pointed petals and the cup."""
    petal = [(0.0, 0.0), (0.34, -0.4), (0.26, -0.78), (0.0, -1.02), (-0.26, -0.78), (-0.34, -0.4)]
    order = (1, 3, 5, 0, 2, 4)
    petals = [
        Shape(
            curve(turned(petal, angle + number * math.tau / 6, x, y, radius), closed=True),
            fill="petal",
            stroke="leaf",
            width=2.2,
        )
        for number in order
    ]
    cup = [
        (math.cos(turn * math.tau / 16) * r, math.sin(turn * math.tau / 16) * r)
        for turn in range(16)
        for r in (0.3 if turn % 2 else 0.34,)
    ]
    return [
        *petals,
        Shape(curve(turned(cup, angle, x, y, radius), closed=True), fill="cup", stroke="leaf", width=1.8),
        Shape(circle(x, y, radius * 0.13), fill="petal", opacity=0.6),
        Shape(
            " ".join(
                circle(*spot, radius * 0.035)
                for spot in turned([(0, -0.06), (0.06, 0.05), (-0.06, 0.05)], angle, x, y, radius)
            ),
            fill="leaf",
        ),
    ]
