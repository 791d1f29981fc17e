"""What one sees from afar: hills over still water, and a house on the last night of the year."""

import itertools
import math
import random
from collections.abc import Sequence

from pen import Point, Shape, brush, circle, curve, write


def ridge(seed: int, peaks: Sequence[Point], base: float) -> str:
    """A chain of hills: over the peaks, smooth, a little uneven, down to the base."""
    chance = random.Random(seed)
    points: list[Point] = []
    for (x, y), (next_x, next_y) in itertools.pairwise(peaks):
        points.append((x, y))
        for part in (0.3, 0.6):
            sag = math.sin(part * math.pi) * chance.uniform(0, 14)
            points.append((x + (next_x - x) * part, y + (next_y - y) * part + sag))
    points.append(peaks[-1])
    return f"{curve(points)} L{peaks[-1][0]:.0f} {base:.0f} L{peaks[0][0]:.0f} {base:.0f}Z"


def mountains() -> None:
    """Three ranges behind one another, the farther the paler, and the sun; their foot is the shore of still water."""
    far = [
        (0, 236),
        (110, 200),
        (220, 226),
        (330, 150),
        (430, 206),
        (560, 176),
        (690, 96),
        (800, 170),
        (930, 130),
        (1080, 190),
    ]
    middle = [
        (0, 250),
        (120, 236),
        (230, 168),
        (330, 246),
        (470, 290),
        (640, 262),
        (760, 200),
        (850, 252),
        (970, 224),
        (1080, 260),
    ]
    near = [(0, 262), (80, 250), (170, 300), (280, 336), (420, 358), (560, 370)]
    right = [(700, 370), (800, 352), (900, 300), (990, 316), (1080, 280)]
    shapes = [
        Shape(circle(400, 112, 40), fill="sun"),
        Shape(ridge(1, far, 372), fill="hill", opacity=0.26),
        Shape(ridge(2, middle, 372), fill="hill", opacity=0.4),
        Shape(f"{ridge(4, near, 372)} {ridge(5, right, 372)}", fill="hill", opacity=0.92),
        Shape("M0 372 H1080 V380 C820 388 600 384 380 392 C240 396 120 392 0 402Z", fill="hill", opacity=0.22),
        Shape("M120 430 H420 M520 418 H700 M640 446 H760 M300 470 H380", stroke="hill", width=2.5, opacity=0.4),
    ]
    write("mountains", (1080, 520), shapes, "远山：三重，越远越淡；一轮小日，一片静水")
    boat = "M0 34 C30 46 90 46 128 30 C104 60 36 62 0 34Z"
    hood = "M38 40 C42 12 84 12 90 40Z"
    ripples = "M-20 62 L30 62 M60 70 L140 70"
    write(
        "boat",
        (160, 96),
        [
            Shape(hood, fill="paper", stroke="ink", width=3),
            Shape(boat, fill="ink"),
            Shape(ripples, stroke="hill", width=2.5, opacity=0.5),
        ],
        "一叶舟",
    )


