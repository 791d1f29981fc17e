"""The page 群发: people as a table, a text of their own for each, and the queue by which they are copied out.

Nothing is ever sent from here. The page turns clicks and keys into calls of the session and of BatchActions, and shows
what the table says.
"""

import secrets
from datetime import date
from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.compose.catalog import Catalog
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Died, Event, Failed, Ready, Sampling
from app.gui.banner import Banner
from app.gui.batch_actions import BatchActions
from app.gui.batch_detail import BatchDetail
from app.gui.batch_foot import BatchFoot
from app.gui.batch_intake import BatchIntake
from app.gui.batch_menu import REDO_KEYS, BatchMenu, BatchRowMenu
from app.gui.batch_queue import BatchQueue
from app.gui.batch_session import BatchSession
from app.gui.batch_sheet import batch_sheet
from app.gui.batch_table import BatchTable
from app.gui.batch_view import BatchView
from app.gui.batch_wish import BatchWish
from app.gui.composition import CompositionWatch
from app.gui.engine_bridge import Engine, EngineBridge
from app.gui.file_asking import ask_target
from app.gui.kind_button import KindButton
from app.gui.people_thread import PeopleThread
from app.gui.quiet_bar import QuietBar
from app.gui.theme import Theme
from app.gui.undo_stack import UndoStack
from app.gui.words import Words
from app.gui.write_button import key_name
from app.people.batch import Batch
from app.people.recipients import RecipientFields

SHOWN_WITHIN = 40  # ms: of two thousand rows that change at once, one count is shown
_NO_MODEL = Sentence(
    "现在没有能用的模型，还不能写。名单都留着；点“去准备模型”准备好，回来再点“全部写好”。",
    "There is no model to write with yet. The list is kept: choose Prepare the model, then come back and choose Write "
    "all.",
)


