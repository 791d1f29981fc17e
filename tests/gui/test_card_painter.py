"""Cards as they are drawn: every design with every length of text, the same bytes each time, nothing lost unsaid."""

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from app.cards.clusters import clusters
from app.cards.collection import load_collection
from app.cards.design import WIDTH, Drawing, Format
from app.compose.zodiac import ANIMALS
from app.gui.card_painter import Card, CardPainter, timeless
from app.gui.card_type import CardType

ROOT = Path(__file__).resolve().parents[2]
SHORT = "过年好，等你回来喝酒。"
MEDIUM = "李老师，给您拜年。跟您学了三年语文，如今每写完一篇东西，我仍会照您说的，从头默念一遍再交出去。——学生何川"
LONG = (
    "小鹿，今晚来老师家过年，说好了的，别不好意思。你爸妈在外地打工回不来，你一到就先跟他们视频，里屋给你留着，"
    "想说多久说多久，让他们看看你碗里有肉。饺子我包了一个带糖的，吃着的人放第一支烟花，我看多半是你。——鲁老师"
)
# As another process makes it: one horizontal and one vertical design, both formats, both kinds of file.
MAKE = """
import hashlib, sys
from app.gui.application import make_application
application = make_application()
from app.cards.clusters import clusters
from app.cards.collection import load_collection
from app.cards.design import Format
from app.gui.card_painter import CardPainter
from app.gui.card_type import CardType
painter = CardPainter(load_collection(), CardType())
for number, format in ((1, Format.PORTRAIT), (2, Format.SQUARE)):
    card = painter.card(painter.collection.designs[number], format, sys.argv[1], "", "马")
    print(hashlib.sha256(painter.png(card)).hexdigest(), hashlib.sha256(painter.pdf(card)).hexdigest())
"""


@pytest.fixture(scope="module")
def painter(application):
    return CardPainter(load_collection(), CardType())


def changed(one: QImage, other: QImage) -> tuple[int, int, int, int]:
    """The smallest rectangle (left, top, right, bottom) outside of which two pictures are alike; 0 when they are."""
    pixels = [np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1) for image in (one, other)]
    rows, columns = (np.flatnonzero((pixels[0] != pixels[1]).any(axis)) for axis in (1, 0))
    if not rows.size:
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def without_text(card: Card) -> Card:
    """The same card, and where it is ruled the same rules, with nothing written on it."""
    return replace(card, set_text=replace(card.set_text, placed=()))


@pytest.mark.parametrize("design", [design.id for design in load_collection().designs])
def test_ink_stays_within_the_text_box_of_every_design(painter, design):
    design = painter.collection.design(design)
    for format, text in itertools.product(Format, (SHORT, MEDIUM, LONG)):
        width, scale = 360, 360 / WIDTH
        card = painter.card(design, format, text)
        bare = without_text(card)
        left, top, right, bottom = changed(painter.image(card, width), painter.image(bare, width))
        box, slack = design.page(format).text, 2
        assert (right - left) * (bottom - top) > 0, "something is written"
        assert left >= box.x * scale - slack and right <= (box.x + box.width) * scale + slack
        assert top >= box.y * scale - slack and bottom <= (box.y + box.height) * scale + slack
        assert card.set_text.size >= design.setting.smallest


