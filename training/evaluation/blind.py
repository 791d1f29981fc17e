"""Texts of several systems for the same request, side by side, in an order that does not tell who wrote which."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.compose.catalog import Catalog
from app.compose.prompt import user_message
from app.compose.request import GreetingRequest
from training.evaluation.outputs import AUTHOR, Output, first_texts
from training.part import spread

SHOWN = 30  # requests
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Text:
    """One text under a letter, and who wrote it."""

    letter: str
    system: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """A request, as the lines it was asked in, and its texts, shuffled."""

    request: str
    asked: tuple[str, ...]
    texts: tuple[Text, ...]


def side_by_side(
    outputs: Sequence[Output],
    asked: Mapping[tuple[str, str], GreetingRequest],
    author: Mapping[str, str],
    catalog: Catalog,
    seed: int = 0,
) -> list[Comparison]:
    """:data:`SHOWN` of the requests that every system answered, at even distances in the order of ``asked``; of every
    system the text of its first seed, unchosen.

    Args:
        asked: the requests, by id and variation.
        author: the corpus author's own text, by request id, where there is one.
    """
    by_system: defaultdict[str, list[Output]] = defaultdict(list)
    for output in outputs:
        by_system[output.system].append(output)
    first = {system: first_texts(ones) for system, ones in by_system.items()}
    answered = [
        (id, request)
        for (id, variation), request in asked.items()
        if not variation and first and all(id in texts for texts in first.values())
    ]
    return [
        Comparison(
            id,
            tuple(user_message(request, catalog).split("\n")[1:]),
            _shuffled(
                {system: texts[id] for system, texts in first.items()} | ({AUTHOR: author[id]} if id in author else {}),
                random.Random(f"{seed}:{id}"),
            ),
        )
        for id, request in spread(answered, SHOWN)
    ]


def _shuffled(texts: Mapping[str, str], generator: random.Random) -> tuple[Text, ...]:
    systems = sorted(texts)
    generator.shuffle(systems)
    return tuple(Text(letter, system, texts[system]) for letter, system in zip(LETTERS, systems, strict=False))
