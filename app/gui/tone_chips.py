"""The eight tones as chips; hovering one shows a real line in that tone."""

from app.compose.catalog import Catalog
from app.gui.choice_widgets import ButtonRow
from app.gui.words import Words

COLUMNS = 4


class ToneChips(ButtonRow):
    """A chip for every tone of the catalogue."""

    def __init__(self, catalog: Catalog, words: Words) -> None:
        super().__init__([tone.id for tone in catalog.tones], columns=COLUMNS, spacing=6, kind="chip")
        self._catalog = catalog
        self._words = words
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use; the sample stays Chinese, as what will be written is."""
        for tone in self._catalog.tones:
            self.label(tone.id, self._words.name(tone), f"“{tone.sample}”")