@pytest.mark.parametrize("design", [design.id for design in load_collection().designs])
def test_no_ornament_makes_a_character_hard_to_read(painter, design):
    design = painter.collection.design(design)
    ink = luminance(np.array(QColor(design.colours["ink"]).getRgb()[:3]))
    for format, text in itertools.product(Format, (SHORT, MEDIUM, LONG)):
        card = painter.card(design, format, text)
        image = painter.image(without_text(card)).convertToFormat(QImage.Format.Format_RGB888)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = pixels[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
        for placed in card.set_text.placed:
            inset = placed.size * 0.08  # the hairlines of letter paper stand between the columns
            left, top = round(placed.x + inset), round(placed.y + inset)
            right, bottom = round(placed.x + placed.size - inset), round(placed.y + placed.size - inset)
            under = luminance(pixels[top:bottom, left:right])
            contrast = (np.maximum(under, ink) + 0.05) / (np.minimum(under, ink) + 0.05)
            assert contrast.min() >= 4.5, f"{placed.text} in {format.value}"


def luminance(colours: np.ndarray) -> np.ndarray:
    """The relative luminance of sRGB colours, 0 to 1 (WCAG 2.2), of an array whose last axis is red, green, blue."""
    parts = colours / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def test_every_animal_is_drawn_within_its_spot(painter):
    design = painter.collection.designs[1]
    spot = design.portrait.zodiac
    bare = painter.image(painter.card(design, Format.PORTRAIT, ""), 360)
    seen = set()
    for animal in ANIMALS:
        image = painter.image(painter.card(design, Format.PORTRAIT, "", "", animal), 360)
        left, top, right, bottom = changed(bare, image)
        assert left >= spot.x / 3 - 1 and right <= (spot.x + spot.size) / 3 + 1
        assert top >= spot.y / 3 - 1 and bottom <= (spot.y + spot.size) / 3 + 1
        seen.add(bytes(image.constBits()))
    assert len(seen) == 12


def test_every_path_of_every_drawing_leaves_ink(painter):
    colours = dict.fromkeys({name for each in painter.collection.drawings.values() for name in each.colours}, "#000000")
    for name, drawing in painter.collection.drawings.items():
        for shape in drawing.shapes:
            alone = Drawing(drawing.width, drawing.height, (shape,))
            image = QImage(200, 200, QImage.Format.Format_ARGB32)
            image.fill(0)
            brush = QPainter(image)
            QSvgRenderer(alone.svg(colours).encode()).render(brush)
            brush.end()
            assert any(bytes(image.constBits())), f"{name}: {shape.path[:60]}"


@pytest.mark.parametrize("format", Format)
def test_a_png_has_a_pixel_to_the_unit(painter, format):
    image = QImage.fromData(painter.png(painter.card(painter.collection.designs[0], format, SHORT)))
    assert (image.width(), image.height()) == (WIDTH, format.height)


def test_the_same_card_is_the_same_file_in_another_process_on_another_day_in_another_zone():
    made = {
        subprocess.run(
            [sys.executable, "-c", MAKE, MEDIUM],
            cwd=ROOT,
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "TZ": zone, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone, seed in (("UTC", "1"), ("Asia/Shanghai", "2"))
    }
    assert len(made) == 1
    assert len(set(made.pop().split())) == 4


def test_another_text_is_another_file(painter):
    design = painter.collection.designs[0]
    cards = [painter.card(design, Format.SQUARE, text) for text in (SHORT, MEDIUM)]
    for make in (painter.png, painter.pdf):
        assert len({hashlib.sha256(make(card)).digest() for card in cards}) == 2


def test_a_pdf_tells_no_time_and_its_table_of_offsets_holds(painter):
    pdf = painter.pdf(painter.card(painter.collection.designs[0], Format.PORTRAIT, MEDIUM, "", "马"))
    assert set(re.findall(rb"D:\d{14}", pdf)) == {b"D:20000101000000"}
    assert set(re.findall(rb"\d{4}-\d\d-\d\dT[\d:]{8}", pdf)) == {b"2000-01-01T00:00:00"}
    table = int(re.search(rb"startxref\n(\d+)", pdf)[1])
    assert pdf[table:].startswith(b"xref\n")
    entries = re.findall(rb"(\d{10}) \d{5} n", pdf[table:])
    assert len(entries) > 8
    for number, offset in enumerate(entries, 1):
        assert pdf[int(offset) :].startswith(b"%d 0 obj" % number)
    assert b"/FontFile" not in pdf, "outlines only"
    assert timeless(pdf) == pdf


def test_every_character_of_the_corpus_is_in_the_bundled_faces(painter):
    files = sorted((ROOT / "training" / "corpus").glob("*.jsonl"))
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    characters = {character for line in lines for character in json.loads(line)["text"]}
    text = "".join(sorted(each for each in characters if "\u3000" <= each <= "\u9fff" or "\uff00" <= each <= "\uffee"))
    assert len(text) > 2500
    assert [each for each in clusters(text) if painter.type.outline(each) is None] == []


def test_every_vertical_form_is_in_the_bundled_faces(painter):
    assert [
        mark
        for mark in "︐︑︒︓︔︕︖︙︱︲︵︶︷︸︹︺︻︼︗︘︽︾︿﹀﹁﹂﹃﹄﹇﹈"
        if painter.type.outline(mark) is None
    ] == []


def test_what_no_font_has_is_named_and_left_out(painter):
    text = "新春\U0010fffd安康"
    assert painter.type.missing(text) == ["\U0010fffd"]
    card = painter.card(painter.collection.designs[0], Format.PORTRAIT, text)
    assert "".join(card.set_text.lines) == "新春安康"


def test_a_small_card_is_the_same_card(painter):
    card = painter.card(painter.collection.designs[2], Format.PORTRAIT, LONG)
    small = painter.image(card, 90)
    assert (small.width(), small.height()) == (90, 120)
    whole = painter.image(card)
    assert abs(small.pixelColor(45, 118).lightness() - whole.pixelColor(540, 1416).lightness()) < 12
