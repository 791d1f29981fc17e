"""Where models are fetched from and through which proxy: the form at the foot of the page 模型."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QWidget

from app.gui.choice_widgets import CalmComboBox
from app.gui.form_field import FormField
from app.gui.models_process import Refusal
from app.gui.words import Words
from app.models.fetching import DIRECT, SYSTEM, Fetching

FILE, MANUAL = "file", "manual"  # choices of the menus that are no settings by themselves
_NAMED = ("auto", "hub", "mirror", "index")


class FetchingForm(QFrame):
    """``changed`` carries the settings as they are to be; ``file_asked``: the person wants to choose a file."""

    changed = Signal(object)  # Fetching
    file_asked = Signal()

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._kept = Fetching()
        self.source = CalmComboBox()
        self.mirror = QLineEdit()
        self.mirror.setPlaceholderText("https://")
        self.proxy = CalmComboBox()
        self.address = QLineEdit()
        self.address.setPlaceholderText("http://127.0.0.1:7890")
        self._source_field = FormField("source", self.source)
        self._mirror_field = FormField("mirror", self.mirror)
        self._proxy_field = FormField("proxy", self.proxy)
        self._address_field = FormField("address", self.address)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(12)
        for place, field in enumerate((self._source_field, self._mirror_field, self._proxy_field, self._address_field)):
            grid.addWidget(field, place // 2, place % 2, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(place % 2, 1)
        self.source.activated.connect(self._choose_source)
        self.proxy.activated.connect(self._choose_proxy)
        for line in (self.mirror, self.address):
            line.editingFinished.connect(self._tell)
        self.retranslate()

    def show_settings(self, fetching: Fetching) -> None:
        """Show what is kept; what is being typed stays."""
        self._kept = fetching
        for line, kept in ((self.mirror, fetching.mirror), (self.address, self._kept_address)):
            if not line.hasFocus():
                line.setText(kept)
        self._unmark()
        self.retranslate()

    def use_file(self, path: Path) -> None:
        """The person chose a file as the source."""
        self._change(source=str(path))

    def refuse(self, refusal: Refusal) -> bool:
        """Say at its field what is wrong with an address; False when it is about something else."""
        field = {"mirror_unfit": self._mirror_field, "proxy_unfit": self._address_field}.get(refusal.code)
        if field is not None:
            field.mark(self._words.say(refusal.sentence))
        return field is not None

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        source = self._kept.source
        entries = [
            ("auto", self.tr("自动（依次试下面几个）")),
            ("hub", self.tr("模型站（Hugging Face Hub）")),
            ("mirror", self.tr("镜像")),
            ("index", self.tr("软件包索引")),
            (FILE, self.tr("磁盘上的文件…") if source in _NAMED else self.tr("文件：{name}").format(name=source)),
        ]
        self.source.fill(entries, source if source in _NAMED else FILE)
        ways = [(SYSTEM, self.tr("跟随系统")), (DIRECT, self.tr("不用代理")), (MANUAL, self.tr("自己填"))]
        self.proxy.fill(ways, self._kept.proxy if self._kept.proxy in (SYSTEM, DIRECT) else MANUAL)
        self._source_field.label(self.tr("从哪下载"))
        self._mirror_field.label(self.tr("镜像地址"), self.tr("可不填"))
        self._proxy_field.label(self.tr("代理"))
        self._address_field.label(self.tr("代理地址"))
        self._address_field.setVisible(self.proxy.currentData() == MANUAL)

    @property
    def _kept_address(self) -> str:
        return "" if self._kept.proxy in (SYSTEM, DIRECT) else self._kept.proxy

    def _choose_source(self) -> None:
        chosen = self.source.currentData()
        if chosen == FILE:
            self.file_asked.emit()
            self.retranslate()  # until a file is chosen it stays as it was
        else:
            self._change(source=chosen)

    def _choose_proxy(self) -> None:
        chosen = self.proxy.currentData()
        self._address_field.setVisible(chosen == MANUAL)
        if chosen == MANUAL:
            self.address.setFocus()
        else:
            self._address_field.mark("")
            self._change(proxy=chosen)

    def _tell(self) -> None:
        address = self.address.text().strip()
        manual = self.proxy.currentData() == MANUAL
        proxy = address if manual and address else self._kept.proxy
        self._change(mirror=self.mirror.text().strip(), proxy=proxy)

    def _change(self, **changes: str) -> None:
        wanted = Fetching(**{**vars(self._kept), **changes})
        if wanted != self._kept:
            self.changed.emit(wanted)
        else:
            self._unmark()  # what was wrong has been taken back

    def _unmark(self) -> None:
        for field in (self._mirror_field, self._address_field):
            field.mark("")

    def first_control(self) -> QWidget:
        """Where the keys go first."""
        return self.source
