"""Step ``all``: from base and corpus to the file people run, doing only what is not done yet.

Every step leaves a note of what it was made from. A killed run goes on where it stopped and ends with the same bytes.
"""

import argparse
import shutil
from pathlib import Path

from app.models.adapter import WEIGHTS_FILE
from app.models.verify import sha256_of
from app.models.vocabulary import read_vocabulary
from training.adapter_folder import FACTS_FILE, put_in_place
from training.allocator import keep_memory
from training.lora import tune
from training.marks import read_marks
from training.merge import merge_and_quantize
from training.preference import prefer
from training.prepare import prepare
from training.quantize import is_float
from training.recipe import add_recipe_arguments
from training.whole_file import unwritten
from training.workspace import Workspace, read_note, write_note

_BUILT, _MEASURED = "model.json", "measured.json"
_CURVES = {"metrics.jsonl": "curve.svg", "first-stage.jsonl": "first-stage.svg"}


def make_all(workspace: Workspace) -> None:
    """Do every step of the recipe.

    Raises:
        ModelError, TrainingError: what is in the way; what is finished stays.
        KeyboardInterrupt: likewise.
    """
    if workspace.recipe.marks:  # which would else be found wanting hours later
        read_marks(workspace.recipe.marks, workspace.catalog)
    _say("1/5", "base and vocabulary")
    prepare(workspace)
    _say("2/5", "adapter")
    adapter, first = tune(workspace), None
    if workspace.recipe.preference is not None:
        _say("3/5", "preference")
        adapter, first = prefer(workspace), adapter
    place_adapter(adapter, workspace.adapter, first)
    _say("4/5", "merge")
    build_model(workspace)
    _say("5/5", "loss of the built file")
    measured = measured_loss(workspace)
    facts = read_note(workspace.adapter / FACTS_FILE)
    write_note(workspace.adapter / FACTS_FILE, facts | {"built_loss": measured})
    print(f"{workspace.model}: {workspace.model.stat().st_size:,} bytes, {measured:.4f} nats per token")


def place_adapter(made: Path, place: Path, first: Path | None = None) -> None:
    """Copy the adapter of the last stage to ``place``, whole, with the curve of the ``first`` where there were two."""
    part = place.with_name(f"{place.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(made, part)
        if first is not None:
            shutil.copy(first / "metrics.jsonl", part / "first-stage.jsonl")
        for metrics, curve in _CURVES.items():
            if (part / metrics).exists():
                _draw(part / metrics, part / curve)
        put_in_place(part, place)
    except OSError as error:
        raise unwritten(error, place) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _draw(metrics: Path, curve: Path) -> None:
    from training.plot import draw_curve

    draw_curve(metrics, curve)


def build_model(workspace: Workspace) -> None:
    """Merge base and adapter to the run's model, unless it is there.

    Raises:
        ModelError, TrainingError: what is in the way.
    """
    recipe = workspace.recipe
    header = workspace.check_base()
    weights = sha256_of(workspace.adapter / WEIGHTS_FILE)
    type_name = recipe.merge.type if is_float(header) else None
    identity = workspace.identity("merge", recipe.merge, recipe.title, recipe.name, weights)
    note = workspace.folder / _BUILT
    there = read_note(note)
    if there.get("identity") == identity and workspace.model.is_file():
        if sha256_of(workspace.model) == there.get("sha256"):
            return
        workspace.model.unlink()
    merge_and_quantize(
        recipe.base.file,
        workspace.adapter,
        workspace.model,
        vocabulary=None if recipe.vocabulary == "whole" else read_vocabulary(workspace.vocabulary),
        seed=recipe.merge.seed,
        name=recipe.title or recipe.name,
        type_name=type_name,
    )
    write_note(note, {"identity": identity, "sha256": sha256_of(workspace.model)})


def measured_loss(workspace: Workspace) -> float:
    """The validation loss of the built file, through llama.cpp, nats per token; measured once."""
    from training.likelihood import measure
    from training.progress import percent

    note = workspace.folder / _MEASURED
    sha256 = sha256_of(workspace.model)
    there = read_note(note)
    if there.get("sha256") == sha256 and there.get("corpus_sha256") == workspace.corpus_sha256:
        return float(there["validation_loss"])
    found = measure(workspace.model, workspace.split.validation, workspace.catalog, progress=percent("measuring"))
    loss = round(found.loss, 6)
    write_note(note, {"sha256": sha256, "corpus_sha256": workspace.corpus_sha256, "validation_loss": loss})
    return loss


def _say(number: str, what: str) -> None:
    print(f"[{number}] {what}", flush=True)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("all", help="everything, from base and corpus to the file people run")
    add_recipe_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do everything."""
    keep_memory()
    workspace = Workspace.of(args)
    with workspace.alone():
        make_all(workspace)
    return 0
