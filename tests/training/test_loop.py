"""A stage stopped anywhere ends with the same numbers; what goes wrong is a sentence, and nothing is lost."""

import dataclasses
import json
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.tiny_run import lines_of
from training.errors import TrainingError
from training.loop import CHECKPOINT, METRICS, Outcome, Pace, Stage, run_stage

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


STEPS = 20
PACE = Pace(
    learning_rate=0.05,
    warmup=0.1,
    weight_decay=0.01,
    clip=1.0,
    validate_every=5,
    patience=100,
    checkpoint_seconds=1e9,
)


class Fit:
    """A small network with dropout that learns to add: every step and every number of it through the loop's door."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        torch.manual_seed(0)
        self.network = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))
        self.folder = folder
        self.seen: list[int] = []
        self.before_step: Callable[[int], Any] = lambda step: None
        self.validation: Callable[[], float] | None = None
        pace = {key: changes.pop(key) for key in list(changes) if key in PACE.__dataclass_fields__}
        self.stage = Stage(
            name="fit",
            identity="one",
            seed=7,
            batches=[*range(STEPS)],
            loss=self._loss,
            tokens=lambda batch: 4,
            validate=self._validate,
            pace=dataclasses.replace(PACE, **pace),
        )
        self.stage = dataclasses.replace(self.stage, **changes)

    def run(self) -> Outcome:
        return run_stage(self.network, self.stage, self.folder)

    def metrics(self) -> list[dict[str, Any]]:
        return lines_of(self.folder / METRICS)

    def weights(self) -> bytes:
        return b"".join(parameter.detach().numpy().tobytes() for parameter in self.network.parameters())

    def checkpoint(self) -> dict[str, Any]:
        return torch.load(self.folder / CHECKPOINT, weights_only=True)

    def _loss(self, batch: int) -> tuple[Any, dict[str, float]]:
        self.seen.append(batch)
        changed = self.before_step(batch)
        if changed is not None:
            return changed, {}
        rows = torch.randn(4, 3, generator=torch.Generator().manual_seed(batch))
        return ((self.network(rows) - rows.sum(1, keepdim=True)) ** 2).mean(), {"extra": float(batch)}

    def _validate(self) -> tuple[float, dict[str, float]]:
        if self.validation is not None:
            return self.validation(), {}
        self.network.eval()
        with torch.no_grad():
            rows = torch.eye(3)
            return float(((self.network(rows) - 1) ** 2).mean()), {}


def _stopping_at(step: int, number: int) -> Callable[[int], None]:
    def before(batch: int) -> None:
        if batch == step:
            signal.raise_signal(number)

    return before


@pytest.fixture
def whole(tmp_path: Path) -> Fit:
    """A run nothing happened to."""
    fit = Fit(tmp_path / "whole")
    fit.run()
    return fit


def test_a_run_learns_and_notes_every_step_and_every_look(whole: Fit):
    metrics = whole.metrics()
    steps = [line for line in metrics if "loss" in line]
    assert [line["step"] for line in steps] == [*range(1, STEPS + 1)] and whole.seen == [*range(STEPS)]
    assert {"learning_rate", "norm", "tokens", "extra"} <= set(steps[0])
    looks = [(line["step"], line["validation_loss"]) for line in metrics if "validation_loss" in line]
    assert [step for step, _ in looks] == [0, 5, 10, 15, 20] and looks[-1][1] < looks[0][1] / 2
    outcome = Fit(whole.folder).run()  # once more: there is nothing left to do
    best = min(looks, key=lambda look: look[1])
    assert (outcome.best_step, round(outcome.best_loss, 6)) == best and whole.metrics() == metrics
    assert (outcome.steps, outcome.stopped_early) == (STEPS, False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step_with_a_checkpoint_and_the_next_start_goes_on(
    number: int, whole: Fit, tmp_path: Path
):
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    for step in (0, 7, 9):
        fit = Fit(tmp_path / "stopped")
        fit.before_step = _stopping_at(step, number)
        with pytest.raises(KeyboardInterrupt):
            fit.run()
        assert fit.seen[-1] == step and fit.checkpoint()["step"] == step + 1
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    last = Fit(tmp_path / "stopped")
    last.run()
    assert last.seen[0] == 10 and last.weights() == whole.weights()
    assert (last.folder / METRICS).read_bytes() == (whole.folder / METRICS).read_bytes()


def test_a_second_signal_stops_at_once(tmp_path: Path):
    fit = Fit(tmp_path)
    interrupt = _stopping_at(3, signal.SIGINT)
    fit.before_step = lambda step: [interrupt(step), interrupt(step)][0]
    with pytest.raises(KeyboardInterrupt):
        fit.run()
    assert fit.seen[-1] == 3 and not (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize("seconds", [0, 1e9])
def test_a_crash_anywhere_costs_what_came_after_the_checkpoint_and_no_number(
    seconds: float, whole: Fit, tmp_path: Path
):
    class Killed(BaseException):
        pass

    def kill(at: int) -> Callable[[int], None]:
        def before(step: int) -> None:
            if step == at:
                raise Killed

        return before

    for step in (2, 6, 12, 19):
        fit = Fit(tmp_path / "killed", checkpoint_seconds=seconds)
        fit.before_step = kill(step)
        with pytest.raises(Killed):
            fit.run()
        with (fit.folder / METRICS).open("a") as file:
            file.write('{"step": 13, "lo')  # a line the kill cut off
    last = Fit(tmp_path / "killed", checkpoint_seconds=seconds)
    last.run()
    assert last.seen[0] == (19 if seconds == 0 else 0) and last.weights() == whole.weights()
    assert (last.folder / METRICS).read_bytes() == (whole.folder / METRICS).read_bytes()


def test_without_a_validation_every_step_is_taken_and_the_last_weights_stay(tmp_path: Path):
    whole = Fit(tmp_path / "whole", validate=None, patience=1)
    outcome = whole.run()
    assert (outcome.best_step, outcome.steps, outcome.stopped_early) == (STEPS, STEPS, False)
    assert math.isnan(outcome.best_loss)
    assert [line["step"] for line in whole.metrics()] == [*range(1, STEPS + 1)]  # and not one look
    masters = whole.checkpoint()["masters"]
    assert whole.weights() == b"".join(master.numpy().tobytes() for master in masters)
    stopped = Fit(tmp_path / "stopped", validate=None)
    stopped.before_step = _stopping_at(7, signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    last = Fit(tmp_path / "stopped", validate=None)
    last.run()
    assert last.seen[0] == 8 and last.weights() == whole.weights()


def test_training_stops_when_nothing_gets_better_and_keeps_the_best_weights(tmp_path: Path):
    losses = iter([5.0, 3.0, 3.5, 3.0, float("nan"), 1.0])
    fit = Fit(tmp_path, validate_every=2, patience=3)
    weights: list[bytes] = []

    def look() -> float:
        weights.append(fit.weights())
        return next(losses)

    fit.validation = look
    outcome = fit.run()
    assert outcome == Outcome(3.0, 2, 8, True, outcome.seconds)
    assert fit.weights() == weights[1] != weights[-1]
    again = Fit(tmp_path, validate_every=2, patience=3)
    assert again.run() == outcome and again.seen == [] and again.weights() == weights[1]


def test_patience_survives_being_stopped(tmp_path: Path):
    for step in (3, 5):
        fit = Fit(tmp_path, validate_every=2, patience=3)
        fit.validation = lambda: 4.0
        fit.before_step = _stopping_at(step, signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            fit.run()
    last = Fit(tmp_path, validate_every=2, patience=3)
    assert last.run().stopped_early and last.seen == []


def _spoiled(raw: bytes) -> dict[str, bytes]:
    middle = len(raw) // 2
    return {
        "random": os.urandom(len(raw)),
        "truncated": raw[:middle],
        "empty": b"",
        "one byte": raw[:middle] + bytes([raw[middle] ^ 0x10]) + raw[middle + 1 :],
    }


@pytest.mark.parametrize("kind", ["random", "truncated", "empty", "one byte", "another program's"])
def test_a_damaged_checkpoint_is_told_and_training_begins_anew(
    kind: str, whole: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = whole.folder / CHECKPOINT
    if kind == "another program's":
        torch.save([1, 2, 3], path)
    else:
        path.write_bytes(_spoiled(path.read_bytes())[kind])
    metrics, weights = whole.metrics(), whole.weights()
    again = Fit(whole.folder)
    again.run()
    assert again.seen == [*range(STEPS)] and again.metrics() == metrics and again.weights() == weights
    said = capsys.readouterr().err
    assert "从头训练" in said and f"{path} is damaged" in said


@pytest.mark.parametrize("failure", [MemoryError(), OSError(5, "Input/output error")])
def test_a_checkpoint_that_cannot_be_read_now_is_kept(failure: Exception, whole: Fit, monkeypatch: pytest.MonkeyPatch):
    path = whole.folder / CHECKPOINT
    before = path.read_bytes(), whole.metrics()

    def fail(*_: object, **__: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(torch, "load", fail)
        with pytest.raises(TrainingError):
            Fit(whole.folder).run()
    assert (path.read_bytes(), whole.metrics()) == before


def test_a_checkpoint_of_another_run_is_not_continued(whole: Fit):
    other = Fit(whole.folder, identity="two")
    other.run()
    assert other.seen == [*range(STEPS)] and len(other.metrics()) == len(whole.metrics())
    assert other.checkpoint()["identity"] == "two"


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(value: str, tmp_path: Path):
    fit = Fit(tmp_path)
    fit.before_step = lambda step: torch.tensor(float(value), requires_grad=True) if step == 11 else None
    with pytest.raises(TrainingError) as error:
        fit.run()
    assert "第 12 步" in error.value.sentence.zh and "learning_rate" in error.value.sentence.en
    fit = Fit(tmp_path / "base")
    fit.validation = lambda: float(value)
    with pytest.raises(TrainingError) as error:
        fit.run()
    assert "底座" in error.value.sentence.zh and fit.seen == []


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (RuntimeError("CUDA error: device-side assert triggered"), "The GPU failed or was lost"),
        (RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm"), "The GPU failed or was lost"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."), "Out of memory"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"), "Out of memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "Out of memory"),
        (MemoryError(), "Out of memory"),
    ],
)
def test_a_device_that_fails_is_a_sentence_and_the_checkpoint_stays(
    failure: Exception, said: str, whole: Fit, tmp_path: Path
):
    def fail(step: int) -> None:
        if step == 8:
            raise failure

    fit = Fit(tmp_path / "lost", checkpoint_seconds=0)
    fit.before_step = fail
    with pytest.raises(TrainingError) as error:
        fit.run()
    assert said in error.value.sentence.en and error.value.detail == str(failure)
    last = Fit(tmp_path / "lost", checkpoint_seconds=0)
    last.run()
    assert last.seen[0] == 8 and last.weights() == whole.weights()


def test_a_fault_of_our_own_is_not_taken_for_the_devices(tmp_path: Path):
    fit = Fit(tmp_path)
    fit.before_step = lambda step: torch.zeros(2) @ torch.zeros(3)
    with pytest.raises(RuntimeError, match="size"):
        fit.run()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
@pytest.mark.parametrize("name", [METRICS, f"{CHECKPOINT}.part"])
def test_a_full_disk_is_a_sentence_and_the_last_checkpoint_stays(name: str, tmp_path: Path):
    fit = Fit(tmp_path)
    fit.before_step = _stopping_at(4, signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        fit.run()
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to("/dev/full")
    fit = Fit(tmp_path, checkpoint_seconds=0)
    with pytest.raises(TrainingError) as error:
        fit.run()
    assert "磁盘写满了" in error.value.sentence.zh and name.removesuffix(".part") in error.value.sentence.en
    assert fit.checkpoint()["step"] == 5 and not (tmp_path / f"{CHECKPOINT}.part").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError) as error:
        Fit(tmp_path / "file" / "run").run()
    assert "run" in error.value.sentence.en


def test_without_a_terminal_only_looks_are_printed(whole: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Fit(tmp_path / "quiet").run()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5 and lines[0].startswith("fit 0/20  validation ") and lines[-1].startswith("fit 20/20  loss ")
    assert json.dumps(whole.metrics()[-1]["validation_loss"])[:5] in lines[-1]
