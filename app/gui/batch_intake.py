"""How people come into a batch: cells pasted or in a file, read in the people thread, shown before they are added."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.compose.catalog import Catalog
from app.compose.sentence import ExplainedError
from app.gui.batch_preview import BatchPreview
from app.gui.batch_session import Door
from app.gui.file_asking import ask_file
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.recipients import RecipientFields
from app.people.table_import import Table, read_file, read_pasted


class BatchIntake(QObject):
    """``agreed`` is called with the people the person wants added, ``refuse`` with why a table cannot be read."""

    def __init__(
        self,
        owner: QWidget,
        catalog: Catalog,
        words: Words,
        theme: Theme,
        people: Door,
        *,
        agreed: Callable[[tuple[RecipientFields, ...]], None],
        refuse: Callable[[ExplainedError], None],
    ) -> None:
        super().__init__(owner)
        self._owner = owner
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self._people = people
        self._agreed = agreed
        self._refuse = refuse

    def paste(self) -> None:
        """The cells on the clipboard."""
        text, catalog = QGuiApplication.clipboard().text(), self._catalog
        self._people.read(
            lambda store: read_pasted(text, catalog), lambda table: self._preview(table, ""), self._refuse
        )

    def import_file(self, path: Path) -> None:
        """A CSV or vCard file."""
        catalog = self._catalog
        self._people.read(
            lambda store: read_file(path, catalog), lambda table: self._preview(table, path.name), self._refuse
        )

    def ask(self) -> None:
        """Ask which file."""
        kinds = self.tr("表格和名片 (*.csv *.tsv *.txt *.vcf);;所有文件 (*)")
        ask_file(self._owner, self.tr("导入"), kinds, self.import_file)

    def _preview(self, table: Table, source: str) -> None:
        dialog = BatchPreview(table, source, self._catalog, self._words, self._theme, self._owner)
        dialog.agreed.connect(self._agreed)
        dialog.open()
