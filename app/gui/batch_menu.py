"""The menu 更多 of the page 群发: export, rewriting what is selected, and the other batches."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.people.batch import Batch

MOST_BATCHES = 12  # the newest; older ones are in the history


class BatchMenu(QMenu):
    """Made each time it is opened, from ``found``, of which ``current`` is shown."""

    def __init__(
        self,
        owner: QWidget,
        found: tuple[Batch, ...],
        current: int | None,
        *,
        export: Callable[[], None],
        redo: Callable[[], None],
        leave: Callable[[], None],
        turn_to: Callable[[int], None],
    ) -> None:
        super().__init__(owner)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.addAction(self.tr("导出为 CSV…"), export).setEnabled(current is not None)
        self.addAction(self.tr("重写选中的行"), redo).setEnabled(current is not None)
        self.addSeparator()
        self.addAction(self.tr("新的一批"), leave)
        for batch in found[:MOST_BATCHES]:
            rows = batch.waiting + batch.writing + batch.written + batch.failed
            title = self.tr("{title}（{count} 人）").format(title=batch.title, count=rows)
            action = self.addAction(title, partial(turn_to, batch.id))
            action.setCheckable(True)
            action.setChecked(batch.id == current)
