"""How an entry of the history is spoken of: whom it was for, on what occasion, when."""

from datetime import datetime

from PySide6.QtCore import QDate, QLocale

from app.compose.catalog import Catalog
from app.compose.sentence import Sentence
from app.gui.words import CHINESE, Words
from app.people.history import Written


class EntryWords:
    """The same words for a row and for the whole entry. ``names`` are the people of the file by their ids."""

    def __init__(self, catalog: Catalog, words: Words) -> None:
        self._words = words
        self._choices = {
            choice.id: choice
            for choices in (catalog.relationships, catalog.tones, catalog.occasions, catalog.lengths)
            for choice in choices
        }
        self.names: dict[int, str] = {}

    def name(self, id: str) -> str:
        """The name of a catalogue entry; an id a later catalogue wrote stands for itself."""
        return self._words.name(self._choices[id]) if id in self._choices else id

    def who(self, entry: Written) -> str:
        """Whom a text is for, as shortly as can be said."""
        known = self.names.get(entry.recipient or 0, "")
        return known or entry.request.address or self.name(entry.request.relationship)

    def circumstances(self, entry: Written) -> str:
        """Relationship and occasion, the former where it is not what the entry is called by."""
        relationship, occasion = self.name(entry.request.relationship), self.name(entry.request.occasion)
        return occasion if self.who(entry) == relationship else f"{relationship} · {occasion}"

    def all_circumstances(self, entry: Written) -> str:
        """All that was asked for, but the facts."""
        ids = (entry.request.relationship, entry.request.tone, entry.request.occasion, entry.request.length)
        return " · ".join(map(self.name, ids))

    def mark(self, entry: Written) -> str:
        """That a text was sent, in a word; empty where it was not."""
        return self._words.say(Sentence("已发", "Sent")) if entry.sent else ""

    def day(self, at: datetime) -> str:
        """The day in words."""
        if self._words.language == CHINESE:
            return f"{at.year}年{at.month}月{at.day}日"
        return QLocale("en").toString(QDate(at.year, at.month, at.day), "d MMM yyyy")

    def moment(self, at: datetime) -> str:
        """The day and the minute."""
        return f"{self.day(at)} {at:%H:%M}"
