"""What the window remembers from one start to the next: language, theme, size. An odd value counts as unset."""

from PySide6.QtCore import QByteArray, QSettings

from app.gui.words import CHINESE, LANGUAGES

LIGHT, DARK, SYSTEM = "light", "dark", "system"
THEMES = (SYSTEM, LIGHT, DARK)
DEVICES = ("auto", "cpu")


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
        return self._one_of("engine/device", DEVICES, DEVICES[0])

    @device.setter
    def device(self, device: str) -> None:
        self._store.setValue("engine/device", device)

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
