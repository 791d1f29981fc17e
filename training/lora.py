"""Step ``lora``: the adapter, trained on the corpus; loss on the answers only, the prompt byte for byte the app's.

Torch is imported by what this calls, never by looking at the command line.
"""

import argparse
import importlib.metadata
import math
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.compose.sentence import Sentence
from training.allocator import keep_memory, release_memory
from training.device_failure import device_failures
from training.errors import TrainingError
from training.examples import Example, by_length, encode_records, epoch_batches, of_epochs
from training.progress import percent
from training.recipe import Recipe, add_recipe_arguments
from training.workspace import Workspace, make_folder, read_note, write_note

if TYPE_CHECKING:
    from torch import nn

    from training.loop import Outcome, Stage
    from training.network import Below

BELOW_TOKENS = 4096  # at once through the layers that are not trained, which keep nothing for a gradient
_PACKAGES = ("torch", "transformers", "peft", "safetensors", "numpy", "gguf", "llama-cpp-python")


def first_identity(workspace: Workspace) -> str:
    """What the first stage's adapter is made from, as one hash."""
    return workspace.identity("lora", workspace.recipe.adapter, workspace.recipe.tuning)


def first_stage(workspace: Workspace) -> tuple[Path, dict[str, Any]]:
    """The folder of the first stage's adapter, which must be there, and the facts written beside it.

    Raises:
        TrainingError: it is not, or was trained by another recipe, base or corpus.
    """
    from training.adapter_folder import read_facts

    folder = workspace.tuning / "adapter"
    facts = read_facts(folder)
    if facts is not None and facts.get("identity") == first_identity(workspace):
        return folder, facts
    zh, en = ("还没有", "There is no") if facts is None else ("配方、底座或语料换了，要有新的", "There has to be a new")
    raise TrainingError(
        Sentence(
            f"{zh}第一阶段的 adapter。请先运行 `python -m training lora`，或直接 `python -m training all`。",
            f"{en} adapter of the first stage. Run `python -m training lora` first, or `all`.",
        )
    )


def tune(workspace: Workspace) -> Path:
    """Train the first stage's adapter, unless it is there; returns its folder.

    Raises:
        ModelError, TrainingError: what is in the way.
        KeyboardInterrupt: after a checkpoint.
    """
    from training.adapter_folder import read_facts, write_adapter
    from training.loop import METRICS, run_stage
    from training.network import attach_adapters, choose_device, load_network, mean_loss

    recipe, tuning = workspace.recipe, workspace.recipe.tuning
    folder = workspace.tuning / "adapter"
    identity = first_identity(workspace)
    if (read_facts(folder) or {}).get("identity") == identity:
        return folder
    train, validation = encode_parts(workspace)
    device = choose_device(recipe.device)
    with device_failures():
        network = attach_adapters(load_network(workspace.base, device), recipe.adapter, recipe.seed)
        below = remember_below(workspace, network, [*train, *validation], workspace.tuning, "below.bf16")
    measured = by_length(validation, tuning.batch_tokens)
    release_memory()
    stage = answer_stage(
        "lora",
        identity,
        recipe,
        network,
        all_batches(train, tuning.batch_tokens, recipe.seed, tuning.epochs),
        below,
        validate=lambda: (mean_loss(network, measured, below), {}),
    )
    outcome = run_stage(network, stage, workspace.tuning)
    facts = stage_facts(workspace, identity, network, outcome) | {
        "records": {"train": len(train), "validation": len(validation)},
        "tokens": {"train": token_count(train), "train_answers": sum(len(example.answer) for example in train)},
    }
    write_adapter(folder, network, recipe.base.file.name, facts, workspace.tuning / METRICS)
    if below is not None:
        below.remove()
    return folder


def answer_stage(
    name: str,
    identity: str,
    recipe: Recipe,
    network: "nn.Module",
    batches: Sequence[list[Example]],
    below: "Below | None",
    validate: "Callable[[], tuple[float, dict[str, float]]] | None",
) -> "Stage[list[Example]]":
    """Learning the answers of the batches, as the recipe's ``tuning`` says; the rest as in :class:`.loop.Stage`."""
    from training.loop import Pace, Stage
    from training.network import answer_losses

    tuning = recipe.tuning
    return Stage(
        name=name,
        identity=identity,
        seed=recipe.seed,
        batches=batches,
        loss=lambda batch: (answer_losses(network, batch, below).mean(), {}),
        tokens=token_count,
        validate=validate,
        pace=Pace(
            learning_rate=tuning.learning_rate,
            warmup=tuning.warmup,
            weight_decay=tuning.weight_decay,
            clip=tuning.clip,
            validate_every=tuning.validate_every,
            patience=tuning.patience,
            checkpoint_seconds=recipe.checkpoint_seconds,
        ),
    )


def encode_parts(workspace: Workspace) -> tuple[list[Example], list[Example]]:
    """The training and the validation part; places count through both."""
    split = workspace.split
    examples = encode_records(workspace.base, [*split.train, *split.validation], workspace.catalog)
    return examples[: len(split.train)], examples[len(split.train) :]


def all_batches(examples: Sequence[Example], most_tokens: int, seed: int, epochs: float) -> list[list[Example]]:
    """The batches of all steps."""
    return of_epochs(lambda epoch: epoch_batches(examples, most_tokens, seed, epoch), epochs)


def token_count(examples: Sequence[Example]) -> int:
    """Tokens without padding, prompts included."""
    return sum(example.length for example in examples)


def remember_below(
    workspace: Workspace, network: "nn.Module", examples: Sequence[Example], folder: Path, name: str
) -> "Below | None":
    """What the layers without adapters give for the examples; None where every layer has one."""
    from training.network import Below

    first = workspace.recipe.adapter.first_layer
    if first == 0:
        return None
    make_folder(folder)
    note = folder / f"{name}.json"
    identity = workspace.identity("below", first, [list(example.prompt + example.answer) for example in examples])
    if read_note(note).get("identity") != identity:
        (folder / name).unlink(missing_ok=True)
    below = Below(network, first, examples, folder / name)
    most_tokens = max(BELOW_TOKENS, *(example.length for example in examples))
    below.compute(network, by_length(examples, most_tokens), percent("lower layers"))
    write_note(note, {"identity": identity})
    return below


def stage_facts(workspace: Workspace, identity: str, network: "nn.Module", outcome: "Outcome") -> dict[str, Any]:
    """What an adapter was made from and how it came out. No time and no path in it: the same run, the same bytes."""
    import torch

    recipe = workspace.recipe
    return {
        "identity": identity,
        "recipe": recipe.text,
        "seed": recipe.seed,
        "base": {"file": recipe.base.file.name, "sha256": workspace.base_sha256},
        "corpus_sha256": workspace.corpus_sha256,
        "validation_loss": None if math.isnan(outcome.best_loss) else round(outcome.best_loss, 6),
        "best_step": outcome.best_step,
        "steps": outcome.steps,
        "stopped_early": outcome.stopped_early,
        "parameters": sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad),
        "device": str(next(network.parameters()).device.type),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in _PACKAGES},
    }


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("lora", help="train the adapter on the corpus")
    add_recipe_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and say where the adapter is and how good."""
    keep_memory()
    from training.adapter_folder import read_facts
    from training.prepare import prepare

    workspace = Workspace.of(args)
    with workspace.alone():
        prepare(workspace)
        folder = tune(workspace)
    facts = read_facts(folder) or {}
    print(f"{folder}: validation loss {facts['validation_loss']:.4f} nats per token after step {facts['best_step']}")
    return 0
