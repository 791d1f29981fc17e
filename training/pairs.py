"""Pairs of answers to one prompt, of which one is preferred: what the preference stage learns from.

Two sources: the corpus's text against what the tuned model itself writes for the same request; or the model's own texts
among themselves, as a reader marked them (:mod:`training.reading`): what would be sent against what would not.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest
from training.examples import Example
from training.marks import Mark

if TYPE_CHECKING:
    from training.encoding import Encoder

HELD_SHARE = 0.1  # of the marked requests, to validate with


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, and their log-likelihoods (nats) under the model after the first stage."""

    chosen: Example
    rejected: Example
    chosen_reference: float = 0.0
    rejected_reference: float = 0.0

    @property
    def examples(self) -> tuple[Example, Example]:
        """Both."""
        return self.chosen, self.rejected


def marked_pairs(
    marks: Sequence[Mark], encoder: "Encoder", catalog: Catalog, most: int, seed: int
) -> tuple[list[Pair], list[Pair]]:
    """Pairs of what would be sent and what would not, for the same request; those to train on and those to validate.

    Args:
        most: of one request, so that an easy one does not outweigh the others; drawn by ``seed``.

    Returns:
        All pairs of a request are on one side. Places of examples count through both.
    """
    by_request: dict[GreetingRequest, tuple[dict[str, None], dict[str, None]]] = defaultdict(lambda: ({}, {}))
    for mark in marks:
        by_request[mark.request][0 if mark.send else 1][mark.text] = None
    taught: list[Pair] = []
    held: list[Pair] = []
    for request, (sent, unsent) in by_request.items():
        prompt = tuple(encoder.encode_prompt(request, catalog))
        asked = json.dumps(prompt)
        generator = random.Random(f"{seed}:{asked}")
        couples = [(better, worse) for better in sent for worse in unsent if worse not in sent]
        generator.shuffle(couples)
        side = held if generator.random() < HELD_SHARE else taught
        for better, worse in couples[:most]:
            chosen, rejected = (tuple(encoder.encode_answer(text)) for text in (better, worse))
            side.append(Pair(Example(0, prompt, chosen), Example(0, prompt, rejected)))
    return _numbered(taught, 0), _numbered(held, 2 * len(taught))


def _numbered(pairs: Sequence[Pair], first: int) -> list[Pair]:
    return [
        replace(
            pair,
            chosen=replace(pair.chosen, place=first + 2 * number),
            rejected=replace(pair.rejected, place=first + 2 * number + 1),
        )
        for number, pair in enumerate(pairs)
    ]


def own_pairs(
    asked: Sequence[Example], own: Sequence[tuple[int, ...]], end: int, held: Sequence[Example]
) -> tuple[list[Pair], list[Pair]]:
    """Corpus against own text, for every answer that ended and is not the corpus's; as :func:`marked_pairs`.

    Args:
        asked: the prompts, with the corpus's answers.
        own: what the model wrote, without the end of the turn; empty where it did not end.
        held: those of ``asked`` to validate with.
    """
    places = {example.place for example in held}
    taught: list[Pair] = []
    looked_at: list[Pair] = []
    for example, text in zip(asked, own, strict=True):
        answer = (*text, end)
        if text and answer != example.answer:
            side = looked_at if example.place in places else taught
            side.append(Pair(example, Example(0, example.prompt, answer)))
    return _numbered(taught, 0), _numbered(looked_at, 2 * len(taught))
