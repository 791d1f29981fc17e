"""The menus of the page 群发: 更多, with export and the other batches, and the one of the rows that are chosen."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.people.batch import Batch

MOST_BATCHES = 12  # the newest; older ones are in the history
REDO_KEYS = "Ctrl+R"


class BatchMenu(QMenu):
    """Made each time it is opened: ``found``, of which ``current`` is shown, with its numbers of rows."""

    def __init__(
        self,
        owner: QWidget,
        found: tuple[Batch, ...],
        current: int | None,
        *,
        chosen: int,
        failed: int,
        export: Callable[[], None],
        redo: Callable[[], None],
        redo_failed: Callable[[], None],
        leave: Callable[[], None],
        turn_to: Callable[[int], None],
    ) -> None:
        super().__init__(owner)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.addAction(self.tr("导出为 CSV…"), export).setEnabled(current is not None)
        self.addAction(self.tr("重写选中的 {count} 行").format(count=f"{chosen:,}"), redo).setEnabled(chosen > 0)
        again = self.addAction(self.tr("重写没写成的 {count} 行").format(count=f"{failed:,}"), redo_failed)
        again.setEnabled(failed > 0)
        self.addSeparator()
        self.addAction(self.tr("新的一批"), leave)
        for batch in found[:MOST_BATCHES]:
            rows = batch.waiting + batch.writing + batch.written + batch.failed
            title = self.tr("{title}（{count} 人）").format(title=batch.title, count=rows)
            action = self.addAction(title, partial(turn_to, batch.id))
            action.setCheckable(True)
            action.setChecked(batch.id == current)


class BatchRowMenu(QMenu):
    """What can be done with the ``chosen`` rows. ``copy`` is None where there is not one text to be copied."""

    def __init__(
        self,
        owner: QWidget,
        chosen: int,
        *,
        redo: Callable[[], None],
        copy: Callable[[], None] | None,
        remove: Callable[[], None],
    ) -> None:
        super().__init__(owner)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        write = self.tr("写这 {count} 行").format(count=f"{chosen:,}") if chosen > 1 else self.tr("写这一行")
        self._add(write, redo, REDO_KEYS)
        if copy is not None:
            self._add(self.tr("复制这一条"), copy, None)
        self.addSeparator()
        self._add(self.tr("移走"), remove, QKeySequence.StandardKey.Delete)

    def _add(self, text: str, act: Callable[[], None], keys: str | QKeySequence.StandardKey | None) -> None:
        action = QAction(text, self)
        action.triggered.connect(lambda: act())
        if keys is not None:
            # Only said here: the page and the table listen for them.
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.setShortcutVisibleInContextMenu(True)
        self.addAction(action)
