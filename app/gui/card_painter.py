"""Draws a card: paper, frames, ornaments, the animal of the year, and the text as it was set. All of it is outlines.

The same card gives the same bytes, as PNG and as PDF, whenever and in whatever process it is made.
"""

import re
import uuid
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QLineF, QMarginsF, QRectF, QSizeF, Qt, QUuid
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPainterPath, QPdfWriter, QPen, QTransform
from PySide6.QtSvg import QSvgRenderer

from app.cards.cells import Turn
from app.cards.clusters import clusters
from app.cards.design import WIDTH, Collection, Design, Format, Ornament, Spot
from app.cards.layout import Placed, SetText, set_letter
from app.cards.letter import Letter, read_letter
from app.gui.card_type import BASELINE, EM, CardType

RULE_WIDTH = 2.0  # of the hairlines of letter paper
RULE_OVERHANG = 26.0  # how far they go beyond the text
BORDER_WIDTH, BORDER_GAP = 6.0, 9.0  # the line around all of them
PDF_WIDTH = 135.0  # mm
PDF_DOTS = 600  # to the inch: what coordinates are rounded to
SEAL_MARGIN = 0.05  # between the animal and the seal's edge, as a part of its width
_NAMESPACE = uuid.UUID("6f0ad0a8-5b3c-4d52-9d3b-6f2f0a6c2b11")


@dataclass(frozen=True)
class Card:
    """A design with a letter set into it."""

    design: Design
    format: Format
    letter: Letter
    set_text: SetText
    zodiac: str = ""  # the animal's character; none when empty


