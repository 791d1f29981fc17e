"""What a corpus says, and a trial on it: figures, with the interval of a bootstrap over requests where there is one."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import fmean, median

from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from training.decision.corpus import Corpus, LabelledRequest, request_of
from training.decision.rules import Rules
from training.decision.systems import PROMPT
from training.decision.trial import Trial
from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate, share_over_requests
from training.evaluation.consistency import across_changes
from training.evaluation.features import Scale
from training.evaluation.reader import FOLDS, Reader, recognised, train_reader
from training.evaluation.written import Written, unchanged, with_requests
from training.neighbours import NEAR_REPEAT, containment, grams, near_pairs
from training.part import spread
from training.records import Record

# What is said in these fields is not how it is said.
NOT_MANNER = ("length", "occasion")
COMPARED = 1500  # records that are looked up among all others of their labels
MOST_MET = 200  # that hold a 4-gram and are compared with: the bound of training.neighbours, which greetings never meet


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
        """How much of what can be recognised in the corpus an ``accuracy`` on other texts is, from 0, for what chance
        gives and less, to 1, for all of it and more: (accuracy - chance) / (the corpus's accuracy - chance)."""
        return min(1.0, max(0.0, (accuracy - self.chance) / max(1e-9, self.accuracy - self.chance)))


@dataclass(frozen=True)
class CorpusFigures:
    """What the corpus alone says.

    Attributes:
        records: of the whole corpus.
        combinations: of labels of manner that there are.
        labels: of each that can be measured.
        openness: how little of a text stands in the nearest other one with the same labels, 0 to 1, median over at most
            :data:`COMPARED` texts, each looked up among all of its labels: 1 minus the containment of 4-grams
            (:mod:`training.neighbours`). None where no two have the same labels.
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
            over the labels that can be read in the corpus. None where nothing was changed or no label can be read.
        redrawn: how often it does between two texts for one request, unchanged. None where each has one text.
        prompt_tokens, seconds: of a text.
    """

    passes: Estimate
    recognised: Mapping[str, Estimate]
    steady: Estimate | None
    flips: Estimate | None
    redrawn: Estimate | None
    prompt_tokens: float
    seconds: float

    @property
    def drift(self) -> float | None:
        """How much more often a change turns the manner than writing again does: flips - redrawn, from 0 to 1; None
        where one of them is."""
        if self.flips is None or self.redrawn is None:
            return None
        return max(0.0, self.flips.value - self.redrawn.value)


@dataclass(frozen=True)
class TrialFigures:
    """What a trial says.

    Attributes:
        author_passes: share of the corpus's own texts that pass the same rules.
        told_apart: accuracy of a reader, cross-validated, at telling the author's texts from the prompted base's, as
            many of each and with the same labels, as far as there are any; None where there are too few.
        rules_apart: accuracy of the content rules at the same: of taking what passes for the author's.
        generic_prompt: the prompt was one for texts of any kind, so a better one may do better.
    """

    requests: int
    systems: Mapping[str, SystemFigures]
    author_passes: float
    told_apart: float | None
    rules_apart: float
    generic_prompt: bool = False


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
    manner = [field for field in corpus.labels.fields if field not in NOT_MANNER]
    kinds = len({tuple(map(request.label, manner)) for request in requests})
    cells = [tuple(request.label(field) for field in readers) for request in requests]
    return CorpusFigures(len(bodies), kinds, labels, _openness(bodies, cells), (*corpus.notes, *notes))


def _openness(bodies: Sequence[str], cells: Sequence[tuple[str, ...]]) -> float | None:
    """See :attr:`CorpusFigures.openness`; every text's cell is the labels it has."""
    all_grams = [grams(body) for body in bodies]
    holders: defaultdict[tuple[tuple[str, ...], str], list[int]] = defaultdict(list)
    for place, (cell, own) in enumerate(zip(cells, all_grams, strict=True)):
        for gram in own:
            known = holders[cell, gram]
            if len(known) <= MOST_MET:
                known.append(place)
    sizes = Counter(cells)
    nearest = []
    for place in spread([place for place, cell in enumerate(cells) if sizes[cell] > 1], COMPARED):
        own = all_grams[place]
        met = {other for gram in own for other in holders[cells[place], gram]} - {place}
        nearest.append(max((containment(own, all_grams[other]) for other in met), default=0.0))
    return 1 - median(nearest) if nearest else None


def trial_figures(
    trial: Trial,
    readers: Mapping[str, Reader],
    rules: Rules,
    records: Sequence[Record],
    readable: Collection[str],
) -> TrialFigures:
    """Those of a trial.

    Args:
        rules: what content is checked by.
        records: the readers', whose texts are the author's.
        readable: the labels whose readers are right often enough for their verdict on one text to mean something.
    """
    scale = Scale.of([record.body for record in records])
    written = {name: with_requests(outputs, trial.asked) for name, outputs in trial.outputs.items()}
    author_passes = fmean(not rules(record.text, record.request) for record in records)
    prompted = unchanged(written[PROMPT])
    firsts = [each for each in prompted if each.output.seed == 0]
    alike = records_alike(records, [each.asked for each in firsts])
    telling = [reader for field, reader in readers.items() if field in readable]
    return TrialFigures(
        requests=len(firsts),
        systems={name: _system(texts, readers, telling, rules, scale) for name, texts in written.items()},
        author_passes=author_passes,
        told_apart=_told_apart([record.body for record in alike], [each.body for each in firsts]),
        rules_apart=(author_passes + 1 - _passes(prompted, rules).value) / 2,
        generic_prompt=trial.generic_prompt,
    )


def records_alike(records: Sequence[Record], asked: Sequence[GreetingRequest]) -> list[Record]:
    """For each request in turn a record of its labels, or of as many of them as there is one left of; none twice.
    Texts for other people in other tones would be told from the model's by that alone."""
    left = list(records)
    found = []
    for request in asked[: len(left)]:
        wanted = set(_labels(request))
        best = max(left, key=lambda record: len(wanted & set(_labels(record.request))))
        left.remove(best)
        found.append(best)
    return found


def _system(
    written: Sequence[Written],
    readers: Mapping[str, Reader],
    telling: Sequence[Reader],
    rules: Rules,
    scale: Scale,
) -> SystemFigures:
    recognitions = {}
    for field, reader in readers.items():
        asked = [each for each in written if _label(each.asked, field) in reader.labels]
        if asked:
            recognitions[field] = recognised(asked, reader, partial(_label, field=field))
    return SystemFigures(
        passes=_passes(unchanged(written), rules),
        recognised=recognitions,
        steady=across_changes(written, scale),
        flips=_flips(written, telling),
        redrawn=_redrawn(written, telling),
        prompt_tokens=fmean(each.output.prompt_tokens for each in written),
        seconds=fmean(each.output.seconds for each in written),
    )


def _passes(texts: Sequence[Written], rules: Rules) -> Estimate:
    passed = [float(not rules(each.output.text, each.asked)) for each in texts]
    return share_over_requests(passed, [each.request for each in texts])


def _flips(written: Sequence[Written], telling: Sequence[Reader]) -> Estimate | None:
    before = {(each.request, each.output.seed): each for each in unchanged(written)}
    changed = [each for each in written if each.output.variation and (each.request, each.output.seed) in before]
    return _turned([(before[each.request, each.output.seed], each) for each in changed], telling)


def _redrawn(written: Sequence[Written], telling: Sequence[Reader]) -> Estimate | None:
    by_request: defaultdict[str, list[Written]] = defaultdict(list)
    for each in unchanged(written):
        by_request[each.request].append(each)
    return _turned([pair for texts in by_request.values() for pair in combinations(texts, 2)], telling)


def _turned(pairs: Sequence[tuple[Written, Written]], telling: Sequence[Reader]) -> Estimate | None:
    """How often a reader takes the second text of a pair for something else than the first, mean over the readers."""
    if not pairs or not telling:
        return None
    firsts, seconds = ([pair[place].body for pair in pairs] for place in (0, 1))
    turned = [
        [float(one != other) for one, other in zip(reader.read(firsts), reader.read(seconds), strict=True)]
        for reader in telling
    ]
    shares = [fmean(column) for column in zip(*turned, strict=True)]
    return share_over_requests(shares, [one.request for one, _ in pairs])


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
    return dict(_labels(request)).get(field, "")


def _labels(request: GreetingRequest) -> tuple[tuple[str, str], ...]:
    assert isinstance(request, LabelledRequest)
    return request.labels
