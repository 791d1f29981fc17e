"""Before people from a table are added: how each column was understood, who can be added, and which rows cannot."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.compose.catalog import Catalog
from app.compose.request import fold
from app.gui.choice_widgets import CalmComboBox
from app.gui.plain_text import plain_label
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.table_columns import MEANINGS, Meaning
from app.people.table_import import Column, Found, Table, people_in

SIZE = (820, 520)
_SAMPLES = 3
_LONGEST_SAMPLE = 14  # characters
_LEAST_WIDTH = 124


class BatchPreview(QDialog):
    """``agreed`` carries the people to add."""

    agreed = Signal(object)

    def __init__(self, table: Table, source: str, catalog: Catalog, words: Words, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._table = table
        self._source = source
        self._catalog = catalog
        self._words = words
        self.found: Found = people_in(table, table.meanings, catalog)
        self.heading = plain_label()
        self.heading.setProperty("kind", "title")
        self.heading.setFont(theme.letter_font(21))
        self.format = QLabel()
        self.format.setProperty("kind", "aside")
        self.menus = [CalmComboBox() for _ in table.columns]
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self.sentences = QListWidget()
        self.sentences.setObjectName("sentences")
        self.sentences.setWordWrap(True)
        # Thousands of rows may have something to be said of each: the first are there at once, the rest soon after.
        self.sentences.setLayoutMode(QListWidget.LayoutMode.Batched)
        self.sentences.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.add = QPushButton()
        self.add.setProperty("kind", "primary")
        self.add.setDefault(True)
        self.add.clicked.connect(self._agree)
        self.cancel = QPushButton()
        self.cancel.setProperty("kind", "quiet")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.reject)
        self._build()
        self.resize(*SIZE)
        self.retranslate()
        for menu in self.menus:
            menu.activated.connect(self._understand)

    @property
    def meanings(self) -> tuple[Meaning | None, ...]:
        """What the columns are taken for now."""
        return tuple(menu.currentData() or None for menu in self.menus)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setWindowTitle(self.tr("导入"))
        self.sentences.setAccessibleName(self.tr("有问题的行"))
        self.heading.setText(self._source or self.tr("粘贴的表格"))
        self.format.setText(self._words.say(self._table.format))
        names = {
            "name": self.tr("姓名"),
            "relationship": self.tr("关系"),
            "address": self.tr("称呼"),
            "facts": self.tr("想提到的事"),
            "tone": self.tr("语气"),
            "notes": self.tr("备注"),
        }
        entries = [("", self.tr("不用")), *((meaning, names[meaning]) for meaning in MEANINGS)]
        for number, (menu, column) in enumerate(zip(self.menus, self._table.columns, strict=True), 1):
            fresh = menu.count() == 0
            menu.fill(entries, (column.meaning or "") if fresh else menu.currentData())
            menu.setMinimumWidth(max(_LEAST_WIDTH, menu.sizeHint().width()))
            menu.setAccessibleName(column.title or self.tr("第 {number} 列").format(number=number))
        self.cancel.setText(self.tr("不加了"))
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _understand(self) -> None:
        self.found = people_in(self._table, self.meanings, self._catalog)
        self._show()

    def _agree(self) -> None:
        self.agreed.emit(self.found.people)
        self.accept()

    def _show(self) -> None:
        count, out, remarks = len(self.found.people), len(self.found.left_out), len(self.found.remarks)
        parts = [self.tr("可以加入 {count} 人。").format(count=f"{count:,}")]
        if out:
            parts.append(self.tr("{count} 行有问题，见下。").format(count=f"{out:,}"))
        if remarks:
            parts.append(self.tr("{count} 处请看一眼。").format(count=f"{remarks:,}"))
        self.outcome.setText(self._words.joined(parts))
        self.add.setText(self.tr("加入 {count} 人").format(count=f"{count:,}"))
        self.add.setEnabled(count > 0)
        problems = [*self.found.left_out, *self.found.remarks]
        self.sentences.clear()
        self.sentences.addItems([self._words.say(problem.sentence) for problem in problems])
        self.sentences.setVisible(bool(problems))
        self._spacer.setVisible(not problems)

    def _build(self) -> None:
        columns = QWidget()
        columns.setObjectName("formBody")
        grid = QGridLayout(columns)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(6)
        for place, (menu, column) in enumerate(zip(self.menus, self._table.columns, strict=True)):
            title = plain_label()
            title.setText(_short(column.title))
            title.setProperty("kind", "label")
            grid.addWidget(title, 0, place)
            menu.setSizeAdjustPolicy(CalmComboBox.SizeAdjustPolicy.AdjustToContents)
            grid.addWidget(menu, 1, place)
            for line, text in enumerate(_samples(column), 2):
                sample = plain_label()
                sample.setText(text)
                grid.addWidget(sample, line, place)
        grid.setColumnStretch(len(self.menus), 1)
        grid.setRowStretch(2 + _SAMPLES, 1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the focus of the menus
        scroll.setWidget(columns)
        scroll.setFixedHeight(176)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.add)
        self._spacer = QWidget()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(28, 22, 28, 20)
        whole.setSpacing(12)
        whole.addWidget(self.heading)
        whole.addWidget(self.format)
        whole.addWidget(scroll)
        whole.addWidget(self.outcome)
        whole.addWidget(self.sentences, 1)
        whole.addWidget(self._spacer, 1)
        whole.addLayout(buttons)


def _samples(column: Column) -> list[str]:
    """The first cells of a column, each cut to one short line."""
    return [_short(fold(text[:200])) for text in column.samples[:_SAMPLES]]


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_SAMPLE else line[: _LONGEST_SAMPLE - 1] + "…"
