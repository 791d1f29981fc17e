"""关于: what this is, which version, and the licences of everything it is made of."""

import platform

from PySide6.QtCore import QEvent, Qt, qVersion
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListWidget, QTextEdit, QVBoxLayout, QWidget

from app import __version__
from app.gui.kind_button import KindButton
from app.gui.theme import Theme
from app.licences import licences

SIZE = (760, 560)
_NAMES_WIDTH = 220


class AboutDialog(QDialog):
    """Reads a licence when its name is chosen."""

    def __init__(self, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._licences = licences()
        self.title = QLabel()
        self.title.setProperty("kind", "title")
        self.title.setFont(theme.letter_font(23))
        self.version = QLabel()
        self.version.setProperty("kind", "aside")
        self.version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.what = QLabel()
        self.what.setWordWrap(True)
        self.names = QListWidget()
        self.names.setFixedWidth(_NAMES_WIDTH)
        self.names.addItems([licence.name for licence in self._licences])
        self.names.currentRowChanged.connect(self._show)
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.close_button = KindButton("outline", self.accept)
        self._build()
        self.retranslate()
        self.resize(*SIZE)
        self.names.setCurrentRow(1 if len(self._licences) > 1 else 0)
        self.names.setFocus()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setWindowTitle(self.tr("关于拜年帖"))
        self.title.setText(self.tr("拜年帖"))
        self.version.setText(
            self.tr("版本 {version}").format(version=__version__)
            + f"  ·  Qt {qVersion()}  ·  Python {platform.python_version()}"
        )
        self.what.setText(
            self.tr(
                "给一个人写一条新年祝福，像你自己写的。语言模型跑在你自己的电脑上，写什么、写给谁，都不会离开这台机器。\n"
                "代码以 Apache-2.0 许可证公开。它用到的软件、字体和模型各有各的许可证，都在下面。"
            )
        )
        self.names.setAccessibleName(self.tr("许可证"))
        self.text.setAccessibleName(self.tr("许可证全文"))
        self.close_button.setText(self.tr("关闭"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _show(self, row: int) -> None:
        licence = self._licences[row]
        try:
            text = licence.text()
            (self.text.setMarkdown if licence.is_markdown else self.text.setPlainText)(text)
        except OSError as error:
            self.text.setPlainText(
                self.tr("读不到这份许可证，程序可能没有装全，请重新安装。\n{reason}").format(reason=error)
            )

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.names)
        row.addWidget(self.text, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(28, 22, 28, 20)
        whole.setSpacing(10)
        for widget in (self.title, self.version, self.what):
            whole.addWidget(widget)
        whole.addSpacing(6)
        whole.addLayout(row, 1)
        whole.addLayout(foot)
