"""Text on its way into the file: what can be stored, what is searched, and the tokens of the search index."""

import unicodedata
from itertools import pairwise

from app.compose.request import fold
from app.compose.sentence import Sentence
from app.people.errors import too_long

LONGEST_WORD = 40  # characters of a word searched for; further ones do not narrow the search


def storable(text: str) -> str:
    """``text`` without what SQLite cannot hold or cuts a text at: lone surrogates become U+FFFD, NUL goes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def line(text: str, name: Sentence, most: int) -> str:
    """Typed ``text`` as one plain line of at most ``most`` characters; ``name`` is what it is called.

    Raises:
        StoreError: ``too_long``.
    """
    # Folding is linear in the length, but a cell of ten megabytes need not be folded to be refused.
    folded = fold(text[: 100 * most])
    if len(folded) > most or len(text) > 100 * most:
        raise too_long(name, len(text), most)
    return folded


def searchable(*parts: str) -> str:
    """The form in which texts and words are compared: full and half width, upper and lower case are one.

    NFKC, Unicode case folding, then NFC again as folding may leave it. Parts end up on lines of their own, so that no
    word is found across two.
    """
    return "\n".join(
        unicodedata.normalize("NFC", unicodedata.normalize("NFKC", storable(part)).casefold()) for part in parts if part
    )


def words(query: str) -> tuple[str, ...]:
    """The words of a typed query in the form of :func:`searchable`, each once."""
    found = (word[:LONGEST_WORD] for word in searchable(query[:1000]).split())
    return tuple(dict.fromkeys(found))


def tokens(text: str) -> str:
    """Every pair of neighbours in ``text``, and its last alone, as words of the index.

    The units are UTF-16's, written as four hexadecimal digits each: whatever a person typed, the tokenizer sees
    nothing but ASCII letters and digits, and knows no Unicode version. Chinese has no spaces, and the usual trigrams
    find no word of two characters, which most are.
    """
    units = _units(text)
    return " ".join(one + other for one, other in zip(units, [*units[1:], ""], strict=False))


def phrase(word: str) -> str:
    """The FTS5 expression that finds ``word``, which is not empty, wherever it stands in an indexed text."""
    units = _units(word)
    if len(units) == 1:
        return f'"{units[0]}"*'
    return '"' + " ".join(one + other for one, other in pairwise(units)) + '"'


def _units(text: str) -> list[str]:
    digits = text.encode("utf-16-be").hex()
    return [digits[i : i + 4] for i in range(0, len(digits), 4)]