class BatchPage(QWidget):
    """Everything between the side bar and the right edge. It shows the newest batch once ``begin`` is called.

    ``model_asked``: there is no model to write with, and the person wants to see to it.
    """

    model_asked = Signal()

    def __init__(
        self, catalog: Catalog, words: Words, theme: Theme, engine: EngineBridge, people: PeopleThread, today: date
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self._engine = engine
        self._people = people
        self._today = today
        self._no_engine = False  # whether the banner speaks of the engine
        self._writes: int | None = None  # to the file, when the page was left
        self.watch = CompositionWatch(self)
        self.table = BatchTable(catalog, words, theme)
        self.session = BatchSession(
            catalog,
            engine,
            people,
            sampling=Sampling(),
            seeds=lambda: secrets.randbelow(1 << 31),
            told=self.table.take,
            moved=self._show_progress,
            refused=self._stopped,
        )
        self.bar = QuietBar(words)
        self.undoable = UndoStack(self.bar)
        self.batch = BatchActions(
            catalog, people, self.session, self.table, self.bar.tell, self.undoable, self._show_batch
        )
        self.intake = BatchIntake(self, catalog, words, theme, people, agreed=self._add, refuse=self._refuse)
        self.banner = Banner(words)
        self.wish = BatchWish(catalog, words, self.watch, today)
        self.view = BatchView(self.table, catalog, words, self.watch)
        self.detail = BatchDetail(self.table, words, theme, self.watch)
        self.queue = BatchQueue(
            self, words, theme, self.table, self.batch, self.undoable, self.detail.flush, self._follow
        )
        self.strip = self.queue.strip
        self.heading = QLabel()
        self.heading.setProperty("kind", "title")
        self.heading.setFont(theme.letter_font(23))
        self.promise = QLabel()
        self.promise.setProperty("kind", "aside")
        self.hint = QLabel()
        self.hint.setProperty("kind", "hint")
        self.hint.setFont(theme.letter_font(18))
        self.hint.setWordWrap(True)
        self.add_button = KindButton("quiet", self.add_row)
        self.remove_button = KindButton("quiet", self.remove)
        self.paste_button = KindButton("quiet", self.intake.paste)
        self.import_button = KindButton("outline", self.intake.ask)
        self.more_button = KindButton("quiet", lambda: self.batch.all_batches(self._offer_more))
        self.foot = BatchFoot(self.table)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SHOWN_WITHIN)
        self._soon.timeout.connect(self._show_progress)
        self._build()
        self._connect()
        self._shortcuts()
        self._dress()
        self.retranslate()

    def begin(self) -> None:
        """Show the newest batch."""
        self.batch.load()

    def reload(self) -> None:
        """What is in the file is another now: something was imported, or everything erased."""
        self.batch.reload()

    def first_focus(self) -> QWidget:
        """Where the keys go at first."""
        return self.view if self.table.rows else self.import_button

    def set_drawing(self, sampling: Sampling, model: str) -> None:
        """How this model is drawn from, and what the history calls it."""
        self.session.set_drawing(sampling, model)

    def write_or_pause(self) -> None:
        """全部写好, 继续 or 暂停, whichever the button says."""
        if self.watch.composing:
            return
        if self.session.running:
            self.session.pause()
        elif self.session.batch is not None and self._can_write() and self._settle():
            self.session.start()

    def redo(self, ids: list[int]) -> None:
        """Have these rows written anew, at once and before all others; also while the others are paused."""
        if ids and self._can_write() and self._settle():
            self.batch.redo(ids, self.wish.wish)

    def turn_to(self, today: date) -> None:
        """It is this day now, for the names of batches and for what a new one is likely to wish."""
        if today != self._today:
            self._today = today
            if self.table.rows:  # they have been wished something already
                self.wish.keep_occasion()
            self.wish.turn_to(today)

    def redo_chosen(self) -> None:
        """Have the chosen rows written anew."""
        self.redo(self.view.selected_ids())

    def add_row(self) -> None:
        """A new row, with the cursor in its name."""
        self.wish.commit()
        self.batch.add_blank(self._today.isoformat(), self.wish.wish, self.view.edit_name)

    def remove(self) -> None:
        """Take the chosen rows out."""
        ids = self.view.selected_ids()
        if ids:
            self.batch.remove(ids)

    def handle(self, event: Event) -> None:
        """What the engine says."""
        if isinstance(event, Ready) and not self.session.model:
            self.session.model = event.model
        self.session.handle(event)
        if isinstance(event, Ready) and self._no_engine:
            self._no_engine = False
            self.banner.hide()
        if isinstance(event, Ready | Died | Failed):
            self._show_soon()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.heading.setText(self.tr("每个人，都有自己的一条"))
        self.promise.setText(self.tr("写好了由你一条条复制去发，程序不会替你发送任何东西。"))
        self.hint.setText(
            self.tr(
                "把名单粘贴到这里：在表格里选好姓名、关系、想提到的事，复制，回来按 {keys}。\n"
                "也可以导入 CSV 或手机通讯录的名片（.vcf），或者一行一行地加。"
            ).format(keys=key_name("Ctrl+V"))
        )
        self.add_button.setText(self.tr("加一行"))
        self.remove_button.setText(self.tr("移走"))
        self.paste_button.setText(self.tr("粘贴"))
        self.import_button.setText(self.tr("导入…"))
        self.more_button.setText(self.tr("更多"))
        self.more_button.setAccessibleDescription(self.tr("导出、重写、别的名单"))
        self.view.setAccessibleName(self.tr("收件人"))
        self._show_progress()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.intake.paste()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """What was just typed is saved, also when the window closes."""
        self.detail.flush()
        self.view.commit()
        self.wish.commit()
        self._writes = self._people.writes
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """In the history, texts of this batch may have been deleted."""
        super().showEvent(event)
        if self._writes not in (None, self._people.writes):
            self.batch.renew()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _settle(self) -> bool:
        """What is typed anywhere counts now; False, and the way there, where a cell says what cannot be used."""
        self.detail.flush()
        self.view.commit()
        self.wish.commit()
        refused = self.table.first_refused()
        if refused is None:
            return True
        cell, why = refused
        self.banner.show_error(why)
        self.view.edit_cell(cell)
        return False

    def _show_batch(self) -> None:
        """Another batch is shown, or none."""
        if self.table.rows:
            self.wish.show_wish(self.table.rows[-1].fields.request)
            self.view.selectRow(0)
        else:
            self.strip.hide()
        self._show_progress()

    def _add(self, people: tuple[RecipientFields, ...]) -> None:
        self.wish.commit()
        self.batch.add(people, self._today.isoformat(), self.wish.wish, self._show_progress)

    def _follow(self, id: int | None) -> None:
        """Go to the row that was copied."""
        place = self.table.place(id) if id is not None else None
        if place is not None:
            self.view.selectRow(place)
        self._show_progress()

    def _show_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _show_progress(self) -> None:
        self._bodies.setCurrentIndex(0 if self.table.rows else 1)
        self.remove_button.setVisible(bool(self.table.rows))
        self.foot.show_state(self.session.running, self._engine.state is Engine.OFF)
        self._show_chosen()
        self.detail.refresh()

    def _show_chosen(self) -> None:
        chosen = len(self.view.selected_places())
        self.remove_button.setEnabled(chosen > 0)
        self.detail.show_chosen(chosen)

    def _can_write(self) -> bool:
        """Whether there is a model; where there is none, that is said, and the way to one is in the foot."""
        if self._engine.state is Engine.OFF:
            self._no_engine = True
            self.banner.show_error(_NO_MODEL)
            self.foot.model_button.setFocus()
            return False
        self.banner.hide()
        self._engine.reopen()
        return True

    def _refuse(self, error: ExplainedError) -> None:
        self._show_refusal(error.sentence, error.detail)

    def _show_refusal(self, sentence: Sentence, detail: str) -> None:
        self.banner.show_error(sentence, detail)
        self._show_progress()

    def _stopped(self, sentence: Sentence, detail: str) -> None:
        """Writing stopped by itself; what is said of it holds until the engine is there again."""
        self._no_engine = True
        self._show_refusal(sentence, detail)

    def _offer_more(self, found: tuple[Batch, ...]) -> None:
        menu = BatchMenu(
            self,
            found,
            self.session.batch,
            chosen=len(self.view.selected_ids()),
            failed=self.table.counts()["failed"],
            export=self._ask_export,
            redo=self.redo_chosen,
            redo_failed=lambda: self.redo([row.id for row in self.table.rows if row.state == "failed"]),
            leave=self.batch.leave,
            turn_to=lambda batch: self.batch.turn_to(batch),
        )
        menu.popup(self.more_button.mapToGlobal(QPoint(0, self.more_button.height())))

    def _ask_export(self) -> None:
        kind = self.tr("CSV 表格 (*.csv)")
        ask_target(self, self.tr("导出"), kind, "csv", lambda path: self.batch.export(path, self._words.language))

    def _offer_for_rows(self, place: QPoint) -> None:
        ids = self.view.selected_ids()
        row = self.table.row(ids[0]) if len(ids) == 1 else None
        copy = self.detail.copy_button.click if row is not None and row.text else None
        BatchRowMenu(self, len(ids), redo=self.redo_chosen, copy=copy, remove=self.remove).popup(place)

    def _dress(self, *_: Any) -> None:
        self.setStyleSheet(batch_sheet(self._theme.tokens))

    def _connect(self) -> None:
        self._engine.happened.connect(self.handle)
        self._theme.changed.connect(self._dress)
        self.table.counted.connect(self._show_soon)
        self.table.edited.connect(self.batch.change)
        self.table.refused.connect(self.banner.show_error)
        self.wish.changed.connect(lambda: self.batch.change_wish(self.wish.wish))
        self.view.pasted.connect(self.intake.paste)
        self.view.removal.connect(self.remove)
        selection = self.view.selectionModel()
        selection.currentRowChanged.connect(lambda *_: self.detail.show_row(self.view.current_id()))
        selection.selectionChanged.connect(lambda *_: self._show_soon())
        self.view.menu_asked.connect(self._offer_for_rows)
        self.foot.write.connect(self.write_or_pause)
        self.foot.copy_next.connect(self.queue.copy_next)
        self.foot.model_asked.connect(self.model_asked)
        self.table.modelReset.connect(lambda: self.detail.show_row(self.view.current_id()))
        self.detail.edited.connect(self.batch.edit_text)
        self.detail.redo.connect(self.redo_chosen)
        self.detail.copy.connect(self.queue.copy)

    def _shortcuts(self) -> None:
        for keys, act in (
            ("Ctrl+Return", self.write_or_pause),
            ("Ctrl+Enter", self.write_or_pause),
            ("Ctrl+Shift+C", self.queue.copy_next),
            ("Ctrl+N", self.add_row),
            ("Ctrl+O", self.intake.ask),
            (REDO_KEYS, self.redo_chosen),
            ("Ctrl+Z", self.undoable.undo),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(act)

    def _build(self) -> None:
        titles = QVBoxLayout()
        titles.setSpacing(4)
        titles.addWidget(self.heading)
        titles.addWidget(self.promise)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addLayout(titles, 1)
        for button in (self.add_button, self.remove_button, self.paste_button, self.import_button, self.more_button):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self._nothing = QWidget()
        empty = QVBoxLayout(self._nothing)
        empty.setContentsMargins(0, 48, 0, 0)
        empty.addWidget(self.hint)
        empty.addStretch(1)
        self._bodies = QStackedWidget()
        filled = QWidget()
        rows = QVBoxLayout(filled)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(10)
        rows.addWidget(self.view, 1)
        rows.addWidget(self.detail)
        self._bodies.addWidget(filled)
        self._bodies.addWidget(self._nothing)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(28, 22, 28, 16)
        whole.setSpacing(12)
        whole.addLayout(head)
        whole.addWidget(self.wish)
        whole.addWidget(self.banner)
        whole.addWidget(self._bodies, 1)
        whole.addWidget(self.bar)
        whole.addWidget(self.foot)
