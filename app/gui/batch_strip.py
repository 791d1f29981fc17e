"""The strip that stays on top of the chat window: whose turn it is, the text, and copying it. It sends nothing."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.gui.kind_button import KindButton
from app.gui.plain_text import plain_label
from app.gui.theme import Theme
from app.people.batch import BatchRow

WIDTH = 420


class BatchStrip(QWidget):
    """``copy_next``, ``passed`` (leave this one uncopied) and ``undone`` say what the person wants."""

    copy_next = Signal()
    passed = Signal()
    undone = Signal()

    def __init__(self, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Tool | Qt.WindowType.WindowStaysOnTopHint)
        self.setObjectName("page")
        self._theme = theme
        self.copied: BatchRow | None = None
        self._left = 0
        self.name = plain_label()
        self.name.setProperty("kind", "panelTitle")
        self.state = QLabel()
        self.state.setProperty("kind", "aside")
        self.text = plain_label()
        self.text.setFont(theme.letter_font(16))
        self.text.setWordWrap(True)
        self.text.setMinimumHeight(72)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.undo = KindButton("quiet", self.undone.emit)
        self.skip = KindButton("quiet", self.passed.emit)
        self.next = KindButton("primary", self.copy_next.emit)
        head = QHBoxLayout()
        head.addWidget(self.name, 1)
        head.addWidget(self.state)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addWidget(self.undo)
        foot.addStretch(1)
        foot.addWidget(self.skip)
        foot.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 16, 14)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        column.addLayout(foot)
        self.setFixedWidth(WIDTH)
        # The chat window keeps the keys: the person is about to paste there.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.next.setFocus()
        self.retranslate()

    def show_copied(self, row: BatchRow | None, left: int) -> None:
        """The row on the clipboard, None when the queue is at its end; ``left`` more wait to be copied."""
        self.copied, self._left = row, left
        self.retranslate()
        self.adjustSize()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setWindowTitle(self.tr("拜年帖 · 复制"))
        row = self.copied
        if row is not None:
            self.name.setText(row.fields.name or row.fields.request.address or self.tr("没有姓名"))
            self.text.setText(row.text)
            self.state.setText(self.tr("已复制，去粘贴 · 还有 {count} 条").format(count=self._left))
        else:
            self.name.setText(self.tr("都复制过了") if not self._left else self.tr("没有复制"))
            self.text.setText(self.tr("程序不会替你发送任何东西。"))
            self.state.setText(self.tr("还有 {count} 条").format(count=self._left))
        self.undo.setText(self.tr("这条没发"))
        self.undo.setToolTip(self.tr("撤销：这一条不算发过，仍留在队里"))
        self.undo.setEnabled(row is not None)
        self.skip.setText(self.tr("跳过下一条"))
        self.skip.setEnabled(self._left > 0)
        self.next.setText(self.tr("复制下一条"))
        self.next.setEnabled(self._left > 0)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
