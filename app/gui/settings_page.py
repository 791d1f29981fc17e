"""The page 设置: how the window looks, how it writes, where the data lies, and what helps when something goes wrong.

It shows the settings and says what the person wants; the window does it. What goes out as a file and what is erased is
what the page 收藏与历史 does too.
"""

import os
from pathlib import Path

from PySide6.QtCore import QEvent, QMargins, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from app.compose.catalog import Catalog
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Died, Event, Failed, Loading, Ready
from app.gui.banner import Banner
from app.gui.choice_widgets import ButtonRow, CalmComboBox
from app.gui.column_scroll import FlowingColumn
from app.gui.device_field import DeviceField
from app.gui.diagnostics import COPIED, copy_diagnostics
from app.gui.engine_bridge import EngineBridge
from app.gui.erasing import ERASED, ask_erasure
from app.gui.form_field import FormField
from app.gui.history_files import HistoryFiles
from app.gui.kind_button import KindButton
from app.gui.log import Log
from app.gui.models_entries import entries_of
from app.gui.models_process import Job, ModelsProcess, Outcome
from app.gui.people_thread import PeopleThread
from app.gui.plain_text import BreakingLabel
from app.gui.quiet_bar import QuietBar
from app.gui.scrolled_page import SIDE, lay_out_scrolled
from app.gui.settings import DARK, LIGHT, SYSTEM, THEMES, Settings
from app.gui.theme import Theme
from app.gui.words import CHINESE, ENGLISH, LANGUAGES, Words
from app.gui.writing_session import CARDS
from app.models.inventory import Entry

_LANGUAGE_NAMES = {CHINESE: "中文", ENGLISH: "English"}  # each in itself: who cannot read the other finds the way back
_COUNTS = tuple(str(number) for number in range(1, CARDS + 1))
_WIDEST = 760  # pixels of the fields; a row of two buttons across a wide window is no longer one thing


