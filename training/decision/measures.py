"""What a corpus says, and a trial on it: figures, with the interval of a bootstrap over requests where there is one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from training.decision.corpus import Corpus, LabelledRequest, request_of
from training.decision.rules import Rules
from training.decision.systems import PROMPT
from training.decision.trial import Trial
from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate, mean_over_requests
from training.evaluation.consistency import across_changes
from training.evaluation.features import Scale
from training.evaluation.reader import FOLDS, Reader, recognised, train_reader
from training.evaluation.written import Written, unchanged, with_requests
from training.neighbours import NEAR_REPEAT, near_pairs
from training.part import spread
from training.records import Record

# What is said in these fields is not how it is said.
NOT_MANNER = ("length", "occasion")
COMPARED = 1500  # records that are compared with all others of their labels


@dataclass(frozen=True)
class LabelFigures:
    """How far the texts of a corpus agree on one label.

    Attributes:
        values: how many a reader can tell apart.
        chance: the accuracy of always naming the commonest.
        accuracy: of a reader on texts it was not trained on, cross-validated (:mod:`training.evaluation.reader`).
        repeats: pairs of texts that are nearly the same, the one reworked from the other.
        differing: those of them that have different values.
    """

    field: str
    values: int
    chance: float
    accuracy: float
    repeats: int
    differing: int

    @property
    def agreement(self) -> float:
        """Accuracy beyond chance, at most 1, corrected as kappa is: (accuracy - chance) / (1 - chance)."""
        return (self.accuracy - self.chance) / (1 - self.chance)

    def recovered(self, accuracy: float) -> float:
        """How much of what can be recognised in the corpus an ``accuracy`` on other texts is, 1 for all of it:
        (accuracy - chance) / (the corpus's accuracy - chance)."""
        return (accuracy - self.chance) / max(1e-9, self.accuracy - self.chance)


@dataclass(frozen=True)
class CorpusFigures:
    """What the corpus alone says.

    Attributes:
        records: of the whole corpus.
        combinations: of labels of manner that there are.
        labels: of each that can be measured.
        openness: how little of a text stands in the nearest other one with the same labels, 0 to 1, median over texts:
            1 minus the containment of 4-grams (:mod:`training.neighbours`). None where no two have the same labels.
        notes: what is to be known, and what could not be measured.
    """

    records: int
    combinations: int
    labels: tuple[LabelFigures, ...]
    openness: float | None
    notes: tuple[Sentence, ...]


@dataclass(frozen=True)
class SystemFigures:
    """What the texts of one system say.

    Attributes:
        passes: share that the content rules find nothing wrong with.
        recognised: by label, the share that a reader takes for what was asked.
        steady: style under changes of the input that should not change it
            (:func:`training.evaluation.consistency.across_changes`).
        flips: how often, under such a change, a reader takes the text for another value of a label than before, mean
            over labels.
        prompt_tokens, seconds: of a text.
    """

    passes: Estimate
    recognised: Mapping[str, Estimate]
    steady: Estimate | None
    flips: Estimate | None
    prompt_tokens: float
    seconds: float


@dataclass(frozen=True)
class TrialFigures:
    """What a trial says.

    Attributes:
        author_passes: share of the corpus's own texts that pass the same rules.
        told_apart: accuracy of a reader, cross-validated, at telling the author's texts from the prompted base's; None
            where there are too few.
        rules_apart: accuracy of the content rules at the same: of taking what passes for the author's.
    """

    requests: int
    systems: Mapping[str, SystemFigures]
    author_passes: float
    told_apart: float | None
    rules_apart: float


def readers_of(corpus: Corpus, records: Sequence[Record]) -> tuple[dict[str, Reader], tuple[Sentence, ...]]:
    """A reader of every label of manner, trained on the records; and why there is none of the others."""
    readers: dict[str, Reader] = {}
    notes: list[Sentence] = []
    for field in corpus.labels.fields:
        if field in NOT_MANNER:
            continue
        values = [request_of(record).label(field) for record in records]
        counts = Counter(value for value in values if value)
        common = {value for value, count in counts.items() if count >= FOLDS}  # each has to be in every fold
        if rare := sorted(set(counts) - common):
            notes.append(_rare(field, rare))
        kept = [(record, value) for record, value in zip(records, values, strict=True) if value in common]
        texts = [record.body for record, _ in kept]
        try:
            readers[field] = train_reader(texts, [value for _, value in kept], Sentence(field, field))
        except TrainingError as error:
            notes.append(error.sentence)
    return readers, tuple(notes)


def corpus_figures(corpus: Corpus, readers: Mapping[str, Reader], notes: Sequence[Sentence]) -> CorpusFigures:
    """Those of the whole corpus, and how well the readers read what they were trained on.

    Args:
        notes: why a label has no reader.
    """
    requests = [request_of(record) for record in corpus.records]
    bodies = [record.body for record in corpus.records]
    repeats = list(near_pairs(bodies, NEAR_REPEAT))
    labels = tuple(
        LabelFigures(
            field=field,
            values=len(reader.labels),
            chance=reader.chance,
            accuracy=reader.cross_validated,
            repeats=len(repeats),
            differing=sum(requests[pair.earlier].label(field) != requests[pair.later].label(field) for pair in repeats),
        )
        for field, reader in readers.items()
        if reader.cross_validated is not None
    )
    cells: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for record in spread(corpus.records, COMPARED):
        body, request = record.body, request_of(record)
        cells[tuple(request.label(field) for field in readers)].append(body)
    manner = [field for field in corpus.labels.fields if field not in NOT_MANNER]
    combinations = len({tuple(map(request.label, manner)) for request in requests})
    return CorpusFigures(len(bodies), combinations, labels, _openness(cells.values()), (*corpus.notes, *notes))


def _openness(cells: Iterable[Sequence[str]]) -> float | None:
    nearest: list[float] = []
    for texts in cells:
        shares = [0.0] * len(texts)
        for earlier, later, share in near_pairs(texts, 0.0):
            shares[earlier], shares[later] = max(shares[earlier], share), max(shares[later], share)
        nearest += shares if len(texts) > 1 else []
    return 1 - median(nearest) if nearest else None


def trial_figures(trial: Trial, readers: Mapping[str, Reader], rules: Rules, records: Sequence[Record]) -> TrialFigures:
    """Those of a trial.

    Args:
        rules: what content is checked by.
        records: the readers', whose texts are the author's.
    """
    scale = Scale.of([record.body for record in records])
    written = {name: with_requests(outputs, trial.asked) for name, outputs in trial.outputs.items()}
    author_passes = fmean(not rules(record.text, record.request) for record in records)
    prompted = unchanged(written[PROMPT])
    firsts = [each.body for each in prompted if each.output.seed == 0]
    return TrialFigures(
        requests=len(firsts),
        systems={name: _system(texts, readers, rules, scale) for name, texts in written.items()},
        author_passes=author_passes,
        told_apart=_told_apart([each.body for each in spread(records, len(firsts))], firsts),
        rules_apart=(author_passes + 1 - _passes(prompted, rules).value) / 2,
    )


def _system(written: Sequence[Written], readers: Mapping[str, Reader], rules: Rules, scale: Scale) -> SystemFigures:
    recognitions = {}
    for field, reader in readers.items():
        asked = [each for each in written if _label(each.asked, field) in reader.labels]
        if asked:
            recognitions[field] = recognised(asked, reader, partial(_label, field=field))
    return SystemFigures(
        passes=_passes(unchanged(written), rules),
        recognised=recognitions,
        steady=across_changes(written, scale),
        flips=_flips(written, readers),
        prompt_tokens=fmean(each.output.prompt_tokens for each in written),
        seconds=fmean(each.output.seconds for each in written),
    )


def _passes(texts: Sequence[Written], rules: Rules) -> Estimate:
    passed = [float(not rules(each.output.text, each.asked)) for each in texts]
    return mean_over_requests(passed, [each.request for each in texts])


def _flips(written: Sequence[Written], readers: Mapping[str, Reader]) -> Estimate | None:
    changed = [each for each in written if each.output.variation]
    before = {(each.request, each.output.seed): each.body for each in unchanged(written)}
    if not changed or not readers:
        return None
    was = [before[each.request, each.output.seed] for each in changed]
    is_now = [each.body for each in changed]
    flipped = [
        [float(one != other) for one, other in zip(reader.read(was), reader.read(is_now), strict=True)]
        for reader in readers.values()
    ]
    shares = [fmean(column) for column in zip(*flipped, strict=True)]
    return mean_over_requests(shares, [each.request for each in changed])


def _told_apart(authors: Sequence[str], models: Sequence[str]) -> float | None:
    if min(len(authors), len(models)) < 2:
        return None
    labels = ["author"] * len(authors) + ["model"] * len(models)
    return train_reader([*authors, *models], labels, Sentence("作者", "author")).cross_validated


def _rare(field: str, values: Sequence[str]) -> Sentence:
    shown = values[:5]
    rest = "…" if len(values) > len(shown) else ""
    return Sentence(
        f"{field} 的这些值不到 {FOLDS} 条，没有参加测量：{'、'.join(shown)}{rest}。",
        f"These values of {field} have fewer than {FOLDS} records and were left out of the measuring: "
        f"{', '.join(shown)}{rest}.",
    )


def _label(request: GreetingRequest, field: str) -> str:
    assert isinstance(request, LabelledRequest)
    return request.label(field)
