"""The loop every stage of the training runs in: steps, validation, early stopping, checkpoints, metrics.

Nothing in a step depends on what ran before it but the weights and the optimizer's state, which a checkpoint holds: the
batches follow from the seed, dropout from the seed and the step's number. So a run that was killed and started again
gives the same numbers as one that was not.
"""

import io
import json
import math
import os
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar

import torch
from torch import Tensor, nn

from app.compose.sentence import Sentence
from training.allocator import release_memory
from training.device_failure import device_failures
from training.errors import TrainingError
from training.network import schedule
from training.progress import StepLine
from training.whole_file import unwritten, whole_file, write_text
from training.workspace import make_folder

Batch = TypeVar("Batch")

CHECKPOINT, METRICS = "checkpoint.pt", "metrics.jsonl"
MOST_MEMORY = 0.5  # of the machine's, before what is not in use is given back
BETAS = (0.9, 0.99)  # of AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101)


@dataclass(frozen=True)
class Pace:
    """What a recipe says of a stage; see :class:`training.recipe.Tuning`."""

    learning_rate: float
    warmup: float
    weight_decay: float
    clip: float
    validate_every: int
    patience: int
    checkpoint_seconds: float


@dataclass(frozen=True)
class Stage(Generic[Batch]):
    """One stage of training.

    Attributes:
        identity: whatever must be the same for a checkpoint to be continued.
        batches: those of all steps, in order.
        loss: of a batch, as a scalar with gradient, and other numbers to keep in the metrics.
        tokens: of a batch, for the speed that is shown.
        validate: what early stopping looks at, lower being better, and other numbers for the metrics. None takes every
            step there is, and the weights of the last.
    """

    name: str
    identity: str
    seed: int
    batches: Sequence[Batch]
    loss: Callable[[Batch], tuple[Tensor, dict[str, float]]]
    tokens: Callable[[Batch], int]
    validate: Callable[[], tuple[float, dict[str, float]]] | None
    pace: Pace


@dataclass(frozen=True)
class Outcome:
    """How a stage ended: the network holds the weights that validated best, those of ``best_step``. The loss is not a
    number where nothing was validated."""

    best_loss: float
    best_step: int
    steps: int
    stopped_early: bool
    seconds: float


