"""Step ``preference``: the adapter taught by its own mistakes: better answers are preferred to what it writes itself.

The pairs come from the corpus or from a reader's marks (:mod:`training.pairs`).
Direct preference optimization (Rafailov et al. 2023, arXiv:2305.18290): with ``r(y) = beta (log p(y) - log p0(y))``, p0
the model after the first stage, the loss of a pair is ``-log sigmoid(r(preferred) - r(other))``. To it comes the
ordinary loss on the preferred text, which keeps its likelihood from falling along with the other's (Pang et al. 2024,
arXiv:2404.19733).
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.compose.sentence import Sentence
from training.allocator import keep_memory, release_memory
from training.device_failure import device_failures
from training.errors import TrainingError
from training.examples import Example, by_length, of_epochs
from training.lora import encode_parts, first_stage, remember_below, stage_facts, token_count
from training.marks import marks_sha256, read_marks
from training.pairs import Pair, marked_pairs, own_pairs
from training.prepare import prepare
from training.progress import percent
from training.recipe import add_recipe_arguments
from training.workspace import Workspace

if TYPE_CHECKING:
    from torch import Tensor, nn

    from training.network import Below


def prefer(workspace: Workspace) -> Path:
    """Train the second stage's adapter, unless it is there; returns its folder.

    Raises:
        ModelError, TrainingError: what is in the way; the first stage must be done.
    """
    from training.adapter_folder import load_weights, read_facts, write_adapter
    from training.loop import METRICS, Pace, Stage, run_stage
    from training.network import attach_adapters, choose_device, load_network, mean_loss

    recipe, preference = workspace.recipe, workspace.recipe.preference
    assert preference is not None
    first, before = first_stage(workspace)
    folder = workspace.preference / "adapter"
    marks = marks_sha256(recipe.marks) if recipe.marks else None
    identity = workspace.identity("preference", before["identity"], recipe.adapter, preference, marks)
    if (read_facts(folder) or {}).get("identity") == identity:
        return folder
    train, validation = encode_parts(workspace)
    device = choose_device(recipe.device)
    with device_failures():
        network = attach_adapters(load_network(workspace.base, device), recipe.adapter, recipe.seed)
    load_weights(first, network)
    if recipe.marks:
        taught, looked_at = _pairs_of_marks(workspace)
    else:
        taught, looked_at = _pairs_of_own(workspace, network, before["identity"], train, validation)
    if not taught or not looked_at:
        raise _nothing_to_prefer()
    examples = [example for pair in (*taught, *looked_at) for example in pair.examples]
    with device_failures():
        below = remember_below(workspace, network, examples, workspace.preference, "below.bf16")
        release_memory()
        both = _with_reference(network, [*taught, *looked_at], preference.batch_tokens, below)
        taught, looked_at = both[: len(taught)], both[len(taught) :]
    measured = by_length([pair.chosen for pair in looked_at], preference.batch_tokens)
    looks = in_pair_batches(looked_at, preference.batch_tokens)

    def validate() -> tuple[float, dict[str, float]]:
        loss, accuracy = _mean_preference(network, looks, preference.beta, below)
        likelihood = mean_loss(network, measured, below)
        return loss + preference.likelihood * likelihood, {
            "preference_loss": round(loss, 6),
            "accuracy": round(accuracy, 4),
            "likelihood_loss": round(likelihood, 6),
        }

    def loss_of(batch: Sequence[Pair]) -> tuple["Tensor", dict[str, float]]:
        return _pair_loss(network, batch, preference.beta, preference.likelihood, below)

    batches = of_epochs(lambda epoch: _shuffled(taught, preference.batch_tokens, recipe.seed, epoch), preference.epochs)
    stage = Stage(
        name="preference",
        identity=identity,
        seed=recipe.seed,
        batches=batches,
        loss=loss_of,
        tokens=lambda batch: token_count([example for pair in batch for example in pair.examples]),
        validate=validate,
        pace=Pace(
            learning_rate=preference.learning_rate,
            warmup=preference.warmup,
            weight_decay=0.0,
            clip=recipe.tuning.clip,
            validate_every=max(1, len(batches) // 4),
            patience=4,
            checkpoint_seconds=recipe.checkpoint_seconds,
        ),
    )
    outcome = run_stage(network, stage, workspace.preference)
    facts = stage_facts(workspace, identity, network, outcome) | {
        "first_stage": before,
        "pairs": {"train": len(taught), "validation": len(looked_at)},
        "marks_sha256": marks,
        # What the stage itself minimizes is another sum; this is the measure of the first stage.
        "validation_loss": round(mean_loss(network, by_length(validation, preference.batch_tokens)), 6),
    }
    write_adapter(folder, network, recipe.base.file.name, facts, workspace.preference / METRICS)
    if below is not None:
        below.remove()
    return folder


def _pairs_of_marks(workspace: Workspace) -> tuple[list[Pair], list[Pair]]:
    from training.encoding import Encoder

    recipe, preference = workspace.recipe, workspace.recipe.preference
    assert preference is not None
    marks = read_marks(recipe.marks, workspace.catalog)
    with Encoder(workspace.base) as encoder:
        return marked_pairs(marks, encoder, workspace.catalog, preference.pairs_a_request, recipe.seed)


def _pairs_of_own(
    workspace: Workspace, network: "nn.Module", before: str, train: Sequence[Example], validation: Sequence[Example]
) -> tuple[list[Pair], list[Pair]]:
    from training.answers import own_answers
    from training.encoding import Encoder

    recipe, preference = workspace.recipe, workspace.recipe.preference
    assert preference is not None
    chosen = random.Random(f"{recipe.seed}:preference").sample(train, min(preference.requests, len(train)))
    asked = [*sorted(chosen, key=lambda example: example.place), *validation]
    with Encoder(workspace.base) as encoder:
        end = encoder.end
    own = own_answers(
        network,
        asked,
        end,
        temperature=preference.temperature,
        seed=recipe.seed,
        file=workspace.preference / "own.jsonl",
        identity=workspace.identity("own", before, preference.requests, preference.temperature),
        progress=percent("own answers"),
    )
    return own_pairs(asked, own, end, validation)


def _nothing_to_prefer() -> TrainingError:
    return TrainingError(
        Sentence(
            "没有可以比较的文字，偏好训练做不了：模型自己没写出来，或者同一个请求里没有一条愿意发、一条不愿意发的。",
            "There is nothing to prefer: the model wrote no answers, or no request has both a text that would be sent "
            "and one that would not.",
        )
    )


def _with_reference(network: "nn.Module", pairs: Sequence[Pair], most_tokens: int, below: "Below | None") -> list[Pair]:
    """The pairs with what the network, as it is now, thinks of both answers."""
    import torch

    from training.network import answer_losses

    network.eval()
    found: dict[int, float] = {}
    batches = by_length([example for pair in pairs for example in pair.examples], most_tokens)
    show = percent("reference")
    with torch.no_grad():
        for number, batch in enumerate(batches, 1):
            sums = _sums(answer_losses(network, batch, below), batch)
            found |= {example.place: -float(nats) for example, nats in zip(batch, sums, strict=True)}
            show(number, len(batches))
    return [
        replace(
            pair,
            chosen_reference=found[pair.chosen.place],
            rejected_reference=found[pair.rejected.place],
        )
        for pair in pairs
    ]


def _sums(losses: "Tensor", batch: Sequence[Example]) -> "tuple[Tensor, ...]":
    """Losses of tokens, added up for each example."""
    return tuple(part.sum() for part in losses.split([len(example.answer) for example in batch]))


def _margins(
    network: "nn.Module", batch: Sequence[Pair], beta: float, below: "Below | None"
) -> "tuple[Tensor, Tensor]":
    """``r(chosen) - r(rejected)`` of each pair, and the mean loss of the chosen answers' tokens."""
    import torch

    from training.network import answer_losses

    examples = [example for pair in batch for example in pair.examples]
    sums = _sums(answer_losses(network, examples, below), examples)
    margins = [
        beta * ((-sums[2 * i] - pair.chosen_reference) - (-sums[2 * i + 1] - pair.rejected_reference))
        for i, pair in enumerate(batch)
    ]
    tokens = sum(len(pair.chosen.answer) for pair in batch)
    return torch.stack(margins), torch.stack(sums[::2]).sum() / tokens


