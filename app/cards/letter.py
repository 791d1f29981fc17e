"""The text as a letter: its paragraphs, and the signature that stands apart at the end."""

import re
from dataclasses import dataclass

from app.compose.request import LONGEST

LONGEST_SIGNATURE = LONGEST["signature"]  # characters; what follows a dash and is longer is a sentence
# A dash and a name at the end of the text, with or without a line of its own.
_SIGNED = re.compile(rf"\s*(?:——|--|—)\s*([^\s，。！？；：、,.!?—…]{{1,{LONGEST_SIGNATURE}}})\s*$")


@dataclass(frozen=True)
class Letter:
    """What a card says. A paragraph has no line break and no space at its ends; ``signature`` has no dash."""

    paragraphs: tuple[str, ...]
    signature: str = ""

    @property
    def characters(self) -> int:
        """How long it is, spaces not counted."""
        return sum(not character.isspace() for text in (*self.paragraphs, self.signature) for character in text)


def read_letter(text: str, signature: str = "") -> Letter:
    """``text`` as it was written, and who signs it.

    A name after a dash at the end is the signature, as greetings carry it, unless the dash stands within a sentence;
    ``signature`` is used when there is none.
    """
    signed = _SIGNED.search(text)
    if signed and signed.start() > 0 and not text[signed.start() - 1].isalnum():
        text, signature = text[: signed.start()], signed.group(1)
    paragraphs = (" ".join(line.split()) for line in text.splitlines())
    return Letter(tuple(line for line in paragraphs if line), " ".join(signature.split()))