class SettingsPage(QWidget):
    """The signals carry what the person chose: ``cpu_asked`` whether only the CPU is to be used, ``threads_asked`` None
    for automatic."""

    theme_asked = Signal(str)
    language_asked = Signal(str)
    cpu_asked = Signal(bool)
    cards_asked = Signal(int)
    threads_asked = Signal(object)

    def __init__(
        self,
        catalog: Catalog,
        words: Words,
        theme: Theme,
        settings: Settings,
        engine: EngineBridge,
        people: PeopleThread,
        quick: ModelsProcess,
        log: Log,
        folder: Path,
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._words = words
        self._theme = theme
        self._settings = settings
        self._engine = engine
        self._people = people
        self._quick = quick
        self._log = log
        self._folder = folder
        self._entries: tuple[Entry, ...] = ()
        self.banner = Banner(words)
        self.bar = QuietBar(words)
        self.files = HistoryFiles(
            self, catalog, words, theme, people, tell=self.bar.tell, refuse=self._refuse, imported=lambda: None
        )
        self.heading = QLabel()
        self.heading.setProperty("kind", "title")
        self.heading.setFont(theme.letter_font(23))
        self._parts = {name: QLabel() for name in ("look", "writing", "data", "help")}
        for label in self._parts.values():
            label.setProperty("kind", "panelTitle")
            label.setFont(theme.letter_font(17))
        self.theme = ButtonRow(THEMES, columns=len(THEMES), spacing=0, kind="segment")
        self.language = ButtonRow(LANGUAGES, columns=len(LANGUAGES), spacing=0, kind="segment")
        self.cards = ButtonRow(_COUNTS, columns=len(_COUNTS), spacing=0, kind="segment")
        self.threads = CalmComboBox()
        self.device = DeviceField(words)
        self._fields = {
            "theme": FormField("theme", self.theme),
            "language": FormField("language", self.language),
            "cards": FormField("cards", self.cards),
            "threads": FormField("threads", self.threads),
        }
        self.where = BreakingLabel()
        self.where.setProperty("kind", "label")
        self.where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.open_button = KindButton("outline", self._open_folder)
        self.export_button = KindButton("outline", lambda: self.files.offer_export(self.export_button))
        self.erase_button = KindButton("outline", lambda: ask_erasure(self.bar, people))
        self.about_reports = BreakingLabel()
        self.about_reports.setProperty("kind", "label")
        self.copy_button = KindButton("outline", self._copy_diagnostics)
        self._build()
        self._connect()
        self.device.show_ready(engine.ready)
        self.retranslate()

    def first_focus(self) -> QWidget:
        """Where the keys go at first."""
        return self.theme

    def retranslate(self) -> None:
        """Say everything in the language in use, and show what is chosen, which may have been done elsewhere."""
        self.heading.setText(self.tr("设置"))
        for name, title in {
            "look": self.tr("外观"),
            "writing": self.tr("写作"),
            "data": self.tr("你的数据"),
            "help": self.tr("出问题的时候"),
        }.items():
            self._parts[name].setText(title)
        self._show_looks()
        self._show_writing()
        self.where.setText(
            self.tr("写过的祝福、联系人和群发名单都在这个文件夹里，不会离开这台电脑：\n{folder}").format(
                folder=self._folder
            )
        )
        self.open_button.setText(self.tr("打开文件夹"))
        self.export_button.setText(self.tr("导出…"))
        self.erase_button.setText(self.tr("删除全部数据…"))
        self.about_reports.setText(
            self.tr("诊断信息里有系统、设备、模型和最近的日志，没有你写的内容。找人帮忙时请附上它。")
        )
        self.copy_button.setText(self.tr("复制诊断信息"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
            self.device.retranslate()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """The diagnostics tell of the models as they are now."""
        if not self._quick.running:
            self._quick.start(Job("list"))
        super().showEvent(event)

    def handle(self, event: Event) -> None:
        """What the engine says."""
        if isinstance(event, Ready):
            self.device.show_ready(event)
        elif isinstance(event, Loading | Died) or (isinstance(event, Failed) and event.job is None):
            self.device.show_ready(None)

    def _show_looks(self) -> None:
        self._fields["theme"].label(self.tr("明暗"))
        for choice, name in {
            SYSTEM: self.tr("随系统"),
            LIGHT: self.tr("浅色"),
            DARK: self.tr("深色"),
        }.items():
            self.theme.label(choice, name, "")
        self.theme.chosen = self._theme.choice
        self._fields["language"].label(self.tr("语言"))
        for language, name in _LANGUAGE_NAMES.items():
            self.language.label(language, name, "")
        self.language.chosen = self._words.language

    def _show_writing(self) -> None:
        self._fields["cards"].label(self.tr("每次写几条"), self.tr("少写几条，快一些"))
        for count in _COUNTS:
            self.cards.label(count, count, "")
        self.cards.chosen = str(self._settings.cards)
        self._fields["threads"].label(self.tr("线程"), self.tr("下次打开模型时生效"))
        chosen = self._settings.threads or 0
        most = max(os.cpu_count() or 1, chosen)
        numbers = [(str(number), str(number)) for number in range(1, most + 1)]
        self.threads.fill([("0", self.tr("自动")), *numbers], str(chosen))

    def _open_folder(self) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder))):
            self.banner.show_error(
                Sentence(
                    f"系统没有能打开文件夹的程序，文件夹没有打开。请自己到文件管理器里打开 {self._folder}。",
                    f"This system has no program that opens folders, so it was not opened. Go to {self._folder} in a "
                    "file manager.",
                )
            )

    def _copy_diagnostics(self) -> None:
        copy_diagnostics(self._engine.ready, self._entries, self._engine.chatter, self._log.tail())
        self.bar.tell(COPIED)

    def _take_list(self, job: Job, outcome: Outcome) -> None:
        if outcome.kind == "models":
            self._entries = entries_of(outcome.facts)

    def _refuse(self, error: ExplainedError) -> None:
        self.banner.show_error(error.sentence, error.detail)

    def _erased(self) -> None:
        if self.isVisible():
            self.bar.tell(ERASED)

    def _connect(self) -> None:
        self._engine.happened.connect(self.handle)
        self._quick.done.connect(self._take_list)
        self._people.erased.connect(self._erased)
        self.device.cpu_asked.connect(self.cpu_asked)
        self.theme.changed.connect(lambda: self.theme_asked.emit(self.theme.chosen))
        self.language.changed.connect(lambda: self.language_asked.emit(self.language.chosen))
        self.cards.changed.connect(lambda: self.cards_asked.emit(int(self.cards.chosen or CARDS)))
        self.threads.activated.connect(lambda: self.threads_asked.emit(int(self.threads.currentData()) or None))

    def _build(self) -> None:
        scroll = FlowingColumn("cardsBody", QMargins(SIDE, 24, SIDE, 24), 14)
        column = scroll.column
        column.addWidget(self.heading)
        for part, fields in (
            ("look", (self._fields["theme"], self._fields["language"])),
            ("writing", (self._fields["cards"], self._fields["threads"], self.device)),
        ):
            column.addWidget(self._parts[part])
            column.addWidget(_pairs(*fields))
            column.addSpacing(10)
        column.addWidget(self._parts["data"])
        column.addWidget(self.where)
        column.addLayout(_row(self.open_button, self.export_button, self.erase_button))
        column.addSpacing(10)
        column.addWidget(self._parts["help"])
        column.addWidget(self.about_reports)
        column.addLayout(_row(self.copy_button))
        column.addStretch(1)
        lay_out_scrolled(self, self.banner, scroll, self.bar)


def _pairs(*fields: QWidget) -> QWidget:
    """Two fields a row, not wider than they can be read as one."""
    holder = QWidget()
    holder.setMaximumWidth(_WIDEST)
    grid = QGridLayout(holder)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(12)
    for place, field in enumerate(fields):
        grid.addWidget(field, place // 2, place % 2, Qt.AlignmentFlag.AlignTop)
    for column in range(2):
        grid.setColumnStretch(column, 1)
    return holder


def _row(*buttons: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row