def _pair_loss(
    network: "nn.Module", batch: Sequence[Pair], beta: float, likelihood: float, below: "Below | None"
) -> "tuple[Tensor, dict[str, float]]":
    from torch.nn.functional import logsigmoid

    margins, plain = _margins(network, batch, beta, below)
    preferred = -logsigmoid(margins).mean()
    return preferred + likelihood * plain, {
        "preference_loss": round(float(preferred.detach()), 6),
        "accuracy": round(float((margins > 0).float().mean()), 4),
    }


def _mean_preference(
    network: "nn.Module", batches: Sequence[Sequence[Pair]], beta: float, below: "Below | None"
) -> tuple[float, float]:
    """Mean loss of the pairs, and in how many of them the corpus's text has gained more than the own one."""
    import torch
    from torch.nn.functional import logsigmoid

    network.eval()
    losses, right, count = 0.0, 0, 0
    with torch.no_grad():
        for batch in batches:
            margins, _ = _margins(network, batch, beta, below)
            losses += float(-logsigmoid(margins).sum())
            right += int((margins > 0).sum())
            count += len(batch)
    return losses / max(1, count), right / max(1, count)


def in_pair_batches(pairs: Sequence[Pair], most_tokens: int) -> list[list[Pair]]:
    """Pairs of like length together; both answers and the padding of a batch count towards ``most_tokens``."""
    batches: list[list[Pair]] = []
    longest = 0
    for pair in sorted(pairs, key=lambda pair: (_longer(pair), pair.chosen.place)):
        longest = max(longest, _longer(pair))
        if not batches or 2 * longest * (len(batches[-1]) + 1) > most_tokens:
            batches.append([])
            longest = _longer(pair)
        batches[-1].append(pair)
    return batches


def _longer(pair: Pair) -> int:
    return max(example.length for example in pair.examples)


def _shuffled(pairs: Sequence[Pair], most_tokens: int, seed: int, epoch: int) -> list[list[Pair]]:
    """The batches of one epoch, in an order that follows from the seed and the epoch."""
    batches = in_pair_batches(pairs, most_tokens)
    random.Random(f"{seed}:pairs:{epoch}").shuffle(batches)
    return batches


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("preference", help="train the adapter to prefer the corpus to its own texts")
    add_recipe_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and say where the adapter is."""
    keep_memory()
    workspace = Workspace.of(args)
    if workspace.recipe.preference is None:
        raise TrainingError(
            Sentence(
                f"配方 {workspace.recipe.path.name} 里没有 preference 一节，没有第二阶段可训练。",
                f"The recipe {workspace.recipe.path.name} has no section preference, so there is no second stage.",
            )
        )
    with workspace.alone():
        prepare(workspace)
        print(prefer(workspace))
    return 0