def roof(left: float, right: float, ridge_at: float, eave_at: float, overhang: float) -> dict[str, str]:
    """A gable roof from the front: its slope, its tiles, and the snow along ridge and eave."""
    corner = 26.0
    slope = (
        f"M{left} {ridge_at} L{right} {ridge_at} "
        f"C{right + overhang * 0.25} {eave_at - 50} {right + overhang * 0.6} {eave_at - 14} "
        f"{right + overhang} {eave_at - corner} L{right + overhang - 10} {eave_at + 6} "
        f"L{left - overhang + 10} {eave_at + 6} L{left - overhang} {eave_at - corner} "
        f"C{left - overhang * 0.6} {eave_at - 14} {left - overhang * 0.25} {eave_at - 50} {left} {ridge_at}Z"
    )
    count = round((right - left) / 26)
    tiles = []
    for number in range(1, count):
        part = number / count
        top = left + (right - left) * part
        foot = left - overhang * 0.8 + (right - left + overhang * 1.6) * part
        middle = (top + (foot - top) * 0.36, ridge_at + (eave_at - ridge_at) * 0.55)
        tiles.append(curve([(top, ridge_at + 16), middle, (foot, eave_at - 4)]))
    ridge_snow = brush(
        [
            (left - 16, ridge_at - 12),
            (left + 20, ridge_at - 2),
            ((left + right) / 2, ridge_at - 3),
            (right - 20, ridge_at - 2),
            (right + 16, ridge_at - 12),
        ],
        [7, 15, 17, 15, 7],
    )
    eave_snow = brush(
        [
            (left - overhang - 2, eave_at - corner - 4),
            (left - overhang * 0.62, eave_at - 6),
            ((left + right) / 2, eave_at + 1),
            (right + overhang * 0.62, eave_at - 6),
            (right + overhang + 2, eave_at - corner - 4),
        ],
        [5, 11, 12, 11, 5],
    )
    return {"slope": slope, "tiles": " ".join(tiles), "snow": f"{ridge_snow} {eave_snow}"}


def night() -> None:
    """Roofs under snow, and one window lit. No moon: on that night there is none."""
    home, left, right = roof(250, 610, 150, 270, 120), roof(-160, 70, 230, 318, 90), roof(860, 1140, 214, 306, 100)
    distant = "M0 250 C140 196 260 226 380 190 C520 150 640 214 760 178 C880 146 980 196 1080 172 L1080 460 L0 460Z"
    walls = "M170 270 H690 V420 H170Z"
    others = "M0 318 H130 V420 H0Z M800 306 H1080 V420 H800Z"
    ground = "M0 408 C160 396 330 404 520 402 C720 398 900 408 1080 396 V460 H0Z"
    panes = "M368 306 H492 V392 H368Z"
    bars = "M399 306 V392 M430 306 V392 M461 306 V392 M368 335 H492 M368 363 H492"
    shapes = [
        Shape(distant, fill="roof", opacity=0.35),
        Shape(others, fill="roof", opacity=0.8),
        Shape(f"{left['slope']} {right['slope']}", fill="tile", opacity=0.75),
        Shape(f"{left['snow']} {right['snow']}", fill="snow", opacity=0.6),
        Shape(walls, fill="roof"),
        Shape(home["slope"], fill="tile"),
        Shape(home["tiles"], stroke="roof", width=2.5, opacity=0.7),
        Shape(home["snow"], fill="snow", opacity=0.9),
        Shape(panes, fill="lamp"),
        Shape(bars, stroke="roof", width=4),
        Shape("M362 300 H498 V398 H362Z", stroke="tile", width=5),
        Shape(ground, fill="ground"),
        Shape("M366 404 L494 404 L548 452 L312 452Z", fill="lamp", opacity=0.16),
    ]
    write("roofs", (1080, 460), shapes, "守岁：雪夜，几重屋脊，一扇亮着的窗")
    chance = random.Random(7)
    placed: list[Point] = []
    while len(placed) < 120:
        x, y = chance.uniform(10, 1070), chance.uniform(10, 1430)
        if all(math.dist((x, y), other) > 60 for other in placed):
            placed.append((x, y))
    # Where the text stands the flakes are so fine that none is taken for a mark.
    clear = [spot for spot in placed if not (120 < spot[0] < 960 and 90 < spot[1] < 960)]
    behind = [spot for spot in placed if spot not in clear]
    sizes = ((behind, 1.6, 0.3), (clear[::2], 2.4, 0.5), (clear[1::4], 3.6, 0.65), (clear[3::4], 5.2, 0.8))
    flakes = [Shape(" ".join(circle(x, y, size) for x, y in spots), fill="snow", opacity=o) for spots, size, o in sizes]
    write("snow", (1080, 1440), flakes, "雪")
