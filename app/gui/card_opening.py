"""Opens 做成贺卡 for a greeting, from whichever page it stands on."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QWidget
from shiboken6 import isValid

from app.compose.request import GreetingRequest
from app.compose.sentence import ExplainedError
from app.gui.banner import Banner
from app.gui.theme import Theme
from app.gui.words import Words


class Afterwards(QObject):
    """Says in the banner of the page what became of a card whose dialog was closed before it was saved."""

    def __init__(self, dialog: QDialog, banner: Banner) -> None:
        super().__init__(banner)
        self._dialog = dialog
        self._banner = banner

    def tell(self, error: ExplainedError) -> None:
        """It was not saved. While the dialog is there it says so itself."""
        if not isValid(self._dialog) or not self._dialog.isVisible():
            self._banner.show_error(error.sentence, error.detail)


def open_card(words: Words, theme: Theme, text: str, request: GreetingRequest, parent: QWidget, banner: Banner) -> None:
    """Show the dialog over ``parent``; where the designs cannot be loaded, ``banner`` says so."""
    # Imported here: designs and their drawing are nothing the window needs for its first paint.
    from app.gui.card_dialog import CardDialog

    try:
        dialog = CardDialog(words, theme, text, request.signature, request.zodiac, parent)
    except ExplainedError as error:
        banner.show_error(error.sentence, error.detail)
        return
    dialog.writer.failed.connect(Afterwards(dialog, banner).tell)
    dialog.setModal(True)
    dialog.show()
