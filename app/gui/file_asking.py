"""Asks which file to read and where to write one. The dialogs wait for nobody, and nothing happens on second thoughts.

``folder`` is where a dialog opens: that of the documents where none is given.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_file(owner: QWidget, title: str, kinds: str, chosen: Callable[[Path], object], folder: str = "") -> None:
    """Ask for a file that is there; ``kinds`` is a filter in Qt's form."""
    asking = _dialog(owner, title, kinds, folder)
    asking.setFileMode(QFileDialog.FileMode.ExistingFile)
    _open(asking, chosen)


def ask_target(
    owner: QWidget,
    title: str,
    kind: str,
    suffix: str,
    chosen: Callable[[Path], object],
    *,
    name: str = "",
    folder: str = "",
) -> None:
    """Ask where to write a file; it gets ``suffix`` where the person gives none, and ``name`` is proposed."""
    asking = _dialog(owner, title, kind, folder)
    asking.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    asking.setDefaultSuffix(suffix)
    if name:
        asking.selectFile(name)
    _open(asking, chosen)


def _dialog(owner: QWidget, title: str, kinds: str, folder: str) -> QFileDialog:
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    asking = QFileDialog(owner, title, folder or documents, kinds)
    asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return asking


def _open(asking: QFileDialog, chosen: Callable[[Path], object]) -> None:
    asking.fileSelected.connect(lambda path: chosen(Path(path)))
    asking.open()
