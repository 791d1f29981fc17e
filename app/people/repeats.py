"""No picture and no joke twice to the same person: does a new text repeat one this person has received?

Two texts that are alike as a whole (:func:`app.compose.select.alike`) repeat each other. So do two that share
:data:`SHARED` pairs of neighbouring characters which are neither common in greetings nor words of the request, as a
name or a fact given again has to return. Of 10,080 pairs of corpus texts for the same relationship and tone, which were
written without using a picture twice, this stops 32; of twenty pairs written to use one again in other words, all of
which ``alike`` lets pass, it stops every one (``tests/people/test_repeats.py``).
"""

import re
from collections.abc import Iterable

from app.compose.request import GreetingRequest
from app.compose.select import alike
from app.people.common_bigrams import COMMON_BIGRAMS
from app.people.history import Sent

SHARED = 3


def repeated(text: str, request: GreetingRequest, earlier: Iterable[Sent]) -> Sent | None:
    """The first of what a person received earlier (:func:`app.people.history.sent_to`) that ``text`` repeats."""
    return next((sent for sent in earlier if repeats(text, sent.text, request)), None)


def repeats(text: str, other: str, request: GreetingRequest) -> bool:
    """Whether a person who gets both texts would notice, ``request`` being what ``text`` was asked to say."""
    return alike(text, other) or len(_shared(text, other, request)) >= SHARED


def _shared(text: str, other: str, request: GreetingRequest) -> set[str]:
    given = set().union(*map(_bigrams, (request.address, request.signature, *request.details)))
    return (_bigrams(text) & _bigrams(other)) - COMMON_BIGRAMS - given


def _bigrams(text: str) -> set[str]:
    body = re.sub(r"\W", "", text)
    return {body[i : i + 2] for i in range(len(body) - 1)}
