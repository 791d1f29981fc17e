"""One greeting on the right of the page: an editable text, what is wrong with it, and what can be done with it.

A card shows what the writing session says and reports what the person does; it decides nothing.
"""

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QInputMethodEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QTextBlockFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QTextEdit, QVBoxLayout

from app.gui.keeping import Kept
from app.gui.plain_text import plain_label, plain_tip
from app.gui.star_button import StarButton
from app.gui.theme import Theme
from app.gui.write_button import key_name
from app.gui.writing_session import CardView, State

NUMERALS = "一二三"
LETTER_PIXELS = 19
LINE_HEIGHT = 150  # per cent
CONFIRMED_FOR = 2200  # ms the word 已复制 stays
UNDO_FOR = 9000  # ms that undoing the note of sending is offered
NARROW = 460  # pixels of a card in which message, pages and buttons no longer fit on one line
FAVOURITE_KEYS, CARD_KEYS = "Ctrl+D", "Ctrl+G"


class GreetingText(QTextEdit):
    """A plain text with the air between its lines that Chinese wants.

    ``edited`` carries the text after the person changed it; ``held`` says that they selected or are composing in it.
    """

    edited = Signal(str)
    held = Signal()
    focused = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._showing = False
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        # As high as there is room: a long text scrolls in its card, and the three cards stay alike.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.setMinimumHeight(74)
        self.textChanged.connect(self._report)
        self.copyAvailable.connect(lambda selected: self.held.emit() if selected else None)

    def show_text(self, text: str) -> None:
        """Show ``text``; what only grew at its end keeps cursor, selection and scroll position."""
        shown = self.toPlainText()
        if text == shown:
            return
        self._showing = True
        if shown and text.startswith(shown):
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(text[len(shown) :])
        else:
            self.setPlainText(text)
            line = QTextBlockFormat()
            line.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor = QTextCursor(self.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.mergeBlockFormat(line)
        self.document().clearUndoRedoStacks()
        self._showing = False

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        if event.preeditString():
            self.held.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focused.emit(False)

    def _report(self) -> None:
        if not self._showing:
            self.edited.emit(self.toPlainText())


class CandidateCard(QFrame):
    """The card number ``number`` (from 0)."""

    edited = Signal(str)
    held = Signal()
    copy = Signal()
    unsend = Signal()
    favour = Signal()
    make_card = Signal()
    again = Signal()
    turned = Signal(int)

    def __init__(self, number: int, theme: Theme) -> None:
        super().__init__()
        self.number = number
        self._state = State.EMPTY
        self._can_write = False
        self._position = (0, 0)
        self._version = 0
        self._copied = ""
        self._kept = Kept.NOTHING
        self.setObjectName(f"card-{number + 1}")
        self.setProperty("kind", "card")
        self.numeral = QLabel(NUMERALS[number])
        self.numeral.setProperty("kind", "numeral")
        self.numeral.setFont(theme.letter_font(17))
        self.text = GreetingText()
        self.text.setObjectName(f"greeting-{number + 1}")
        self.text.setFont(theme.letter_font(LETTER_PIXELS))
        self.text.edited.connect(self._edited)
        self.text.held.connect(self.held)
        self.text.focused.connect(self._show_focus)
        self.text.hide()
        self.hint = QLabel()
        self.hint.setProperty("kind", "hint")
        self.hint.setFont(theme.letter_font(LETTER_PIXELS))
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.faults = QLabel()
        self.faults.setProperty("kind", "correction")
        self.faults.setFont(theme.letter_font(14))
        self.faults.setWordWrap(True)
        self.faults.hide()
        self.note = plain_label()
        self.note.setProperty("kind", "note")
        # A long name is cut rather than pushing the buttons out of the card.
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.undo_button = self._button("link", self.unsend.emit)
        self.star = StarButton(theme)
        self.star.clicked.connect(self.favour)
        self.card_button = self._button("quiet", self.make_card.emit)
        self.previous = self._button("previous", lambda: self.turned.emit(-1))
        self.pages = QLabel()
        self.pages.setProperty("kind", "aside")
        self.next = self._button("next", lambda: self.turned.emit(1))
        self.again_button = self._button("quiet", self.again.emit)
        self.copy_button = self._button("outline", self.copy.emit)
        self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._confirmed = QTimer(self)
        self._confirmed.setSingleShot(True)
        self._confirmed.setInterval(CONFIRMED_FOR)
        self._confirmed.timeout.connect(self._show_note)
        self._build()
        for keys, act in ((FAVOURITE_KEYS, self.favour.emit), (CARD_KEYS, self.make_card.emit)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
        self.retranslate()

    def show_view(self, view: CardView) -> None:
        """Show a version of the card."""
        if view.state is not self._state or view.version != self._version:
            self._confirmed.stop()
        self._state, self._version = view.state, view.version
        self._position = (view.position, view.count)
        self.hint.setVisible(view.state is State.EMPTY)
        self.text.setVisible(view.state is not State.EMPTY)
        self.text.setReadOnly(view.state is State.WRITING)
        self.text.show_text(view.text)
        self.allow_again(self._can_write)
        for button in (self.star, self.card_button, self.copy_button):
            button.setEnabled(bool(view.text.strip()) and view.state is not State.WRITING)
        for button in (self.star, self.card_button, self.again_button, self.copy_button):
            button.setVisible(view.state is not State.EMPTY)
        self._show_pages()
        self._show_note()

    def allow_again(self, can_write: bool) -> None:
        """Whether the engine could write another one."""
        self._can_write = can_write
        self.again_button.setEnabled(can_write and self._state in (State.DONE, State.UNFINISHED))

    def show_faults(self, sentences: list[str], together: str) -> None:
        """Say what is wrong with the text, ``together`` in the card; none hides the line."""
        self.faults.setText(together)
        self.faults.setVisible(bool(sentences))
        self._make_room_for_faults()
        self.text.setAccessibleDescription(together)

    def confirm_copied(self) -> None:
        """Say for a moment that the text is on the clipboard."""
        self._confirm(self.tr("已复制"), CONFIRMED_FOR)

    def refuse_copy(self) -> None:
        """Say that there is nothing whole to copy yet."""
        self._confirm(self.tr("还没写完，写完再复制"), CONFIRMED_FOR)

    def confirm_sent(self, name: str) -> None:
        """Say that the text counts as sent, to ``name`` if that is known, and offer to take that back."""
        self._confirm(
            self.tr("已复制，记作发给{name}").format(name=name) if name else self.tr("已复制，记作已发"), UNDO_FOR
        )
        self.undo_button.show()
        self._show_pages()

    def confirm_unsent(self) -> None:
        """Say that the text no longer counts as sent."""
        self._confirm(self.tr("好，不算发出"), CONFIRMED_FOR)

    def show_kept(self, kept: Kept) -> None:
        """A finished text says nothing of itself only once it is kept."""
        self._kept = kept
        self._show_note()

    def show_favourite(self, favourite: bool) -> None:
        """Fill the star, or leave its outline."""
        self.star.setChecked(favourite)
        self._name_star()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        number = self.number + 1
        self.text.setAccessibleName(self.tr("第 {number} 条祝福").format(number=number))
        self.hint.setText(self._hint())
        self.copy_button.setText(self.tr("复制"))
        self.copy_button.setToolTip(key_name(f"Ctrl+{number}"))
        self.copy_button.setAccessibleName(self.tr("复制第 {number} 条").format(number=number))
        self.again_button.setText(self.tr("换一条"))
        told = self.tr("重新写这一条，现在的留在“上一条”里")
        self.again_button.setToolTip(f"{told}  {key_name(f'Ctrl+Shift+{number}')}")
        self.again_button.setAccessibleName(self.tr("换掉第 {number} 条").format(number=number))
        self.card_button.setText(self.tr("做成贺卡"))
        self.card_button.setToolTip(key_name(CARD_KEYS))
        self.card_button.setAccessibleName(self.tr("把第 {number} 条做成贺卡").format(number=number))
        self.undo_button.setText(self.tr("撤销"))
        self.undo_button.setAccessibleName(self.tr("撤销：这一条没有发出"))
        self._name_star()
        self.previous.setToolTip(self.tr("上一条"))
        self.previous.setAccessibleName(self.tr("上一条"))
        self.next.setToolTip(self.tr("下一条"))
        self.next.setAccessibleName(self.tr("下一条"))
        self._show_note()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow card what is said stands above what can be done."""
        narrow = event.size().width() < NARROW
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._foot.setDirection(direction)
        self._make_room_for_faults()
        super().resizeEvent(event)

    def hasHeightForWidth(self) -> bool:
        """No: what the faults need is in their minimum; a height Qt works out from the width ignores other minima."""
        return False

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _hint(self) -> str:
        return (
            self.tr("选好关系和语气，按“写祝福”，祝福会写在这里。"),
            self.tr("每一条都可以直接改。不满意，就换一条。"),
            self.tr("按 {first}、{second}、{third} 复制，去聊天窗口粘贴。").format(
                first=key_name("Ctrl+1"), second=key_name("Ctrl+2"), third=key_name("Ctrl+3")
            ),
        )[self.number]

    def _edited(self, text: str) -> None:
        """What was copied is no longer what the card says."""
        self._confirmed.stop()
        self._show_note()
        self.edited.emit(text)

    def _show_focus(self, focused: bool) -> None:
        """The ring goes round the card whose text has the keys."""
        self.setProperty("active", focused)
        self.style().unpolish(self)
        self.style().polish(self)

    def _make_room_for_faults(self) -> None:
        """A wrapped label asks for one line at least; in a low window it would lie over the text."""
        lines = self.faults.heightForWidth(max(self.text.width(), 1)) if self.faults.text() else 0
        self.faults.setMinimumHeight(max(lines, 0))

    def _show_note(self) -> None:
        notes = {
            State.WRITING: self.tr("正在写…"),
            State.CHOOSING: self.tr("挑选中…"),
            State.UNFINISHED: self.tr("没写完"),
        }
        keeping = {Kept.SOON: self.tr("正在存…"), Kept.NO: self.tr("没有存下")}
        confirmed = self._confirmed.isActive()
        self.note.setText(self._copied if confirmed else notes.get(self._state) or keeping.get(self._kept, ""))
        self.note.setToolTip(plain_tip(self.note.text()))
        if not confirmed:
            self.undo_button.hide()
            self._show_pages()

    def _confirm(self, words: str, milliseconds: int) -> None:
        self._copied = words
        self._confirmed.start(milliseconds)
        self.undo_button.hide()
        self._show_pages()
        self._show_note()

    def _name_star(self) -> None:
        number = self.number + 1
        name = self.tr("第 {number} 条取消收藏") if self.star.isChecked() else self.tr("收藏第 {number} 条")
        self.star.setAccessibleName(name.format(number=number))
        word = self.tr("取消收藏") if self.star.isChecked() else self.tr("收藏")
        self.star.setToolTip(f"{word}  {key_name(FAVOURITE_KEYS)}")

    def _show_pages(self) -> None:
        position, count = self._position
        # While there is something to undo, the room is the message's.
        for widget in (self.previous, self.pages, self.next):
            widget.setVisible(count > 1 and self.undo_button.isHidden())
        self.pages.setText(f"{position}/{count}")
        self.previous.setEnabled(position > 1)
        self.next.setEnabled(position < count)

    def _button(self, kind: str, act: object) -> QPushButton:
        button = QPushButton()
        button.setProperty("kind", kind)
        button.setObjectName(f"{kind}-{self.number + 1}")
        if kind in ("previous", "next"):
            button.setIconSize(QSize(16, 16))
        button.clicked.connect(act)
        return button

    def _build(self) -> None:
        message = QHBoxLayout()
        message.addWidget(self.note, 1)
        message.addWidget(self.undo_button)
        message.addWidget(self.previous)
        message.addWidget(self.pages)
        message.addWidget(self.next)
        acts = QHBoxLayout()
        acts.addStretch(1)
        acts.addWidget(self.star)
        acts.addWidget(self.card_button)
        acts.addWidget(self.again_button)
        acts.addWidget(self.copy_button)
        for layout in (message, acts, self._foot):
            layout.setSpacing(4)
        self._foot.addLayout(message, 1)
        self._foot.addLayout(acts)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self.hint, 1)
        column.addWidget(self.text, 1)
        column.addWidget(self.faults)
        column.addLayout(self._foot)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(18, 16, 16, 12)
        whole.setSpacing(14)
        whole.addWidget(self.numeral, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(column, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
