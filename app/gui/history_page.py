"""The page 收藏与历史: everything written, newest first; finding, keeping, deleting and taking it along.

The list never waits for the file: it shows what it has until the people thread answers. Everything deleted here comes
back with 撤销 for as long as the window is open.
"""

from PySide6.QtCore import QEvent, QMargins, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QStackedWidget, QVBoxLayout, QWidget

from app.compose.catalog import Catalog
from app.compose.sentence import ExplainedError, Sentence
from app.gui.banner import Banner
from app.gui.candidate_card import CARD_KEYS, FAVOURITE_KEYS
from app.gui.card_opening import open_card
from app.gui.entry_detail import EntryDetail
from app.gui.entry_words import EntryWords
from app.gui.erasing import ERASED, ask_erasure
from app.gui.history_actions import HistoryActions
from app.gui.history_files import HistoryFiles
from app.gui.history_filters import HistoryFilters
from app.gui.history_model import HistoryModel
from app.gui.history_row import HistoryList, HistoryRow
from app.gui.kind_button import KindButton
from app.gui.people_thread import PeopleThread, Question, Trouble
from app.gui.quiet_bar import QuietBar
from app.gui.store_trouble import StoreTrouble
from app.gui.theme import Theme
from app.gui.undo_stack import UndoStack
from app.gui.words import Words
from app.people.history import sent_of
from app.people.recipients import Recipient, all_recipients
from app.people.search import Filters, found_ids, occasions, years

LIST_WIDTH = 404
RENEWED_WITHIN = 300  # ms after something was written


