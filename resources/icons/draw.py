"""Draws the program's icon: a cinnabar seal with 拜 in the colour of paper.

``bainiantie.svg`` is the drawing; ``bainiantie-16.svg`` and ``bainiantie-24.svg`` are the same seal drawn by hand for
so few pixels. From them come the PNG files, ``bainiantie.ico`` (Windows) and ``bainiantie.icns`` (macOS). With
``--face`` ``bainiantie.svg`` is made again, with the glyph's outline from that font (README.md says which); that needs
fonttools.
"""

import argparse
import struct
import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

HERE = Path(__file__).resolve().parent
DRAWING = HERE / "bainiantie.svg"

BY_HAND = (24, 16)  # sizes whose strokes would run together in the outline; used up to six pixels beyond, on a margin
PNG = (16, 24, 32, 48, 64, 128, 256, 512)
ICO = (16, 20, 24, 32, 40, 48, 64, 256)
# Apple's four-letter names of PNG images of these sizes: 16@2x, 32@2x, 128, 128@2x, 256@2x, 512@2x.
ICNS = {"ic11": 32, "ic12": 64, "ic07": 128, "ic13": 256, "ic14": 512, "ic10": 1024}

TEMPLATE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512" width="512" height="512">
  <title>拜年帖</title>
  <rect x="32" y="32" width="448" height="448" rx="56" fill="#b4382a"/>
  <path fill="#fffaf2" transform="{transform}" d="{outline}"/>
</svg>
"""
GLYPH, NUMBER, SIZE = "拜", 2, 312.0  # the character, its face in a .ttc (2 is Simplified Chinese), its longer side


def write_drawing(face: Path) -> None:
    """Writes ``bainiantie.svg`` with the outline of the glyph from ``face``, centred by its bounds."""
    from fontTools.pens.boundsPen import BoundsPen
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.ttLib import TTFont

    font = TTFont(face, fontNumber=NUMBER)
    glyphs = font.getGlyphSet()
    glyph = glyphs[font.getBestCmap()[ord(GLYPH)]]
    bounds, pen = BoundsPen(glyphs), SVGPathPen(glyphs)
    glyph.draw(bounds)
    glyph.draw(pen)
    left, bottom, right, top = bounds.bounds
    scale = SIZE / max(right - left, top - bottom)
    x, y = 256 - scale * (left + right) / 2, 256 + scale * (bottom + top) / 2
    transform = f"matrix({scale:.4f} 0 0 {-scale:.4f} {x:.2f} {y:.2f})"
    DRAWING.write_text(TEMPLATE.format(transform=transform, outline=pen.getCommands()), encoding="utf-8")


def render(size: int) -> QImage:
    """The icon at ``size`` by ``size`` pixels; a small one is drawn by hand, its pixels kept whole."""
    image = QImage(QSize(size, size), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    by_hand = next((drawn for drawn in BY_HAND if drawn <= size <= drawn + 6), None)
    if by_hand is None:
        QSvgRenderer(str(DRAWING)).render(painter, QRectF(0, 0, size, size))
    else:
        margin = (size - by_hand) // 2
        QSvgRenderer(str(HERE / f"bainiantie-{by_hand}.svg")).render(painter, QRectF(margin, margin, by_hand, by_hand))
    painter.end()
    return image


def png(size: int) -> bytes:
    """The icon as a PNG file's bytes."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not render(size).save(buffer, "PNG"):
        raise SystemExit(f"Qt could not write a PNG of {size} pixels")
    return buffer.data().data()


def ico(sizes: tuple[int, ...]) -> bytes:
    """A Windows icon file of PNG images: 6 bytes of header, 16 for each image (a side of 256 is 0), the images."""
    images = [png(size) for size in sizes]
    head, offset = struct.pack("<HHH", 0, 1, len(images)), 6 + 16 * len(images)
    for size, image in zip(sizes, images, strict=True):
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(image), offset)
        offset += len(image)
    return head + b"".join(images)


def icns(sizes: dict[str, int]) -> bytes:
    """A macOS icon file: ``icns``, the whole length, then each image after its name and its length with both."""
    parts = b""
    for name, size in sizes.items():
        image = png(size)
        parts += name.encode("ascii") + struct.pack(">I", 8 + len(image)) + image
    return b"icns" + struct.pack(">I", 8 + len(parts)) + parts


def main() -> int:
    """Makes the files beside this one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--face", type=Path, help="a font to take the outline from; makes bainiantie.svg again")
    face = parser.parse_args().face
    application = QGuiApplication([sys.argv[0], "-platform", "offscreen"])
    if face is not None:
        write_drawing(face)
    for size in PNG:
        (HERE / f"bainiantie-{size}.png").write_bytes(png(size))
    (HERE / "bainiantie.ico").write_bytes(ico(ICO))
    (HERE / "bainiantie.icns").write_bytes(icns(ICNS))
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
