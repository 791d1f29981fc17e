"""What the network itself writes to a list of prompts, sampled in batches by transformers and kept in a file.

Each line of the file is one answer, written when its batch is done, so that a killed run goes on behind the last whole
batch. A batch's random numbers follow from the seed and the batch's number alone.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.allocator import release_memory
from training.device_failure import device_failures
from training.examples import Example
from training.network import decoder_of
from training.whole_file import unwritten

BATCH = 48  # answers at once: enough to share the reading of the weights, few enough for any memory
MOST_TOKENS = 128  # of an answer; the longest greeting of the corpus has fewer
MIN_P = 0.05  # tokens less likely than this share of the likeliest are not drawn (Nguyen et al. 2024, arXiv:2407.01082)


def own_answers(
    network: nn.Module,
    prompts: Sequence[Example],
    end: int,
    *,
    temperature: float,
    seed: int,
    file: Path,
    identity: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[tuple[int, ...]]:
    """The answers to ``prompts`` (their own answers are not looked at), as token ids without the end of the turn.

    An answer that did not end within ``MOST_TOKENS`` is empty.

    Args:
        end: id of the token that ends a turn.
        file: JSONL; continued where it is of the same ``identity``, else begun anew.

    Raises:
        TrainingError: the device fails, or the disk does.
    """
    ordered = sorted(prompts, key=lambda example: (len(example.prompt), example.place))
    batches = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    found = _kept(file, identity, batches)
    network.eval()
    if not found:
        _add_line(file, {"identity": identity})
    for number in range(len(found), len(batches)):
        with device_failures():
            texts = _sample(network, batches[number], end, temperature, seed + number)
        # The cache of keys and values grew token by token, each time into a gap of another size.
        release_memory()
        _add_line(file, {"batch": number, "answers": texts})
        found.append(texts)
        progress(number + 1, len(batches))
    by_place = {
        example.place: tuple(text)
        for batch, texts in zip(batches, found, strict=True)
        for example, text in zip(batch, texts, strict=True)
    }
    return [by_place[example.place] for example in prompts]


def _add_line(file: Path, entry: dict[str, Any]) -> None:
    try:
        with file.open("a", encoding="utf-8", newline="\n") as out:
            out.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise unwritten(error, file) from error


def _kept(file: Path, identity: str, batches: Sequence[Sequence[Example]]) -> list[list[list[int]]]:
    """The whole batches an earlier start wrote; the file is cut behind them."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    found: list[list[list[int]]] = []
    try:
        if not lines or json.loads(lines[0]).get("identity") != identity:
            lines = []
        for line in lines[1:]:
            raw: dict[str, Any] = json.loads(line)
            if raw["batch"] != len(found) or len(raw["answers"]) != len(batches[len(found)]):
                break
            found.append(raw["answers"])
    except (ValueError, KeyError, TypeError, IndexError):
        pass  # the line that was being written
    keep = lines[: 1 + len(found)] if found else []
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in keep), encoding="utf-8", newline="\n")
    except OSError as error:
        raise unwritten(error, file) from error
    return found


def _sample(network: nn.Module, batch: Sequence[Example], end: int, temperature: float, seed: int) -> list[list[int]]:
    device = decoder_of(network).embed_tokens.weight.device
    longest = max(len(example.prompt) for example in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, example in enumerate(batch):
        ids[row, longest - len(example.prompt) :] = torch.tensor(example.prompt)
        mask[row, longest - len(example.prompt) :] = 1
    torch.manual_seed(seed)
    with torch.no_grad():
        whole = network.generate(  # type: ignore[operator]
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            do_sample=True,
            temperature=temperature,
            top_k=0,
            top_p=1.0,
            min_p=MIN_P,
            max_new_tokens=MOST_TOKENS,
            eos_token_id=end,
            pad_token_id=end,
            use_cache=True,
        )
    answers = []
    for row in whole[:, longest:].tolist():
        answers.append(row[: row.index(end)] if end in row else [])
    return answers
