"""What a card looks like: paper, frame, ornaments, type, and where the text sits, for each of the two formats.

Units are those of the card, 1080 to its width, y growing downward. Colours are named in a design (``paper``, ``ink``,
``accent`` and what else it needs) and drawings ask for them by name, so that one drawing serves several designs.
"""

from dataclasses import dataclass
from enum import Enum

from app.compose.sentence import Sentence

WIDTH = 1080  # units, and pixels of the pictures that are saved


class Format(Enum):
    """The shape of the picture."""

    PORTRAIT = "portrait"
    SQUARE = "square"

    @property
    def height(self) -> int:
        """In units; in pixels of the pictures that are saved, too."""
        return 1440 if self is Format.PORTRAIT else 1080


class Place(Enum):
    """Where something stands in what is wider than it: in reading order, so a column's ``START`` is its top."""

    START = "start"
    CENTRE = "centre"
    END = "end"


@dataclass(frozen=True)
class Box:
    """A rectangle of the card."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Setting:
    """How the text is set.

    Args:
        vertical: in columns from right to left, instead of lines.
        largest, smallest: units to the em; a text that does not fit at the smallest is refused.
        leading: from line to line, in em.
        align: a short line in the block of lines.
        along, across: the block in its box, in the direction of the lines and across them.
        ruled: lines fill the box evenly and hairlines part them, as on letter paper.
    """

    vertical: bool
    largest: float
    smallest: float
    leading: float
    align: Place = Place.START
    along: Place = Place.CENTRE
    across: Place = Place.CENTRE
    ruled: bool = False


@dataclass(frozen=True)
class Frame:
    """A rectangle ``inset`` from the edges: a line of ``width`` units, or a surface where that is 0."""

    inset: float
    colour: str
    width: float = 0.0
    radius: float = 0.0


@dataclass(frozen=True)
class Ornament:
    """A drawing on the card, its upper left corner at (x, y), ``width`` units wide; repeated every ``step`` units.

    ``flip`` mirrors it left to right, ``invert`` top to bottom, each in its own place.
    """

    drawing: str
    x: float
    y: float
    width: float
    flip: bool = False
    invert: bool = False
    columns: int = 1
    rows: int = 1
    step: float = 0.0


@dataclass(frozen=True)
class Spot:
    """The square around the seal with the animal of the year."""

    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Page:
    """One format of a design. ``ornaments`` are drawn in order, below the text."""

    text: Box
    zodiac: Spot
    ornaments: tuple[Ornament, ...] = ()


@dataclass(frozen=True)
class Shape:
    """One path of a drawing, in the language of SVG paths; filled, drawn as a line of ``width``, or both."""

    path: str
    fill: str | None = None
    stroke: str | None = None
    width: float = 0.0
    opacity: float = 1.0
    mirrored: bool = False  # drawn again, left to right, as paper folded once is cut


@dataclass(frozen=True)
class Drawing:
    """A picture of ``width`` by ``height`` units of its own."""

    width: float
    height: float
    shapes: tuple[Shape, ...]

    @property
    def colours(self) -> set[str]:
        """The names of the colours it needs."""
        return {name for shape in self.shapes for name in (shape.fill, shape.stroke) if name}

    def svg(self, colours: dict[str, str]) -> str:
        """The drawing as an SVG document in these colours, each name's as ``#rrggbb``."""
        paths = []
        for shape in self.shapes:
            paint = (
                f'fill="{colours[shape.fill] if shape.fill else "none"}" fill-rule="evenodd" '
                f'stroke="{colours[shape.stroke] if shape.stroke else "none"}" stroke-width="{shape.width:g}" '
                f'stroke-linecap="round" stroke-linejoin="round" opacity="{shape.opacity:g}"'
            )
            paths.append(f'<path d="{shape.path}" {paint}/>')
            if shape.mirrored:
                paths.append(f'<path transform="matrix(-1 0 0 1 {self.width:g} 0)" d="{shape.path}" {paint}/>')
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}">{"".join(paths)}</svg>'
        )


@dataclass(frozen=True)
class Design:
    """One card of the collection. ``frames`` are drawn first, in order."""

    id: str
    title: Sentence
    colours: dict[str, str]
    setting: Setting
    portrait: Page
    square: Page
    frames: tuple[Frame, ...] = ()

    def page(self, format: Format) -> Page:
        return self.portrait if format is Format.PORTRAIT else self.square


@dataclass(frozen=True)
class Collection:
    """All designs, in the order they are shown, and the drawings they use; an animal's has its character's name."""

    designs: tuple[Design, ...]
    drawings: dict[str, Drawing]

    def design(self, id: str) -> Design:
        """Raises KeyError for an unknown id."""
        for design in self.designs:
            if design.id == id:
                return design
        raise KeyError(id)