class HistoryPage(QWidget):
    """``writing_asked``: the person has nothing here yet and wants to write; ``imported``: much may be new."""

    writing_asked = Signal()
    imported = Signal()

    def __init__(self, catalog: Catalog, words: Words, theme: Theme, people: PeopleThread) -> None:
        super().__init__()
        self.setObjectName("page")
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self._people = people
        self._entry_words = EntryWords(catalog, words)
        self._asked_sent: Question | None = None
        self._offered: tuple[tuple[Recipient, ...], tuple[int, ...], tuple[str, ...]] = ((), (), ())
        self._shown: int | None = None  # the id of the entry in the detail
        self._fresh = -1  # the writes that the list takes into account
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.setInterval(RENEWED_WITHIN)
        self._renewal.timeout.connect(self.refresh)
        self.banner = Banner(words)
        self.bar = QuietBar(words)
        self.undoable = UndoStack(self.bar)
        self.deeds = HistoryActions(people, self.undoable, self._refuse, self.refresh)
        self.files = HistoryFiles(
            self, catalog, words, theme, people, tell=self.bar.tell, refuse=self._refuse, imported=self._imported
        )
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
        self.export_button = KindButton("quiet", lambda: self.files.offer_export(self.export_button))
        self.import_button = KindButton("quiet", self.files.ask_import)
        self.delete_many_button = KindButton("quiet", self._offer_deletion)
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
        """Ask anew for what is shown: something may have been written. Nothing moves under the person's eyes."""
        self._renewal.stop()
        self._fresh = self._people.writes
        self._people.read(lambda store: (all_recipients(store), years(store), occasions(store)), self._offer)
        self.model.ask(self.filters.filters)

    def copy(self) -> None:
        """Put the text on the clipboard; that counts as sent."""
        entry = self.detail.entry
        if entry is not None:
            QGuiApplication.clipboard().setText(entry.text)
            self.deeds.note_sent(entry)

    def favour(self) -> None:
        """Make the entry a favourite, or no longer one."""
        if self.detail.entry is not None:
            self.deeds.favour(self.detail.entry)

    def make_card(self) -> None:
        """Open the entry as a picture."""
        entry = self.detail.entry
        if entry is not None:
            open_card(self._words, self._theme, entry.text, entry.request, self, self.banner)

    def delete(self) -> None:
        """Delete the entry; the bar takes it back."""
        if self.detail.entry is not None:
            self.deeds.delete(self.detail.entry)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.heading.setText(self.tr("收藏与历史"))
        self.list.setAccessibleName(self.tr("写过的祝福"))
        self.export_button.setText(self.tr("导出…"))
        self.import_button.setText(self.tr("导入…"))
        self.delete_many_button.setText(self.tr("删除…"))
        self.delete_many_button.setAccessibleDescription(self.tr("找到的、全部历史，或者所有数据"))
        self._fill_filters()
        self._say_nothing()
        self.list.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """What is out of date is asked for anew."""
        super().showEvent(event)
        if self._fresh != self._people.writes:
            self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _renew_soon(self) -> None:
        """Something was written, perhaps by another page; while it is written to, the list follows at its ease."""
        if self.isVisible() and self._fresh != self._people.writes and not self._renewal.isActive():
            self._renewal.start()

    def _offer(self, found: tuple[tuple[Recipient, ...], tuple[int, ...], tuple[str, ...]]) -> None:
        if found == self._offered:
            return  # a menu that is open stays so
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
        for widget in (self.filters, self.export_button, self.delete_many_button):
            widget.setVisible(some or not blank)
        if self.list.currentIndex().isValid():
            self._show_current()
        else:
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

    def _offer_deletion(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        narrowed = self.filters.filters != Filters()
        found = menu.addAction(self.tr("找到的这些…"), self._ask_delete_found)
        found.setEnabled(narrowed and self.model.rowCount() > 0)
        menu.addAction(self.tr("全部历史…"), self._ask_delete_all)
        menu.addSeparator()
        menu.addAction(self.tr("所有数据，不留痕迹…"), self._ask_erase)
        menu.popup(self.delete_many_button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _ask_delete_found(self) -> None:
        filters = self.filters.filters

        def ask(count: int) -> None:
            self.bar.ask(
                Sentence(
                    f"删掉找到的 {count:,} 条？关掉窗口之前都可以撤销。",
                    f"Delete the {count:,} that were found? It can be undone until the window is closed.",
                ),
                Sentence(f"删除 {count:,} 条", f"Delete {count:,}"),
                lambda: self.deeds.delete_found(filters),
            )

        self._people.read(lambda store: len(found_ids(store, filters)), ask)

    def _ask_delete_all(self) -> None:
        self.bar.ask(
            Sentence(
                "删掉全部历史，连同收藏？关掉窗口之前都可以撤销。",
                "Delete the whole history, favourites too? It can be undone until the window is closed.",
            ),
            Sentence("全部删除", "Delete all"),
            lambda: self.deeds.delete_all(self._leave_filters),
        )

    def _ask_erase(self) -> None:
        ask_erasure(self.bar, self._people)

    def _erased(self) -> None:
        self.undoable.clear()
        self._leave_filters()
        self.bar.tell(ERASED)

    def _leave_filters(self) -> None:
        self.filters.clear()
        self.refresh()

    def _refuse(self, error: ExplainedError) -> None:
        self.banner.show_error(error.sentence, error.detail)

    def _imported(self) -> None:
        self.banner.hide()
        self.refresh()
        self.imported.emit()

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
        self.model.renewing.connect(self.list.hold)
        self.model.loaded.connect(self.list.let_go)
        self.model.loaded.connect(self._loaded)
        self._people.wrote.connect(self._renew_soon)
        self._people.erased.connect(self._erased)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._show_current())
        self.detail.copy.connect(self.copy)
        self.detail.favour.connect(self.favour)
        self.detail.make_card.connect(self.make_card)
        self.detail.delete.connect(self.delete)

    def _shortcuts(self) -> None:
        for keys, act in (
            ("Ctrl+F", self._search),
            ("Ctrl+Z", self.undoable.undo),
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
        foot.addWidget(self.import_button)
        foot.addStretch(1)
        foot.addWidget(self.delete_many_button)
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
