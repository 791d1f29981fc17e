"""How likely a model finds the corpus's answers, and what it would have chosen instead: the measure of a GGUF file.

The negative log-likelihood of the answer's tokens (the greeting and the end of the turn) given the prompt, in nats.
Any file llama.cpp opens is measured the same way, with its own tokenizer, whatever its types and vocabulary; only
files with the same vocabulary have losses that can be compared to the last digit, as dropped tokens take no part.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.compose.catalog import Catalog
from app.compose.sentence import Sentence
from training.decoder import Decoder, Floats
from training.encoding import Encoded, Encoder
from training.errors import TrainingError
from training.records import Record

TOKENS_AT_ONCE = 512  # in one llama_decode; more costs memory and, since all attend to all cells, time
MOST_SEQUENCES = 64
_ROWS_AT_ONCE = 32  # of logits; their exponentials stay near the processor's cache


@dataclass(frozen=True)
class RecordLikelihood:
    """One record.

    Attributes:
        id: the record's.
        nats: negative log-likelihood of its answer, summed over the tokens.
        choices: the most likely token at each answer position, given all that stands before it.
        choices_among: likewise, but only of the tokens asked about; empty where none were.
    """

    id: str
    nats: float
    choices: tuple[int, ...]
    choices_among: tuple[int, ...] = ()

    @property
    def tokens(self) -> int:
        """How many tokens the answer has, the end of the turn included."""
        return len(self.choices)


@dataclass(frozen=True)
class Likelihood:
    """What :func:`measure` found, a record each, in the order given."""

    records: tuple[RecordLikelihood, ...]

    @property
    def nats(self) -> float:
        """The sum over all tokens."""
        return float(sum(record.nats for record in self.records))

    @property
    def tokens(self) -> int:
        """How many tokens all answers have."""
        return sum(record.tokens for record in self.records)

    @property
    def loss(self) -> float:
        """The mean, in nats per token."""
        return self.nats / self.tokens


def measure(
    model: Path,
    records: Sequence[Record],
    catalog: Catalog,
    *,
    among: Sequence[int] | None = None,
    tokens_at_once: int = TOKENS_AT_ONCE,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Likelihood:
    """The likelihood of every record's answer.

    Args:
        model: a GGUF file.
        among: ascending ids; the choices among them alone are reported too.
        tokens_at_once: how many tokens of whole records are evaluated together; 1 takes one record at a time.
        threads: None for one a processor.
        progress: records done, records in all.

    Raises:
        ModelError: not a whole GGUF model.
        TrainingError: llama.cpp cannot open or run it, a record is longer than its context, or there are no records.
    """
    if not records:
        raise TrainingError(Sentence("没有记录可以衡量，请检查语料。", "There are no records to measure with."))
    with Encoder(model) as encoder:
        encoded = [encoder.encode(record, catalog) for record in records]
    lengths = [len(prompt) + len(answer) - 1 for prompt, answer in encoded]
    found: list[RecordLikelihood] = []
    kept = None if among is None else np.asarray(among, np.intp)
    room = max(tokens_at_once, *lengths)
    with Decoder(model, tokens=room, sequences=MOST_SEQUENCES, threads=threads) as decoder:
        if max(lengths) > decoder.trained_context:
            longest = records[lengths.index(max(lengths))]
            raise _too_long(longest, max(lengths), model, decoder.trained_context)
        for first, last in _batches(lengths, tokens_at_once):
            logits = _logits(decoder, encoded[first:last])
            for record, (_, answer) in zip(records[first:last], encoded[first:last], strict=True):
                rows, logits = logits[: len(answer)], logits[len(answer) :]
                found.append(_judged(record.id, rows, answer, kept))
            progress(len(found), len(records))
    return Likelihood(tuple(found))


def _batches(lengths: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """First and last (not included) of each run of records evaluated together; at least one in each."""
    first = total = 0
    for index, length in enumerate(lengths):
        if index > first and (total + length > most or index - first == MOST_SEQUENCES):
            yield first, index
            first, total = index, 0
        total += length
    yield first, len(lengths)


def _logits(decoder: Decoder, batch: Sequence[Encoded]) -> Floats:
    """The logits each answer token was predicted from, one record after the other."""
    tokens: list[int] = []
    positions: list[int] = []
    sequences: list[int] = []
    outputs: list[bool] = []
    for sequence, (prompt, answer) in enumerate(batch):
        given = [*prompt, *answer[:-1]]
        tokens += given
        positions += range(len(given))
        sequences += [sequence] * len(given)
        outputs += [False] * (len(prompt) - 1) + [True] * len(answer)
    decoder.clear()
    return decoder.decode(tokens, positions, sequences, outputs)


def _judged(name: str, logits: Floats, answer: Sequence[int], among: NDArray[np.intp] | None) -> RecordLikelihood:
    nats = 0.0
    choices: list[int] = []
    choices_among: list[int] = []
    for start in range(0, len(answer), _ROWS_AT_ONCE):
        rows = logits[start : start + _ROWS_AT_ONCE]
        targets = answer[start : start + _ROWS_AT_ONCE]
        top = rows.max(axis=1, keepdims=True)
        # float32 differences and exponentials, a float64 sum: 1e-7 of relative error in each term, none added by it.
        totals = np.exp(rows - top).sum(axis=1, dtype=np.float64)
        given = rows[np.arange(len(rows)), targets].astype(np.float64)
        nats += float((np.log(totals) + top[:, 0] - given).sum())
        choices += rows.argmax(axis=1).tolist()
        if among is not None:
            choices_among += among[rows[:, among].argmax(axis=1)].tolist()
    return RecordLikelihood(name, nats, tuple(choices), tuple(choices_among))


def _too_long(record: Record, length: int, model: Path, context: int) -> TrainingError:
    return TrainingError(
        Sentence(
            f"记录 {record.id} 有 {length} 个词元，超过 {model.name} 的上下文（{context}）。请缩短它，或换一个模型。",
            f"Record {record.id} has {length} tokens, more than the context of {model.name} ({context}). Shorten it, "
            "or use another model.",
        )
    )
