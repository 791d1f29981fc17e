"""The corpus as the yardstick: what the measures need of its training split, made once for all systems and runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.copying import Runs
from training.evaluation.divergence import BigramModel, Quantizer
from training.evaluation.features import Scale
from training.evaluation.reader import Reader, train_reader
from training.records import Record

TONE = Sentence("语气", "tone")
RELATIONSHIP = Sentence("关系", "relationship")


@dataclass(frozen=True)
class Reference:
    """What was learned from the training split, and from nothing else.

    Attributes:
        records: of the training split, by number.
        scale: what is usual of each style feature.
        tones, relationships: a reader of each; None where the corpus has one only.
        notes: what cannot be measured with this corpus, and why.
    """

    records: int
    scale: Scale
    tones: Reader | None
    relationships: Reader | None
    bigrams: BigramModel
    quantizer: Quantizer
    runs: Runs
    notes: tuple[Sentence, ...]

    @classmethod
    def of(cls, records: Sequence[Record], seed: int = 0) -> "Reference":
        """Learn from the records: for five thousand about a minute and a half of one core.

        Args:
            seed: of the folds of cross-validation, of SVD and k-means.

        Raises:
            TrainingError: there are no records.
        """
        if not records:
            raise TrainingError(
                Sentence(
                    "语料的训练部分一条也没有，没有东西可比。请检查 split.json：它把所有记录都留出来了。",
                    "The corpus has no record to train on, so there is nothing to compare with. Check split.json: it "
                    "holds out every record.",
                )
            )
        bodies = [record.body for record in records]
        notes: list[Sentence] = []

        def reader(labels: Sequence[str], what: Sentence) -> Reader | None:
            try:
                return train_reader(bodies, labels, what, seed)
            except TrainingError as error:
                notes.append(error.sentence)
                return None

        return cls(
            records=len(records),
            scale=Scale.of(bodies),
            tones=reader([tone_of(record.request) for record in records], TONE),
            relationships=reader([relationship_of(record.request) for record in records], RELATIONSHIP),
            bigrams=BigramModel.of(bodies),
            quantizer=Quantizer.of(bodies, seed),
            runs=Runs(bodies),
            notes=tuple(notes),
        )


def tone_of(request: GreetingRequest) -> str:
    """The tone asked for."""
    return request.tone


def relationship_of(request: GreetingRequest) -> str:
    """The relationship asked for."""
    return request.relationship
