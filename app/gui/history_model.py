"""The history as a list that is fetched a page at a time, newest first, as far as somebody scrolls."""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.gui.entry_words import EntryWords
from app.gui.people_thread import PeopleThread, Question
from app.people.history import Written
from app.people.search import PAGE, Filters, Page, search

ENTRY = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """What was shown stays until the answer to the next question is there; an answer that comes too late is dropped."""

    loaded = Signal()  # the first page of what was asked for, or what is shown anew
    renewing = Signal()  # what is shown is about to be merged with what there is now

    def __init__(self, people: PeopleThread, words: EntryWords) -> None:
        super().__init__()
        self._people = people
        self._words = words
        self._entries: list[Written] = []
        self._before: int | None = None
        self._question: Question | None = None
        self.filters = Filters()

    def ask(self, filters: Filters) -> None:
        """Show what matches; ``loaded`` follows.

        Asked once more for what is shown, the rows stay where they are: those that are new come between them, those
        that are gone go.
        """
        again = filters == self.filters and bool(self._entries)
        self.filters = filters
        self._drop()
        if again:
            # As far down as is shown, and a page more for what has come since.
            limit = len(self._entries) + PAGE
            self._question = self._people.read(lambda store: search(store, filters, limit=limit), self._renew)
        else:
            self._question = self._people.read(lambda store: search(store, filters), self._begin)

    def entry(self, row: int) -> Written | None:
        """The entry in a row."""
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def row_of(self, id: int) -> int:
        """Where an entry stands, -1 when it is not there."""
        return next((row for row, entry in enumerate(self._entries) if entry.id == id), -1)

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
            words = (self._words.who(entry), self._words.circumstances(entry), self._words.mark(entry), entry.text)
            return "，".join(filter(None, words))
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

    def _renew(self, page: Page) -> None:
        """Merge what there is now with what is shown; both are newest first."""
        self.renewing.emit()
        oldest = self._entries[-1].id if self._entries else 0
        kept = [entry for number, entry in enumerate(page.entries) if entry.id >= oldest or number < PAGE]
        self._take_out_but({entry.id for entry in kept})
        place = 0
        while place < len(kept):
            next_shown = self._entries[place].id if place < len(self._entries) else None
            end = place
            while end < len(kept) and kept[end].id != next_shown:
                end += 1
            if end > place:
                self.beginInsertRows(QModelIndex(), place, end - 1)
                self._entries[place:place] = kept[place:end]
                self.endInsertRows()
                place = end
            else:
                if self._entries[place] != kept[place]:
                    self._entries[place] = kept[place]
                    self.dataChanged.emit(self.index(place), self.index(place))
                place += 1
        self._before = page.before if len(kept) == len(page.entries) else kept[-1].id
        self.loaded.emit()

    def _take_out_but(self, ids: set[int]) -> None:
        """Take out the rows whose entries are none of these, run by run, from the end."""
        last = len(self._entries) - 1
        while last >= 0:
            if self._entries[last].id in ids:
                last -= 1
                continue
            first = last
            while first > 0 and self._entries[first - 1].id not in ids:
                first -= 1
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._entries[first : last + 1]
            self.endRemoveRows()
            last = first - 1

    def _append(self, page: Page) -> None:
        first = len(self._entries)
        if page.entries:
            self.beginInsertRows(QModelIndex(), first, first + len(page.entries) - 1)
            self._entries += page.entries
            self.endInsertRows()
        self._before = page.before
