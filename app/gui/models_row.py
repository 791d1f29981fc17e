"""One model on the page: what it is, how it stands with it, and what can be done."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from app.gui.kind_button import KindButton
from app.gui.models_process import ModelsProcess
from app.gui.models_progress import figures, gigabytes, megabytes, overall
from app.gui.plain_text import BreakingLabel, plain_label, plain_tip
from app.gui.theme import Theme
from app.gui.words import Words
from app.models.inventory import Entry, Kind, State

BAR = 1000  # steps of the progress bar
TITLE_WIDTH = 400  # pixels; a file may call its model what it likes, and the buttons need their room


@dataclass(frozen=True)
class Doing:
    """What is going on: ``here`` a job on this very model, ``busy`` one on any, ``checked`` that this one was found
    whole since the page was opened."""

    here: str = ""  # the action
    busy: bool = False
    checked: bool = False


class ModelRow(QFrame):
    """Emits what is asked for, with the id of its model; the page does it."""

    fetch_asked = Signal(str)
    pause_asked = Signal()
    use_asked = Signal(str)
    verify_asked = Signal(str)
    remove_asked = Signal(str)

    def __init__(self, words: Words, theme: Theme, process: ModelsProcess) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._words = words
        self._process = process
        self.entry: Entry | None = None
        self._doing = Doing()
        self.title = plain_label()
        self.title.setProperty("kind", "panelTitle")
        self.title.setFont(theme.letter_font(17))
        self.mark = QLabel()
        self.mark.setProperty("kind", "aside")
        self.facts = _line("aside")
        self.good_for = _line("label")
        self.fault = _line("error")
        self.message = _line("label")
        self.bar = QProgressBar()
        self.bar.setRange(0, BAR)
        self.bar.setTextVisible(False)
        self.figures = QLabel()
        self.figures.setProperty("kind", "aside")
        self.main = KindButton("outline", self._press)
        self.verify = KindButton("quiet", lambda: self._ask(self.verify_asked))
        self.remove = KindButton("quiet", lambda: self._ask(self.remove_asked))
        self._build()

    def show_entry(self, entry: Entry, doing: Doing) -> None:
        """Show how it stands with a model."""
        if self.entry is None or self.entry.id != entry.id:
            self.setObjectName(f"model-{entry.id}")
        self.entry, self._doing = entry, doing
        self.retranslate()

    def show_progress(self) -> None:
        """Show how far the job on this model is."""
        progress = self._process.progress
        if progress is not None:
            self.bar.setValue(max(self.bar.value(), round(BAR * overall(progress))))
            self.message.setText(self._words.say(progress.sentence))
        self.figures.setText(figures(progress, self._process.rate))

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        if self.entry is None:
            return
        entry, doing = self.entry, self._doing
        title = self._words.say(entry.title)
        shown = self.title.fontMetrics().elidedText(title, Qt.TextElideMode.ElideMiddle, TITLE_WIDTH)
        self.title.setText(shown)
        self.title.setToolTip(plain_tip(title) if shown != title else "")
        self.mark.setText(self.tr("正在使用") if entry.in_use and entry.state is State.READY else "")
        self.facts.setText("  ·  ".join(self._facts(entry)))
        self.good_for.setText(self._words.say(entry.good_for))
        self.fault.setText(self._fault(entry))
        self.fault.setVisible(bool(self.fault.text()) and not doing.here)
        running = bool(doing.here)
        for widget in (self.message, self.bar, self.figures):
            widget.setVisible(running)
        if not running:
            self.bar.setValue(0)
            self.message.clear()
        self.bar.setAccessibleName(self.tr("{model}的进度").format(model=self.title.text()))
        if running:
            self.show_progress()
        self._show_buttons(entry, doing)

    def _facts(self, entry: Entry) -> list[str]:
        size = self.tr("约 {size}") if entry.state in (State.ABSENT, State.BEGUN) else "{size}"
        return [
            size.format(size=gigabytes(entry.size)),
            entry.license or self.tr("许可证未注明"),
            self.tr("内存约 {size}").format(size=gigabytes(entry.memory)),
            self.tr("为写祝福微调过") if entry.tuned else self.tr("没有微调"),
            *([self.tr("来自：{source}").format(source=entry.source)] if entry.source else []),
            *([self.tr("校验过，完好")] if self._doing.checked else []),
            *([self.tr("就地使用")] if not entry.copied and entry.kind is Kind.IMPORTED else []),
            *([self.tr("和程序一起装来的")] if not entry.copied and entry.kind is Kind.BUILT else []),
        ]

    def _fault(self, entry: Entry) -> str:
        if entry.state is State.BROKEN and entry.fault is not None:
            return self.tr("坏了：{why}").format(why=self._words.say(entry.fault))
        if entry.state is State.STALE and entry.fault is not None:
            return self._words.say(entry.fault)
        if entry.state is State.BEGUN:
            return self.tr("没有下载完（已下载 {here} MB，共 {all} MB）。点“继续下载”接着下。").format(
                here=megabytes(entry.here), all=megabytes(entry.download)
            )
        return ""

    def _show_buttons(self, entry: Entry, doing: Doing) -> None:
        fetchable = entry.kind is not Kind.IMPORTED
        missing = entry.state in (State.ABSENT, State.BEGUN)
        text = {
            State.READY: self.tr("使用"),
            State.ABSENT: self.tr("下载"),
            State.BEGUN: self.tr("继续下载"),
            State.STALE: self.tr("重新生成"),
            State.BROKEN: self.tr("重新下载"),
        }[entry.state]
        if doing.here == "fetch":
            text = self.tr("正在暂停…") if self._process.pausing else self.tr("暂停")
        elif doing.here:
            text = self.tr("停止")
        elif missing and entry.kind is Kind.BUILT and entry.here == entry.download:
            text = self.tr("生成")
        self.main.setText(text)
        self.main.setAccessibleName(self.tr("{do}：{model}").format(do=text, model=self.title.text()))
        useless = entry.state is State.READY and entry.in_use
        self.main.setVisible(bool(doing.here) or (not useless and (fetchable or entry.state is State.READY)))
        self.main.setEnabled((not doing.busy or bool(doing.here)) and not self._process.pausing)
        self.verify.setText(self.tr("校验"))
        self.verify.setVisible(not missing and not doing.here)
        self.verify.setEnabled(not doing.busy)
        self.remove.setText(self.tr("移除…"))
        ours_to_remove = entry.copied or entry.kind is Kind.IMPORTED  # what came with the program goes with it
        removable = ours_to_remove and entry.state is not State.ABSENT and not entry.in_use
        self.remove.setVisible(removable and not doing.here)
        self.remove.setEnabled(not doing.busy)
        for button in (self.verify, self.remove):
            button.setAccessibleName(self.tr("{do}：{model}").format(do=button.text(), model=self.title.text()))

    def _press(self) -> None:
        if self._doing.here:
            self.pause_asked.emit()
        elif self.entry is not None:
            self._ask(self.use_asked if self.entry.state is State.READY else self.fetch_asked)

    def _ask(self, asked: SignalInstance) -> None:
        if self.entry is not None:
            asked.emit(self.entry.id)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.title)
        head.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignBottom)
        head.addStretch(1)
        for button in (self.remove, self.verify, self.main):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 14, 14, 16)
        column.setSpacing(6)
        column.addLayout(head)
        for widget in (self.facts, self.good_for, self.fault, self.message, self.bar, self.figures):
            column.addWidget(widget)


def _line(kind: str) -> BreakingLabel:
    label = BreakingLabel()
    label.setProperty("kind", kind)
    return label
