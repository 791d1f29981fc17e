"""导入: what an exported document would bring, and how far taking it over is. Reading and taking are done elsewhere.

The document is read in a thread of its own, so that texts written meanwhile are saved; it is taken over in the store's.
Stopped or refused, it has changed nothing.
"""

import threading
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.compose.sentence import ExplainedError, Sentence
from app.gui.kind_button import KindButton
from app.gui.people_thread import PeopleThread, Question
from app.gui.theme import Theme
from app.gui.words import Words
from app.people.document_import import Imported, missing, take_document
from app.people.document_reading import Document, read_document

WIDTH = 520


class StoppedError(ExplainedError):
    """The person stopped an import."""


class DocumentReader(QObject):
    """One of the signals follows ``begin``. It may outlive the dialog, and then tells nobody."""

    read = Signal(object)  # Document
    failed = Signal(object)  # ExplainedError

    def begin(self, path: Path) -> None:
        """Read a document."""
        threading.Thread(target=self._read, args=(path,), name="document", daemon=True).start()

    def _read(self, path: Path) -> None:
        try:
            document = read_document(path)
        except ExplainedError as error:
            self.failed.emit(error)
        else:
            self.read.emit(document)


class DocumentDialog(QDialog):
    """``taken`` carries what was imported, ``failed`` why nothing was; the dialog closes itself either way."""

    taken = Signal(object)  # Imported
    failed = Signal(object)  # ExplainedError

    def __init__(self, path: Path, people: PeopleThread, words: Words, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._people = people
        self._words = words
        self._document: Document | None = None
        self._missing: Imported | None = None
        self._asked: Question | None = None
        self._stop = threading.Event()
        self._taking = False
        self._reader = DocumentReader()
        self._reader.read.connect(self._look)
        self._reader.failed.connect(self._refuse)
        self.heading = QLabel(path.name)
        self.heading.setProperty("kind", "title")
        self.heading.setFont(theme.letter_font(21))
        self.heading.setWordWrap(True)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.cells = [[QLabel() for _ in range(3)] for _ in range(5)]
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 0)
        self.import_button = KindButton("primary", self._take)
        self.close_button = KindButton("quiet", self.reject)
        self._build()
        self.retranslate()
        self._reader.begin(path)

    def reject(self) -> None:
        """Leave; in the middle of an import that stops it, and it is as if it had not begun."""
        self._stop.set()
        if self._asked is not None and not self._taking:
            self._asked.drop()
        if self._taking:
            self.close_button.setEnabled(False)
        else:
            super().reject()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self.setWindowTitle(self.tr("导入"))
        self.bar.setAccessibleName(self.tr("导入的进度"))
        self.import_button.setText(self.tr("导入"))
        found = self._missing
        new = found is not None and found != Imported(0, 0, 0, 0)
        self.close_button.setText(
            self.tr("停止")
            if self._taking
            else self.tr("知道了")
            if found is not None and not new
            else self.tr("不导入")
        )
        self.import_button.setVisible(not self._taking and (found is None or new))
        self.import_button.setEnabled(new)
        self.bar.setVisible(self._taking or found is None)
        self._counts.setVisible(found is not None)
        if self._taking:
            self.message.setText(self.tr("正在导入。这时停止，什么都不会改动。"))
        elif found is None:
            self.message.setText(self.tr("正在读这个文件…"))
        elif new:
            self.message.setText(self.tr("只会加上这里没有的；已经有的保持原样，不会重复，也不会被改动。"))
        else:
            self.message.setText(self.tr("文件里的都已经在这里了，没有什么要导入的。"))
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _look(self, document: Document) -> None:
        self._document = document
        self._asked = self._people.read(lambda store: missing(store, document), self._preview, self._refuse)

    def _preview(self, found: Imported) -> None:
        self._missing = found
        self.retranslate()
        (self.import_button if self.import_button.isEnabled() else self.close_button).setFocus()

    def _take(self) -> None:
        document = self._document
        assert document is not None
        self._taking = True
        self.bar.setRange(0, 0)
        self.retranslate()
        self._people.write(lambda store: take_document(store, document, self._told), self._took, self._refuse)

    def _told(self, done: int, whole: int) -> None:
        """In the store's thread."""
        if self._stop.is_set():
            raise StoppedError(Sentence("已停止导入，什么都没有改动。", "The import was stopped; nothing was changed."))
        self._people.tell(partial(self._show_progress, done, whole))

    def _show_progress(self, done: int, whole: int) -> None:
        if self._taking:
            self.bar.setRange(0, max(whole, 1))
            self.bar.setValue(done)

    def _took(self, imported: Imported) -> None:
        self._taking = False
        self.taken.emit(imported)
        self.accept()

    def _refuse(self, error: ExplainedError) -> None:
        self._taking = False
        self.failed.emit(error)
        super().reject()

    def _fill(self) -> None:
        """A line for each kind of row: how many the file has, and how many of them are new here."""
        if self._document is None or self._missing is None:
            return
        rows = [
            (self.tr("联系人"), self._document.recipients, self._missing.recipients),
            (self.tr("祝福"), self._document.written, self._missing.written),
            (self.tr("发送记录"), self._document.sent, self._missing.sent),
            (self.tr("群发名单"), self._document.batches, self._missing.batches),
        ]
        for cell, text in zip(self.cells[0], ("", self.tr("文件里有"), self.tr("要加上的")), strict=True):
            cell.setText(text)
        for line, (name, held, new) in zip(self.cells[1:], rows, strict=True):
            for cell, text in zip(line, (name, f"{len(held):,}", f"{new:,}"), strict=True):
                cell.setText(text)

    def _build(self) -> None:
        self._counts = QWidget()
        grid = QGridLayout(self._counts)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(8)
        for row, line in enumerate(self.cells):
            for column, cell in enumerate(line):
                if row == 0 or column == 0:
                    cell.setProperty("kind", "label")
                grid.addWidget(cell, row, column, Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(3, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        buttons.addWidget(self.import_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(28, 22, 28, 20)
        whole.setSpacing(12)
        whole.addWidget(self.heading)
        whole.addWidget(self.message)
        whole.addWidget(self._counts)
        whole.addWidget(self.bar)
        whole.addStretch(1)
        whole.addLayout(buttons)
        self.setMinimumWidth(WIDTH)
