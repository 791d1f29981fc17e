"""What a person does with 群发, from a table to the last text copied and the file exported, with the model inside.

As a program, ``python -m tests.gui.batch_person FOLDER [MODEL]``, it drives the window of this program with this model,
or the one installed here, on the screen that is there, its data in FOLDER, and prints what it saw as JSON.
"""

import csv
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from PySide6.QtGui import QGuiApplication

from app.gui.application import make_application, make_window
from app.gui.batch_page import BatchPage
from app.gui.batch_preview import BatchPreview
from app.gui.batch_table import NAME, STATE, TEXT
from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow, Options
from tests.gui.person import PATIENCE, click, read_clipboard
from tests.gui.waiting import settle, wait

TABLE = (
    "姓名,关系,称呼,想提到的事,语气\n王建国,领导,王总,新系统上线了,庄重\n李芳,妈妈,妈,今年没能回家,温暖\n"
    "陈哲,挚友,阿哲,,俏皮\n赵敏,客户,赵总,合作第三年,温暖\n"
)


@dataclass
class Seen:
    """What the person saw."""

    stopped: list[str] = field(default_factory=list)  # the states after stopping
    before: list[str] = field(default_factory=list)  # the texts then
    again: list[str] = field(default_factory=list)  # the texts after another start of the program
    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    copied: list[list[str]] = field(default_factory=list)  # name on the strip, and what another program then pastes
    exported: list[list[str]] = field(default_factory=list)


def open_batch(folder: Path, model: Path | None) -> tuple[MainWindow, BatchPage]:
    """The window on 群发, its model open."""
    application = QGuiApplication.instance() or make_application()
    window = make_window(application, Options(model, data=folder / "data"))  # type: ignore[arg-type]
    window.painted.connect(window.begin)
    window.show()
    wait(lambda: window.engine.state is Engine.READY, "the engine is ready", PATIENCE)
    click(window.sidebar.places["batch"])
    page = window.pages.page
    assert isinstance(page, BatchPage)
    return window, page


def column(page: BatchPage, number: int) -> list[str]:
    return [page.table.index(row, number).data() for row in range(page.table.rowCount())]


def begin_and_stop(page: BatchPage, table: Path, seen: Seen) -> None:
    """Take the table in, begin to write, and stop once somebody's text is there."""
    page.intake.import_file(table)
    wait(lambda: page.findChildren(BatchPreview), "the preview is open")
    (preview,) = page.findChildren(BatchPreview)
    wait(preview.isVisible, "the preview is on the screen")
    click(preview.add)
    wait(lambda: page.table.rowCount() == 4, "four people are there")
    click(page.foot.write_button)
    wait(lambda: page.table.counts()["written"], "somebody's text is there", PATIENCE)
    if page.session.running:
        click(page.foot.write_button)
    wait(lambda: "正在写…" not in column(page, STATE), "nobody's is being written")
    seen.stopped, seen.before = column(page, STATE), column(page, TEXT)


def go_on_and_copy(page: BatchPage, seen: Seen) -> None:
    """Write the others', and copy one after the other from the strip."""
    wait(lambda: page.table.rowCount() == 4, "the four people are there again")
    seen.again = column(page, TEXT)
    if page.table.counts()["waiting"]:
        wait(page.foot.write_button.isEnabled, "it can be written")
        click(page.foot.write_button)
    wait(lambda: page.table.counts()["written"] == 4 and not page.session.running, "all is written", 3 * PATIENCE)
    seen.names, seen.texts = column(page, NAME), column(page, TEXT)
    wait(page.foot.copy_button.isEnabled, "there is something to copy")
    click(page.foot.copy_button)
    for number in range(4):
        wait(lambda number=number: page.table.counts()["copied"] == number + 1, "it counts as sent")  # type: ignore[misc]
        seen.copied.append([page.strip.name.text(), read_clipboard()])
        if number < 3:
            wait(page.strip.next.isEnabled, "the next can be copied")
            click(page.strip.next)
    seen.states = column(page, STATE)


def main(folder: Path, model: Path | None) -> None:
    """Use the program twice."""
    seen = Seen()
    table, out = folder / "名单.csv", folder / "祝福.csv"
    table.write_text(TABLE, encoding="utf-8")
    window, page = open_batch(folder, model)
    begin_and_stop(page, table, seen)
    window.close()
    window.deleteLater()
    settle()
    window, page = open_batch(folder, model)
    go_on_and_copy(page, seen)
    page.batch.export(out, "zh_CN")
    wait(page.bar.isVisible, "it says where the file is")
    with out.open(encoding="utf-8-sig", newline="") as file:
        seen.exported = list(csv.reader(file))
    window.close()
    print(json.dumps(asdict(seen) | {"platform": QGuiApplication.platformName()}, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
