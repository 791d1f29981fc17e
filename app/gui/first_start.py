"""The panel of a start without a usable model: says what will be fetched, fetches it, and gets out of the way."""

from enum import Enum

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout

from app.compose.sentence import Sentence
from app.gui.banner import Details
from app.gui.models_process import Job, ModelsProcess, Outcome, Refusal
from app.gui.models_progress import figures, gigabytes, megabytes, overall
from app.gui.plain_text import BreakingLabel
from app.gui.theme import Theme
from app.gui.words import Words
from app.models.manifest import Manifest
from app.models.progress import Progress

BAR = 1000  # steps of the progress bar


class Stage(Enum):
    """What the panel shows."""

    OFFER = "offer"
    BEGUN = "begun"  # an earlier start fetched some of it, or all
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    FAILED = "failed"
    BROKEN = "broken"


class FirstStart(QFrame):
    """Hidden until ``offer`` or ``repair``; emits ``installed`` when the model is in its place.

    Follows the fetching of our model whoever began it: the page 模型 does it with the same ``process``.
    """

    installed = Signal()

    def __init__(self, words: Words, theme: Theme, process: ModelsProcess) -> None:
        super().__init__()
        self.setObjectName("firstStart")
        self._words = words
        self._manifest: Manifest | None = None
        self._sentence = Sentence("", "")
        self._progress: Progress | None = None
        self._here = 0  # bytes of the base that an earlier start fetched
        self.stage = Stage.OFFER
        self.process = process
        for signal in (process.started, process.done, process.paused, process.failed):
            signal.connect(lambda *_: self.retranslate())  # another job may be in the way, or no longer
        self.process.started.connect(self._started)
        self.process.progressed.connect(self._show_progress)
        self.process.done.connect(self._done)
        self.process.paused.connect(self._paused)
        self.process.failed.connect(self._fail)
        self.title = QLabel()
        self.title.setProperty("kind", "panelTitle")
        self.title.setFont(theme.letter_font(17))
        self.message = BreakingLabel()
        self.message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.bar = QProgressBar()
        self.bar.setRange(0, BAR)
        self.bar.setTextVisible(False)
        self.figures = QLabel()
        self.figures.setProperty("kind", "aside")
        self.button = QPushButton()
        self.button.setObjectName("installButton")
        self.button.setProperty("kind", "primary")
        self.button.clicked.connect(self._press)
        self.details = Details(self)
        self._build()
        self.hide()

    def offer(self, manifest: Manifest, here: int = 0) -> None:
        """There is no model: say what would be fetched, of which ``here`` bytes are on the disk."""
        self._manifest, self._here = manifest, here
        if here and self._progress is None:
            self.bar.setValue(round(BAR * overall(Progress("download", here, manifest.base.size, self._sentence))))
        self._enter_or_follow(Stage.BEGUN if here else Stage.OFFER)

    def repair(self, manifest: Manifest, sentence: Sentence, detail: str) -> None:
        """The model cannot be opened, ``sentence`` says why: offer to make it anew."""
        self._manifest = manifest
        self._sentence = sentence
        self.details.fill(sentence, detail)
        self._enter_or_follow(Stage.BROKEN)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        stage, running = self.stage, self.stage in (Stage.RUNNING, Stage.PAUSING)
        self.title.setText(
            {
                Stage.OFFER: self.tr("还差一个模型"),
                Stage.BEGUN: self.tr("模型还没准备完"),
                Stage.PAUSED: self.tr("已暂停"),
                Stage.FAILED: self.tr("没有准备好"),
                Stage.BROKEN: self.tr("模型要重新准备"),
            }.get(stage, self.tr("正在准备模型"))
        )
        self.button.setText(
            {
                Stage.OFFER: self.tr("开始准备"),
                Stage.BEGUN: self.tr("继续"),
                Stage.RUNNING: self.tr("暂停"),
                Stage.PAUSING: self.tr("正在暂停…"),
                Stage.PAUSED: self.tr("继续"),
                Stage.FAILED: self.tr("重试"),
                Stage.BROKEN: self.tr("重新准备"),
            }[stage]
        )
        self.button.setEnabled(stage is not Stage.PAUSING and not self._waits_for_another)
        self.button.setProperty("kind", "outline" if running else "primary")
        self.button.style().unpolish(self.button)
        self.button.style().polish(self.button)
        self.details.retranslate()
        self.bar.setVisible(stage in (Stage.BEGUN, Stage.RUNNING, Stage.PAUSING, Stage.PAUSED))
        self.bar.setAccessibleName(self.tr("准备模型的进度"))
        self.figures.setVisible(running)
        self.message.setText(self._message())
        self.figures.setText(figures(self._progress, self.process.rate))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _message(self) -> str:
        if not self._waits_for_another:
            return self._message_of_stage()
        return self._words.joined(
            [
                self._message_of_stage(),
                self.tr("“模型”页正在做另一件事，一次只能做一件；等它做完，或者去那里停下它，这里就能开始。"),
            ]
        )

    def _message_of_stage(self) -> str:
        if self.stage in (Stage.FAILED, Stage.BROKEN):
            return self._words.say(self._sentence)
        if self.stage is Stage.PAUSED:
            if self._progress is not None and self._progress.step == "download":
                return self._how_far(self._progress.done, self._progress.total)
            return self.tr("做完的部分都留着，随时可以接着来。")
        if self._manifest is None:
            return ""
        if self.stage is Stage.BEGUN:
            return self._how_far(self._here, self._manifest.base.size)
        if self.stage is Stage.OFFER or self._progress is None:
            return self._words.joined(
                [
                    self.tr(
                        "祝福由你电脑上的模型来写，第一次要下载约 {size} 的基础模型并在本机生成，只有这一次。"
                    ).format(size=gigabytes(self._manifest.base.size)),
                    self.tr("这时可以先填左边；准备好以后不用联网，你写的内容也不会离开这台电脑。"),
                ]
            )
        return self._words.say(self._progress.sentence)

    def _how_far(self, here: int, total: int) -> str:
        if here >= total:
            return self.tr("基础模型已经下载好了。点“继续”在本机生成，大约一分钟，不用联网。")
        return self.tr("已下载 {here} MB，共 {total} MB。点“继续”接着下。").format(
            here=megabytes(here), total=megabytes(total)
        )

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        if stage not in (Stage.FAILED, Stage.BROKEN):
            self.details.fill(Sentence("", ""), "")
        self.retranslate()
        self.show()

    def _enter_or_follow(self, stage: Stage) -> None:
        """Offer to fetch the model, unless that is being done already."""
        if self.process.running and self._is_ours(self.process.job):
            stage = Stage.PAUSING if self.process.pausing else Stage.RUNNING
        self._enter(stage)

    def _press(self) -> None:
        if self.stage is Stage.RUNNING:
            self._enter(Stage.PAUSING)
            self.process.pause()
        elif self.stage is not Stage.PAUSING and self._manifest is not None:
            self.process.start(Job("fetch", self._manifest.built.id))

    def _is_ours(self, job: Job) -> bool:
        return self._manifest is not None and job == Job("fetch", self._manifest.built.id)

    @property
    def _waits_for_another(self) -> bool:
        """Whether the process does something else, which the page 模型 began: it does one thing at a time."""
        return self.process.running and not self._is_ours(self.process.job)

    def _started(self, job: Job) -> None:
        if self._is_ours(job) and not self.isHidden():
            self._enter(Stage.RUNNING)

    def _show_progress(self, job: Job, progress: Progress) -> None:
        if not self._is_ours(job):
            return
        self._progress = progress
        self.bar.setValue(max(self.bar.value(), round(BAR * overall(progress))))
        if self.stage is Stage.RUNNING:
            self.message.setText(self._message())
            self.figures.setText(figures(progress, self.process.rate))

    def _paused(self, job: Job) -> None:
        if self._is_ours(job) and not self.isHidden():
            self._enter(Stage.PAUSED)

    def _done(self, job: Job, outcome: Outcome) -> None:
        if self._is_ours(job):
            was_needed = not self.isHidden()
            self.bar.setValue(0)
            self._progress = None
            self.hide()
            if was_needed:
                self.installed.emit()

    def _fail(self, job: Job, refusal: Refusal) -> None:
        if self._is_ours(job) and not self.isHidden():
            self._sentence = refusal.sentence
            self.details.fill(refusal.sentence, refusal.details)
            self._enter(Stage.FAILED)

    def _build(self) -> None:
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.figures, 1)
        foot.addStretch(0)
        foot.addWidget(self.details.toggle)
        foot.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 16, 14)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addWidget(self.message)
        column.addWidget(self.bar)
        column.addLayout(foot)
        column.addWidget(self.details.text)
        column.addWidget(self.details.copy, 0, Qt.AlignmentFlag.AlignRight)
