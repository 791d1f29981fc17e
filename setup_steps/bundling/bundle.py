"""What a bundle is, to those that build it and those that pack it."""

from dataclasses import dataclass
from pathlib import Path

NAME = "bainiantie"


@dataclass(frozen=True)
class Bundle:
    """A bundle that is built.

    Args:
        folder: what PyInstaller made; on macOS the application.
        contents: the folder in it where libraries and data lie.
        label: the version, the system and the flavour, as they stand in the names of what is downloaded.
        with_model: whether the model is inside.
        resources: the checkout's folder ``bundle``.
    """

    folder: Path
    contents: Path
    label: str
    with_model: bool
    resources: Path
