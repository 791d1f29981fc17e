"""The type of cards: outlines and widths out of the bundled font files, so that a card looks the same everywhere.

What those files lack, emoji above all, comes from the system's fonts as a picture, or is named as missing.
"""

import unicodedata
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QRawFont, QTextLayout

from app.cards.clusters import clusters, is_picture
from app.gui.theme import FONTS

EM = 1000.0  # units of the outlines
BASELINE = 0.88  # em below the top of a character's square
FACES = ("BainianKai-Regular.ttf", "BainianSans-Regular.otf")
PICTURE_PIXELS = 240  # to the em: more than any card shows
PICTURE_ADVANCE = 1.1  # em; an emoji fills its square, and wants a little air


class CardType:
    """Metrics of `app.cards`, and what they measure. To be used in the thread that made it."""

    def __init__(self, folder: Path = FONTS) -> None:
        self._faces = [QRawFont(str(folder / name), EM) for name in FACES]
        self._outlines: dict[str, QPainterPath | None] = {}
        self._advances: dict[str, float] = {}
        self._pictures: dict[str, QImage | None] = {}

    def advance(self, cluster: str) -> float:
        """The width of one cluster, in em; 0 for one that cannot be drawn."""
        if cluster not in self._advances:
            self._advances[cluster] = self._measured(cluster)
        return self._advances[cluster]

    def outline(self, cluster: str) -> QPainterPath | None:
        """The shape at `EM` units to the em, its baseline's start at the origin; None where no face has it."""
        if cluster not in self._outlines:
            found = self._find(cluster)
            if found is None:
                self._outlines[cluster] = None
            else:
                path = found[0].pathForGlyph(found[1])
                path.setFillRule(Qt.FillRule.WindingFill)
                self._outlines[cluster] = path
        return self._outlines[cluster]

    def picture(self, cluster: str) -> QImage | None:
        """The cluster as the system draws it, centred in a square of `PICTURE_PIXELS`; or None."""
        if cluster not in self._pictures:
            self._pictures[cluster] = self._drawn_by_system(cluster)
        return self._pictures[cluster]

    def missing(self, text: str) -> list[str]:
        """The clusters of a text that neither our faces nor the system's fonts can draw, each once."""
        lacking = (
            each
            for each in clusters(text)
            if not each.isspace() and self.outline(each) is None and self.picture(each) is None
        )
        return list(dict.fromkeys(lacking))

    def _find(self, cluster: str) -> tuple[QRawFont, int] | None:
        """The face that has the cluster as one glyph, and the glyph."""
        composed = unicodedata.normalize("NFC", cluster)
        if len(composed) != 1 or is_picture(cluster):
            return None
        for face in self._faces:
            glyphs = face.glyphIndexesForString(composed)
            if len(glyphs) == 1 and glyphs[0] != 0:
                return face, glyphs[0]
        return None

    def _measured(self, cluster: str) -> float:
        found = self._find(cluster)
        if found is not None:
            return found[0].advancesForGlyphIndexes([found[1]])[0].x() / EM
        if cluster.isspace():
            return 0.5
        if self.picture(cluster) is None:
            return 0.0
        if is_picture(cluster):
            return PICTURE_ADVANCE
        return QFontMetricsF(self._system_font).horizontalAdvance(cluster) / PICTURE_PIXELS

    @cached_property
    def _system_font(self) -> QFont:
        font = QFont()
        font.setPixelSize(PICTURE_PIXELS)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font

    def _drawn_by_system(self, cluster: str) -> QImage | None:
        layout = QTextLayout(cluster, self._system_font)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        runs = layout.glyphRuns()
        if not runs or any(index == 0 for run in runs for index in run.glyphIndexes()):
            return None
        image = QImage(PICTURE_PIXELS, PICTURE_PIXELS, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(self._system_font)
        bounds = QFontMetricsF(self._system_font).boundingRect(cluster)
        scale = min(1.0, PICTURE_PIXELS / max(bounds.width(), bounds.height(), 1.0))
        painter.translate(PICTURE_PIXELS / 2, PICTURE_PIXELS / 2)
        painter.scale(scale, scale)
        painter.drawText(-bounds.center(), cluster)
        painter.end()
        return image
