"""The page 模型: what is installed, what can be, and where it is fetched from.

Everything that reads or writes a model happens in child processes that speak as ``python -m app models`` does: one for
what takes minutes, shared with the panel of a first start, and one for quick questions. The page shows what they said.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMargins, QStandardPaths, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.compose.sentence import Sentence
from app.gui.banner import Banner
from app.gui.column_scroll import FlowingColumn
from app.gui.engine_bridge import Engine, EngineBridge
from app.gui.file_asking import ask_file
from app.gui.kind_button import KindButton
from app.gui.models_entries import entries_of, fetching_in
from app.gui.models_fetching import FetchingForm
from app.gui.models_process import Job, ModelsProcess, Outcome, Refusal
from app.gui.models_row import Doing, ModelRow
from app.gui.quiet_bar import QuietBar
from app.gui.scrolled_page import SIDE, lay_out_scrolled
from app.gui.theme import Theme
from app.gui.words import Words
from app.models.fetching import Fetching
from app.models.inventory import Entry, State
from app.models.progress import Progress

_LASTING = ("fetch", "import", "verify")  # actions for the process that takes minutes
_STOPPED = {  # of what was fetched its row says what is here
    "import": Sentence(
        "已停下，没有导入；你的文件没有动过。要用它就再导入一次。",
        "Stopped; nothing was imported, and your file is as it was. Import it again to use it.",
    ),
    "verify": Sentence(
        "已停下，没有校验完，还不知道这个模型是否完好。要知道就再校验一次。",
        "Stopped before the end, so whether the model is whole is not known. Check it again to know.",
    ),
}


class ModelsPage(QWidget):
    """``chosen``: another model is in use from now on, or the one in use was made anew."""

    chosen = Signal()

    def __init__(
        self, words: Words, theme: Theme, engine: EngineBridge, process: ModelsProcess, quick: ModelsProcess
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._words = words
        self._theme = theme
        self._engine = engine
        self.process = process
        self.quick = quick
        self.waiting: deque[Job] = deque()  # quick questions not yet asked
        self._checked: set[str] = set()  # ids of models read to their end and found whole
        self.entries: tuple[Entry, ...] = ()
        self.rows: dict[str, ModelRow] = {}
        self.banner = Banner(words)
        self.bar = QuietBar(words)
        self.heading = QLabel()
        self.heading.setProperty("kind", "title")
        self.heading.setFont(theme.letter_font(23))
        self.looking = QLabel()
        self.looking.setProperty("kind", "hint")
        self.import_button = KindButton("outline", self.ask_import)
        self.copies = QCheckBox()
        self.copies.setChecked(True)
        self.importing = QLabel()
        self.importing.setProperty("kind", "label")
        self.stop_import = KindButton("quiet", self.process.pause)
        self.form_heading = QLabel()
        self.form_heading.setProperty("kind", "panelTitle")
        self.form_heading.setFont(theme.letter_font(17))
        self.form = FetchingForm(words)
        self._build()
        self._connect()
        self.retranslate()

    def first_focus(self) -> QWidget:
        """Where the keys go at first."""
        return self.import_button

    def refresh(self) -> None:
        """Look again at what there is."""
        self._ask(Job("list"))

    def fetch(self, id: str) -> None:
        """Fetch a model, from where it was left."""
        self._begin(Job("fetch", id))

    def use(self, id: str) -> None:
        """Make a model the one in use."""
        self._ask(Job("use", id))

    def verify(self, id: str) -> None:
        """Read a model to its end."""
        self._checked.discard(id)
        self._begin(Job("verify", id))

    def import_file(self, path: Path) -> None:
        """Take in a GGUF file."""
        self._begin(Job("import", str(path), () if self.copies.isChecked() else ("--in-place",)))

    def ask_import(self) -> None:
        """Ask which file to take in."""
        self._ask_gguf(self.tr("导入模型"), self.import_file)

    def ask_removal(self, id: str) -> None:
        """Ask whether a model is really to go."""
        entry = next(entry for entry in self.entries if entry.id == id)
        title = entry.title
        question = (
            Sentence(
                f"删除“{title.zh}”的文件？以后要用得再下载或导入。",
                f"Delete the file of {title.en}? To use it again it must be fetched or imported anew.",
            )
            if entry.copied
            else Sentence(
                f"从列表里移除“{title.zh}”？你的文件留在原处，不会删除。",
                f"Take {title.en} off the list? Your file stays where it is.",
            )
        )
        self.bar.ask(question, Sentence("移除", "Remove"), lambda: self._ask(Job("remove", id)))

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.heading.setText(self.tr("模型"))
        self.looking.setText(self.tr("正在看有哪些模型…"))
        self.import_button.setText(self.tr("导入 GGUF 文件…"))
        self.copies.setText(self.tr("复制一份到模型文件夹（推荐）"))
        self.copies.setToolTip(self.tr("不复制就在原处使用：省磁盘，但移动或删除那个文件后就用不了"))
        self.stop_import.setText(self.tr("停止"))
        self.form_heading.setText(self.tr("下载设置"))
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
            for row in self.rows.values():
                row.retranslate()
            self.form.retranslate()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """What another window or command did meanwhile is seen."""
        self.refresh()
        super().showEvent(event)

    def _begin(self, job: Job) -> None:
        if not self.process.running:
            self.banner.hide()
            self.bar.hide()
            self.process.start(job)

    def _ask(self, job: Job) -> None:
        """Ask something quick, after what was asked before; a second look at the list is one."""
        if job not in self.waiting:
            self.waiting.append(job)
        self._ask_next()

    def _ask_next(self) -> None:
        if self.waiting and not self.quick.running:
            self.quick.start(self.waiting.popleft())

    def _told(self, job: Job, outcome: Outcome) -> None:
        """A quick question is answered."""
        if outcome.kind == "models":
            self.entries = entries_of(outcome.facts)
            self.form.show_settings(fetching_in(outcome.facts))
            self._show()
            self._open_what_came_back()
        else:
            if outcome.kind == "used":
                self.chosen.emit()
            if outcome.kind in ("used", "removed"):
                self.banner.hide()  # what was wrong before is over
                self.bar.tell(outcome.sentence)
            self.refresh()
        self._ask_next()

    def _open_what_came_back(self) -> None:
        """The model in use was gone or broken when it was to be opened, and is there again: the person put it back."""
        ready = any(entry.in_use and entry.state is State.READY for entry in self.entries)
        if ready and self._engine.state is Engine.OFF and not self.process.running:
            self.chosen.emit()

    def _refused(self, job: Job, refusal: Refusal) -> None:
        if not self.form.refuse(refusal):
            self.banner.show_error(refusal.sentence, refusal.details)
        self._ask_next()

    def _done(self, job: Job, outcome: Outcome) -> None:
        """What took minutes is done."""
        if outcome.kind == "verified":
            self._checked.add(job.id)
        self.bar.tell(outcome.sentence)
        if outcome.kind == "installed" and any(entry.in_use and entry.id == job.id for entry in self.entries):
            self.chosen.emit()
        self.refresh()

    def _stopped(self, job: Job) -> None:
        if job.action in _STOPPED:
            self.bar.tell(_STOPPED[job.action])
        self.refresh()

    def _failed(self, job: Job, refusal: Refusal) -> None:
        if job.action in _LASTING:
            self.banner.show_error(refusal.sentence, refusal.details)
        self.refresh()

    def _progressed(self, job: Job, progress: Progress) -> None:
        if job.id in self.rows:
            self.rows[job.id].show_progress()
        if job.action == "import":
            self.importing.setText(self._words.say(progress.sentence))

    def _show(self) -> None:
        """Show the entries, and what is being done."""
        job = self.process.job if self.process.running else Job("")
        ids = [entry.id for entry in self.entries]
        for id in [id for id in self.rows if id not in ids]:
            row = self.rows.pop(id)
            self._list.removeWidget(row)
            row.deleteLater()
        for place, entry in enumerate(self.entries):
            row = self.rows.get(entry.id) or self._new_row(entry.id, place)
            here = job.action if job.id == entry.id and job.action in ("fetch", "verify") else ""
            row.show_entry(entry, Doing(here, self.process.running, entry.id in self._checked))
        self.looking.setVisible(not self.entries)
        importing = job.action == "import"
        self.importing.setVisible(importing)
        self.stop_import.setVisible(importing)
        self.stop_import.setEnabled(not self.process.pausing)
        self.import_button.setEnabled(not self.process.running)
        if not importing:
            self.importing.clear()

    def _new_row(self, id: str, place: int) -> ModelRow:
        row = self.rows[id] = ModelRow(self._words, self._theme, self.process)
        row.fetch_asked.connect(self.fetch)
        row.pause_asked.connect(self._pause)
        row.use_asked.connect(self.use)
        row.verify_asked.connect(self.verify)
        row.remove_asked.connect(self.ask_removal)
        self._list.insertWidget(place, row)
        return row

    def _pause(self) -> None:
        self.process.pause()
        self._show()

    def _set(self, fetching: Fetching) -> None:
        words = ("--source", fetching.source, f"--mirror={fetching.mirror}", "--proxy", fetching.proxy)
        self._ask(Job("set", "", words))

    def _ask_gguf(self, title: str, chosen: Callable[[Path], None]) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        ask_file(self, title, self.tr("GGUF 模型 (*.gguf);;所有文件 (*)"), chosen, folder)

    def _connect(self) -> None:
        self.quick.done.connect(self._told)
        self.quick.failed.connect(self._refused)
        self.process.started.connect(lambda _: self._show())
        self.process.progressed.connect(self._progressed)
        self.process.done.connect(self._done)
        self.process.failed.connect(self._failed)
        self.process.paused.connect(self._stopped)
        self.form.changed.connect(self._set)
        self.form.file_asked.connect(lambda: self._ask_gguf(self.tr("基础模型的文件"), self.form.use_file))

    def _build(self) -> None:
        scroll = FlowingColumn("cardsBody", QMargins(SIDE, 24, SIDE, 24), 14)
        column = scroll.column
        for widget in (self.heading, self.looking):
            column.addWidget(widget)
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        column.addLayout(self._list)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.import_button)
        row.addWidget(self.copies)
        row.addWidget(self.importing, 1)
        row.addStretch(0)
        row.addWidget(self.stop_import)
        column.addLayout(row)
        column.addSpacing(10)
        column.addWidget(self.form_heading)
        column.addWidget(self.form)
        column.addStretch(1)
        lay_out_scrolled(self, self.banner, scroll, self.bar)
