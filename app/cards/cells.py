"""A paragraph as the cells a line is made of: a Chinese character, a mark, a word, two digits upright in a column.

Lengths are in em along the line; only a size makes units of them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from app.cards.clusters import clusters
from app.cards.punctuation import CLOSING, OPENING, PAUSES, TURNED, air_after, air_before, may_break, vertical_form

SPACE_AT_LATIN = 0.2  # em between Chinese and Latin, where nobody typed a space (CLREQ 3.2.2: up to a quarter)
UPRIGHT_DIGITS = 4  # a number of so many digits is a year, and in a column its digits stand one under the other
WIDEST_ABREAST = 2.0  # em; wider words of three letters are not squeezed into one square

_WORD = re.compile(r"[0-9A-Za-zÀ-ɏ]+(?:[.,:/'’@&+_-]+[0-9A-Za-zÀ-ɏ]+)*[%°]?")  # a word, a number, an address


class Metrics(Protocol):
    """How wide the type is. Faces are drawn without hinting, so that a width at any size is the em's times the size."""

    def advance(self, cluster: str) -> float:
        """The width of one cluster set upright, in em."""


class Turn(Enum):
    """How a cell stands: ``UPRIGHT``; ``TURNED`` a quarter clockwise, in a column; ``ABREAST``, set into one square."""

    UPRIGHT = "upright"
    TURNED = "turned"
    ABREAST = "abreast"


@dataclass(frozen=True)
class Cell:
    """What a line does not cut.

    Args:
        source: the characters of the text it stands for.
        shown: the characters drawn.
        turn: how they stand.
        advance: its length along the line.
        gap: space before it, when it is not the first of its line.
        lead, trail: the air in it at either end, which a line's end and a neighbouring mark do without.
        may_end: whether a line may end with it.
    """

    source: str
    shown: str
    turn: Turn
    advance: float
    gap: float = 0.0
    lead: float = 0.0
    trail: float = 0.0
    may_end: bool = True

    @property
    def is_space(self) -> bool:
        return self.source.isspace()

    @property
    def is_pause(self) -> bool:
        """Whether one draws breath after it."""
        return self.source in PAUSES or self.source in CLOSING


def cells(paragraph: str, metrics: Metrics, vertical: bool, cut_words: bool = False) -> list[Cell]:
    """The cells of a paragraph; their sources joined are the paragraph.

    Args:
        cut_words: words may be cut anywhere, for those longer than a line.
    """
    found: list[Cell] = []
    pieces = list(_pieces(paragraph, vertical, cut_words))
    for before, piece, after in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
        shown, turn, advance = _stand(piece, metrics, vertical)
        full = advance > 0.9
        found.append(
            Cell(
                source=piece,
                shown=shown,
                turn=turn,
                advance=advance,
                gap=SPACE_AT_LATIN if _needs_gap(before, piece, vertical) else 0.0,
                lead=air_before(piece) if full else 0.0,
                trail=air_after(piece, vertical) if full else 0.0,
                may_end=_may_end(piece, after, cut_words),
            )
        )
    return found


def starts(line: Iterable[Cell]) -> Iterator[float]:
    """Where each cell of one line begins, from the line's first ink."""
    at, previous = 0.0, None
    for cell in line:
        at += -cell.lead if previous is None else cell.gap - squeeze(previous, cell)
        yield at
        at += cell.advance
        previous = cell


def squeeze(one: Cell, other: Cell) -> float:
    """The air two neighbouring marks do without (CLREQ 3.1.6.3): ``。”`` and ``》《`` have half a square too much."""
    if one.trail and (other.trail or other.source in CLOSING or other.source in OPENING):
        return one.trail
    return other.lead if one.source in OPENING else 0.0


def _pieces(paragraph: str, vertical: bool, cut_words: bool) -> Iterator[str]:
    """Clusters, and words whole; in a column a year is set digit by digit."""
    at = 0
    for word in () if cut_words else _WORD.finditer(paragraph):
        end = word.end()
        while end < len(paragraph) and len(clusters(paragraph[end - 1 : end + 1])) == 1:
            end += 1  # a mark that combines with the last letter
        yield from clusters(paragraph[at : word.start()])
        whole = paragraph[word.start() : end]
        yield from whole if vertical and _is_year(whole) else [whole]
        at = end
    yield from clusters(paragraph[at:])


def _is_year(word: str) -> bool:
    return len(word) == UPRIGHT_DIGITS and word.isdecimal()


def _may_end(piece: str, after: str, cut_words: bool) -> bool:
    if not after or after.isspace():
        return False
    if not cut_words and _is_latin(piece[0]) and _is_latin(after[0]):
        return False
    return may_break(piece[-1], after[0])


def _stand(piece: str, metrics: Metrics, vertical: bool) -> tuple[str, Turn, float]:
    """What is drawn for a piece, how it stands and how long it is."""
    length = sum(map(metrics.advance, clusters(piece)))
    if not vertical or piece.isspace():
        return piece, Turn.UPRIGHT, length
    if piece in TURNED or (_WORD.fullmatch(piece) and not _is_abreast(piece, length)):
        return piece, Turn.TURNED, length
    return vertical_form(piece), Turn.ABREAST if length < 0.9 or len(piece) > 1 else Turn.UPRIGHT, 1.0


def _is_abreast(word: str, length: float) -> bool:
    return len(word) <= 2 or (len(word) == 3 and length <= WIDEST_ABREAST)


def _needs_gap(before: str, piece: str, vertical: bool) -> bool:
    """Whether Chinese and Latin meet here; words in one square of a column, and digits one by one, need no air."""
    if not before or not before[-1].isalnum() or not piece[0].isalnum() or _is_latin(before[-1]) == _is_latin(piece[0]):
        return False
    word = piece if _is_latin(piece[0]) else before
    return not vertical or len(word) > 3


def _is_latin(character: str) -> bool:
    return bool(_WORD.match(character))
