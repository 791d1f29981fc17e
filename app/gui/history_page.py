"""The page 收藏与历史: everything written, newest first; finding, keeping, deleting and taking it along.

The list never waits for the file: it shows what it has until the people thread answers. Everything deleted here comes
back with 撤销 for as long as the window is open.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMargins, QPoint, QStandardPaths, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QStackedWidget, QVBoxLayout, QWidget

from app.compose.catalog import Catalog
from app.compose.sentence import Sentence
from app.gui.banner import Banner
from app.gui.candidate_card import CARD_KEYS, FAVOURITE_KEYS
from app.gui.card_opening import open_card
from app.gui.entry_detail import EntryDetail
from app.gui.entry_words import EntryWords
from app.gui.history_filters import HistoryFilters
from app.gui.history_model import HistoryModel
from app.gui.history_row import HistoryList, HistoryRow
from app.gui.kind_button import KindButton
from app.gui.people_thread import PeopleThread, Question, Trouble
from app.gui.quiet_bar import QuietBar
from app.gui.store_trouble import StoreTrouble
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.csv_export import export_written
from app.people.deletion import delete, delete_all_written, undo
from app.people.document import export_document
from app.people.history import Sent, mark_sent, sent_of, set_favourite
from app.people.recipients import Recipient, all_recipients
from app.people.search import Filters, occasions, years
from app.people.store import Store

LIST_WIDTH = 404


class HistoryPage(QWidget):
    """``writing_asked``: the person has nothing here yet and wants to write."""

    writing_asked = Signal()

    def __init__(self, catalog: Catalog, words: Words, theme: Theme, people: PeopleThread) -> None:
        super().__init__()
        self.setObjectName("page")
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self._people = people
        self._entry_words = EntryWords(catalog, words)
        self._undoable: list[tuple[Sentence, Callable[[Store], Any]]] = []
        self._asked_sent: Question | None = None
        self._offered: tuple[tuple[Recipient, ...], tuple[int, ...], tuple[str, ...]] = ((), (), ())
        self._shown: int | None = None  # the id of the entry in the detail
        self._fresh = -1  # the writes that the list takes into account
        self.banner = Banner(words)
        self.heading = QLabel()
        self.heading.setProperty("kind", "title")
        self.heading.setFont(theme.letter_font(23))
        self.filters = HistoryFilters()
        self.model = HistoryModel(people, self._entry_words)
        self.list = HistoryList()
        self.list.setModel(self.model)
        self.list.setItemDelegate(HistoryRow(theme, self._entry_words))
        self.detail = EntryDetail(words, theme, self._entry_words)
        self.nothing = QLabel()
        self.nothing.setProperty("kind", "hint")
        self.nothing.setFont(theme.letter_font(18))
        self.nothing.setWordWrap(True)
        self.nothing_button = KindButton("outline", self._leave_nothing)
        self.export_button = KindButton("quiet", self._ask_export)
        self.delete_all_button = KindButton("quiet", self._ask_delete_all)
        self.bar = QuietBar(words)
        self.trouble = StoreTrouble(words, theme)
        self._build()
        self._connect()
        self._shortcuts()
        # Hidden, it keeps its room: what stands above and below it stays where it is.
        policy = self.detail.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.detail.setSizePolicy(policy)
        self.detail.show_entry(None)
        self.retranslate()
        if people.trouble is not None:
            self._show_trouble(people.trouble)

    def first_focus(self) -> QWidget:
        """Where the keys go at first."""
        return self.filters.query if self._people.trouble is None else self.trouble.first_button

    def refresh(self) -> None:
        """Ask anew for what is shown: something may have been written."""
        self._fresh = self._people.writes
        self._people.read(lambda store: (all_recipients(store), years(store), occasions(store)), self._offer)
        self.model.ask(self.filters.filters)

    def copy(self) -> None:
        """Put the text on the clipboard; that counts as sent."""
        entry = self.detail.entry
        if entry is not None:
            QGuiApplication.clipboard().setText(entry.text)
            self._people.write(lambda store: mark_sent(store, entry.id), self._copied)

    def favour(self) -> None:
        """Make the entry a favourite, or no longer one."""
        entry = self.detail.entry
        if entry is not None:
            favourite = not entry.favourite
            self._people.write(
                lambda store: set_favourite(store, entry.id, favourite), lambda _: self._favoured(entry.id, favourite)
            )

    def make_card(self) -> None:
        """Open the entry as a picture."""
        entry = self.detail.entry
        if entry is not None:
            open_card(self._words, self._theme, entry.text, entry.request, self, self.banner)

    def delete(self) -> None:
        """Delete the entry; the bar takes it back."""
        entry = self.detail.entry
        if entry is not None:
            self._people.write(lambda store: delete(store, "written", [entry.id]), partial(self._deleted, entry.id))

    def undo(self) -> None:
        """Take back what was done last."""
        if self._undoable:
            _, back = self._undoable.pop()
            self._people.write(back, lambda _: self._undone())

    def export(self, path: Path) -> None:
        """Write everything to a file: the history as a table where its name ends in .csv, all data as JSON else."""
        if path.suffix.lower() == ".csv":
            catalog, language = self._catalog, self._words.language
            work: Callable[[Store], Any] = lambda store: export_written(store, path, catalog, language)  # noqa: E731
        else:
            work = lambda store: export_document(store, path)  # noqa: E731
        self._people.write(work, lambda _: self.bar.tell(Sentence(f"已导出到 {path}", f"Exported to {path}")))

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.heading.setText(self.tr("收藏与历史"))
        self.list.setAccessibleName(self.tr("写过的祝福"))
        self.export_button.setText(self.tr("导出…"))
        self.delete_all_button.setText(self.tr("全部删除…"))
        self._fill_filters()
        self._say_nothing()
        self.list.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """What is out of date is asked for anew; else the list stays as far down as it was."""
        super().showEvent(event)
        if self._fresh != self._people.writes:
            self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _offer(self, found: tuple[tuple[Recipient, ...], tuple[int, ...], tuple[str, ...]]) -> None:
        self._offered = found
        self._entry_words.names = {person.id: person.fields.name for person in found[0]}
        self._fill_filters()
        self.detail.retranslate()
        self.list.viewport().update()

    def _fill_filters(self) -> None:
        people, years, occasions = self._offered
        self.filters.offer(
            [(str(person.id), person.fields.name) for person in people],
            years,
            [(id, self._entry_words.name(id)) for id in occasions],
        )

    def _loaded(self) -> None:
        """The list has what was asked for: stay with the entry that was looked at, where it is still there."""
        some = self.model.rowCount() > 0
        blank = self.model.filters == Filters()
        self._say_nothing()
        self._lists.setCurrentIndex(0 if some else 1)
        self._bodies.setCurrentIndex(0)
        for widget in (self.filters, self.export_button, self.delete_all_button):
            widget.setVisible(some or not blank)
        row = self.model.row_of(self._shown) if self._shown is not None else 0
        self._go_to(max(row, 0))

    def _say_nothing(self) -> None:
        if self.model.filters == Filters():
            self.nothing.setText(self.tr("还没有写过。写好的每一条都会留在这里。"))
            self.nothing_button.setText(self.tr("去写一条"))
        else:
            self.nothing.setText(self.tr("没有找到。换个词，或者去掉筛选。"))
            self.nothing_button.setText(self.tr("去掉筛选"))

    def _leave_nothing(self) -> None:
        if self.model.filters == Filters():
            self.writing_asked.emit()
        else:
            self.filters.clear()
            self.filters.query.setFocus()

    def _go_to(self, row: int) -> None:
        index = self.model.index(min(row, self.model.rowCount() - 1))
        self.list.setCurrentIndex(index)
        self._show_current()

    def _show_current(self) -> None:
        entry = self.model.entry(self.list.currentIndex().row())
        self._shown = entry.id if entry is not None else None
        self.detail.show_entry(entry)
        if self._asked_sent is not None:
            self._asked_sent.drop()
        if entry is not None:
            self._asked_sent = self._people.read(lambda store: sent_of(store, entry.id), self.detail.show_sent)

    def _copied(self, note: Sent) -> None:
        name = self._entry_words.names.get(note.recipient or 0, "")
        message = (
            Sentence(f"已复制，记作发给{name}", f"Copied, and noted as sent to {name}")
            if name
            else Sentence("已复制，记作已发", "Copied, and noted as sent")
        )
        self._did(message, lambda store: delete(store, "sent", [note.id]))
        self._show_current()

    def _favoured(self, id: int, favourite: bool) -> None:
        self.model.show_favourite(id, favourite)
        if self._shown == id:
            self._show_current()

    def _deleted(self, id: int, token: int) -> None:
        row = self.model.row_of(id)
        self.model.take_out(id)
        self._did(Sentence("已删除 1 条", "1 greeting deleted"), lambda store: undo(store, token))
        if self.model.rowCount():
            self._go_to(max(row, 0))
        else:
            self.refresh()

    def _ask_delete_all(self) -> None:
        self.bar.ask(
            Sentence(
                "删掉全部历史，连同收藏？关掉窗口之前都可以撤销。",
                "Delete the whole history, favourites too? It can be undone until the window is closed.",
            ),
            Sentence("全部删除", "Delete all"),
            lambda: self._people.write(delete_all_written, self._deleted_all),
        )

    def _deleted_all(self, token: int) -> None:
        self._did(Sentence("已全部删除", "Everything deleted"), lambda store: undo(store, token))
        self.filters.clear()
        self.refresh()

    def _did(self, message: Sentence, back: Callable[[Store], Any]) -> None:
        self._undoable.append((message, back))
        self.bar.tell(message, self.undo)

    def _undone(self) -> None:
        if self._undoable:
            self.bar.tell(self._undoable[-1][0], self.undo)
        else:
            self.bar.hide()
        self.refresh()

    def _ask_export(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("历史，作为表格（CSV）…"), lambda: self._ask_path("csv", self.tr("CSV 表格 (*.csv)")))
        menu.addAction(
            self.tr("全部数据，可再导入（JSON）…"), lambda: self._ask_path("json", self.tr("JSON 文件 (*.json)"))
        )
        menu.popup(self.export_button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _ask_path(self, suffix: str, kind: str) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        asking = QFileDialog(self, self.tr("导出"), folder, kind)
        asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asking.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        asking.setDefaultSuffix(suffix)
        asking.selectFile(self._words.say(Sentence(f"拜年帖-历史.{suffix}", f"Greetings.{suffix}")))
        asking.fileSelected.connect(lambda path: self.export(Path(path)))
        asking.open()

    def _show_trouble(self, trouble: Trouble) -> None:
        self.trouble.show_trouble(trouble)
        self._bodies.setCurrentIndex(1)

    def _opened(self) -> None:
        self._bodies.setCurrentIndex(0)
        self.refresh()

    def _connect(self) -> None:
        self._people.opened.connect(lambda _: self._opened())
        self._people.failed.connect(self._show_trouble)
        self.trouble.chosen.connect(self._people.reopen)
        self.filters.changed.connect(self.model.ask)
        self.model.loaded.connect(self._loaded)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_current())
        self.detail.copy.connect(self.copy)
        self.detail.favour.connect(self.favour)
        self.detail.make_card.connect(self.make_card)
        self.detail.delete.connect(self.delete)

    def _shortcuts(self) -> None:
        for keys, act in (
            ("Ctrl+F", self._search),
            ("Ctrl+Z", self.undo),
            (FAVOURITE_KEYS, self.favour),
            (CARD_KEYS, self.make_card),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(act)
        for keys, act in (("Del", self.delete), ("Ctrl+C", self.copy)):
            shortcut = QShortcut(QKeySequence(keys), self.list)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(act)

    def _search(self) -> None:
        self.filters.query.setFocus()
        self.filters.query.selectAll()

    def _build(self) -> None:
        nothing = QWidget()
        empty = QVBoxLayout(nothing)
        empty.setContentsMargins(0, 24, 0, 0)
        empty.setSpacing(16)
        empty.addWidget(self.nothing)
        empty.addWidget(self.nothing_button, 0, Qt.AlignmentFlag.AlignLeft)
        empty.addStretch(1)
        self._lists = QStackedWidget()
        self._lists.addWidget(self.list)
        self._lists.addWidget(nothing)
        foot = QHBoxLayout()
        foot.addWidget(self.export_button)
        foot.addStretch(1)
        foot.addWidget(self.delete_all_button)
        side = QWidget()
        side.setFixedWidth(LIST_WIDTH)
        left = QVBoxLayout(side)
        left.setContentsMargins(28, 20, 8, 10)
        left.setSpacing(12)
        left.addWidget(self.heading)
        left.addWidget(self.filters)
        left.addWidget(self._lists, 1)
        left.addLayout(foot)
        right = QVBoxLayout()
        right.setContentsMargins(12, 24, 28, 16)
        right.setSpacing(14)
        right.addWidget(self.banner)
        right.addWidget(self.detail, 1)
        right.addWidget(self.bar)
        right.setAlignment(self.bar, Qt.AlignmentFlag.AlignBottom)
        content = QWidget()
        columns = QHBoxLayout(content)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(0)
        columns.addWidget(side)
        columns.addLayout(right, 1)
        trouble = QWidget()
        alone = QVBoxLayout(trouble)
        alone.setContentsMargins(QMargins(28, 24, 28, 24))
        alone.addWidget(self.trouble)
        alone.addStretch(1)
        self._bodies = QStackedWidget()
        self._bodies.addWidget(content)
        self._bodies.addWidget(trouble)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._bodies)
