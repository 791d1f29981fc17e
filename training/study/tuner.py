"""Trains the adapters of a study's runs, all from the same start and for the same number of steps.

The base is read once, and what its lower layers give is computed once for every text of every run.
"""

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.adapter_folder import read_facts, write_adapter
from training.allocator import release_memory
from training.device_failure import device_failures
from training.evaluation.bootstrap import Estimate, percentiles, weights
from training.examples import Example, by_length, encode_records, epoch_batches
from training.lora import answer_stage, remember_below, stage_facts
from training.progress import percent
from training.records import Record
from training.workspace import Workspace

if TYPE_CHECKING:
    from torch import Tensor, nn

    from training.network import Below

_BELOW = "below.bf16"


@dataclass(frozen=True)
class _Opened:
    """The base with an adapter, what is remembered of the layers below that, and the weights it begins with."""

    network: "nn.Module"
    below: "Below | None"
    untrained: "Sequence[Tensor]"


class Tuner:
    """The base in torch, read when there is something to train, and tuned for one run after the other.

    Args:
        workspace: of the study; its validation part is what every run is judged by.
        records: everything that any run is trained on, each with an id of its own.
        steps: of every run.
    """

    def __init__(self, workspace: Workspace, records: Sequence[Record], steps: int) -> None:
        self._workspace = workspace
        self._steps = steps
        encoded = encode_records(workspace.base, [*records, *workspace.split.validation], workspace.catalog)
        self._encoded = encoded
        self._taught = {example.id: example for example in encoded[: len(records)]}
        self._held = encoded[len(records) :]
        self._opened: _Opened | None = None

    def identity(self, records: Sequence[Record]) -> str:
        """What changes with whatever decides how a run on these records ends."""
        recipe = self._workspace.recipe
        texts = [[example.prompt, example.answer] for example in self._examples(records)]
        return self._workspace.identity("study", recipe.adapter, recipe.tuning, self._steps, texts)

    def tune(self, name: str, records: Sequence[Record], folder: Path) -> Path:
        """The adapter of the run on these records, trained unless it is there; its folder.

        Raises:
            ModelError, TrainingError: what is in the way.
            KeyboardInterrupt: after a checkpoint.
        """
        from training.loop import METRICS, run_stage

        workspace, recipe = self._workspace, self._workspace.recipe
        adapter, work = folder / "adapter", folder / "tuning"
        identity = self.identity(records)
        if (read_facts(adapter) or {}).get("identity") != identity:
            opened = self._open()
            batches = first_batches(self._examples(records), recipe.tuning.batch_tokens, recipe.seed, self._steps)
            stage = answer_stage(name, identity, recipe, opened.network, batches, opened.below, validate=None)
            outcome = run_stage(opened.network, stage, work)
            with device_failures():
                loss = self._validation_loss(opened)
            facts = stage_facts(workspace, identity, opened.network, outcome) | {
                "validation_loss": loss.value,
                "validation_interval": [loss.low, loss.high],
                "records": {"train": len(records), "validation": len(self._held)},
            }
            write_adapter(adapter, opened.network, recipe.base.file.name, facts, work / METRICS)
        shutil.rmtree(work, ignore_errors=True)
        return adapter

    def close(self) -> None:
        """Remove what was remembered of the lower layers: nothing is left to train."""
        if self._opened is not None and self._opened.below is not None:
            self._opened.below.remove()
        self._opened = None
        for name in (_BELOW, f"{_BELOW}.json"):
            (self._workspace.folder / name).unlink(missing_ok=True)

    def _examples(self, records: Sequence[Record]) -> list[Example]:
        return [self._taught[record.id] for record in records]

    def _open(self) -> _Opened:
        """The network, its adapter untrained."""
        import torch

        from training.network import adapter_parameters, attach_adapters, choose_device, load_network

        workspace, recipe = self._workspace, self._workspace.recipe
        if self._opened is None:
            with device_failures():
                network = load_network(workspace.base, choose_device(recipe.device))
                network = attach_adapters(network, recipe.adapter, recipe.seed)
                below = remember_below(workspace, network, self._encoded, workspace.folder, _BELOW)
            release_memory()
            untrained = [parameter.detach().clone() for parameter in adapter_parameters(network)]
            self._opened = _Opened(network, below, untrained)
        with torch.no_grad():
            for parameter, start in zip(adapter_parameters(self._opened.network), self._opened.untrained, strict=True):
                parameter.copy_(start)
        return self._opened

    def _validation_loss(self, opened: _Opened) -> Estimate:
        """Nats per answer token of the validation records, with an interval over draws of the records."""
        import torch

        from training.network import answer_losses

        opened.network.eval()
        nats: list[float] = []
        tokens: list[int] = []
        batches = by_length(self._held, self._workspace.recipe.tuning.batch_tokens)
        show = percent("validation loss")
        with torch.no_grad():
            for number, batch in enumerate(batches, 1):
                sizes = [len(example.answer) for example in batch]
                nats += [float(part.sum()) for part in answer_losses(opened.network, batch, opened.below).split(sizes)]
                tokens += sizes
                show(number, len(batches))
        times, sums, counts = weights(len(nats)), np.array(nats), np.array(tokens)
        return percentiles(float(sums.sum() / counts.sum()), (times @ sums) / (times @ counts))


def first_batches(examples: Sequence[Example], most_tokens: int, seed: int, steps: int) -> list[list[Example]]:
    """The batches of so many steps, over the examples as often as it takes."""
    epochs = (epoch_batches(examples, most_tokens, seed, epoch) for epoch in itertools.count())
    return list(itertools.islice(itertools.chain.from_iterable(epochs), steps))
