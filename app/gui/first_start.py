"""The panel of a start without a usable model: says what will be fetched, fetches it, and gets out of the way."""

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout

from app.compose.sentence import Sentence
from app.gui.banner import Details
from app.gui.install_process import COMMAND, InstallProcess, overall
from app.gui.theme import Theme
from app.gui.words import Words
from app.models.manifest import Manifest
from app.models.progress import Progress

BAR = 1000  # steps of the progress bar


class Stage(Enum):
    """What the panel shows."""

    OFFER = "offer"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    FAILED = "failed"
    BROKEN = "broken"


class FirstStart(QFrame):
    """Hidden until ``offer`` or ``repair``; emits ``installed`` when the model is in its place."""

    installed = Signal()

    def __init__(self, words: Words, theme: Theme, command: Sequence[str] | None = None) -> None:
        super().__init__()
        self.setObjectName("firstStart")
        self._words = words
        self._manifest: Manifest | None = None
        self._sentence = Sentence("", "")
        self._progress: Progress | None = None
        self.stage = Stage.OFFER
        self.process = InstallProcess(command or COMMAND)
        self.process.progressed.connect(self._show_progress)
        self.process.installed.connect(self._done)
        self.process.paused.connect(lambda: self._enter(Stage.PAUSED))
        self.process.failed.connect(self._fail)
        self.title = QLabel()
        self.title.setProperty("kind", "panelTitle")
        self.title.setFont(theme.letter_font(17))
        self.message = QLabel()
        self.message.setWordWrap(True)
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

    def offer(self, manifest: Manifest) -> None:
        """There is no model: say what would be fetched."""
        self._manifest = manifest
        self._enter(Stage.OFFER)

    def repair(self, manifest: Manifest, sentence: Sentence, detail: str) -> None:
        """The model cannot be opened, ``sentence`` says why: offer to make it anew."""
        self._manifest = manifest
        self._sentence = sentence
        self.details.fill(sentence, detail)
        self._enter(Stage.BROKEN)

    def close_process(self) -> None:
        """End an installation under way, keeping what it has."""
        self.process.close()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        stage, running = self.stage, self.stage in (Stage.RUNNING, Stage.PAUSING)
        self.title.setText(
            {
                Stage.OFFER: self.tr("还差一个模型"),
                Stage.FAILED: self.tr("没有准备好"),
                Stage.BROKEN: self.tr("模型要重新准备"),
            }.get(stage, self.tr("正在准备模型"))
        )
        self.button.setText(
            {
                Stage.OFFER: self.tr("开始准备"),
                Stage.RUNNING: self.tr("暂停"),
                Stage.PAUSING: self.tr("暂停"),
                Stage.PAUSED: self.tr("继续"),
                Stage.FAILED: self.tr("重试"),
                Stage.BROKEN: self.tr("重新准备"),
            }[stage]
        )
        self.button.setEnabled(stage is not Stage.PAUSING)
        self.button.setProperty("kind", "outline" if running else "primary")
        self.button.style().unpolish(self.button)
        self.button.style().polish(self.button)
        self.details.retranslate()
        self.bar.setVisible(stage in (Stage.RUNNING, Stage.PAUSING, Stage.PAUSED))
        self.bar.setAccessibleName(self.tr("准备模型的进度"))
        self.figures.setVisible(running)
        self.message.setText(self._message())
        self.figures.setText(self._figures())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _message(self) -> str:
        if self.stage in (Stage.FAILED, Stage.BROKEN):
            return self._words.say(self._sentence)
        if self.stage is Stage.PAUSED:
            return self.tr("已暂停，下载好的部分都留着，随时可以接着来。")
        if self._manifest is None:
            return ""
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

    def _figures(self) -> str:
        progress, rate = self._progress, self.process.rate
        if progress is None or progress.step != "download" or progress.total <= 0:
            return ""
        parts = [f"{megabytes(progress.done)} / {megabytes(progress.total)} MB"]
        if rate.speed is not None:
            parts.append(f"{rate.speed / 1e6:.1f} MB/s")
        left = rate.left(progress)
        if left is not None:
            parts.append(self._left(left))
        return "  ·  ".join(parts)

    def _left(self, seconds: float) -> str:
        if seconds < 60:
            return self.tr("不到 1 分钟")
        if seconds < 5400:
            return self.tr("还要约 {minutes} 分钟").format(minutes=round(seconds / 60))
        return self.tr("还要约 {hours} 小时").format(hours=f"{seconds / 3600:.1f}")

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        if stage not in (Stage.FAILED, Stage.BROKEN):
            self.details.fill(Sentence("", ""), "")
        self.retranslate()
        self.show()

    def _press(self) -> None:
        if self.stage is Stage.RUNNING:
            self._enter(Stage.PAUSING)
            self.process.pause()
        elif self.stage is not Stage.PAUSING:
            self._enter(Stage.RUNNING)
            self.process.start()

    def _show_progress(self, progress: Progress) -> None:
        self._progress = progress
        self.bar.setValue(max(self.bar.value(), round(BAR * overall(progress))))
        if self.stage is Stage.RUNNING:
            self.message.setText(self._message())
            self.figures.setText(self._figures())

    def _done(self) -> None:
        self.bar.setValue(0)
        self._progress = None
        self.hide()
        self.installed.emit()

    def _fail(self, code: str, sentence: Sentence, detail: str) -> None:
        self._sentence = sentence
        self.details.fill(sentence, f"{code}\n{detail}".strip())
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


def gigabytes(count: int) -> str:
    """Bytes as a person thinks of a download: ``1.1 GB``."""
    return f"{count / 1e9:.1f} GB"


def megabytes(count: int) -> str:
    """Bytes as whole megabytes with thousands separated, without the unit."""
    return f"{round(count / 1e6):,}"