def run_stage(network: nn.Module, stage: Stage[Batch], folder: Path) -> Outcome:
    """Train what of ``network`` requires gradients; continue where a checkpoint in ``folder`` left off.

    Raises:
        TrainingError: the loss is not a number, the device fails, or the disk does. The last checkpoint stays.
        KeyboardInterrupt: after a checkpoint was written.
    """
    make_folder(folder)
    run = _Run(network, stage, folder)
    with device_failures():
        run.go()
    return run.outcome()


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Within it, Ctrl+C and SIGTERM only set what the yielded function returns, so that a step is whole or not taken;
    a second one stops at once."""
    asked = False

    def note(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """The state of one run of a stage; float32 copies of the trained weights are what the optimizer changes."""

    def __init__(self, network: nn.Module, stage: Stage[Any], folder: Path) -> None:
        self._network = network
        self._stage = stage
        self._folder = folder
        self._trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._masters = [parameter.detach().float().clone() for parameter in self._trained]
        self._optimizer = torch.optim.AdamW(
            self._masters, lr=stage.pace.learning_rate, betas=BETAS, weight_decay=stage.pace.weight_decay
        )
        self._step = 0
        self._best: tuple[float, int, list[Tensor]] = (float("inf"), 0, [])
        self._misses = 0
        self._seconds = 0.0
        self._resume()
        self._metrics = _opened(folder / METRICS)
        self._line = StepLine(stage.name, len(stage.batches), self._step)

    def go(self) -> None:
        """Steps until the end or until nothing gets better."""
        stage, pace = self._stage, self._stage.pace
        began, saved = time.monotonic() - self._seconds, time.monotonic()
        try:
            with asked_to_stop() as stopping:
                if self._step == 0 and self._best[0] == float("inf"):
                    self._validate()
                while not self._over():
                    self._take_step(stage.batches[self._step])
                    self._seconds = time.monotonic() - began
                    if self._step % pace.validate_every == 0 or self._step == len(stage.batches):
                        self._validate()
                    if time.monotonic() - saved >= pace.checkpoint_seconds or self._over() or stopping():
                        self._save()
                        saved = time.monotonic()
                    if stopping():
                        raise KeyboardInterrupt
        finally:
            with suppress(OSError):  # what a full disk did not take was told already
                self._metrics.close()
            self._line.close()

    def outcome(self) -> Outcome:
        """Put the best weights into the network."""
        loss, step, weights = self._best
        with torch.no_grad():
            for parameter, weight in zip(self._trained, weights, strict=True):
                parameter.copy_(weight)
        return Outcome(loss, step, self._step, self._step < len(self._stage.batches), self._seconds)

    def _over(self) -> bool:
        return self._misses >= self._stage.pace.patience or self._step == len(self._stage.batches)

    def _take_step(self, batch: Any) -> None:
        stage, pace = self._stage, self._stage.pace
        rate = pace.learning_rate * schedule(self._step, len(stage.batches), pace.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(stage.seed + self._step)
        self._network.train()
        loss, others = stage.loss(batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                Sentence(
                    f"第 {self._step + 1} 步的损失不是数了（{value}）。请把 learning_rate 调小再运行，会从头训练。",
                    f"The loss of step {self._step + 1} is no number ({value}). Lower learning_rate in the recipe and "
                    "run again; training begins anew.",
                )
            )
        loss.backward()
        for parameter, master in zip(self._trained, self._masters, strict=True):
            gradient = parameter.grad
            master.grad = torch.zeros_like(master) if gradient is None else gradient.float()
            parameter.grad = None
        norm = float(nn.utils.clip_grad_norm_(self._masters, pace.clip))
        self._optimizer.step()
        self._write_back()
        self._step += 1
        tokens = stage.tokens(batch)
        self._note(
            step=self._step, loss=round(value, 6), learning_rate=rate, norm=round(norm, 5), tokens=tokens, **others
        )
        self._line.step(self._step, value, tokens)
        release_memory(above=MOST_MEMORY)

    def _write_back(self) -> None:
        with torch.no_grad():
            for parameter, master in zip(self._trained, self._masters, strict=True):
                parameter.copy_(master)

    def _validate(self) -> None:
        if self._stage.validate is None:
            self._best = (float("nan"), self._step, self._weights())
            return
        loss, others = self._stage.validate()
        if not self._best[2] and not math.isfinite(loss):
            raise TrainingError(
                Sentence(
                    f"还没训练，底座的损失就不是数（{loss}）。底座可能坏了，请重新下载，或把 device 改成 cpu 试试。",
                    f"Before any training the base's loss is no number ({loss}). The base may be damaged: fetch it "
                    "again, or try with device: cpu.",
                )
            )
        better = loss < self._best[0]
        if better:
            self._best = (loss, self._step, self._weights())
        self._misses = 0 if better else self._misses + 1
        self._note(step=self._step, validation_loss=round(loss, 6), **others)
        self._line.validated(self._step, loss, better)

    def _weights(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self._trained]

    def _note(self, **numbers: float) -> None:
        try:
            self._metrics.write(json.dumps(numbers) + "\n")
            self._metrics.flush()
        except OSError as error:
            raise unwritten(error, self._folder / METRICS) from error

    def _save(self) -> None:
        state = {
            "identity": self._stage.identity,
            "step": self._step,
            "masters": self._masters,
            "optimizer": self._optimizer.state_dict(),
            "best": self._best,
            "misses": self._misses,
            "seconds": self._seconds,
        }
        # Torch's own writer reports a full disk as a RuntimeError that says neither disk nor full.
        packed = io.BytesIO()
        torch.save(state, packed)
        with whole_file(self._folder / CHECKPOINT) as part:
            os.fsync(self._metrics.fileno())
            part.write_bytes(packed.getbuffer())

    def _resume(self) -> None:
        """Take up the checkpoint, if there is one of this very stage; the metrics of later steps are cut off."""
        path = self._folder / CHECKPOINT
        state = _read_checkpoint(path, self._stage.identity)
        if state is None:
            path.unlink(missing_ok=True)
            (self._folder / METRICS).unlink(missing_ok=True)
            return
        for master, kept in zip(self._masters, state["masters"], strict=True):
            master.copy_(kept)
        self._optimizer.load_state_dict(state["optimizer"])
        self._step, self._misses, self._seconds = state["step"], state["misses"], state["seconds"]
        loss, step, weights = state["best"]
        self._best = (loss, step, weights)
        self._write_back()
        cut_metrics(self._folder / METRICS, self._step)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8", newline="\n")
    except OSError as error:
        raise unwritten(error, path) from error


def _read_checkpoint(path: Path, identity: str) -> dict[str, Any] | None:
    """What the checkpoint of a stage holds; None where there is none, or one of another stage, or a damaged one, which
    is said: training begins anew.

    Raises:
        TrainingError: it could be neither read nor found damaged, for want of memory or by the disk's fault.
    """
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # torch itself does not look at the checksums
            damaged = archive.testzip() is not None
        with device_failures():  # of which the file is not to blame
            state: dict[str, Any] | None = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except TrainingError:
        raise
    except OSError as error:
        raise TrainingError(
            Sentence(
                f"检查点 {path.name} 现在读不出来，没有动它。请看看磁盘是否正常，再运行一次。",
                f"The checkpoint {path.name} cannot be read now and was left alone. See whether the disk is well, and "
                "run again.",
            ),
            f"{path}: {error}",
        ) from error
    except Exception:  # torch, pickle and zipfile each have their own ways of refusing a damaged file
        state = None
    if not isinstance(state, dict) or "identity" not in state:
        print(
            f"检查点 {path.name} 坏了，从头训练。\nThe checkpoint {path} is damaged; training begins anew.",
            file=sys.stderr,
        )
        return None
    return state if state["identity"] == identity else None


def cut_metrics(path: Path, step: int) -> None:
    """Remove lines of steps after ``step``, and a line that a kill left unfinished."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            break
    write_text(path, "".join(f"{line}\n" for line in kept))
