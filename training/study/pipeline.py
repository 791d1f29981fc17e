"""From a recipe to the texts of every run of a study, doing only what is not done yet.

In the study's folder: the trimmed base, ``base/`` with what it wrote untuned, and a folder a run with its adapter and
its texts. A run's model is a gigabyte that base and adapter give again at any time; it is removed when it has written.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from app.models.manifest import load_manifest
from training.adapter_folder import read_facts
from training.evaluation.bootstrap import Estimate
from training.evaluation.outputs import Output, read_outputs
from training.evaluation.requests import Asked
from training.examples import encode_records
from training.pipeline import build_model
from training.prepare import prepare
from training.progress import clock
from training.recipe import Base
from training.records import Record
from training.study.corpora import VARIANTS, WHOLE, Variant, check_labels, pool_size, records_of, replaced, stratified
from training.study.poor import asked_of_base, poor_records
from training.study.texts import asked_by, base_texts, texts_file, tuned_texts
from training.study.tuner import Tuner
from training.workspace import Workspace, make_folder, read_note, write_note

_DONE = "run.json"


@dataclass(frozen=True)
class Plan:
    """How much is done: steps of every run, requests written for, texts of each request."""

    steps: int
    requests: int
    each: int


@dataclass(frozen=True)
class Done:
    """A run: what it was, how many records it was trained on, its validation loss (nats per token), what it wrote."""

    variant: Variant
    records: int
    loss: Estimate
    outputs: Sequence[Output]


def carry_out(workspace: Workspace, plan: Plan) -> list[Done]:
    """All runs, in their order.

    Raises:
        ModelError, TrainingError, EngineError: what is in the way; what is finished stays.
        KeyboardInterrupt: likewise.
    """
    check_labels(workspace.split.train)
    prepare(workspace)
    corpora = corpora_of(workspace, plan.steps)
    taught = {record.id: record for records in corpora.values() for record in records}
    tuner = Tuner(workspace, list(taught.values()), plan.steps)
    asked = requests_of(workspace, plan.requests)
    print(f"{len(corpora[WHOLE.name])} of {len(workspace.split.train)} records fill {plan.steps} steps", flush=True)
    found: list[Done] = []
    seconds: list[float] = []  # of the runs that were not done before
    for number, variant in enumerate(VARIANTS, 1):
        left = len(VARIANTS) - number + 1
        about = f", about {clock(sum(seconds) / len(seconds) * left)} left" if seconds else ""
        records = corpora[variant.name]
        print(f"[{number}/{len(VARIANTS)}] {variant.name}: {_described(variant, records)}{about}", flush=True)
        began = time.monotonic()
        run = _Run(workspace, variant, records, tuner)
        if not run.is_done(asked, plan.each):
            run.do(asked, plan.each)
            seconds.append(time.monotonic() - began)
        found.append(run.done())
    tuner.close()
    return found


def _described(variant: Variant, records: Sequence[Record]) -> str:
    return f"{len(records)} records" + (f", {variant.poor:.0%} poor" if variant.poor else "")


def corpora_of(workspace: Workspace, steps: int) -> dict[str, list[Record]]:
    """What every run is trained on, by the run's name. The base writes its share of the poor records for that, unless
    it has.

    Raises:
        ModelError, TrainingError, EngineError: the base cannot be read or cannot write.
    """
    recipe, catalog = workspace.recipe, workspace.catalog
    ordered = stratified(workspace.split.train, f"{recipe.seed}:pool")
    lengths = [example.length for example in encode_records(workspace.base, ordered, catalog)]
    pool = ordered[: pool_size(lengths, steps * recipe.tuning.batch_tokens)]
    check_labels(pool)
    places = replaced(pool, recipe.seed)
    texts = base_texts(workspace, asked_of_base(places))
    poor = poor_records(places, pool, texts, catalog, recipe.seed)
    return {variant.name: records_of(variant, pool, poor) for variant in VARIANTS}


def requests_of(workspace: Workspace, count: int) -> list[Asked]:
    """So many requests of the validation part, of every relationship its share; all where there are no more."""
    return asked_by(stratified(workspace.split.validation, f"{workspace.recipe.seed}:requests")[:count])


class _Run:
    """One run of a study, in a folder of its own."""

    def __init__(self, study: Workspace, variant: Variant, records: Sequence[Record], tuner: Tuner) -> None:
        self._variant = variant
        self._records = records
        self._tuner = tuner
        recipe = replace(study.recipe, base=Base(study.base), vocabulary="whole", preference=None)
        self._workspace = Workspace(recipe, study.folder / variant.name)
        self._outputs = texts_file(self._workspace.folder)

    def is_done(self, asked: Sequence[Asked], each: int) -> bool:
        """Whether its adapter and its texts are there, and of what would be done now."""
        note = read_note(self._workspace.folder / _DONE)
        there = self._outputs.is_file() and read_facts(self._workspace.adapter) is not None
        return there and note.get("identity") == self._identity(asked, each)

    def do(self, asked: Sequence[Asked], each: int) -> None:
        """Train, merge, and write ``each`` texts for every request.

        Raises:
            ModelError, TrainingError, EngineError, KeyboardInterrupt: as :func:`carry_out`.
        """
        workspace, identity = self._workspace, self._identity(asked, each)
        make_folder(workspace.folder)
        self._tuner.tune(self._variant.name, self._records, workspace.folder)
        build_model(workspace)
        tuned_texts(workspace, asked, each, identity)
        workspace.model.unlink()
        write_note(workspace.folder / _DONE, {"identity": identity})

    def done(self) -> Done:
        """What came of it."""
        facts = read_facts(self._workspace.adapter) or {}
        loss = Estimate(facts["validation_loss"], *facts["validation_interval"])
        return Done(self._variant, len(self._records), loss, read_outputs(self._outputs))

    def _identity(self, asked: Sequence[Asked], each: int) -> str:
        taught, merge = self._tuner.identity(self._records), self._workspace.recipe.merge
        requests = [asdict(one) for one in asked]
        return self._workspace.identity("run", taught, merge, requests, each, load_manifest().sampling)
