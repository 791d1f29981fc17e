"""What each run of a study is trained on. Pure: records in, records out, everything seeded.

All runs draw on one pool, records of the training split in an order whose every beginning has of each relationship its
share. A part of the pool is a beginning of it, so the parts are nested. Poor records stand in the places of good ones;
the places are those of a second such order, so that a larger share of them holds the smaller one too.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.records import Record


@dataclass(frozen=True)
class Variant:
    """One run.

    Attributes:
        share: of the pool that it is trained on, 0 to 1.
        poor: of the records it is trained on, the share that is poor, 0 to 1.
    """

    name: str
    share: float = 1.0
    poor: float = 0.0


WHOLE = Variant("whole")
VARIANTS = (
    WHOLE,
    *(Variant("half", share=0.5), Variant("quarter", share=0.25), Variant("eighth", share=0.125)),
    *(Variant("poor-25", poor=0.25), Variant("poor-50", poor=0.5), Variant("poor-75", poor=0.75)),
)


@dataclass(frozen=True)
class Poor:
    """A poor record, and the id of the good one in whose place it is."""

    instead_of: str
    record: Record


def stratified(records: Sequence[Record], seed: str) -> list[Record]:
    """The records in an order whose every beginning has of each relationship its share, give or take two records.

    Each relationship's records are shuffled and laid out at even distances from a random start (systematic sampling,
    Madow and Madow 1944).
    """
    generator = random.Random(seed)
    members: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        members[record.request.relationship].append(record)
    placed: list[tuple[float, Record]] = []
    for relationship in sorted(members):
        ones = members[relationship]
        generator.shuffle(ones)
        start = generator.random()
        placed += [((number + start) / len(ones), record) for number, record in enumerate(ones)]
    return [record for _, record in sorted(placed, key=lambda each: each[0])]


def pool_size(lengths: Sequence[int], tokens: int) -> int:
    """How many records, of these ``lengths`` in tokens, training on so many ``tokens`` passes through before it begins
    anew: all, where they have fewer."""
    total = 0
    for number, length in enumerate(lengths, 1):
        total += length
        if total >= tokens:
            return number
    return len(lengths)


def replaced(pool: Sequence[Record], seed: int) -> list[Record]:
    """The records that a poor one may stand in for, those that any share of them takes first coming first."""
    most = max(variant.poor for variant in VARIANTS)
    return stratified(pool, f"{seed}:poor")[: _count(most, len(pool))]


def records_of(variant: Variant, pool: Sequence[Record], poor: Sequence[Poor]) -> list[Record]:
    """What a run is trained on.

    Args:
        poor: one for each record of :func:`replaced`, in that order.
    """
    chosen = pool[: _count(variant.share, len(pool))]
    instead = {each.instead_of: each.record for each in poor[: _count(variant.poor, len(chosen))]}
    return [instead.get(record.id, record) for record in chosen]


def check_labels(records: Sequence[Record]) -> None:
    """Refuse records that are all for one relationship.

    Raises:
        TrainingError: they are.
    """
    relationships = {record.request.relationship for record in records}
    if len(relationships) < 2:
        only = next(iter(relationships), "—")
        raise TrainingError(
            Sentence(
                f"语料的训练部分只有一种关系（{only}），标签没有可打乱的，也看不出给谁写得不一样，study 比不出东西。"
                "请换一份至少有两种关系的语料。",
                f"The training part of the corpus has one relationship only ({only}): there are no labels to shuffle "
                "and no difference between people to measure, so a study shows nothing. Use a corpus with two or more.",
            )
        )


def _count(share: float, records: int) -> int:
    """A share of so many records, in whole ones; one at least of any share."""
    return max(1, round(share * records)) if share else 0
