"""The narrow bar at the left: the wordmark, the places, and at its foot language, theme and what this is."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSpacerItem, QVBoxLayout

from app.gui.settings import DARK, LIGHT, SYSTEM, THEMES
from app.gui.theme import Theme
from app.gui.words import CHINESE, ENGLISH, Words
from app.gui.write_button import key_name

WIDTH = 92
LOW = 560  # pixels of height in which everything stands closer together
_WIDE, _CLOSE = (24, 26, 14), (10, 8, 4)  # pixels above the wordmark, below it, and below everything


class ThemeButton(QPushButton):
    """Goes round light, dark and as the system; a disc shows which: empty, full, half."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = SYSTEM
        self.setProperty("kind", "foot")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        disc = QRectF(self.width() / 2 - 7, 9, 14, 14)
        painter.setPen(QPen(self.palette().buttonText().color(), 1.4))
        painter.drawEllipse(disc)
        painter.setBrush(self.palette().buttonText())
        if self.choice == DARK:
            painter.drawEllipse(disc)
        elif self.choice == SYSTEM:
            painter.drawPie(disc, 90 * 16, 180 * 16)


class Sidebar(QFrame):
    """Emits what the person asked for; the window does it. ``places`` are the names of the pages, from the top."""

    place_asked = Signal(str)
    language_asked = Signal(str)
    theme_asked = Signal(str)
    about_asked = Signal()

    def __init__(self, words: Words, theme: Theme, places: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH)
        self._words = words
        self._theme = theme
        self.wordmark = QLabel("拜\n年\n帖")
        self.wordmark.setObjectName("wordmark")
        self.wordmark.setFont(theme.letter_font(25))
        self.wordmark.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.wordmark.setAccessibleName("拜年帖")
        self.places = {place: self._place(place) for place in places}
        self.language = QPushButton()
        self.language.setProperty("kind", "foot")
        self.language.setObjectName("languageButton")
        self.language.clicked.connect(self._other_language)
        self.theme = ThemeButton()
        self.theme.setObjectName("themeButton")
        self.theme.clicked.connect(self._next_theme)
        self.about = QPushButton()
        self.about.setProperty("kind", "foot")
        self.about.setObjectName("aboutButton")
        self.about.clicked.connect(self.about_asked)
        foot = QHBoxLayout()
        foot.setSpacing(0)
        for button in (self.language, self.about):
            button.setProperty("half", True)
            foot.addWidget(button, 1)
        self._column = column = QVBoxLayout(self)
        column.setSpacing(4)
        column.addWidget(self.wordmark)
        self._gap = QSpacerItem(0, 0)
        column.addItem(self._gap)
        for button in self.places.values():
            column.addWidget(button)
        column.addStretch(1)
        column.addLayout(foot)
        column.addWidget(self.theme)
        self._space(*_WIDE)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        names = {
            "compose": self.tr("写祝福"),
            "batch": self.tr("群发"),
            "history": self.tr("收藏与历史"),
            "models": self.tr("模型"),
            "settings": self.tr("设置"),
        }
        for number, (place, button) in enumerate(self.places.items(), 1):
            # A long name takes two lines of the narrow bar.
            button.setText(names[place].replace("与", "\n与"))
            button.setAccessibleName(names[place])
            button.setToolTip(key_name(f"Alt+{number}"))
        self.language.setText("EN" if self._words.language == CHINESE else "中文")
        self.language.setToolTip("English" if self._words.language == CHINESE else "换成中文")
        self.language.setAccessibleName(self.language.toolTip())
        name = {LIGHT: self.tr("浅色"), DARK: self.tr("深色"), SYSTEM: self.tr("随系统")}[self._theme.choice]
        self.theme.choice = self._theme.choice
        self.theme.setText(name)
        self.theme.setToolTip(self.tr("外观：{name}").format(name=name))
        self.theme.setAccessibleName(self.theme.toolTip())
        self.theme.update()
        self.about.setText(self.tr("关于"))
        self.about.setToolTip(self.tr("版本和许可证"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The places need the room more than the wordmark does."""
        self._space(*(_CLOSE if event.size().height() < LOW else _WIDE))
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def show_place(self, place: str) -> None:
        """Mark the page that is shown."""
        for name, button in self.places.items():
            button.setChecked(name == place)

    def _space(self, above: int, below: int, foot: int) -> None:
        self._column.setContentsMargins(0, above, 0, foot)
        self._gap.changeSize(0, below)
        self._column.invalidate()

    def _place(self, place: str) -> QPushButton:
        button = QPushButton()
        button.setObjectName(f"place-{place}")
        button.setProperty("kind", "place")
        button.setCheckable(True)
        button.clicked.connect(lambda: self._ask_for(place))
        return button

    def _ask_for(self, place: str) -> None:
        self.places[place].setChecked(True)
        self.place_asked.emit(place)

    def _other_language(self) -> None:
        self.language_asked.emit(ENGLISH if self._words.language == CHINESE else CHINESE)

    def _next_theme(self) -> None:
        self.theme_asked.emit(THEMES[(THEMES.index(self._theme.choice) + 1) % len(THEMES)])
