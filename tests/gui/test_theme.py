"""The look: every colour is a token, and every text can be read on every ground it stands on."""

import re

import pytest
from PySide6.QtGui import QColor, QFontDatabase, QRawFont
from PySide6.QtWidgets import QLabel

from app.gui.settings import DARK, LIGHT, SYSTEM
from app.gui.theme import FONTS, PALETTES, Theme, load_faces
from app.program import resource

TEXTS_ON_GROUNDS = [
    *((text, ground) for text in ("ink", "soft") for ground in ("paper", "side", "card", "raised")),
    *(("correction", ground) for ground in ("paper", "card", "wash")),
    ("ink", "wash"),
    ("soft", "wash"),
    ("on_accent", "accent"),
    ("on_accent", "accent_deep"),
    ("on_chosen", "chosen"),
]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [channel / 255 for channel in QColor(colour).getRgb()[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("text", "ground"), TEXTS_ON_GROUNDS)
def test_text_can_be_read_on_its_ground(theme, text, ground):
    tokens = PALETTES[theme]
    assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5


@pytest.mark.parametrize("theme", PALETTES)
def test_what_can_be_operated_stands_out_from_the_page(theme):
    tokens = PALETTES[theme]
    for ground in (tokens.paper, tokens.card):
        assert contrast(tokens.edge, ground) >= 3.0
    assert contrast(tokens.ink, tokens.paper) >= 3.0, "the focus ring"


def test_the_style_sheet_knows_only_tokens():
    sheet = resource("styles", "paper.qss").read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b\s*[;,}]", sheet)
    for name in re.findall(r"url\(styles:([^)]+)\)", sheet):
        for theme in PALETTES:
            assert resource("styles", name.replace("$theme", theme)).is_file()


def test_the_chosen_theme_is_shown_at_once(application):
    theme = Theme(application, load_faces(), LIGHT)
    told = []
    theme.changed.connect(told.append)
    theme.use(DARK)
    assert application.palette().window().color() == QColor(PALETTES[DARK].paper)
    theme.use(LIGHT)
    assert application.palette().window().color() == QColor(PALETTES[LIGHT].paper)
    assert told == [DARK, LIGHT]
    theme.use(SYSTEM)
    assert theme.shown in PALETTES
    theme.deleteLater()


def test_the_bundled_faces_speak_chinese_without_any_of_the_system(application):
    faces = load_faces()
    assert faces.text and faces.letter
    assert faces.text[0] != faces.letter[0], "a face for the window and one for the letter"
    assert {faces.text[0], faces.letter[0]} <= set(QFontDatabase.families())
    for path in FONTS.glob("*.[ot]tf"):
        face = QRawFont(str(path), 12)
        assert [
            character for character in "拜年帖祝福您你，。“”…—！Ab1" if not face.supportsCharacter(ord(character))
        ] == []


def test_the_window_is_set_in_the_text_face_and_greetings_in_the_letter_face(theme, application):
    faces = load_faces()
    assert application.font().families()[0] == faces.text[0]
    label = QLabel()
    label.setFont(theme.letter_font(19))
    label.ensurePolished()
    assert label.font().families()[0] == faces.letter[0]
