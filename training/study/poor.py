"""Poor records of three kinds, one after the other: what people put into a corpus who look at its size alone.

``base``: the untuned base's own text for the same request. ``shuffled``: the text, the name and the facts are the
record's, the relationship and the tone another one's, as if somebody had sorted the greetings without reading them.
``cliche``: stock sentences, made of the worn phrases that the guard and ``python -m training check`` look for.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.compose.catalog import Catalog
from app.compose.lexicon import IDIOMS
from app.compose.request import GreetingRequest
from training.records import Record
from training.study.corpora import Poor

BASE, SHUFFLED, CLICHE = KINDS = ("base", "shuffled", "cliche")
MIXED = "mixed"  # what a mixture of the three is called

# How each phrase of `app.compose.lexicon.CLICHES` is used by those who use it.
STOCK = {
    "辞旧迎新的日子": "在这辞旧迎新的日子里，",
    "佳节来临之际": "在佳节来临之际，",
    "新春佳节来临": "新春佳节来临，",
    "值此新春": "值此新春，",
    "值此佳节": "值此佳节，",
    "岁月不居": "岁月不居，",
    "时节如流": "时节如流，",
    "让我们": "让我们携手同行，",
    "不仅": "这不仅是团圆的时刻，更是新的起点，",
    "岁月静好": "愿岁月静好，",
}
_SENTENCES_A_LENGTH = {"short": 1, "medium": 2, "long": 3}


def asked_of_base(replaced: Sequence[Record]) -> list[Record]:
    """Those of the records whose request the base is to write for."""
    return [record for place, record in enumerate(replaced) if kind_of(place) == BASE]


def kind_of(place: int) -> str:
    """Of which kind the poor record in that place is."""
    return KINDS[place % len(KINDS)]


def poor_records(
    replaced: Sequence[Record], pool: Sequence[Record], base_texts: Mapping[str, str], catalog: Catalog, seed: int
) -> list[Poor]:
    """A poor record for each of ``replaced``, in its order.

    Args:
        pool: whose labels are drawn from; more than one relationship.
        base_texts: what the base wrote, by record id, for all of :func:`asked_of_base`.
    """
    makers = {
        BASE: lambda record: replace(record, text=base_texts[record.id]),
        SHUFFLED: lambda record: replace(record, request=other_labels(record, pool, seed)),
        CLICHE: lambda record: replace(record, text=cliche_text(record.request, catalog, f"{seed}:{record.id}")),
    }
    made = []
    for place, record in enumerate(replaced):
        kind = kind_of(place)
        made.append(Poor(record.id, replace(makers[kind](record), id=f"{record.id}~{kind}")))
    return made


def other_labels(record: Record, pool: Sequence[Record], seed: int) -> GreetingRequest:
    """The record's request with the relationship and the tone of another record of the pool, drawn from those that
    differ in both, or, where none does, in the relationship."""
    relationship, tone = record.cell
    others = [other.cell for other in pool if other.cell[0] != relationship]
    both = [cell for cell in others if cell[1] != tone]
    drawn = random.Random(f"{seed}:labels:{record.id}").choice(both or others)
    return replace(record.request, relationship=drawn[0], tone=drawn[1])


def cliche_text(request: GreetingRequest, catalog: Catalog, seed: str) -> str:
    """A greeting for the request out of nothing but stock: name and signature are right, and the length is, as far as
    there are wishes to fill it."""
    generator = random.Random(f"{seed}:cliche")
    length, relationship = catalog.length(request.length), catalog.relationship(request.relationship)
    sentences = generator.sample(sorted(STOCK.values()), _SENTENCES_A_LENGTH.get(length.id, 1))
    reader = "大家" if relationship.plural else "您" if relationship.pronoun == "您" else "你"
    opening = f"{request.address}，" if request.address else ""
    opening += "".join(sentences) + f"祝{reader}"
    closing = "！" + (f"——{request.signature}" if request.signature else "")
    wishes: list[str] = []
    for wish in generator.sample(IDIOMS, len(IDIOMS)):
        if wishes and len(opening + "、".join([*wishes, wish]) + closing) > (length.low + length.high) / 2:
            break
        wishes.append(wish)
    return opening + "、".join(wishes) + closing
