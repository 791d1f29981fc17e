"""What can be said of a text by rules alone: is what was given in it, and is it as long as such texts are?

Of greetings the app's guard says it, but for what it says of manner. Of other texts only what holds of any can be
checked.
"""

import re
from collections.abc import Callable

from app.compose.catalog import Catalog
from app.compose.guard import FACT_OVERLAP, LENGTH_TOLERANCE, fact_overlap
from app.compose.request import GreetingRequest
from training.evaluation.written import guard_reasons

Rules = Callable[[str, GreetingRequest], tuple[str, ...]]

_MANNER = frozenset({"cliche", "repetition"})  # what the guard says of how a text is written, not of what it says
# Shorter words are mostly grammar; hanzi have no spaces between words.
_WORD = re.compile(r"[^\W\d_\u2e80-\u9fff]{4,}|\d+")


def guard_rules(catalog: Catalog) -> Rules:
    """The guard's codes of what a greeting says wrong."""
    return lambda text, request: tuple(code for code in guard_reasons(text, request, catalog) if code not in _MANNER)


def general_rules(catalog: Catalog) -> Rules:
    """``empty``, ``address``, ``signature``, ``fact`` and ``length`` of any text; usual lengths are the catalogue's."""

    def faults(text: str, request: GreetingRequest) -> tuple[str, ...]:
        if not text.strip():
            return ("empty",)
        length = catalog.length(request.length)
        low, high = length.low * (1 - LENGTH_TOLERANCE), length.high * (1 + LENGTH_TOLERANCE)
        broken = {
            "address": bool(request.address) and request.address not in text,
            "signature": bool(request.signature) and request.signature not in text,
            "fact": any(overlap(fact, text) < FACT_OVERLAP for fact in request.details),
            "length": not low <= len(text.strip()) <= high,
        }
        return tuple(code for code, is_so in broken.items() if is_so)

    return faults


def overlap(fact: str, text: str) -> float:
    """The share of a fact that is in the text, 0 to 1: of its words and numbers where it is written with spaces, of its
    telling characters (:func:`app.compose.guard.fact_overlap`) where it is Chinese."""
    words = {word.lower() for word in _WORD.findall(fact)}
    if not words or re.search(r"[\u2e80-\u9fff]", fact):
        return fact_overlap(fact, text)
    there = {word.lower() for word in _WORD.findall(text)}
    return len(words & there) / len(words)
