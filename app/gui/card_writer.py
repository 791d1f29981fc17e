"""Writes a picture to the disk off the window's thread: the disk may be slow, or somebody else's."""

import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.cards.errors import SaveError
from app.cards.saving import save_whole


class CardWriter(QObject):
    """One of the signals follows each `write`. It may outlive the window that asked."""

    saved = Signal(Path)
    failed = Signal(SaveError)

    def write(self, path: Path, content: bytes) -> None:
        """Save ``content`` at ``path``, whole or not at all."""
        threading.Thread(target=self._write, args=(path, content)).start()

    def _write(self, path: Path, content: bytes) -> None:
        try:
            save_whole(path, content)
        except SaveError as error:
            self.failed.emit(error)
        else:
            self.saved.emit(path)
