"""What test_kills.py starts: for every line it is sent, the whole program, used by somebody until it is killed.

``python -m tests.gui.kill_child MODEL FOLDER``. A line is ``PART SEED``: the part of the program that is used, and the
seed of what is done there. Each child opens the window over the data in FOLDER, with an engine process of its own, and
says in lines of JSON what the screen shows as done, before it is painted. One process imports everything once and
forks, as a hundred new interpreters would spend their lives importing.
"""

import hashlib
import json
import os
import random
import sys
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

# What the window imports when it is first needed.
import app.gui.card_dialog
import app.people.backup  # noqa: F401
from app.compose.catalog import load_catalog
from app.compose.request import make_request
from app.gui.application import make_application, make_window
from app.gui.batch_page import BatchPage
from app.gui.batch_preview import BatchPreview
from app.gui.batch_table import NAME, STATE, TEXT
from app.gui.candidate_card import CandidateCard
from app.gui.document_dialog import DocumentDialog
from app.gui.history_page import HistoryPage
from app.gui.main_window import MainWindow, Options
from app.people.document import export_document
from app.people.history import Draft, insert_written
from app.people.store import open_store

Acts = Generator[Callable[[], object], None, None]  # what somebody does, and what they wait for in between
PULSE = 4  # ms between two looks at whether what is waited for has come


def digest(text: str) -> str:
    """What shows of a text, in a few characters: a line has to fit into a pipe in one piece. Empty for no text."""
    seen = "".join(character for character in text if character.isprintable() and not character.isspace())
    return hashlib.sha256(seen.encode()).hexdigest()[:16] if seen else ""


def document_text(number: int, place: int) -> str:
    """The texts of a document that is imported, known by its number."""
    return f"第{number}份文件里的第{place}条，新春安康。"


def say(*words: object) -> None:
    """One line in one write, so that a kill never leaves half of it."""
    os.write(1, (json.dumps(words, ensure_ascii=False) + "\n").encode())


def click(button: QWidget) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


