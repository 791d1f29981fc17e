"""What the runs of a study are trained on: parts that are nested and stratified, mixtures that are what they say."""

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import GreetingRequest
from training.errors import TrainingError
from training.records import CORPUS, Record, Split, read_corpus, read_split
from training.study.corpora import (
    VARIANTS,
    Poor,
    Variant,
    check_labels,
    pool_size,
    records_of,
    replaced,
    stratified,
)

SIZES = {"boss": 90, "parents": 31, "friend": 7, "client": 2}  # an uneven corpus
SEED = 5


def corpus() -> list[Record]:
    return [
        Record(f"{relationship}:{number}", GreetingRequest(relationship, "warm"), f"{relationship} {number}")
        for relationship, size in SIZES.items()
        for number in range(size)
    ]


def poor_for(pool: Sequence[Record]) -> list[Poor]:
    return [Poor(record.id, Record(f"{record.id}~poor", record.request, "poor")) for record in replaced(pool, SEED)]


@pytest.fixture(scope="module")
def real() -> Split:
    """The corpus we ship, in its parts."""
    return read_split(CORPUS, read_corpus(CORPUS, load_catalog()))


def test_every_beginning_has_of_each_relationship_its_share():
    records = corpus()
    ordered = stratified(records, "a")
    assert sorted(record.id for record in ordered) == sorted(record.id for record in records)
    for size in range(1, len(ordered) + 1):
        found = Counter(record.request.relationship for record in ordered[:size])
        for relationship, members in SIZES.items():
            assert abs(found[relationship] - members * size / len(ordered)) <= 2, (relationship, size)


def test_the_seed_decides_which_records_they_are():
    assert stratified(corpus(), "a") == stratified(corpus(), "a")
    one, other = ({record.id for record in stratified(corpus(), seed)[:40]} for seed in ("a", "b"))
    assert len(one & other) < 35


def test_a_smaller_part_is_in_the_larger_one():
    pool = stratified(corpus(), "a")
    parts = [
        {record.id for record in records_of(variant, pool, [])}
        for variant in sorted(VARIANTS, key=lambda variant: variant.share)
        if not variant.poor
    ]
    assert [len(part) for part in parts] == [round(len(pool) * share) for share in (1 / 8, 1 / 4, 1 / 2, 1)]
    assert all(smaller < larger for smaller, larger in itertools.pairwise(parts))


def test_the_mixtures_have_the_poor_shares_they_are_named_for_and_each_holds_the_smaller():
    pool = stratified(corpus(), "a")
    poor = poor_for(pool)
    before: set[str] = set()
    for share in (0.25, 0.5, 0.75):
        variant = next(variant for variant in VARIANTS if variant.poor == share)
        mixed = records_of(variant, pool, poor)
        assert variant.name == f"poor-{share:.0%}".rstrip("%") and len(mixed) == len(pool)
        worse = {record.id for record in mixed if record.text == "poor"}
        assert len(worse) == round(share * len(pool)) and before < worse
        # In the place of a good record, and for its request; the others are as they were.
        for place, record in enumerate(mixed):
            assert record.request == pool[place].request
            assert record.id.removesuffix("~poor") == pool[place].id
        replaced_of = Counter(name.partition(":")[0] for name in worse)
        for relationship, members in SIZES.items():
            assert abs(replaced_of[relationship] - share * members) <= 2
        before = worse


def test_the_pool_is_what_the_steps_pass_through_once():
    assert pool_size([10, 10, 10, 10], 25) == 3
    assert pool_size([10, 10, 10, 10], 30) == 3
    assert pool_size([10, 10, 10, 10], 31) == 4
    assert pool_size([10, 10, 10, 10], 1000) == 4


def test_nothing_held_out_of_the_corpus_gets_in(real: Split):
    held = (*real.validation, *real.test)
    ids, texts = {record.id for record in held}, {record.text for record in held}
    pool = stratified(real.train, "a")
    poor = poor_for(pool)
    for variant in VARIANTS:
        for record in records_of(variant, pool, poor):
            assert record.id.removesuffix("~poor") not in ids and record.text not in texts


def test_of_the_corpus_we_ship_even_an_eighth_has_every_relationship(real: Split):
    pool = stratified(real.train, "a")
    eighth = records_of(next(variant for variant in VARIANTS if variant.name == "eighth"), pool, [])
    all_of, some = (Counter(record.request.relationship for record in part) for part in (real.train, eighth))
    assert set(some) == set(all_of)
    assert all(abs(some[each] - all_of[each] / 8) <= 2 for each in all_of)


def test_a_corpus_for_one_relationship_is_refused():
    alike = [record for record in corpus() if record.request.relationship == "boss"]
    with pytest.raises(TrainingError) as error:
        check_labels(alike)
    assert "只有一种关系（boss）" in error.value.sentence.zh and "至少有两种关系" in error.value.sentence.zh
    assert "one relationship only (boss)" in error.value.sentence.en
    check_labels(corpus())


def test_a_share_of_few_records_is_one_at_least():
    pool = corpus()[:2]
    assert len(records_of(Variant("tiny", share=0.125), pool, [])) == 1
    assert [record.text for record in records_of(Variant("bad", poor=0.25), pool, poor_for(pool))].count("poor") == 1
