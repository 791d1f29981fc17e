"""The narrow bar at the left: the wordmark, the places, and at its foot language and theme."""

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

from app.gui.settings import DARK, LIGHT, SYSTEM, THEMES
from app.gui.theme import Theme
from app.gui.words import CHINESE, ENGLISH, Words

WIDTH = 92


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
    """Emits what the person asked for; the window does it."""

    language_asked = Signal(str)
    theme_asked = Signal(str)

    def __init__(self, words: Words, theme: Theme) -> None:
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
        self.compose = QPushButton()
        self.compose.setProperty("kind", "place")
        self.compose.setCheckable(True)
        self.compose.setChecked(True)
        self.compose.clicked.connect(lambda: self.compose.setChecked(True))
        self.language = QPushButton()
        self.language.setProperty("kind", "foot")
        self.language.setObjectName("languageButton")
        self.language.clicked.connect(self._other_language)
        self.theme = ThemeButton()
        self.theme.setObjectName("themeButton")
        self.theme.clicked.connect(self._next_theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 24, 0, 14)
        column.setSpacing(4)
        column.addWidget(self.wordmark)
        column.addSpacing(26)
        column.addWidget(self.compose)
        column.addStretch(1)
        column.addWidget(self.language)
        column.addWidget(self.theme)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.compose.setText(self.tr("写祝福"))
        self.language.setText("EN" if self._words.language == CHINESE else "中文")
        self.language.setToolTip("English" if self._words.language == CHINESE else "换成中文")
        self.language.setAccessibleName(self.language.toolTip())
        name = {LIGHT: self.tr("浅色"), DARK: self.tr("深色"), SYSTEM: self.tr("随系统")}[self._theme.choice]
        self.theme.choice = self._theme.choice
        self.theme.setText(name)
        self.theme.setToolTip(self.tr("外观：{name}").format(name=name))
        self.theme.setAccessibleName(self.theme.toolTip())
        self.theme.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _other_language(self) -> None:
        self.language_asked.emit(ENGLISH if self._words.language == CHINESE else CHINESE)

    def _next_theme(self) -> None:
        self.theme_asked.emit(THEMES[(THEMES.index(self._theme.choice) + 1) % len(THEMES)])
        self.retranslate()
