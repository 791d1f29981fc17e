"""Records as token ids, and how they become batches: of like length, so that little is padding, in a seeded order.

Knows nothing of torch; the ids are those of the GGUF file that is trained.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.compose.catalog import Catalog
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.records import Record

Batch = TypeVar("Batch")

BUCKET_BATCHES = 32  # batches whose records are sorted by length together; between such groups the order is random


@dataclass(frozen=True)
class Example:
    """What is given and what is to be predicted, as token ids.

    ``place`` is its number in the list it came in, ``id`` its record's.
    """

    place: int
    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    id: str = ""

    @property
    def length(self) -> int:
        """Tokens of both."""
        return len(self.prompt) + len(self.answer)


def encode_records(model: Path, records: Iterable[Record], catalog: Catalog) -> list[Example]:
    """The records in the tokens of the GGUF file ``model``, in their order.

    Raises:
        ModelError, TrainingError: its vocabulary cannot be read.
    """
    # llama.cpp is compiled code, which the other functions here do without.
    from training.encoding import Encoder

    with Encoder(model) as encoder:
        encoded = [(record.id, encoder.encode(record, catalog)) for record in records]
    return [Example(place, tuple(one.prompt), tuple(one.answer), id) for place, (id, one) in enumerate(encoded)]


def in_batches(examples: Iterable[Example], most_tokens: int) -> list[list[Example]]:
    """The examples in their order, cut into batches of at most ``most_tokens``, padding to the longest counted.

    Raises:
        TrainingError: one example alone is longer.
    """
    batches: list[list[Example]] = []
    longest = 0
    for example in examples:
        if example.length > most_tokens:
            length, id = example.length, example.id
            raise TrainingError(
                Sentence(
                    f"记录 {id} 有 {length} 个词元，超过了 batch_tokens（{most_tokens}）。请缩短它，或调大这个数。",
                    f"Record {id} has {length} tokens, more than batch_tokens ({most_tokens}). Shorten it, or raise "
                    "batch_tokens.",
                )
            )
        longest = max(longest, example.length)
        if not batches or longest * (len(batches[-1]) + 1) > most_tokens:
            batches.append([])
            longest = example.length
        batches[-1].append(example)
    return batches


def by_length(examples: Iterable[Example], most_tokens: int) -> list[list[Example]]:
    """Batches with the least padding, short ones first: for measuring, where order does not matter."""
    return in_batches(sorted(examples, key=lambda example: (example.length, example.place)), most_tokens)


def of_epochs(batches_of: Callable[[int], list[Batch]], epochs: float) -> list[Batch]:
    """Those of all steps, from the batches of each epoch; a broken number of epochs ends within one."""
    batches: list[Batch] = []
    epoch = 0
    while epoch < epochs:
        ones = batches_of(epoch)
        batches += ones[: max(1, round(len(ones) * min(1.0, epochs - epoch)))]
        epoch += 1
    return batches


def epoch_batches(examples: Sequence[Example], most_tokens: int, seed: int, epoch: int) -> list[list[Example]]:
    """The batches of one pass over the examples, the same for the same seed and epoch on every machine.

    The examples are shuffled, then sorted by length within groups of ``BUCKET_BATCHES`` batches; the batches of all
    groups are shuffled again. Strings seed ``random`` by their SHA-512, the same in every process.
    """
    generator = random.Random(f"{seed}:{epoch}")
    shuffled = list(examples)
    generator.shuffle(shuffled)
    mean = sum(example.length for example in shuffled) / max(1, len(shuffled))
    size = max(1, int(most_tokens / max(1.0, mean))) * BUCKET_BATCHES
    batches: list[list[Example]] = []
    for start in range(0, len(shuffled), size):
        batches += by_length(shuffled[start : start + size], most_tokens)
    generator.shuffle(batches)
    return batches
