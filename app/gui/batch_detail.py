"""The text of the row the person is at: to read whole, to change, to have written anew, to copy."""

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from app.gui.batch_menu import REDO_KEYS
from app.gui.batch_table import BatchTable
from app.gui.candidate_card import LETTER_PIXELS, GreetingText
from app.gui.composition import CompositionWatch
from app.gui.elided_label import ElidedLabel
from app.gui.kind_button import KindButton
from app.gui.plain_text import plain_label
from app.gui.theme import Theme
from app.gui.words import Words
from app.gui.write_button import key_name
from app.people.batch import BatchRow

KEEP_AFTER = 400  # ms without a key before an edited text is saved
HEIGHT = 132  # pixels, where nothing is to be said against the text


class BatchDetail(QFrame):
    """``edited`` carries a row's id and its new text, ``copy`` its id; ``redo`` is for all rows that are chosen."""

    edited = Signal(int, str)
    redo = Signal()
    copy = Signal(int)

    def __init__(self, table: BatchTable, words: Words, theme: Theme, watch: CompositionWatch) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._table = table
        self._words = words
        self._id: int | None = None
        self._pending: str | None = None
        self._chosen = 1
        self.name = ElidedLabel()
        self.name.setProperty("kind", "label")
        self.text = GreetingText()
        self.text.setFont(theme.letter_font(LETTER_PIXELS))
        self.text.edited.connect(self._edit)
        watch.watch(self.text)
        self.remarks = plain_label()
        self.remarks.setProperty("kind", "error")
        self.remarks.setWordWrap(True)
        self.redo_button = KindButton("quiet", self._ask_redo)
        self.copy_button = KindButton("outline", self._ask_copy)
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(KEEP_AFTER)
        self._keep.timeout.connect(self.flush)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.name, 1)
        head.addWidget(self.redo_button)
        head.addWidget(self.copy_button)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(18, 8, 12, 10)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.remarks)
        column.addWidget(self.text, 1)
        self.retranslate()

    def show_row(self, id: int | None) -> None:
        """Turn to a row; what was typed in the last one is saved first."""
        if id != self._id:
            self.flush()
        self._id = id
        self.refresh()

    def show_chosen(self, count: int) -> None:
        """So many rows are chosen, of which this is one: the button is for all of them."""
        self._chosen = max(count, 1)
        self.refresh()

    def refresh(self) -> None:
        """Show the row as the table has it now."""
        row = self._row
        self.setVisible(row is not None)
        if row is None:
            return
        self.name.setText(row.fields.name or row.fields.request.address)
        self.text.setReadOnly(row.written is None or row.state == "writing")
        if self._pending is None:
            self.text.show_text(row.text)
        sentences = [self._words.say(sentence) for sentence in self._table.against(row.id)]
        self.remarks.setText(self._words.joined(sentences))
        self.remarks.setVisible(bool(sentences))
        self._make_room()
        self.redo_button.setText(self._redo_name(row))
        self.redo_button.setEnabled(self._chosen > 1 or row.state != "writing")
        self.copy_button.setEnabled(bool(row.text.strip()))

    def flush(self) -> None:
        """Save what was typed, now."""
        self._keep.stop()
        text, self._pending = self._pending, None
        if text is not None and self._id is not None:
            self.edited.emit(self._id, text)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.text.setAccessibleName(self.tr("这一位的祝福"))
        self.redo_button.setToolTip(self.tr("只写选中的，现在有的留在历史里  {keys}").format(keys=key_name(REDO_KEYS)))
        self.copy_button.setText(self.tr("复制"))
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    @property
    def _row(self) -> BatchRow | None:
        return self._table.row(self._id) if self._id is not None else None

    def _make_room(self) -> None:
        """As many lines as the remarks have the card is higher, so that the text keeps its room."""
        margins, spacing = self._column.contentsMargins(), self._column.spacing()
        width = self.width() - margins.left() - margins.right()
        lines = self.remarks.heightForWidth(max(width, 1)) if self.remarks.text() else -spacing
        self.setFixedHeight(HEIGHT + lines + spacing)

    def _redo_name(self, row: BatchRow) -> str:
        if self._chosen > 1:
            return self.tr("重写选中的 {count} 行").format(count=f"{self._chosen:,}")
        return self.tr("重写") if row.text or row.state == "failed" else self.tr("写这一条")

    def _edit(self, text: str) -> None:
        self._pending = text
        self._keep.start()

    def _ask_redo(self) -> None:
        self.flush()
        self.redo.emit()

    def _ask_copy(self) -> None:
        self.flush()
        if self._id is not None:
            self.copy.emit(self._id)
