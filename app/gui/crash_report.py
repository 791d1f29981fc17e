"""What the person is told of a crash, with a report to copy: at the next start, or at once when no window opens."""

import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtWidgets import QApplication, QMessageBox

from app.compose.sentence import Sentence
from app.gui.log import CRASH_FILE
from app.gui.report import program_and_system, without_home
from app.gui.words import Words

_LONGEST = 20_000  # characters

CRASHED = Sentence(
    "上次拜年帖意外退出了。已存好的祝福和联系人都在；如果还会这样，请点“详情”复制下来，发给我们。",
    "Bainiantie ended unexpectedly last time. What was saved is still there; if it happens again, copy the details and "
    "send them to us.",
)
UNOPENED = Sentence(
    "拜年帖没能打开，你存的内容没有动过。请再试一次；若仍如此，请把下面的详情复制下来，发给我们。",
    "Bainiantie could not be opened; what you saved is untouched. Try again, and if it stays so, copy the details and "
    "send them to us.",
)


def left_by_crash(folder: Path) -> str:
    """The report of a crash that the last start left in the folder of the data; "" where it ended well.

    It holds the functions and files each thread was in: no value, nothing a person wrote. To be read before the log is
    opened, which takes it over.
    """
    try:
        trace = (folder / CRASH_FILE).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    return report(trace[:_LONGEST]) if trace else ""


def report(trace: str) -> str:
    """``trace`` under a line that says which program on which system, without the name of the home folder."""
    return without_home(f"{program_and_system()}\n\n{trace}")


def tell_unopened(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in a dialog why there will be no window: sys.excepthook until there is one. Then the program ends."""
    details = report("".join(traceback.format_exception(kind, error, trace)))
    print(details, file=sys.stderr)
    if QApplication.instance() is None or issubclass(kind, KeyboardInterrupt):
        return
    box = QMessageBox(QMessageBox.Icon.Critical, "拜年帖", Words().say(UNOPENED))
    box.setInformativeText(UNOPENED.en)
    box.setDetailedText(details)
    box.exec()
