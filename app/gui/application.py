"""Starts the window: the one place where the application, its faces, language and theme come together."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.compose.catalog import load_catalog
from app.gui.crash_report import CRASHED, left_by_crash, tell_unopened
from app.gui.input_method import input_modules
from app.gui.main_window import MainWindow, Options
from app.gui.one_window import OneWindow, come_forward
from app.gui.people_thread import people_file
from app.gui.settings import Settings
from app.gui.theme import Theme, load_faces
from app.gui.words import Words
from app.program import resource


def make_application() -> QApplication:
    """The QApplication, named, with its icon, and with an input method."""
    modules = input_modules(os.environ)
    if modules is not None:
        os.environ["QT_IM_MODULES"] = modules
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Bainiantie")
    application.setOrganizationName("Bainiantie")
    application.setDesktopFileName("bainiantie")
    icon = QIcon()
    for path in sorted(resource("icons").glob("*.png")):
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
    """Open the window and stay until it is closed; the exit code. Where one is open already, that one comes forward.

    Args:
        model: this GGUF file instead of the installed one.
        device: ``auto`` or ``cpu``.
        on_first_paint: called once the window is on the screen; the window then closes again.
        engine_command: how the engine process is started, when not as usual; likewise ``models_command``.
    """
    application = make_application()
    options = Options(model, device, engine_command, models_command)
    if on_first_paint is not None:
        window = make_window(application, options, language, theme)
        window.painted.connect(on_first_paint)
        window.painted.connect(window.close)
        return _stay(application, window)
    folder = people_file().parent
    only = OneWindow(folder)
    if not only.take():
        print("拜年帖已经开着，窗口到前面来了。(already open)", file=sys.stderr)
        return 0
    sys.excepthook = tell_unopened
    crash = left_by_crash(folder)
    window = make_window(application, options, language, theme)
    window.painted.connect(window.begin)
    window.painted.connect(window.log.catch_crashes)
    if crash:
        window.painted.connect(lambda: window.page.banner.show_error(CRASHED, crash))
    only.asked.connect(lambda: come_forward(window))
    code = _stay(application, window)
    only.leave()
    return code


def _stay(application: QApplication, window: MainWindow) -> int:
    """Show the window until it is closed; the exit code."""
    sys.excepthook = window.show_unforeseen
    window.thread_errors.catch()
    # Ctrl+C in the terminal closes the window; Python gets to see the signal only while it runs some of its own code.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    pulse = QTimer()
    pulse.timeout.connect(lambda: None)
    pulse.start(200)
    window.show()
    code = application.exec()
    threading.excepthook = threading.__excepthook__
    return code
