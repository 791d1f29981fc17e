"""Opens 做成贺卡 for a greeting, from whichever page it stands on."""

from PySide6.QtWidgets import QWidget

from app.compose.request import GreetingRequest
from app.compose.sentence import ExplainedError
from app.gui.banner import Banner
from app.gui.theme import Theme
from app.gui.words import Words


def open_card(words: Words, theme: Theme, text: str, request: GreetingRequest, parent: QWidget, banner: Banner) -> None:
    """Show the dialog over ``parent``; where the designs cannot be loaded, ``banner`` says so."""
    # Imported here: designs and their drawing are nothing the window needs for its first paint.
    from app.gui.card_dialog import CardDialog

    try:
        dialog = CardDialog(words, theme, text, request.signature, request.zodiac, parent)
    except ExplainedError as error:
        banner.show_error(error.sentence, error.detail)
        return
    dialog.setModal(True)
    dialog.show()
