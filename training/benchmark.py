"""Step ``bench``: ours against transformers' Trainer with PEFT, the same records for the same steps, in one run.

The peer is what general fine-tuning tools run underneath: the whole model with adapters on every layer, padded batches,
logits over the whole vocabulary at every position. Both begin from the same base and are judged by the same measure,
the loss on the same validation records over the kept vocabulary. Each runs in a process of its own, so that its peak
memory is its own. Loading is not counted.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.allocator import keep_memory
from training.examples import by_length, encode_records
from training.lora import remember_below, token_count
from training.part import spread
from training.prepare import prepare
from training.recipe import Adapter, add_recipe_arguments
from training.records import Record
from training.workspace import Workspace

if TYPE_CHECKING:
    from torch import nn

RECORDS_A_STEP = 8


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("bench", help="training speed and memory against transformers' Trainer")
    add_recipe_arguments(parser)
    parser.add_argument("--records", type=int, default=200, help="to train on, once each")
    parser.add_argument("--validation", type=int, default=48, help="records to judge with")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=("ours", "trainer"), help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run both, one after the other, and print the ratios."""
    workspace = Workspace.of(args)
    if args.side:
        if args.side == "ours":
            keep_memory()
        print(json.dumps(_run_side(workspace, args)))
        return 0
    prepare(workspace)
    found = {side: _in_a_process(args, side) for side in ("trainer", "ours")}
    if args.json:
        print(json.dumps(found))
        return 0
    peer, ours = found["trainer"], found["ours"]
    print(f"{args.records} records, {ours['steps']} steps of {RECORDS_A_STEP}, {os.cpu_count()} processors")
    print(f"{'':24}{'Trainer + PEFT':>16}{'ours':>12}{'ratio':>9}")
    for label, key, digits in (
        ("tokens/s", "tokens_a_second", 1),
        ("peak memory, MB", "peak_mb", 0),
        ("validation loss", "validation_loss", 4),
    ):
        ratio = ours[key] / peer[key]
        print(f"{label:24}{peer[key]:16.{digits}f}{ours[key]:12.{digits}f}{ratio:9.2f}")
    return 0


def _in_a_process(args: argparse.Namespace, side: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "training", "bench", "--side", side, "--recipe", str(args.recipe)]
    command += ["--records", str(args.records), "--validation", str(args.validation)]
    for option in ("out", "base", "corpus"):
        if getattr(args, option) is not None:
            command += [f"--{option}", str(getattr(args, option))]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def _run_side(workspace: Workspace, args: argparse.Namespace) -> dict[str, Any]:
    train = spread(workspace.split.train, args.records)
    validation = spread(workspace.split.validation, args.validation)
    network, side = (_ours if args.side == "ours" else _trainer)(workspace, train)
    from training.network import mean_loss

    held = encode_records(workspace.base, validation, workspace.catalog)
    return {
        "tokens_a_second": side.tokens / side.seconds,
        "seconds": side.seconds,
        "peak_mb": side.peak_bytes / 1e6,
        "validation_loss": mean_loss(network, by_length(held, 2048)),
        "steps": side.steps,
    }


@dataclass(frozen=True)
class _Side:
    """What one of the two took."""

    tokens: int
    steps: int
    seconds: float
    peak_bytes: int


def _ours(workspace: Workspace, records: Sequence[Record]) -> "tuple[nn.Module, _Side]":
    """The recipe's adapter, in the product's own loop; running the lower layers once is part of the time."""
    import random
    import tempfile

    from training.loop import Pace, Stage, run_stage
    from training.network import answer_losses, attach_adapters, choose_device, load_network

    recipe = workspace.recipe
    network = attach_adapters(load_network(workspace.base, choose_device(recipe.device)), recipe.adapter, recipe.seed)
    taught = encode_records(workspace.base, records, workspace.catalog)
    with tempfile.TemporaryDirectory(dir=workspace.folder) as folder:
        started = time.monotonic()
        below = remember_below(workspace, network, taught, Path(folder), "below.bf16")
        # Of like length together, as the product does it; the peer's collator pads whatever comes.
        ordered = sorted(taught, key=lambda example: example.length)
        alike = [ordered[start : start + RECORDS_A_STEP] for start in range(0, len(ordered), RECORDS_A_STEP)]
        random.Random(recipe.seed).shuffle(alike)
        tuning = recipe.tuning
        stage = Stage(
            name="ours",
            identity="bench",
            seed=recipe.seed,
            batches=alike,
            loss=lambda batch: (answer_losses(network, batch, below).mean(), {}),
            tokens=token_count,
            validate=None,
            pace=Pace(tuning.learning_rate, tuning.warmup, 0.0, tuning.clip, len(alike), 100, 1e9),
        )
        run = run_stage(network, stage, Path(folder))
        seconds = time.monotonic() - started
    assert run.steps == len(alike)
    return network, _Side(token_count(taught), len(alike), seconds, _peak_bytes())


def _trainer(workspace: Workspace, records: Sequence[Record]) -> "tuple[nn.Module, _Side]":
    """PEFT as it comes, on every layer of the whole base, in transformers' Trainer; judged on the trimmed base."""
    import tempfile

    import torch
    from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from transformers import Trainer, TrainingArguments

    from training.network import choose_device, load_network

    recipe = workspace.recipe
    shape: Adapter = recipe.adapter
    device = choose_device(recipe.device)
    network = load_network(recipe.base.file, device)
    torch.manual_seed(recipe.seed)
    config = LoraConfig(
        r=shape.rank,
        lora_alpha=int(shape.alpha),
        lora_dropout=shape.dropout,
        target_modules=sorted(shape.modules),
        task_type="CAUSAL_LM",
    )
    tuned = get_peft_model(network, config)
    taught = encode_records(recipe.base.file, records, workspace.catalog)
    steps = -(-len(taught) // RECORDS_A_STEP)
    data = [
        {
            "input_ids": list(example.prompt + example.answer),
            "labels": [-100] * len(example.prompt) + list(example.answer),
        }
        for example in taught
    ]

    def collate(rows: list[dict[str, list[int]]]) -> dict[str, Any]:
        longest = max(len(row["input_ids"]) for row in rows)
        return {
            "input_ids": torch.tensor([row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows]),
            "labels": torch.tensor([row["labels"] + [-100] * (longest - len(row["labels"])) for row in rows]),
            "attention_mask": torch.tensor(
                [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
            ),
        }

    with tempfile.TemporaryDirectory(dir=workspace.folder) as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=RECORDS_A_STEP,
            num_train_epochs=1,
            learning_rate=recipe.tuning.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=max(1, round(recipe.tuning.warmup * steps)),
            max_grad_norm=recipe.tuning.clip,
            weight_decay=0.0,
            bf16=True,
            use_cpu=device.type == "cpu",
            save_strategy="no",
            report_to=[],
            logging_strategy="no",
            disable_tqdm=True,
            seed=recipe.seed,
        )
        trainer = Trainer(model=tuned, args=arguments, train_dataset=data, data_collator=collate)
        started = time.monotonic()
        trainer.train()
        seconds = time.monotonic() - started
    side = _Side(token_count(taught), steps, seconds, _peak_bytes())
    judged = get_peft_model(load_network(workspace.base, device), config)
    set_peft_model_state_dict(judged, get_peft_model_state_dict(tuned))
    return judged, side


def _peak_bytes() -> int:
    """The most memory this process has had: of the GPU where it has one in use, else resident."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