class Witness(QObject):
    """Says what is new on the screen, each time it is about to be painted."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        self._said: set[tuple[object, ...]] = set()
        self._changed: set[int] = set()  # places in the table
        self.document = (0, 0)  # the number and the texts of what is being imported
        self.typed: set[str] = set()  # texts in the cards that the person typed and that nothing has confirmed
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def watch_table(self, page: BatchPage) -> None:
        """The table of 群发 is there."""
        table = page.table
        table.dataChanged.connect(lambda first, last: self._changed.update(range(first.row(), last.row() + 1)))
        table.rowsInserted.connect(lambda _, first, last: self._changed.update(range(first, last + 1)))
        table.modelReset.connect(lambda: self._changed.update(range(table.rowCount())))
        self._changed.update(range(table.rowCount()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            self.look()
        return False

    def look(self) -> None:
        """Say what was not said before."""
        if self._window.engine.pid is not None:
            self._say("engine", self._window.engine.pid)
        page = self._window.pages.page
        if isinstance(page, BatchPage):
            self._look_at_table(page)
        elif isinstance(page, HistoryPage):
            if page.bar.isVisible() and page.bar.message.text().startswith("导入了"):
                self._say("imported", *self.document)
        else:
            for card in self._window.page.cards:
                self._look_at_card(card)

    def _look_at_card(self, card: CandidateCard) -> None:
        text, note = card.text.toPlainText(), card.note.text()
        if note.startswith("已复制，记作"):
            self.typed.discard(text)
            self._say("sent", digest(text))
        if text.strip() and text not in self.typed:
            if note == "":
                self._say("whole", digest(text))
            if card.star.isChecked():
                self._say("starred", digest(text))

    def _look_at_table(self, page: BatchPage) -> None:
        table, changed, self._changed = page.table, self._changed, set()
        for place in sorted(changed):
            if place < table.rowCount():
                name, state, text = (table.index(place, column).data() for column in (NAME, STATE, TEXT))
                word = state.split("\n")[0]  # of a row that failed, the second line says why, and the text does too
                self._say("row", table.rows[place].id, name, word, "" if word == "没写成" else digest(text))
        strip = page.strip
        if strip.isVisible() and strip.copied is not None and strip.state.text().startswith("已复制"):
            self._say("strip", strip.copied.id, digest(strip.text.text()))

    def _say(self, *words: object) -> None:
        # A row may come back to what it was: of a row only the same words twice in a row are one.
        if words not in self._said:
            if words[0] == "row":
                self._said = {said for said in self._said if said[:2] != words[:2]}
            self._said.add(words)
            say(*words)


class Somebody:
    """Uses one part of the window, without end."""

    def __init__(self, window: MainWindow, witness: Witness, drawn: random.Random, folder: Path) -> None:
        self._window = window
        self._witness = witness
        self._drawn = drawn
        self._tables = folder / "tables"
        self._tables.mkdir(exist_ok=True)

    def compose(self) -> Acts:
        """写祝福: write, star, copy, change a word, have another one written."""
        page = self._window.page
        page.form.relationship.choose("friend")
        page.form.tone.buttons["warm"].click()
        page.form.length.chosen = "short"
        say("begin")

        def press() -> bool:
            # Right after the last greeting a click counts as the second half of a double click.
            if not page.session.working:
                click(page.button)
            return page.session.working

        while True:
            yield press
            yield lambda: not page.session.working
            for card in page.cards:
                if not card.star.isEnabled():
                    continue  # there is no text
                yield from self._drawn.choice((self._star, self._copy, self._edit, self._another))(card)

    def imports(self) -> Acts:
        """群发 and 收藏与历史: one table of people, one document of everything after the other."""
        page = yield from self._open_batch()
        while True:
            if self._drawn.random() < 0.4:
                yield from self._import_document()
            else:
                self._window.pages.show_place("batch")
                yield from self._import(page)

    def batch(self) -> Acts:
        """群发: write, pause, go on, copy, have a row written anew."""
        page = yield from self._open_batch()
        while True:
            if not page.table.counts()["waiting"]:
                yield from self._import(page)
            if not page.session.running:
                yield page.foot.write_button.isEnabled
                click(page.foot.write_button)
            more = page.table.counts()["written"] + self._drawn.randint(1, 3)
            yield lambda more=more: page.table.counts()["written"] >= more or not page.session.running  # type: ignore[misc]
            act = self._drawn.choice(("copy", "copy", "redo", "pause", "nothing"))
            if act == "copy" and page.foot.copy_button.isEnabled():
                click(page.foot.copy_button)
                yield from self._answered()
            elif act == "redo" and page.table.counts()["written"]:
                place = self._drawn.choice([n for n, row in enumerate(page.table.rows) if row.state == "written"])
                page.view.selectRow(place)
                self._witness.look()  # what this row has now is what is given up, and not what comes after
                say("redo", page.table.rows[place].id)
                click(page.detail.redo_button)
            elif act == "pause" and page.session.running:
                click(page.foot.write_button)
                yield lambda: "writing" not in {row.state for row in page.table.rows}

    def finish(self) -> Acts:
        """群发: write what is left of the newest table, and close the window."""
        page = yield from self._open_batch()
        if page.table.counts()["waiting"]:
            yield page.foot.write_button.isEnabled
            click(page.foot.write_button)
            yield lambda: not page.session.running and not page.table.counts()["waiting"]
        self._witness.look()
        say("finished", len(page.table.rows))
        self._window.close()
        yield lambda: False

    def _star(self, card: CandidateCard) -> Acts:
        if not card.star.isChecked():
            click(card.star)
            yield card.star.isChecked

    def _copy(self, card: CandidateCard) -> Acts:
        click(card.copy_button)
        yield lambda: card.note.text().startswith("已复制，记作")

    def _edit(self, card: CandidateCard) -> Acts:
        before = card.text.toPlainText()
        say("edit", digest(before))
        self._witness.typed.add(f"{before}x")
        card.text.moveCursor(card.text.textCursor().MoveOperation.End)
        QTest.keyClicks(card.text, "x")
        yield from self._copy(card)

    def _another(self, card: CandidateCard) -> Acts:
        click(card.again_button)
        yield lambda: not self._window.page.session.working

    def _open_batch(self) -> Generator[Callable[[], object], None, BatchPage]:
        self._window.pages.show_place("batch")
        page = self._window.pages.page
        assert isinstance(page, BatchPage)
        self._witness.watch_table(page)
        # The file is open, the page has asked for the newest batch, and has asked for its rows.
        for _ in range(3):
            yield from self._answered()
        self._witness.look()
        say("opened")
        say("begin")
        return page

    def _answered(self) -> Acts:
        """What was asked of the file until now is done: it answers in order."""
        answers: list[object] = []
        self._window.people.read(lambda store: None, answers.append)
        yield lambda: answers

    def _import(self, page: BatchPage) -> Acts:
        if self._drawn.random() < 0.3:
            page.batch.leave()
        number, before = self._drawn.randrange(10**9), len(page.table.rows)
        rows = [f"人{number}之{n},朋友" for n in range(self._drawn.choice((1, 2, 3, 4, 20)))]
        path = self._tables / f"{number}.csv"
        path.write_text("\n".join(["姓名,关系", *rows]), encoding="utf-8")
        page.intake.import_file(path)
        yield lambda: page.findChildren(BatchPreview)
        (preview,) = page.findChildren(BatchPreview)
        yield preview.isVisible
        click(preview.add)
        yield lambda: len(page.table.rows) >= before + len(rows) and not page.findChildren(BatchPreview)

    def _import_document(self) -> Acts:
        number, count = self._drawn.randrange(10**9), self._drawn.randint(1, 100)
        path = self._tables / f"{number}.json"
        friend = make_request(load_catalog(), {"relationship": "friend", "tone": "warm"})
        store = open_store(path.with_suffix(".sqlite3"))
        with store.writing() as connection:
            for place in range(count):
                insert_written(store, connection, Draft(friend, document_text(number, place), "m", 1), number + place)
        export_document(store, path)
        store.close()
        self._window.pages.show_place("history")
        page = self._window.pages.page
        assert isinstance(page, HistoryPage)
        page.bar.hide()
        page.files.import_file(path)
        (dialog,) = page.findChildren(DocumentDialog)
        yield dialog.import_button.isEnabled
        self._witness.document = (number, count)
        say("document", number, count)
        click(dialog.import_button)
        yield lambda: page.bar.isVisible() and not page.findChildren(DocumentDialog)


def run(model: Path, folder: Path, part: str, seed: str) -> None:
    """Open the window and use a part of it, until killed."""
    application = make_application()
    window = make_window(application, Options(model=model, device="cpu", data=folder / "data"))
    witness = Witness(window)
    somebody = Somebody(window, witness, random.Random(seed), folder)
    acts: Acts = getattr(somebody, part)()
    waited: list[Callable[[], object]] = [lambda: True]

    def act() -> None:
        if waited[0]():
            waited[0] = next(acts)

    def fail(*error: object) -> None:
        try:
            say("failed", "".join(traceback.format_exception(*error))[-3000:])  # type: ignore[call-overload]
        finally:
            os._exit(1)  # also where nobody listens any more

    sys.excepthook = fail
    pulse = QTimer()
    pulse.timeout.connect(act)

    def begin() -> None:
        window.begin()
        pulse.start(PULSE)

    window.painted.connect(begin)
    window.show()
    application.exec()


def main(model: Path, folder: Path) -> None:
    """A child for every line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            say("pid", os.getpid())
            run(model, folder, *line.split())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say("dead", status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
