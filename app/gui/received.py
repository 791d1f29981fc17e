"""What the people the window writes to have received, fetched once for every click, and asked of every text. No Qt."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from app.compose.request import GreetingRequest

if TYPE_CHECKING:
    from app.people.history import Sent
    from app.people.store import Store

REMEMBERED = 256  # texts; the same few are judged again with every change of a card

Repeated = Callable[[str], frozenset[int]]


class Received:
    """Knows of a request what was fetched for it last; before the first answer nothing counts as repeated.

    Args:
        entry: the id in the file of a version of a card, None while it has none: what was sent of a text itself is no
            repetition of it.
    """

    def __init__(self, entry: Callable[[int], int | None]) -> None:
        self._entry = entry
        self._repeated: dict[GreetingRequest, Repeated] = {}

    def take(self, request: GreetingRequest, repeated: Repeated) -> None:
        """Judge by this from now on."""
        self._repeated[request] = repeated

    def repeats(self, text: str, request: GreetingRequest, version: int) -> bool:
        """As the writing session asks."""
        repeated = self._repeated.get(request)
        return repeated is not None and bool(repeated(text) - {self._entry(version)})


def fetch_repeated(store: "Store", request: GreetingRequest) -> Repeated:
    """Which entries of what this person received a text repeats. For the people thread."""
    from app.people.addressee import received

    return repeated_among(received(store, request), request)


def repeated_among(earlier: "Sequence[Sent]", request: GreetingRequest) -> Repeated:
    """Which of ``earlier``, by their entries, a text for ``request`` repeats."""
    from app.people.repeats import repeats

    @lru_cache(maxsize=REMEMBERED)
    def repeated(text: str) -> frozenset[int]:
        return frozenset(sent.written for sent in earlier if repeats(text, sent.text, request))

    return repeated
