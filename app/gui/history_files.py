"""What goes out of the page 收藏与历史 as a file, and what comes in from one: menus, file dialogs, the import."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.compose.catalog import Catalog
from app.compose.sentence import ExplainedError, Sentence
from app.gui.document_dialog import DocumentDialog
from app.gui.file_asking import ask_file, ask_target
from app.gui.people_thread import PeopleThread
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.csv_export import export_written
from app.people.document import export_document
from app.people.document_import import Imported


class HistoryFiles(QObject):
    """``tell`` says what was done, ``refuse`` why it was not; ``imported`` is called after something came in."""

    def __init__(
        self,
        owner: QWidget,
        catalog: Catalog,
        words: Words,
        theme: Theme,
        people: PeopleThread,
        *,
        tell: Callable[[Sentence], None],
        refuse: Callable[[ExplainedError], None],
        imported: Callable[[], None],
    ) -> None:
        super().__init__(owner)
        self._owner = owner
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self._people = people
        self._tell = tell
        self._refuse = refuse
        self._imported = imported

    def export(self, path: Path) -> None:
        """Write everything to a file: the history as a table where its name ends in .csv, all data as JSON else."""
        catalog, language = self._catalog, self._words.language
        told = Sentence(f"已导出到 {path}", f"Exported to {path}")
        if path.suffix.lower() == ".csv":
            self._people.write(lambda store: export_written(store, path, catalog, language), lambda _: self._tell(told))
        else:
            self._people.write(lambda store: export_document(store, path), lambda _: self._tell(told))

    def import_file(self, path: Path) -> None:
        """Show what a JSON document would bring, and take it over when the person wants it."""
        dialog = DocumentDialog(path, self._people, self._words, self._theme, self._owner)
        dialog.taken.connect(self._took)
        dialog.failed.connect(self._refuse)
        dialog.open()

    def offer_export(self, button: QWidget) -> None:
        """The menu of the ways out, over its button."""
        menu = QMenu(self._owner)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("历史，作为表格（CSV）…"), lambda: self._ask_target("csv", self.tr("CSV 表格 (*.csv)")))
        menu.addAction(
            self.tr("全部数据，可再导入（JSON）…"), lambda: self._ask_target("json", self.tr("JSON 文件 (*.json)"))
        )
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def ask_import(self) -> None:
        """Ask which document."""
        ask_file(self._owner, self.tr("导入"), self.tr("拜年帖的导出文件 (*.json);;所有文件 (*)"), self.import_file)

    def _ask_target(self, suffix: str, kind: str) -> None:
        name = self._words.say(Sentence(f"拜年帖-历史.{suffix}", f"Greetings.{suffix}"))
        ask_target(self._owner, self.tr("导出"), kind, suffix, self.export, name=name)

    def _took(self, imported: Imported) -> None:
        self._tell(
            Sentence(
                f"导入了 {imported.recipients:,} 位联系人、{imported.written:,} 条祝福、{imported.batches:,} 份名单",
                f"Imported: {imported.recipients:,} people, {imported.written:,} greetings, {imported.batches:,} lists",
            )
        )
        self._imported()
