"""What the window remembers from one start to the next: what was chosen on the page 设置, and its size. An odd value
counts as unset."""

from PySide6.QtCore import QByteArray, QSettings

from app.gui.words import CHINESE, LANGUAGES
from app.gui.writing_session import CARDS

LIGHT, DARK, SYSTEM = "light", "dark", "system"
THEMES = (SYSTEM, LIGHT, DARK)
AUTO, CPU = "auto", "cpu"
DEVICES = (AUTO, CPU)
MOST_THREADS = 256  # what the engine takes


class Settings:
    """Typed access to the settings file, one property a setting. Needs a QCoreApplication with its names set."""

    def __init__(self) -> None:
        self._store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Bainiantie", "Bainiantie")

    @property
    def language(self) -> str:
        """``zh_CN`` or ``en``."""
        return self._one_of("window/language", LANGUAGES, CHINESE)

    @language.setter
    def language(self, language: str) -> None:
        self._store.setValue("window/language", language)

    @property
    def theme(self) -> str:
        """``light``, ``dark`` or ``system``."""
        return self._one_of("window/theme", THEMES, SYSTEM)

    @theme.setter
    def theme(self, theme: str) -> None:
        self._store.setValue("window/theme", theme)

    @property
    def device(self) -> str:
        """``auto`` or ``cpu``."""
        return self._one_of("engine/device", DEVICES, AUTO)

    @device.setter
    def device(self, device: str) -> None:
        self._store.setValue("engine/device", device)

    @property
    def threads(self) -> int | None:
        """How many the engine computes with; None leaves it to the engine."""
        return self._whole("engine/threads", MOST_THREADS)

    @threads.setter
    def threads(self, threads: int | None) -> None:
        self._store.setValue("engine/threads", threads or 0)

    @property
    def cards(self) -> int:
        """How many candidates a click fills, 1 to :data:`CARDS`."""
        return self._whole("window/cards", CARDS) or CARDS

    @cards.setter
    def cards(self, cards: int) -> None:
        self._store.setValue("window/cards", cards)

    @property
    def geometry(self) -> QByteArray | None:
        """Size and place of the window, as QWidget.saveGeometry gave it."""
        value = self._store.value("window/geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("window/geometry", geometry)

    def save(self) -> None:
        """Write the file now."""
        self._store.sync()

    def _one_of(self, key: str, known: tuple[str, ...], default: str) -> str:
        value = self._store.value(key)
        return value if isinstance(value, str) and value in known else default

    def _whole(self, key: str, most: int) -> int | None:
        """A number from 1 to ``most``. A settings file holds text; what was set since is still a number."""
        value = str(self._store.value(key))
        return int(value) if value.isascii() and value.isdecimal() and 1 <= int(value) <= most else None
