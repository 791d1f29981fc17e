"""The queue by which a batch is copied out: texts onto the clipboard, the strip, the ways back."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.compose.sentence import Sentence
from app.gui.batch_actions import BatchActions
from app.gui.batch_strip import BatchStrip
from app.gui.batch_table import BatchTable
from app.gui.theme import Theme
from app.gui.undo_stack import UndoStack
from app.gui.words import Words
from app.people.batch import BatchRow


class BatchQueue(QObject):
    """``settle`` has what was just typed count; ``moved`` is told the row that was copied, None where none was."""

    def __init__(
        self,
        owner: QWidget,
        words: Words,
        theme: Theme,
        table: BatchTable,
        actions: BatchActions,
        undoable: UndoStack,
        settle: Callable[[], None],
        moved: Callable[[int | None], None],
    ) -> None:
        super().__init__(owner)
        self._table = table
        self._actions = actions
        self._undoable = undoable
        self._settle = settle
        self._moved = moved
        self.strip = BatchStrip(words, theme, owner)
        self.strip.copy_next.connect(self.copy_next)
        self.strip.passed.connect(self.pass_next)
        self.strip.undone.connect(self._take_back)

    def copy_next(self) -> None:
        """The next text onto the clipboard, and the strip on top of everything."""
        self._settle()
        self._actions.copy_next(self._take)

    def pass_next(self) -> None:
        """Not the next text but the one after it."""
        self._settle()
        self._actions.pass_next(self._take_after)

    def copy(self, id: int) -> None:
        """The text of a row onto the clipboard; it can be undone."""
        self._actions.copy(id, self._take_one)

    def _take(self, row: BatchRow | None) -> None:
        if row is not None:
            QGuiApplication.clipboard().setText(row.text)
        self._show(row)
        self._moved(row.id if row is not None else None)

    def _take_after(self, passed: BatchRow | None, row: BatchRow | None) -> None:
        """One was passed over. Where it is the only one left, nothing is copied, and that is said."""
        if row is None and passed is not None:
            self.strip.show_last(passed, self._table.counts()["left"])
        else:
            self._take(row)

    def _take_one(self, row: BatchRow) -> None:
        QGuiApplication.clipboard().setText(row.text)
        message = Sentence(f"已复制，记作发给{row.fields.name}", f"Copied, noted as sent to {row.fields.name}")
        self._undoable.did(message, lambda: self._actions.take_back(row, lambda: self._moved(None)))

    def _take_back(self) -> None:
        if self.strip.copied is not None:
            self._actions.take_back(self.strip.copied, lambda: self._show(None))

    def _show(self, row: BatchRow | None) -> None:
        against = self._table.against(row.id) if row is not None else []
        self.strip.show_copied(row, self._table.counts()["left"], against)
        self.strip.show()
