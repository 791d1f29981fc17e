"""Where the program lies and how another process of it is started: the same words in a checkout and in a bundle.

A bundle (PyInstaller's, a folder) has no Python beside it: its one executable is the window, every command and the
engine, told apart by what follows it.
"""

import io
import os
import sys
from pathlib import Path

BUNDLED = bool(getattr(sys, "frozen", False))
# The checkout, or the bundle's folder of libraries and data: both hold app/, models/ and resources/.
ROOT = Path(__file__).resolve().parents[1]
# A model that came with the bundle lies here; it is never written to.
SHIPPED_MODELS = ROOT / "models" if BUNDLED else None
ENGINE = "--engine-child"


def resource(*names: str) -> Path:
    """A file or folder of ``resources/``."""
    return ROOT.joinpath("resources", *names)


def command(*arguments: str) -> tuple[str, ...]:
    """What starts the program once more, with :data:`ROOT` as its working folder."""
    return (sys.executable, *(() if BUNDLED else ("-m", "app")), *arguments)


def called() -> str:
    """How a person starts it on the command line."""
    return "bainiantie" if BUNDLED else "python3 run.py"


def have_streams() -> None:
    """Have standard streams that take any text, in UTF-8 whatever the system's language; a window on Windows has none,
    and its words go nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and mode == "w":
            stream.reconfigure(encoding="utf-8", errors="replace")
        elif stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # it lives as long as we do
