"""Where lines end: of even length, after a pause rather than within a phrase, with no orphan at the end.

The lines of a paragraph are chosen together, by dynamic programming over their ends, as Knuth and Plass did for
justified text (Breaking Paragraphs into Lines, 1981); the cost is ours, for ragged lines of Chinese.
"""

from dataclasses import dataclass

from app.cards.cells import Cell, squeeze
from app.cards.clusters import is_picture
from app.cards.punctuation import LIGHT_PAUSES

UNEVEN = 3.0  # what a line costs that is all shorter than it should be, per em
WITHIN_A_PHRASE = 8.0  # what an end costs where nobody draws breath
WITHIN_A_SENTENCE = 1.0  # and where one draws a short one
BEFORE_A_PICTURE = 8.0  # an emoji belongs to what it follows
BEFORE_A_DASH = 4.0
AFTER_A_NUMBER = 4.0  # 3 天, 一支
_NUMBERS = frozenset("一二两三四五六七八九十百千万几半第每")
ORPHAN = 60.0  # a last line of one character, or of one and its mark
SHORT_LAST = 0.3  # how much the last line's being short counts, against another's
ORPHAN_LENGTH = 1.75  # em


@dataclass(frozen=True)
class Lines:
    """A paragraph broken: ``ends[k]`` is the number of its cells before the end of line k. Lower costs look better."""

    ends: tuple[int, ...]
    cost: float


class Ruler:
    """The lengths of possible lines of one paragraph, in em; ``length`` takes constant time."""

    def __init__(self, cells: list[Cell]) -> None:
        self.cells = cells
        self._from: list[float] = []
        self._to: list[float] = []
        at, previous = 0.0, None
        for cell in cells:
            at += 0.0 if previous is None else cell.gap - squeeze(previous, cell)
            self._from.append(at + cell.lead)
            at += cell.advance
            self._to.append(at)
            previous = cell

    def length(self, start: int, end: int) -> float:
        """From first to last ink of the cells ``start`` to ``end``, without the air and spaces at either end."""
        while end > start + 1 and self.cells[end - 1].is_space:
            end -= 1
        return self._to[end - 1] - self.cells[end - 1].trail - self._from[start]

    def whole(self) -> float:
        return self.length(0, len(self.cells))

    def fewest(self, measure: float) -> int | None:
        """How many lines of at most ``measure`` em are needed; None where none would do."""
        lines, start, last = 1, 0, None
        for end in range(1, len(self.cells) + 1):
            if self.length(start, end) > measure:
                if last is None:
                    return None
                lines, start, last = lines + 1, last, None
                if self.length(start, end) > measure:
                    return None
            if self.cells[end - 1].may_end:
                last = end
        return lines


def break_evenly(ruler: Ruler, measure: float, target: float) -> Lines | None:
    """The best lines no longer than ``measure`` and about ``target`` em long; None where there are none."""
    cells, count = ruler.cells, len(ruler.cells)
    best: list[tuple[float, int] | None] = [(0.0, -1)] + [None] * count
    for end in range(1, count + 1):
        if end < count and not cells[end - 1].may_end:
            continue
        for start in range(end - 1, -1, -1):
            length = ruler.length(start, end)
            if length > measure:
                break
            before = best[start]
            if before is None:
                continue
            cost = before[0] + _cost(cells, start, end, length, target)
            now = best[end]
            if now is None or cost < now[0]:
                best[end] = (cost, start)
    ends, at = [], count
    while at > 0:
        found = best[at]
        if found is None:
            return None
        ends.append(at)
        at = found[1]
    final = best[count]
    return Lines(tuple(reversed(ends)), final[0] if final else 0.0)


def _cost(cells: list[Cell], start: int, end: int, length: float, target: float) -> float:
    uneven = UNEVEN * (target - length) ** 2 / target
    if end == len(cells):
        orphan = ORPHAN if start > 0 and length <= ORPHAN_LENGTH else 0.0
        return orphan + (uneven * SHORT_LAST if length < target else uneven)
    last = next(cell for cell in reversed(cells[start:end]) if not cell.is_space or cell is cells[start])
    following = cells[end]
    cost = uneven
    if not last.is_pause:
        cost += WITHIN_A_PHRASE
    elif last.source in LIGHT_PAUSES:
        cost += WITHIN_A_SENTENCE
    if is_picture(following.source):
        cost += BEFORE_A_PICTURE
    elif following.source in "—…":
        cost += BEFORE_A_DASH
    elif last.source.isdecimal() or last.source in _NUMBERS:
        cost += AFTER_A_NUMBER
    return cost
