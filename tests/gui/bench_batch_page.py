"""How long a person waits for the page 群发 with many rows: ``python -m tests.gui.bench_batch_page [ROWS]``.

Each deed is done with a tenth of the rows and with all of them; the ratio says what grows with the table. The window's
own thread is measured, as that is what a person feels; where a deed is saved, the time until it is on the disk follows.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from app.compose.catalog import load_catalog
from app.gui.application import make_application
from app.gui.batch_page import BatchPage
from app.gui.batch_table import FACTS, TONE
from app.gui.engine_bridge import EngineBridge
from app.gui.people_thread import PeopleThread
from app.gui.theme import Theme, load_faces
from app.gui.words import CHINESE, Words
from app.people.table_import import people_in, read_pasted
from tests.gui.waiting import settle, wait

STEPS = 40  # of scrolling


class Measured:
    """A page of so many rows in a file of its own, and what was measured on it, in ms."""

    def __init__(self, application: QApplication, words: Words, theme: Theme, folder: Path, count: int) -> None:
        self.times: dict[str, float] = {}
        self.people = PeopleThread(folder / f"{count}.sqlite3")
        self.page = BatchPage(load_catalog(), words, theme, EngineBridge(), self.people, date(2027, 1, 30))
        self.page.resize(1088, 760)
        self.page.show()
        self.people.begin()
        self.page.begin()
        settle()
        self._measure(count)
        self.page.close()
        self.people.close()

    def _measure(self, count: int) -> None:
        page, catalog = self.page, load_catalog()
        cells = "姓名\t关系\t想提到的事\n" + "".join(f"人{n}\t朋友\t今年升职；搬了新家\n" for n in range(count))
        table = self._timed("read the cells", lambda: read_pasted(cells, catalog))
        found = self._timed("understand them", lambda: people_in(table, table.meanings, catalog))
        self._saved("add the rows", lambda: page.batch.add(found.people, "2027", page.wish.wish, lambda: None))
        wait(lambda: len(page.table.rows) == count, "the rows are there", 600)
        bar = page.view.verticalScrollBar()

        def scroll() -> None:
            for step in range(STEPS):
                bar.setValue(bar.maximum() * step // STEPS)
                page.view.repaint()

        self._timed(f"scroll through in {STEPS} steps", scroll)
        self._saved("edit a cell", lambda: page.table.setData(page.table.index(count // 2, FACTS), "考上了研究生"))
        self._timed("select all", lambda: (page.view.selectAll(), page.view.repaint()))
        self._saved("a tone for all", lambda: page.table.say(range(count), TONE, "festive"))
        self._saved("an occasion for all", lambda: page.wish.changed.emit())
        self._saved("remove all", page.remove)
        wait(lambda: not page.table.rows, "they are gone", 600)
        self._saved("bring them back", page.undoable.undo)
        wait(lambda: len(page.table.rows) == count, "they are back", 600)

    def _timed(self, name: str, act: Callable[[], object]) -> object:
        start = time.perf_counter()
        result = act()
        self.times[name] = 1000 * (time.perf_counter() - start)
        return result

    def _saved(self, name: str, act: Callable[[], object]) -> None:
        """Time a deed, with what it leaves to do for the window's thread, and until it is on the disk."""
        answered: list[object] = []
        start = time.perf_counter()
        act()
        self.times[name] = 1000 * (time.perf_counter() - start)
        self.people.read(lambda store: None, answered.append)
        wait(lambda: answered, "it is on the disk", 600)
        settle()
        self.times[f"{name}, saved and shown"] = 1000 * (time.perf_counter() - start)


def main(count: int) -> None:
    """Print a line for every deed."""
    application = make_application()
    words = Words(CHINESE)
    theme = Theme(application, load_faces(), "light")
    with tempfile.TemporaryDirectory() as folder:
        few = Measured(application, words, theme, Path(folder), count // 10).times
        many = Measured(application, words, theme, Path(folder), count).times
    print(f"{'ms':32}{count // 10:>9,}{count:>9,}{'ratio':>8}")
    for name, value in many.items():
        print(f"{name:32}{few[name]:9.1f}{value:9.1f}{value / max(few[name], 0.01):8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
