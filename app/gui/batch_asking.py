"""Where a table comes from and where one goes: the file dialogs of the page 群发."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

_DOCUMENTS = QStandardPaths.StandardLocation.DocumentsLocation


def ask_table(owner: QWidget, chosen: Callable[[Path], None]) -> None:
    """Ask for a CSV or vCard file; nothing happens when the person thinks better of it."""
    title = QCoreApplication.translate("BatchAsking", "导入")
    kinds = QCoreApplication.translate("BatchAsking", "表格和名片 (*.csv *.tsv *.txt *.vcf);;所有文件 (*)")
    asking = QFileDialog(owner, title, QStandardPaths.writableLocation(_DOCUMENTS), kinds)
    asking.setFileMode(QFileDialog.FileMode.ExistingFile)
    _open(asking, chosen)


def ask_target(owner: QWidget, chosen: Callable[[Path], None]) -> None:
    """Ask where to write a CSV file."""
    title = QCoreApplication.translate("BatchAsking", "导出")
    kind = QCoreApplication.translate("BatchAsking", "CSV 表格 (*.csv)")
    asking = QFileDialog(owner, title, QStandardPaths.writableLocation(_DOCUMENTS), kind)
    asking.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    asking.setDefaultSuffix("csv")
    _open(asking, chosen)


def _open(asking: QFileDialog, chosen: Callable[[Path], None]) -> None:
    asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    asking.fileSelected.connect(lambda path: chosen(Path(path)))
    asking.open()
