"""Starts the window: the one place where the application, its faces, language and theme come together."""

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.compose.catalog import load_catalog
from app.gui.main_window import MainWindow, Options
from app.gui.settings import Settings
from app.gui.theme import RESOURCES, Theme, load_faces
from app.gui.words import Words


def make_application() -> QApplication:
    """The QApplication, named and with its icon."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Bainiantie")
    application.setOrganizationName("Bainiantie")
    application.setDesktopFileName("bainiantie")
    icon = QIcon()
    for path in sorted((RESOURCES / "icons").glob("*.png")):
        icon.addFile(str(path))
    application.setWindowIcon(icon)
    return application


def make_window(
    application: QApplication, options: Options, language: str | None = None, theme: str | None = None
) -> MainWindow:
    """The window, not yet shown. ``language`` and ``theme`` win over what the person chose last time, this once."""
    settings = Settings()
    words = Words(language or settings.language)
    return MainWindow(
        load_catalog(), settings, words, Theme(application, load_faces(), theme or settings.theme), options
    )


def run(
    model: Path | None = None,
    language: str | None = None,
    theme: str | None = None,
    device: str = "auto",
    on_first_paint: Callable[[], None] | None = None,
    engine_command: Sequence[str] | None = None,
    models_command: Sequence[str] | None = None,
) -> int:
    """Open the window and stay until it is closed; the exit code.

    Args:
        model: this GGUF file instead of the installed one.
        device: ``auto`` or ``cpu``.
        on_first_paint: called once the window is on the screen; the window then closes again.
        engine_command: how the engine process is started, when not as usual; likewise ``models_command``.
    """
    application = make_application()
    window = make_window(application, Options(model, device, engine_command, models_command), language, theme)
    if on_first_paint is None:
        window.painted.connect(window.begin)
    else:
        window.painted.connect(on_first_paint)
        window.painted.connect(window.close)
    sys.excepthook = window.show_unforeseen
    # Ctrl+C in the terminal closes the window; Python gets to see the signal only while it runs some of its own code.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    pulse = QTimer()
    pulse.timeout.connect(lambda: None)
    pulse.start(200)
    window.show()
    return application.exec()
