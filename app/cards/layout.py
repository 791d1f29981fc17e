"""A letter set into a box: the largest size at which it fits and ends well, and where everything stands.

Units are those of the card, 1080 to its width; y grows downward. Nothing is drawn here.
"""

from dataclasses import dataclass

from app.cards.breaking import Lines, Ruler, break_evenly
from app.cards.cells import Cell, Metrics, Turn, cells, starts
from app.cards.design import Box, Place, Setting
from app.cards.errors import TextTooLong
from app.cards.letter import Letter

STEP = 0.97  # from one size tried to the next smaller
SMALLER_FOR_BETTER = 0.86  # how much smaller a text may get for better line ends
SIZE_WEIGHT = 24.0  # what being all smaller costs, against the cost of a line
MORE_LINES = 2  # how many lines more than needed are tried, where there is room
LINE_COST = 1.0  # what each of them costs
FILLED = 0.9  # how much of a full box characters fill, the rest being line ends


@dataclass(frozen=True)
class Placed:
    """Something drawn: ``text`` with its square's upper left corner at (x, y) and ``size`` units to the em.

    ``width`` is the length of its square along the line; a ``TURNED`` one lies on its right side, an ``ABREAST`` one is
    centred in its square and made narrower where it must be.
    """

    text: str
    x: float
    y: float
    size: float
    width: float
    turn: Turn


@dataclass(frozen=True)
class SetText:
    """A letter that fits. ``lines`` are its texts line by line, the signature last; ``pitch`` is from line to line."""

    placed: tuple[Placed, ...]
    lines: tuple[str, ...]
    size: float
    pitch: float
    block: Box  # what the squares cover


@dataclass(frozen=True)
class _Line:
    cells: tuple[Cell, ...]
    at_end: bool = False  # the signature stands at the far end of the block

    @property
    def length(self) -> float:
        shown = self.shown
        return list(starts(shown))[-1] + shown[-1].advance - shown[-1].trail

    @property
    def shown(self) -> tuple[Cell, ...]:
        """Without the spaces at its end."""
        kept = len(self.cells)
        while kept > 1 and self.cells[kept - 1].is_space:
            kept -= 1
        return self.cells[:kept]


class _Sheet:
    """The box at one size: how long a line may be and how many there may be."""

    def __init__(self, box: Box, setting: Setting, size: float) -> None:
        along, across = (box.height, box.width) if setting.vertical else (box.width, box.height)
        self.size = size
        self.measure = along / size
        self.pitch = setting.leading * size
        self.most_lines = int(across / self.pitch + 1e-9)
        if setting.ruled and self.most_lines:
            self.pitch = across / self.most_lines


def set_letter(letter: Letter, box: Box, setting: Setting, metrics: Metrics) -> SetText:
    """Set ``letter`` into ``box``.

    Raises:
        TextTooLong: it does not fit at the smallest size either.
    """
    for cut_words in (False, True):
        rulers = [Ruler(cells(text, metrics, setting.vertical, cut_words)) for text in letter.paragraphs]
        signature = cells(letter.signature, metrics, setting.vertical) if letter.signature else []
        if found := _best(rulers, signature, box, setting):
            sheet, lines = found
            return _place(lines, box, setting, sheet)
    smallest = _Sheet(box, setting, setting.smallest)
    most_lines = smallest.most_lines - bool(letter.signature)
    raise TextTooLong(letter, int(smallest.measure * most_lines * FILLED) // 10 * 10, most_lines)


def _best(rulers: list[Ruler], signature: list[Cell], box: Box, setting: Setting) -> tuple[_Sheet, list[_Line]] | None:
    """The sheet and the lines that look best: large type first, then even lines."""
    best: tuple[float, _Sheet, list[_Line]] | None = None
    size, largest = float(setting.largest), 0.0
    while size >= setting.smallest and size >= largest * SMALLER_FOR_BETTER:
        sheet = _Sheet(box, setting, size)
        if found := _lines(rulers, signature, sheet):
            largest = largest or size
            score = found[1] + SIZE_WEIGHT * (1 - size / largest)
            if best is None or score < best[0]:
                best = (score, sheet, found[0])
        size = max(size * STEP, setting.smallest) if size > setting.smallest else 0.0
    return (best[1], best[2]) if best else None


def _lines(rulers: list[Ruler], signature: list[Cell], sheet: _Sheet) -> tuple[list[_Line], float] | None:
    """All lines at one size and their cost per line; None where they do not fit."""
    if signature and Ruler(signature).whole() > sheet.measure:
        return None
    fewest = [ruler.fewest(sheet.measure) for ruler in rulers]
    spare = sheet.most_lines - bool(signature) - sum(count or 0 for count in fewest)
    if spare < 0 or None in fewest:
        return None
    lines: list[_Line] = []
    cost = 0.0
    for ruler, count in zip(rulers, fewest, strict=True):
        broken = _break(ruler, sheet.measure, count or 1, min(spare, MORE_LINES))
        if broken is None:
            return None
        spare -= len(broken.ends) - (count or 1)
        cost += broken.cost
        lines += [
            _Line(tuple(ruler.cells[start:end])) for start, end in zip((0, *broken.ends), broken.ends, strict=False)
        ]
    cost /= max(len(lines), 1)
    if signature:
        lines.append(_Line(tuple(signature), at_end=True))
    return lines, cost


def _break(ruler: Ruler, measure: float, fewest: int, more: int) -> Lines | None:
    """The best of the ways to break a paragraph into ``fewest`` lines or up to ``more`` beyond."""
    tried = (
        break_evenly(ruler, measure, min(ruler.whole() / count, measure)) for count in range(fewest, fewest + more + 1)
    )
    fitting = [broken for broken in tried if broken and len(broken.ends) <= fewest + more]
    return min(fitting, key=lambda broken: broken.cost + LINE_COST * len(broken.ends), default=None)


def _place(lines: list[_Line], box: Box, setting: Setting, sheet: _Sheet) -> SetText:
    along, across = (box.height, box.width) if setting.vertical else (box.width, box.height)
    longest = max((line.length for line in lines), default=0.0) * sheet.size
    thick = len(lines) * sheet.pitch
    first_along = _offset(setting.along, along - longest)
    first_across = _offset(setting.across, across - thick)
    air = (sheet.pitch - sheet.size) / 2
    placed: list[Placed] = []
    for number, line in enumerate(lines):
        free = longest - line.length * sheet.size
        shift = free if line.at_end else _offset(setting.align, free)
        down = first_across + number * sheet.pitch + air
        for cell, start in zip(line.shown, starts(line.shown), strict=True):
            if not cell.is_space:
                at = first_along + shift + start * sheet.size
                corner = _on_card(box, setting.vertical, at, down, cell.advance * sheet.size, sheet.size)
                placed.append(Placed(cell.shown, corner.x, corner.y, sheet.size, cell.advance * sheet.size, cell.turn))
    block = _on_card(box, setting.vertical, first_along, first_across, longest, thick)
    texts = tuple("".join(cell.source for cell in line.cells) for line in lines)
    return SetText(tuple(placed), texts, sheet.size, sheet.pitch, block)


def _on_card(box: Box, vertical: bool, along: float, across: float, length: float, thick: float) -> Box:
    """From lines, which begin at the box's start and follow one another, to the card: columns begin at the right."""
    if vertical:
        return Box(box.x + box.width - across - thick, box.y + along, thick, length)
    return Box(box.x + along, box.y + across, length, thick)


def _offset(place: Place, free: float) -> float:
    return {Place.START: 0.0, Place.CENTRE: free / 2, Place.END: free}[place]
