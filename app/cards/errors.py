"""What can go wrong with a card: a design file, a text too long for it, a file that cannot be saved."""

from app.cards.letter import Letter
from app.compose.sentence import ExplainedError, Sentence


class CardError(ExplainedError):
    """A card cannot be made or kept."""


class DesignError(CardError):
    """A file of ``resources/cards`` cannot be used."""


class TextTooLong(CardError):
    """The text does not fit even at the smallest size, where a card holds ``room`` characters or ``lines`` lines."""

    def __init__(self, letter: Letter, room: int, lines: int) -> None:
        characters, paragraphs = letter.characters, len(letter.paragraphs)
        if characters > room:
            sentence = Sentence(
                f"文字有 {characters} 字，这一款大约写得下 {room} 字，再多字就太小了。请删短一些，或换一款贺卡。",
                f"The text has {characters} characters and this card holds about {room}; more would be too small to "
                "read. Shorten it, or choose another card.",
            )
        else:
            sentence = Sentence(
                f"文字分成了 {paragraphs} 段，这一款最多写得下 {lines} 行。请把几段并成一段，或换一款贺卡。",
                f"The text has {paragraphs} paragraphs and this card holds {lines} lines. Join some of them, or choose "
                "another card.",
            )
        super().__init__(sentence)
        self.room = room


class SaveError(CardError):
    """The picture was not saved; whatever was at the target before is still there."""
