"""What can go wrong with a card: a design file, a text too long for it, a file that cannot be saved."""

from app.compose.sentence import ExplainedError, Sentence


class CardError(ExplainedError):
    """A card cannot be made or kept."""


class DesignError(CardError):
    """A file of ``resources/cards`` cannot be used."""


class TextTooLong(CardError):
    """The text does not fit even at the smallest size. ``room`` is about how many characters do."""

    def __init__(self, characters: int, room: int) -> None:
        super().__init__(
            Sentence(
                f"文字有 {characters} 字，这一款大约写得下 {room} 字，再多字就太小了。请删短一些，或换一款贺卡。",
                f"The text has {characters} characters and this card holds about {room}; more would be too small to "
                "read. Shorten it, or choose another card.",
            )
        )
        self.room = room


class SaveError(CardError):
    """The picture was not saved; whatever was at the target before is still there."""
