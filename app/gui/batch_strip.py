"""The strip that stays on top of the chat window: whose turn it is, the text, and copying it. It sends nothing."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.compose.sentence import Sentence
from app.gui.elided_label import ElidedLabel
from app.gui.kind_button import KindButton
from app.gui.plain_text import BreakingLabel
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.batch import BatchRow

WIDTH = 420


class BatchStrip(QWidget):
    """``copy_next``, ``passed`` (leave this one uncopied) and ``undone`` say what the person wants."""

    copy_next = Signal()
    passed = Signal()
    undone = Signal()

    def __init__(self, words: Words, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Tool | Qt.WindowType.WindowStaysOnTopHint)
        self.setObjectName("page")
        self._words = words
        self.copied: BatchRow | None = None
        self._last: BatchRow | None = None  # the only one left, and passed over
        self._left = 0
        self._against: tuple[Sentence, ...] = ()
        self.name = ElidedLabel()
        self.name.setProperty("kind", "panelTitle")
        self.state = QLabel()
        self.state.setProperty("kind", "aside")
        self.text = BreakingLabel()
        self.text.setFont(theme.letter_font(16))
        self.text.setMinimumHeight(72)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.remarks = BreakingLabel()
        self.remarks.setProperty("kind", "error")
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
        column.addWidget(self.remarks)
        column.addLayout(foot)
        self.setFixedWidth(WIDTH)
        # The chat window keeps the keys: the person is about to paste there.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.next.setFocus()
        self.retranslate()

    def show_copied(self, row: BatchRow | None, left: int, against: Sequence[Sentence] = ()) -> None:
        """The row on the clipboard, None when the queue is at its end; ``left`` more wait to be copied.

        Args:
            against: what is to be said against its text.
        """
        self.copied, self._last, self._left, self._against = row, None, left, tuple(against)
        self._show()

    def show_last(self, row: BatchRow, left: int) -> None:
        """This one was passed over, and there is no other to copy."""
        self.copied, self._last, self._left, self._against = None, row, left, ()
        self._show()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setWindowTitle(self.tr("拜年帖 · 复制"))
        row = self.copied
        if row is not None:
            self.name.setText(self._name(row))
            self.text.setText(row.text)
            self.state.setText(self.tr("已复制，去粘贴 · 还有 {count} 条").format(count=self._left))
        elif self._last is not None:
            self.name.setText(self.tr("没有别的了"))
            self.text.setText(
                self.tr("只剩跳过的这一条：{name}。没有复制；要发给这一位，就点“复制下一条”。").format(
                    name=self._name(self._last)
                )
            )
            self.state.setText(self.tr("还有 {count} 条").format(count=self._left))
        else:
            self.name.setText(self.tr("都复制过了") if not self._left else self.tr("没有复制"))
            self.text.setText(self.tr("程序不会替你发送任何东西。"))
            self.state.setText(self.tr("还有 {count} 条").format(count=self._left))
        self.remarks.setText(self._words.joined([self._words.say(sentence) for sentence in self._against]))
        self.remarks.setVisible(bool(self._against))
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

    def _name(self, row: BatchRow) -> str:
        return row.fields.name or row.fields.request.address or self.tr("没有姓名")

    def _show(self) -> None:
        self.retranslate()
        self.adjustSize()
