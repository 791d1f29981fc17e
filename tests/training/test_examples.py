"""Batches are full, of like length, and in an order that follows from seed and epoch alone."""

import hashlib
import json
import random
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from tests.training.small_corpus import few_records
from training.encoding import Encoder
from training.errors import TrainingError
from training.examples import Example, by_length, encode_records, epoch_batches, in_batches
from training.lora import all_batches
from training.records import CORPUS, corpus_lines

LIMIT = 1024
PROMPT_TOKENS = 40  # of an ordinary prompt; Chinese has about a token a character


def _example(place: int, prompt: int, answer: int) -> Example:
    return Example(place, (1,) * prompt, (2,) * answer, f"few:{place + 1}")


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """As many and as long as the corpus has them."""
    texts = [json.loads(line)["text"] for _, line in corpus_lines(CORPUS)]
    return [_example(place, PROMPT_TOKENS, len(text) + 1) for place, text in enumerate(texts)]


def _padded(batch: list[Example]) -> int:
    return len(batch) * max(example.length for example in batch)


def test_an_epoch_has_every_example_once_in_batches_within_the_limit_and_with_little_padding(examples: list[Example]):
    for epoch in range(2):
        batches = epoch_batches(examples, LIMIT, 7, epoch)
        assert sorted(example.place for batch in batches for example in batch) == list(range(len(examples)))
        assert max(map(_padded, batches)) <= LIMIT and all(batches)
        tokens = sum(example.length for example in examples)
        assert tokens / sum(map(_padded, batches)) > 0.9
        assert len(batches) < 1.15 * tokens / LIMIT


def test_the_order_follows_from_seed_and_epoch_and_differs_between_them(examples: list[Example]):
    def places(seed: int, epoch: int) -> list[list[int]]:
        return [[example.place for example in batch] for batch in epoch_batches(examples, LIMIT, seed, epoch)]

    random.seed(1)
    first = places(7, 0)
    random.seed(2)
    assert places(7, 0) == first
    assert places(7, 1) != first != places(8, 0) != places(7, 1)
    # Long and short batches are mixed: neither half of an epoch has the short ones.
    lengths = [len(batch) for batch in first]
    middle = len(lengths) // 2
    assert sum(lengths[:middle]) / middle == pytest.approx(sum(lengths) / len(lengths), rel=0.1)


def test_the_order_is_the_same_on_every_machine():
    some = [_example(place, 20, 5 + place * 7 % 60) for place in range(500)]
    places = [[example.place for example in batch] for batch in epoch_batches(some, 512, 20270206, 1)]
    assert hashlib.sha256(json.dumps(places).encode()).hexdigest()[:16] == "cb82513f0a7dec9f"


def test_a_broken_number_of_epochs_ends_within_one(examples: list[Example]):
    whole = all_batches(examples, LIMIT, 7, 1.0)
    assert whole == epoch_batches(examples, LIMIT, 7, 0)
    more = all_batches(examples, LIMIT, 7, 1.5)
    assert more[: len(whole)] == whole
    assert more[len(whole) :] == epoch_batches(examples, LIMIT, 7, 1)[: len(more) - len(whole)]
    assert len(more) - len(whole) == pytest.approx(len(whole) / 2, abs=1)
    assert len(all_batches(examples[:3], LIMIT, 7, 0.01)) == 1


def test_batches_for_measuring_keep_everything_and_waste_nearly_nothing(examples: list[Example]):
    batches = by_length(examples, LIMIT)
    assert [example.length for batch in batches for example in batch] == sorted(example.length for example in examples)
    assert sum(example.length for example in examples) / sum(map(_padded, batches)) > 0.98
    assert by_length([], LIMIT) == [] == epoch_batches([], LIMIT, 1, 0)


def test_examples_are_cut_where_the_limit_is_reached():
    some = [_example(place, 10, 10) for place in range(7)]
    assert [len(batch) for batch in in_batches(some, 60)] == [3, 3, 1]
    assert [len(batch) for batch in in_batches([*some[:2], _example(7, 10, 30), *some[2:]], 60)] == [2, 1, 3, 2]


def test_an_example_longer_than_a_batch_is_named():
    with pytest.raises(TrainingError) as error:
        in_batches([_example(0, 10, 10), _example(1, 50, 51)], 100)
    for sentence in (error.value.sentence.zh, error.value.sentence.en):
        assert "few:2" in sentence and "101" in sentence and "100" in sentence and "batch_tokens" in sentence


def test_records_become_the_ids_of_the_models_own_tokenizer(tiny_float_base: Path, tmp_path: Path):
    records = few_records(tmp_path / "corpus")
    examples = encode_records(tiny_float_base, records, load_catalog())
    with Encoder(tiny_float_base) as encoder:
        for place, (record, example) in enumerate(zip(records, examples, strict=True)):
            prompt, answer = encoder.encode(record, load_catalog())
            assert example == Example(place, tuple(prompt), tuple(answer), record.id)
            assert example.length == len(prompt) + len(answer)
