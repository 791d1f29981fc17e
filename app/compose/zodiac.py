"""The twelve animals of the years, in their order, by the character a request names them with."""

from app.compose.request import ZODIAC
from app.compose.sentence import Sentence

_ENGLISH = ("Rat", "Ox", "Tiger", "Rabbit", "Dragon", "Snake", "Horse", "Goat", "Monkey", "Rooster", "Dog", "Pig")

# The English keeps the character: it is the one that will stand in the text.
ANIMALS = {animal: Sentence(animal, f"{animal} {english}") for animal, english in zip(ZODIAC, _ENGLISH, strict=True)}
