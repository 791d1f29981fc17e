"""Errors nobody foresaw, wherever they are raised: they are brought to the window's thread, and to where the person
looks.
"""

import threading

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from app.compose.sentence import Sentence
from app.gui.banner import Banner
from app.gui.words import Words

UNFORESEEN = Sentence(
    "程序出了意料之外的错，刚才那一步可能没有做完；你填的内容和已写好的文字都还在。请再试一次，若仍如此，请把详情发给我们。",
    "Something unforeseen went wrong, and the last step may be undone; what you filled in and what was written is "
    "kept. Try again, and if it stays so, send us the details.",
)


class ThreadErrors(QObject):
    """``raised`` carries the error that ended a thread, in the thread of this object."""

    raised = Signal(object)  # BaseException

    def catch(self) -> None:
        """Hear of every thread from now on."""
        threading.excepthook = self._take

    def _take(self, ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
            self.raised.emit(ended.exc_value)


class ErrorBox(QMessageBox):
    """An error over a dialog that has no place for one."""

    def __init__(self, sentence: Sentence, detail: str, words: Words, dialog: QWidget | None) -> None:
        super().__init__(QMessageBox.Icon.Warning, "拜年帖", words.say(sentence), parent=dialog)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setDetailedText(detail)


def show_on_top(sentence: Sentence, detail: str, banner: Banner, words: Words) -> None:
    """Show an error in ``banner``, that of the page; while a dialog lies over it, in the dialog."""
    dialog = QApplication.activeModalWidget()
    shown = banner if dialog is None else getattr(dialog, "banner", None)
    if isinstance(shown, Banner):
        shown.show_error(sentence, detail)
    elif not isinstance(dialog, ErrorBox):  # what repeats itself must not pile up; the log has every one
        ErrorBox(sentence, detail, words, dialog).open()
