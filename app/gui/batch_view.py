"""How the table of a batch is looked at and edited: fixed row heights, menus for 关系 and 语气, keys."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.compose.catalog import Catalog, Choice
from app.compose.request import LONGEST
from app.gui.batch_table import ADDRESS, FACTS, NAME, RELATIONSHIP, STATE, TEXT, TONE, BatchTable
from app.gui.choice_widgets import CalmComboBox
from app.gui.composition import CompositionWatch
from app.gui.words import Words
from app.people.recipients import LONGEST_NAME

ROW_HEIGHT = 38
_WIDTHS = {NAME: 88, RELATIONSHIP: 112, ADDRESS: 84, FACTS: 150, TONE: 80, STATE: 94}
_LONGEST = {NAME: LONGEST_NAME, ADDRESS: LONGEST["address"]}  # characters
_WIDEST_MENU = 126  # longer names, in English, leave the text no room
_PADDING = 11  # of a cell, left and right: the style sheet's, and what Qt leaves around an item's text


class MenuDelegate(QStyledItemDelegate):
    """A cell whose editor is a menu of the catalogue; it opens at once and is done with the first choice."""

    chosen = Signal(QModelIndex, str)

    def __init__(self, choices: Sequence[Choice], words: Words, parent: QObject) -> None:
        super().__init__(parent)
        self._choices = choices
        self._words = words

    def names(self) -> list[str]:
        """The names that can be chosen, in the language in use."""
        return [self._words.name(choice) for choice in self._choices]

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        menu = CalmComboBox()
        menu.setParent(parent)
        menu.fill([(choice.id, self._words.name(choice)) for choice in self._choices], "")
        menu.view().setMinimumWidth(190)
        menu.setMaxVisibleItems(21)
        place = QPersistentModelIndex(index)
        menu.activated.connect(lambda number: self._choose(menu, place, menu.itemData(number)))
        QTimer.singleShot(0, menu, menu.showPopup)
        return menu

    def setEditorData(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        assert isinstance(editor, CalmComboBox)
        editor.setCurrentIndex(editor.findData(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: object, index: QModelIndex | QPersistentModelIndex) -> None:
        """Nothing: ``chosen`` says it, also for the other selected rows."""

    def _choose(self, menu: CalmComboBox, place: QPersistentModelIndex, id: str) -> None:
        self.closeEditor.emit(menu, QStyledItemDelegate.EndEditHint.NoHint)
        if place.isValid():
            self.chosen.emit(place.model().index(place.row(), place.column()), id)


class LineDelegate(QStyledItemDelegate):
    """A cell typed in; while an input method composes, its keys are its own.

    ``given_up`` carries the cell whose editor was left by Esc.
    """

    given_up = Signal(QModelIndex)

    def __init__(self, watch: CompositionWatch, parent: QObject) -> None:
        super().__init__(parent)
        self._watch = watch
        self._open: tuple[QLineEdit, QPersistentModelIndex] | None = None
        self.closeEditor.connect(self._closed)

    def commit(self) -> None:
        """What is typed in an open cell counts now."""
        if self._open is not None:
            field, _ = self._open
            self.commitData.emit(field)
            self.closeEditor.emit(field, QStyledItemDelegate.EndEditHint.NoHint)

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        field = QLineEdit(parent)
        field.setProperty("kind", "cell")
        if index.column() in _LONGEST:
            field.setMaxLength(_LONGEST[index.column()])
        self._watch.watch(field)
        self._open = field, QPersistentModelIndex(index)
        return field

    def setEditorData(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        """What the cell says, but not over what is being typed: news of the row may come at any time."""
        assert isinstance(editor, QLineEdit)
        if not editor.isModified() and not self._watch.composing:
            super().setEditorData(editor, index)

    def destroyEditor(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        if self._open is not None and self._open[0] is editor:
            self._open = None
        super().destroyEditor(editor, index)

    def _closed(self, editor: QWidget, hint: QStyledItemDelegate.EndEditHint) -> None:
        left = hint == QStyledItemDelegate.EndEditHint.RevertModelCache
        if left and self._open is not None and self._open[0] is editor and self._open[1].isValid():
            place = self._open[1]
            self.given_up.emit(place.model().index(place.row(), place.column()))


class BatchView(QTableView):
    """``pasted``: Ctrl+V; ``removal``: Delete; both while no cell is edited. ``menu_asked``: where on the screen."""

    pasted = Signal()
    removal = Signal()
    menu_asked = Signal(QPoint)

    def __init__(self, table: BatchTable, catalog: Catalog, words: Words, watch: CompositionWatch) -> None:
        super().__init__()
        self.setObjectName("batchTable")
        self.setModel(table)
        self._table = table
        self._lines = LineDelegate(watch, self)
        self._menus = {
            RELATIONSHIP: MenuDelegate(catalog.relationships, words, self),
            TONE: MenuDelegate(catalog.tones, words, self),
        }
        self._lines.given_up.connect(table.give_up)
        for column in (NAME, ADDRESS, FACTS):
            self.setItemDelegateForColumn(column, self._lines)
        for column, delegate in self._menus.items():
            self.setItemDelegateForColumn(column, delegate)
            delegate.chosen.connect(self._choose)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        # Tab leads on to the next control; the arrow keys lead from cell to cell.
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().setFixedWidth(46)
        self.verticalHeader().setHighlightSections(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setFixedHeight(32)
        header.setMinimumSectionSize(48)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        self.fit_menus()

    def selected_ids(self) -> list[int]:
        """The rows the person has chosen, in their order."""
        return [self._table.rows[place].id for place in self.selected_places()]

    def selected_places(self) -> list[int]:
        """Where they stand, from 0. Whole rows are selected, so that no cell needs to be asked."""
        ranges = self.selectionModel().selection().toList()
        return sorted({place for each in ranges for place in range(each.top(), each.bottom() + 1)})

    def current_id(self) -> int | None:
        """The row the person is at."""
        place = self.currentIndex().row()
        return self._table.rows[place].id if 0 <= place < len(self._table.rows) else None

    def edit_name(self, id: int) -> None:
        """Go to a row and begin to type its name."""
        place = self._table.place(id)
        if place is not None:
            self.edit_cell(self._table.index(place, NAME))

    def edit_cell(self, index: QModelIndex) -> None:
        """Go to a cell and begin to type in it."""
        self.setCurrentIndex(index)
        self.scrollTo(index)
        self.setFocus()
        self.edit(index)

    def commit(self) -> None:
        """What is typed in an open cell counts now."""
        self._lines.commit()

    def fit_menus(self) -> None:
        """Give the columns of 关系 and 语气 the room that their longest name needs in the language in use."""
        metrics = QFontMetrics(self.font())
        for column, delegate in self._menus.items():
            longest = max(metrics.horizontalAdvance(name) for name in delegate.names())
            self.setColumnWidth(column, min(max(longest + 2 * _PADDING, _WIDTHS[column]), _WIDEST_MENU))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.selectionModel().hasSelection():
            self.menu_asked.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.pasted.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.removal.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.edit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._table.retranslate()
            self.fit_menus()
        super().changeEvent(event)

    def _choose(self, index: QModelIndex, id: str) -> None:
        """A choice is made for every selected row, where the edited one is among them."""
        places = self.selected_places()
        self._table.say(places if index.row() in places else [index.row()], index.column(), id)
