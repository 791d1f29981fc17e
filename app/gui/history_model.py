"""The history as a list that is fetched a page at a time, newest first, as far as somebody scrolls."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.gui.entry_words import EntryWords
from app.gui.people_thread import PeopleThread, Question
from app.people.history import Written
from app.people.search import Filters, Page, search

ENTRY = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """What was shown stays until the answer to the next question is there; an answer that comes too late is dropped."""

    loaded = Signal()  # the first page of what was asked for

    def __init__(self, people: PeopleThread, words: EntryWords) -> None:
        super().__init__()
        self._people = people
        self._words = words
        self._entries: list[Written] = []
        self._before: int | None = None
        self._question: Question | None = None
        self.filters = Filters()

    def ask(self, filters: Filters) -> None:
        """Show what matches; ``loaded`` follows."""
        self.filters = filters
        self._drop()
        self._question = self._people.read(lambda store: search(store, filters), self._begin)

    def entry(self, row: int) -> Written | None:
        """The entry in a row."""
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def row_of(self, id: int) -> int:
        """Where an entry stands, -1 when it is not there."""
        return next((row for row, entry in enumerate(self._entries) if entry.id == id), -1)

    def show_favourite(self, id: int, favourite: bool) -> None:
        """An entry became a favourite, or is no longer one."""
        row = self.row_of(id)
        if row >= 0:
            self._entries[row] = replace(self._entries[row], favourite=favourite)
            self.dataChanged.emit(self.index(row), self.index(row))

    def take_out(self, id: int) -> None:
        """An entry was deleted."""
        row = self.row_of(id)
        if row >= 0:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._entries[row]
            self.endRemoveRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entry(index.row())
        if entry is None:
            return None
        if role == ENTRY:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return "，".join((self._words.who(entry), self._words.circumstances(entry), entry.text))
        return None

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self._before is not None

    def fetchMore(self, parent: Index) -> None:
        before, self._before = self._before, None
        if before is not None:
            filters = self.filters
            self._question = self._people.read(lambda store: search(store, filters, before), self._append)

    def _drop(self) -> None:
        if self._question is not None:
            self._question.drop()
        self._before = None

    def _begin(self, page: Page) -> None:
        self.beginResetModel()
        self._entries = list(page.entries)
        self._before = page.before
        self.endResetModel()
        self.loaded.emit()

    def _append(self, page: Page) -> None:
        first = len(self._entries)
        if page.entries:
            self.beginInsertRows(QModelIndex(), first, first + len(page.entries) - 1)
            self._entries += page.entries
            self.endInsertRows()
        self._before = page.before