class CardPainter:
    """Sets and draws the cards of a collection."""

    def __init__(self, collection: Collection, card_type: CardType) -> None:
        self.collection = collection
        self.type = card_type
        self._drawn: dict[tuple[str, str], QSvgRenderer] = {}

    def card(self, design: Design, format: Format, text: str, signature: str = "", zodiac: str = "") -> Card:
        """``text`` set into ``design``, without the characters no font here can draw.

        Raises:
            TextTooLong: it does not fit.
        """
        letter = read_letter(self._drawable(text), self._drawable(signature))
        set_text = set_letter(letter, design.page(format).text, design.setting, self.type)
        return Card(design, format, letter, set_text, zodiac)

    def paint(self, painter: QPainter, card: Card) -> None:
        """Draw the card at the painter's origin, one unit to the unit."""
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        design, page = card.design, card.design.page(card.format)
        whole = QRectF(0, 0, WIDTH, card.format.height)
        painter.fillRect(whole, QColor(design.colours["paper"]))
        self._paint_frames(painter, design, whole)
        for ornament in page.ornaments:
            self._paint_ornament(painter, design, ornament)
        if design.setting.ruled:
            self._paint_rules(painter, card)
        if card.zodiac:
            self._paint_zodiac(painter, design, page.zodiac, card.zodiac)
        self._paint_text(painter, card)

    def image(self, card: Card, width: int = WIDTH) -> QImage:
        """The card as pixels, ``width`` of them across."""
        scale = width / WIDTH
        image = QImage(width, round(card.format.height * scale), QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.scale(scale, image.height() / card.format.height)
        self.paint(painter, card)
        painter.end()
        return image

    def png(self, card: Card) -> bytes:
        """A PNG file, one pixel to the unit: 1080 by 1440 or 1080 by 1080."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.image(card).save(buffer, "PNG")  # type: ignore[call-overload]
        return bytes(buffer.data().data())

    def pdf(self, card: Card) -> bytes:
        """A PDF file of one page, 135 mm wide, in outlines: nothing in it depends on a font or on the day."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        height = PDF_WIDTH * card.format.height / WIDTH
        writer.setPageSize(QPageSize(QSizeF(PDF_WIDTH, height), QPageSize.Unit.Millimeter))
        writer.setPageMargins(QMarginsF(0, 0, 0, 0))
        writer.setResolution(PDF_DOTS)
        writer.setTitle(card.design.title.zh)
        name = "\n".join((card.design.id, card.format.value, card.zodiac, *card.set_text.lines))
        writer.setDocumentId(QUuid(str(uuid.uuid5(_NAMESPACE, name))))
        painter = QPainter(writer)
        painter.scale(writer.width() / WIDTH, writer.height() / card.format.height)
        self.paint(painter, card)
        painter.end()
        return timeless(bytes(buffer.data().data()))

    def _drawable(self, text: str) -> str:
        missing = set(self.type.missing(text))
        return "".join(cluster for cluster in clusters(text) if cluster not in missing)

    def _paint_frames(self, painter: QPainter, design: Design, whole: QRectF) -> None:
        for frame in design.frames:
            inset = frame.inset + frame.width / 2
            path = QPainterPath()
            path.addRoundedRect(whole.adjusted(inset, inset, -inset, -inset), frame.radius, frame.radius)
            colour = QColor(design.colours[frame.colour])
            if frame.width:
                painter.strokePath(path, _mitred(colour, frame.width))
            else:
                painter.fillPath(path, colour)

    def _paint_ornament(self, painter: QPainter, design: Design, ornament: Ornament) -> None:
        drawing = self.collection.drawings[ornament.drawing]
        height = ornament.width * drawing.height / drawing.width
        for row in range(ornament.rows):
            for column in range(ornament.columns):
                painter.save()
                painter.translate(ornament.x + column * ornament.step, ornament.y + row * ornament.step)
                painter.translate(ornament.width * ornament.flip, height * ornament.invert)
                painter.scale(-1 if ornament.flip else 1, -1 if ornament.invert else 1)
                self._drawing(design, ornament.drawing).render(painter, QRectF(0, 0, ornament.width, height))
                painter.restore()

    def _paint_rules(self, painter: QPainter, card: Card) -> None:
        box, pitch = card.design.page(card.format).text, card.set_text.pitch
        outer = QRectF(box.x, box.y - RULE_OVERHANG, box.width, box.height + 2 * RULE_OVERHANG)
        painter.setPen(_mitred(QColor(card.design.colours["accent"]), RULE_WIDTH))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(outer)
        for number in range(1, round(box.width / pitch)):
            x = outer.right() - number * pitch
            painter.drawLine(QLineF(x, outer.top(), x, outer.bottom()))
        gap = BORDER_GAP + BORDER_WIDTH / 2
        painter.setPen(_mitred(painter.pen().color(), BORDER_WIDTH))
        painter.drawRect(outer.adjusted(-gap, -gap, gap, gap))

    def _paint_zodiac(self, painter: QPainter, design: Design, spot: Spot, animal: str) -> None:
        """A round seal, the animal cut out of it."""
        seal = QPainterPath()
        seal.addEllipse(QRectF(spot.x, spot.y, spot.size, spot.size))
        painter.fillPath(seal, QColor(design.colours["accent"]))
        margin = spot.size * SEAL_MARGIN
        inner = QRectF(spot.x, spot.y, spot.size, spot.size).adjusted(margin, margin, -margin, -margin)
        self._drawing(design, animal).render(painter, inner)

    def _paint_text(self, painter: QPainter, card: Card) -> None:
        """All characters as one path; pictures one by one."""
        ink = QPainterPath()
        ink.setFillRule(Qt.FillRule.WindingFill)
        for placed in card.set_text.placed:
            place, at = _frame_of(placed, sum(map(self.type.advance, clusters(placed.text)))), 0.0
            for cluster in clusters(placed.text):
                advance = self.type.advance(cluster)
                outline = self.type.outline(cluster)
                if outline is not None:
                    here = QTransform(place).translate(at, BASELINE).scale(1 / EM, 1 / EM)
                    ink.addPath(here.map(outline))
                elif picture := self.type.picture(cluster):
                    target = QRectF(at + (advance - 1) / 2, 0, 1, 1)
                    painter.drawImage(place.mapRect(target), picture)
                at += advance
        painter.fillPath(ink, QColor(card.design.colours["ink"]))

    def _drawing(self, design: Design, name: str) -> QSvgRenderer:
        if (design.id, name) not in self._drawn:
            source = self.collection.drawings[name].svg(design.colours)
            self._drawn[design.id, name] = QSvgRenderer(QByteArray(source.encode("utf-8")))
        return self._drawn[design.id, name]


def _frame_of(placed: Placed, length: float) -> QTransform:
    """From a line of type of ``length`` em, its top left corner at the origin, to where it stands on the card."""
    place = QTransform.fromTranslate(placed.x, placed.y).scale(placed.size, placed.size)
    if placed.turn is Turn.TURNED:
        return place.translate(1, 0).rotate(90)
    if placed.turn is Turn.ABREAST:
        narrow = min(1.0, 1.0 / length) if length else 1.0
        return place.translate((1 - length * narrow) / 2, 0).scale(narrow, 1)
    return place


def _mitred(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)


def timeless(pdf: bytes) -> bytes:
    """A PDF file of Qt's with every date in it the first second of 2000, UTC.

    The dates stand in the first two objects, before the catalogue: the information dictionary and the metadata. Those
    of the first change in length with the zone, so that the offsets of all that follows, in the table at the end
    (ISO 32000-1, 7.5.4), are corrected by the difference.
    """
    head, body = pdf[: (cut := pdf.index(b"/Type /Catalog"))], pdf[cut:]
    first = head.index(b"endobj")
    dated = re.sub(rb"\(D:\d{14}(?:Z|[+-]\d\d'\d\d'?)\)", b"(D:20000101000000Z)", head)
    dated = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", b"2000-01-01T00:00:00+00:00", dated)
    shorter = len(head) - len(dated)
    table = body.rindex(b"\nxref\n")

    def moved(entry: re.Match[bytes]) -> bytes:
        offset = int(entry.group(1))
        return b"%010d %b" % (offset - shorter if offset > first else offset, entry.group(2))

    tail = re.sub(rb"(\d{10}) (\d{5} n)", moved, body[table:])
    tail = re.sub(rb"(?<=startxref\n)\d+", lambda offset: b"%d" % (int(offset.group()) - shorter), tail)
    return dated + body[:table] + tail
