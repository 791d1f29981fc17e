"""The table of a batch as Qt sees it: one row a person, edited in place. It shows what it is told and saves nothing."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from app.compose.catalog import Catalog
from app.compose.request import fold, make_request
from app.compose.sentence import ExplainedError, Sentence
from app.gui.batch_desk import Likes, News, Verdict
from app.gui.plain_text import plain_tip
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.batch import BatchRow, RowFields, State
from app.people.recipients import LONGEST_NAME

NAME, RELATIONSHIP, ADDRESS, FACTS, TONE, STATE, TEXT = range(7)
LONGEST_SHOWN = 5000  # characters of a cell: what was pasted and refused may be as long as a book
Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class BatchTable(QAbstractTableModel):
    """``edited`` carries (id, new fields) of rows, already shown; ``refused`` why a cell cannot say that.

    What was typed and refused stays in its cell, to be put right; the row's fields are as they were.
    """

    edited = Signal(object)
    refused = Signal(object)
    counted = Signal()

    def __init__(self, catalog: Catalog, words: Words, theme: Theme) -> None:
        super().__init__()
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self.rows: list[BatchRow] = []
        self._place: dict[int, int] = {}
        self._likes: dict[int, frozenset[int]] = {}
        self._faults: dict[int, tuple[Sentence, ...]] = {}
        self._refused: dict[tuple[int, int], tuple[str, Sentence]] = {}  # by row and column

    def show_rows(self, rows: tuple[BatchRow, ...]) -> None:
        """Another batch, or the same one anew."""
        self.beginResetModel()
        self.rows = list(rows)
        self._likes.clear()
        self._faults.clear()
        self._number()
        self.endResetModel()
        self.counted.emit()

    def renew(self, rows: tuple[BatchRow, ...]) -> list[BatchRow]:
        """``rows`` is the same batch as the file has it now; those that were shown otherwise."""
        changed = [row for row in rows if (shown := self.row(row.id)) is not None and shown != row]
        for row in changed:
            self.replace(row)
        return changed

    def append(self, rows: tuple[BatchRow, ...]) -> None:
        """Rows that came at the end."""
        if rows:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(rows) - 1)
            self.rows += rows
            self._number()
            self.endInsertRows()
            self.counted.emit()

    def remove(self, ids: set[int]) -> None:
        """Rows that went; the person stays at the row that is now where they were."""
        places = sorted((self._place[id] for id in ids if id in self._place), reverse=True)
        while places:
            last = first = places.pop(0)
            while places and places[0] == first - 1:
                first = places.pop(0)
            self.beginRemoveRows(QModelIndex(), first, last)
            del self.rows[first : last + 1]
            self._number()
            self.endRemoveRows()
        self.counted.emit()

    def bring_back(self, rows: tuple[BatchRow, ...]) -> list[BatchRow]:
        """``rows`` is the whole batch: show those that came back among the others; which they are."""
        back = []
        for place, row in enumerate(rows):
            if row.id not in self._place:
                self.beginInsertRows(QModelIndex(), place, place)
                self.rows.insert(place, row)
                self.endInsertRows()
                back.append(row)
        self._number()
        self.counted.emit()
        return back

    def take(self, news: News | Likes | Verdict) -> None:
        """What the session tells of a row."""
        if isinstance(news, Likes | Verdict):
            if isinstance(news, Likes):
                self._likes[news.id] = news.others
            else:
                self._faults[news.id] = news.faults
            self._changed(news.id)
            self.counted.emit()
        elif (row := self.row(news.id)) is not None:
            text = row.text if news.text is None else news.text
            written = row.written if news.written is None else news.written
            sent = row.sent if news.text is None else None
            self.replace(replace(row, state=news.state, text=text, written=written, sent=sent, fault=news.fault))

    def replace(self, row: BatchRow) -> None:
        """A row as it stands now."""
        place = self._place.get(row.id)
        if place is not None:
            self.rows[place] = row
            self._changed(row.id)
            self.counted.emit()

    def row(self, id: int) -> BatchRow | None:
        """The row with this id, where it is shown."""
        place = self._place.get(id)
        return self.rows[place] if place is not None else None

    def place(self, id: int) -> int | None:
        """Where the row with this id stands, from 0."""
        return self._place.get(id)

    def likes(self, id: int) -> list[BatchRow]:
        """The rows whose texts are alike to this one's."""
        return [row for other in sorted(self._likes.get(id, ())) if (row := self.row(other)) is not None]

    def against(self, id: int) -> list[Sentence]:
        """What is to be said of a row: what was refused, why it has no text, what is wrong with its text.

        Of a text that waits to be written anew nothing is said.
        """
        row = self.row(id)
        if row is None:
            return []
        found = [sentence for (of, _), (_, sentence) in self._refused.items() if of == id]
        if row.fault is not None:
            found.append(row.fault)
        if row.state == "written":
            found += self._faults.get(id, ())
            if others := self.likes(id):
                names = [other.fields.name for other in others[:3]]
                found.append(
                    Sentence(
                        f"和{'、'.join(names)}的很像，改几个字或重写。",
                        f"Much like that of {', '.join(names)}: change a few words, or rewrite it.",
                    )
                )
        return found

    def counts(self) -> dict[str, int]:
        """How many rows there are in each state; how many of the written are ``copied``, are ``left`` to copy, and are
        ``faulty`` and not copied; how many texts are ``alike``.
        """
        counts = dict.fromkeys(("waiting", "writing", "written", "failed", "copied", "left", "faulty", "alike"), 0)
        for row in self.rows:
            counts[row.state] += 1
            if row.state == "written":
                counts["copied"] += row.sent is not None
                counts["left"] += row.sent is None and bool(row.text.strip())
                counts["faulty"] += self._is_faulty(row)
            counts["alike"] += bool(self._likes.get(row.id))
        return counts

    def summary(self) -> list[str]:
        """How far the batch is, in a few words each."""
        counts, rows = self.counts(), len(self.rows)
        done = f"{counts['written']:,}"
        parts = [self.tr("写好 {done} / {rows}").format(done=done, rows=f"{rows:,}")] if rows else []
        if counts["failed"]:
            parts.append(self.tr("{count} 行没写成").format(count=counts["failed"]))
        if counts["faulty"]:
            parts.append(self.tr("{count} 行请看一眼").format(count=f"{counts['faulty']:,}"))
        if counts["alike"]:
            parts.append(self.tr("{count} 行相近").format(count=counts["alike"]))
        if counts["copied"]:
            parts.append(self.tr("已复制 {count}").format(count=f"{counts['copied']:,}"))
        return parts

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, TEXT)
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, TEXT))

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else TEXT + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation is Qt.Orientation.Horizontal:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation is Qt.Orientation.Vertical:
            return str(section + 1)
        return (
            self.tr("姓名"),
            self.tr("关系"),
            self.tr("称呼"),
            self.tr("想提到的事"),
            self.tr("语气"),
            self.tr("状态"),
            self.tr("祝福"),
        )[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown(row, column)
        if role == Qt.ItemDataRole.EditRole:
            return self._edited_value(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self._tip(row, column))
        if role == Qt.ItemDataRole.FontRole and column == TEXT and (row.text or row.fault is None):
            return self._theme.letter_font(16)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, column)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags if index.column() in (STATE, TEXT) else flags | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        column = index.column()
        if role != Qt.ItemDataRole.EditRole or column in (STATE, TEXT):
            return False
        return self.say([index.row()], column, str(value))

    def say(self, places: Iterable[int], column: int, value: str) -> bool:
        """Have the cells of a column in these rows say ``value``; whether that changed any."""
        changes = []
        for place in places:
            row = self.rows[place]
            try:
                fields = self._with(row.fields, column, value)
            except ExplainedError as error:
                self._refused[row.id, column] = value, error.sentence
                self._changed(row.id)
                self.refused.emit(error.sentence)
                return False
            self._forget_refused(row.id, column)
            if fields != row.fields:
                changes.append((row.id, fields))
        self.change(changes)
        return bool(changes)

    def first_refused(self) -> tuple[QModelIndex, Sentence] | None:
        """The first cell that says what cannot be used, and why."""
        found = sorted((self._place[id], column) for id, column in self._refused if id in self._place)
        if not found:
            return None
        place, column = found[0]
        return self.index(place, column), self._refused[self.rows[place].id, column][1]

    def give_up(self, index: Index) -> None:
        """What was refused in a cell is not wanted after all: it says what the row says."""
        self._forget_refused(self.rows[index.row()].id, index.column())

    def change(self, changes: list[tuple[int, RowFields]]) -> None:
        """Show new fields of rows, and tell; whose request is another now waits to be written, as does what was being
        written."""
        for id, fields in changes:
            row = self.rows[self._place[id]]
            kept = row.state != "writing" and fields.request == row.fields.request
            state: State = row.state if kept else "waiting"
            self.replace(replace(row, fields=fields, state=state, fault=None if state == "waiting" else row.fault))
        if changes:
            self.edited.emit(changes)

    def _with(self, fields: RowFields, column: int, value: str) -> RowFields:
        if column == NAME:
            name = fold(value)[:LONGEST_NAME]
            # Another name is another person, to be looked up by it.
            return replace(fields, name=name, recipient=fields.recipient if name == fields.name else None)
        if column == RELATIONSHIP:
            return replace(fields, request=replace(fields.request, relationship=value))
        if column == TONE:
            return replace(fields, request=replace(fields.request, tone=value))
        some = {"relationship": self._catalog.relationships[0].id, "tone": self._catalog.tones[0].id}
        if column == ADDRESS:
            checked = make_request(self._catalog, {**some, "address": value})
            return replace(fields, request=replace(fields.request, address=checked.address))
        checked = make_request(self._catalog, {**some, "details": re.split(r"[;；\n]", value)})
        return replace(fields, request=replace(fields.request, details=checked.details))

    def _shown(self, row: BatchRow, column: int) -> str:
        request = row.fields.request
        if column == RELATIONSHIP:
            return self._name(request.relationship, self._catalog.relationships)
        if column == TONE:
            return self._name(request.tone, self._catalog.tones)
        if column == STATE:
            return self.state_name(row)
        if column == TEXT and row.fault is not None and not row.text:
            return self._words.say(row.fault)
        return str(self._edited_value(row, column))[:LONGEST_SHOWN].replace("\n", " ")

    def state_name(self, row: BatchRow) -> str:
        """How it stands with a row, in a word."""
        if row.state == "written" and row.sent is not None:
            return self.tr("已复制")
        if self._is_faulty(row):
            return self.tr("请看一眼")
        if row.state == "written" and self._likes.get(row.id):
            return self.tr("与别人相近")
        return {
            "waiting": self.tr("等着写"),
            "writing": self.tr("正在写…"),
            "written": self.tr("写好了"),
            "failed": self.tr("没写成"),
        }[row.state]

    def _is_faulty(self, row: BatchRow) -> bool:
        return row.state == "written" and row.sent is None and bool(self._faults.get(row.id))

    def _forget_refused(self, id: int, column: int) -> None:
        if self._refused.pop((id, column), None) is not None:
            self._changed(id)
            self.counted.emit()

    def _edited_value(self, row: BatchRow, column: int) -> str:
        if (row.id, column) in self._refused:
            return self._refused[row.id, column][0]
        request = row.fields.request
        return (
            row.fields.name,
            request.relationship,
            request.address,
            "；".join(request.details),
            request.tone,
            row.state,
            row.text,
        )[column]

    def _tip(self, row: BatchRow, column: int) -> str:
        if (row.id, column) in self._refused:
            return self._words.say(self._refused[row.id, column][1])
        if column in (STATE, TEXT) and row.fault is not None:
            return self._words.say(row.fault)
        if column == STATE and self._is_faulty(row):
            return self._words.joined([self._words.say(fault) for fault in self._faults[row.id]])
        if column == STATE and (others := self.likes(row.id)):
            return self.tr("和 {names} 的很像").format(names="、".join(other.fields.name for other in others[:5]))
        if column in (NAME, ADDRESS, FACTS, TEXT):
            return self._shown(row, column)
        return ""

    def _colour(self, row: BatchRow, column: int) -> QColor | None:
        tokens = self._theme.tokens
        if (row.id, column) in self._refused:
            return QColor(tokens.correction)
        if column == STATE:
            alike = row.state == "written" and row.sent is None and self._likes.get(row.id)
            warned = row.state == "failed" or self._is_faulty(row) or alike
            return QColor(tokens.correction if warned else tokens.soft)
        if column == TEXT and row.fault is not None and not row.text:
            return QColor(tokens.correction)
        unset = column == RELATIONSHIP and not row.fields.request.relationship
        if unset or (column == TEXT and row.state != "written") or (column != TEXT and row.sent is not None):
            return QColor(tokens.soft)
        return None

    def _name(self, id: str, choices: Any) -> str:
        return next((self._words.name(choice) for choice in choices if choice.id == id), self.tr("选一个"))

    def _number(self) -> None:
        self._place = {row.id: place for place, row in enumerate(self.rows)}

    def _changed(self, id: int) -> None:
        place = self._place.get(id)
        if place is not None:
            self.dataChanged.emit(self.index(place, 0), self.index(place, TEXT))
