"""The look: colour tokens for paper by day and by night, the style sheet made from them, and the type faces.

Every colour of the window is one of these tokens; a test holds each text-on-ground pair to a contrast of 4.5:1.
"""

import dataclasses
import string
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QDir, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from app.gui.settings import DARK, LIGHT, SYSTEM
from app.program import resource

FONTS = resource("fonts")


@dataclass(frozen=True)
class Tokens:
    """The colours of one theme. ``ink`` and ``soft`` are for text, on ``paper``, ``side`` and ``card``."""

    paper: str  # the page
    side: str  # the side bar
    card: str  # what is written on: cards, fields
    raised: str  # under the pointer
    line: str  # hairlines and borders
    edge: str  # borders of what can be operated, 3:1 against its ground
    ink: str
    soft: str
    accent: str  # cinnabar, as a ground
    accent_deep: str  # the same, pressed
    on_accent: str  # text on it
    correction: str  # cinnabar as ink: corrections, errors, focus
    wash: str  # cinnabar thinned with much water
    chosen: str  # ground of a chosen chip
    on_chosen: str  # text on it


PALETTES = {
    LIGHT: Tokens(
        paper="#f6f1e7",
        side="#ede6d8",
        card="#fffdf8",
        raised="#f1eadc",
        line="#e2d9c8",
        edge="#948a7a",
        ink="#2b2621",
        soft="#6a6053",
        accent="#b4382a",
        accent_deep="#97291d",
        on_accent="#fffaf2",
        correction="#a93226",
        wash="#f8e9e1",
        chosen="#3a332c",
        on_chosen="#fbf7ee",
    ),
    DARK: Tokens(
        paper="#1d1a17",
        side="#171412",
        card="#272320",
        raised="#322d28",
        line="#3a342e",
        edge="#7d7367",
        ink="#ece5d9",
        soft="#aca191",
        accent="#bb402e",
        accent_deep="#a23222",
        on_accent="#fff8f0",
        correction="#f0917a",
        wash="#3a2621",
        chosen="#e6dece",
        on_chosen="#25211d",
    ),
}


@dataclass(frozen=True)
class Faces:
    """Families by role, in the order they are tried: ``text`` for the window, ``letter`` for what people will send."""

    text: tuple[str, ...]
    letter: tuple[str, ...]


def load_faces(folder: Path = FONTS) -> Faces:
    """Register every font in ``folder``: a kai face becomes the letter's, the others the window's."""
    text: list[str] = []
    letter: list[str] = []
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() not in (".ttf", ".otf", ".ttc"):
            continue
        for family in QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path))):
            role = letter if "kai" in family.lower() or "楷" in family else text
            if family not in role:
                role.append(family)
    return Faces(tuple(text + letter), tuple(letter + text))


class Theme(QObject):
    """Applies the chosen theme to the application and follows the system's when asked to.

    ``changed`` is emitted with ``light`` or ``dark`` after the colours changed.
    """

    changed = Signal(str)

    def __init__(self, application: QApplication, faces: Faces, choice: str = SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._template = string.Template(resource("styles", "paper.qss").read_text(encoding="utf-8"))
        self._faces = faces
        self.choice = choice
        self.shown = ""
        QDir.addSearchPath("styles", str(resource("styles")))
        application.setStyle("Fusion")
        font = QFont()
        if faces.text:
            font.setFamilies([*faces.text])
        font.setPixelSize(14)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        application.setFont(font)
        application.styleHints().colorSchemeChanged.connect(self._follow)
        self.use(choice)

    @property
    def tokens(self) -> Tokens:
        """The colours in use."""
        return PALETTES[self.shown]

    def use(self, choice: str) -> None:
        """Show ``light``, ``dark`` or what the system shows."""
        self.choice = choice
        shown = choice if choice in PALETTES else self._system()
        if shown == self.shown:
            return
        self.shown = shown
        self._application.setPalette(palette(self.tokens))
        self._application.setStyleSheet(self._template.substitute(dataclasses.asdict(self.tokens), theme=shown))
        self.changed.emit(shown)

    def letter_font(self, pixels: int) -> QFont:
        """The face greetings are set in."""
        font = QFont()
        if self._faces.letter:
            font.setFamilies([*self._faces.letter])
        font.setPixelSize(pixels)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        return font

    def _system(self) -> str:
        return DARK if self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT

    def _follow(self) -> None:
        if self.choice == SYSTEM:
            self.use(SYSTEM)


def palette(tokens: Tokens) -> QPalette:
    """The tokens as Qt's roles, for what the style sheet does not draw."""
    roles = QPalette.ColorRole
    colours = {
        roles.Window: tokens.paper,
        roles.WindowText: tokens.ink,
        roles.Base: tokens.card,
        roles.AlternateBase: tokens.raised,
        roles.Text: tokens.ink,
        roles.Button: tokens.paper,
        roles.ButtonText: tokens.ink,
        roles.BrightText: tokens.correction,
        roles.Highlight: tokens.chosen,
        roles.HighlightedText: tokens.on_chosen,
        roles.ToolTipBase: tokens.card,
        roles.ToolTipText: tokens.ink,
        roles.PlaceholderText: tokens.soft,
        roles.Link: tokens.correction,
        roles.LinkVisited: tokens.correction,
        roles.Accent: tokens.accent,
        roles.Light: tokens.card,
        roles.Midlight: tokens.raised,
        roles.Mid: tokens.line,
        roles.Dark: tokens.edge,
        roles.Shadow: tokens.edge,
    }
    made = QPalette()
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.soft))
    return made
