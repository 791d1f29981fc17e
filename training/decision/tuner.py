"""A short training on some of the records: what it makes of the base, and what it took."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.compose.request import GreetingRequest
from training.adapter_folder import read_facts, write_adapter
from training.allocator import release_memory
from training.decision.corpus import Labels
from training.decision.systems import bare
from training.device_failure import device_failures
from training.encoding import Encoder
from training.examples import Example
from training.json_lines import write_objects
from training.lora import all_batches, answer_stage, remember_below, stage_facts, token_count
from training.pipeline import build_model
from training.recipe import ROOT, read_recipe
from training.records import Record
from training.workspace import Workspace, make_folder, read_note, write_note

RECIPE = ROOT / "training" / "recipes" / "trial.yaml"
_TOOK = "took.json"


@dataclass(frozen=True)
class Tuned:
    """The file a short training made.

    Attributes:
        records, tokens: it was trained on, prompts counted, once.
        passes: how often.
        seconds: of training, reading and merging the base not counted; None where it was stopped on the way, so that
            nobody knows.
    """

    model: Path
    records: int
    tokens: int
    passes: float
    seconds: float | None

    def minutes(self, tokens: int) -> float | None:
        """What one pass over so many tokens would take here, in minutes, at the speed measured."""
        return None if self.seconds is None else self.seconds / (self.tokens * self.passes) * tokens / 60


def trial_workspace(base: Path, records: Sequence[Record], labels: Labels, folder: Path) -> Workspace:
    """The short training as a run of its own, in ``folder``: its records are kept there, as what it was made from.

    Raises:
        ModelError, TrainingError: the base is not there or cannot be trained, or the disk does not allow it.
    """
    corpus = folder / "corpus"
    make_folder(corpus)
    write_objects(
        corpus / "trial.jsonl",
        [{"id": record.id, "prompt": _told(record.request, labels), "text": record.text} for record in records],
    )
    recipe = read_recipe(RECIPE)
    workspace = Workspace(replace(recipe, base=replace(recipe.base, file=base), corpus=corpus), folder)
    header = workspace.check_base()
    layers = int(header.metadata[f"{header.metadata['general.architecture']}.block_count"])
    adapter = replace(recipe.adapter, first_layer=layers // 2)
    return replace(workspace, recipe=replace(workspace.recipe, adapter=adapter))


def tune(workspace: Workspace, records: Sequence[Record], labels: Labels) -> Tuned:
    """Train, and merge to a file llama.cpp reads; what is done is not done again.

    Raises:
        ModelError, TrainingError: what is in the way.
        KeyboardInterrupt: after a checkpoint.
    """
    examples = _encoded(workspace.base, records, labels)
    recipe, folder = workspace.recipe, workspace.folder
    identity = workspace.identity("trial", recipe.adapter, recipe.tuning)
    if (read_facts(workspace.adapter) or {}).get("identity") != identity:
        # What is there without seconds was begun, and what it took before it was stopped is lost.
        afresh = read_note(folder / _TOOK).get("identity") != identity
        if afresh:
            write_note(folder / _TOOK, {"identity": identity, "seconds": None})
        seconds = _train(workspace, examples, identity)
        write_note(folder / _TOOK, {"identity": identity, "seconds": round(seconds, 1) if afresh else None})
    build_model(workspace)
    took = read_note(folder / _TOOK)
    known = took.get("seconds") if took.get("identity") == identity else None
    return Tuned(workspace.model, len(records), token_count(examples), recipe.tuning.epochs, known)


def _train(workspace: Workspace, examples: Sequence[Example], identity: str) -> float:
    """Write the adapter; the seconds it took."""
    from training.loop import METRICS, run_stage
    from training.network import attach_adapters, choose_device, load_network

    recipe, tuning = workspace.recipe, workspace.recipe.tuning
    with device_failures():
        network = attach_adapters(
            load_network(workspace.base, choose_device(recipe.device)), recipe.adapter, recipe.seed
        )
        began = time.monotonic()
        below = remember_below(workspace, network, examples, workspace.tuning, "below.bf16")
        seconds = time.monotonic() - began
    release_memory()
    batches = all_batches(examples, tuning.batch_tokens, recipe.seed, tuning.epochs)
    stage = answer_stage("trial", identity, recipe, network, batches, below, validate=None)
    outcome = run_stage(network, stage, workspace.tuning)
    facts = stage_facts(workspace, identity, network, outcome)
    write_adapter(workspace.adapter, network, recipe.base.file.name, facts, workspace.tuning / METRICS)
    if below is not None:
        below.remove()
    return seconds + outcome.seconds


def _encoded(model: Path, records: Sequence[Record], labels: Labels) -> list[Example]:
    with Encoder(model) as encoder:
        return [
            Example(
                place,
                tuple(encoder.encode_segments(bare(record.request, labels))),
                tuple(encoder.encode_answer(record.text)),
                record.id,
            )
            for place, record in enumerate(records)
        ]


def _told(request: GreetingRequest, labels: Labels) -> str:
    return "".join(segment.text for segment in bare(request, labels))
