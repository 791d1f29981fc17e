"""What is sent to us by somebody who has trouble: what it begins with, and what is taken out of it."""

import platform
from pathlib import Path

from PySide6.QtCore import qVersion

from app import __version__


def program_and_system() -> str:
    """Which program on which system: one line."""
    versions = f"Bainiantie {__version__}, Python {platform.python_version()}, Qt {qVersion()}"
    return f"{versions}, {platform.platform()} ({platform.machine()})"


def without_home(text: str) -> str:
    """``text`` without the name of the person's home folder, which is often their own."""
    return text.replace(str(Path.home()), "~")
