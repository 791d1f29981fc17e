"""A trained adapter as a folder: PEFT's two files, and beside them what it was made from and how it went.

The same weights give the same bytes. The folder appears under its name only when it is whole.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.compose.sentence import Sentence
from app.models.adapter import CONFIG_FILE, WEIGHTS_FILE, read_adapter
from app.whole_file import sync, sync_folder
from training.errors import TrainingError
from training.whole_file import unwritten

if TYPE_CHECKING:
    from torch import Tensor, nn

FACTS_FILE = "training.json"


def write_adapter(folder: Path, network: "nn.Module", base_name: str, facts: Mapping[str, Any], curve: Path) -> None:
    """Write the adapter in ``network`` to ``folder``, in place of what was there.

    Args:
        base_name: of the model it belongs to; no path of this machine.
        facts: what becomes ``training.json``.
        curve: the metrics, which are kept beside it.

    Raises:
        TrainingError: the disk or the folder does not allow it; what was there stays.
    """
    part = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _write_weights(part / WEIGHTS_FILE, network)
        _write_json(part / CONFIG_FILE, _config(network, base_name))
        _write_json(part / FACTS_FILE, facts)
        shutil.copyfile(curve, part / curve.name)
        for path in part.iterdir():
            sync(path)
        read_adapter(part)  # what the merge could not use is found now
        put_in_place(part, folder)
    except OSError as error:
        raise unwritten(error, folder) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def put_in_place(made: Path, folder: Path) -> None:
    """Give the finished folder ``made`` the name ``folder``. What had it is removed only when that is done.

    Raises:
        OSError: it cannot be; what was there stays.
    """
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(made, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def read_facts(folder: Path) -> dict[str, Any] | None:
    """What ``training.json`` says; None where there is none."""
    try:
        facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def load_weights(folder: Path, network: "nn.Module") -> None:
    """Put the adapter in ``folder`` into a network that has adapters of the same shape.

    Raises:
        TrainingError: damaged, or of another shape.
    """
    from peft import set_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    have = _state(network)
    shapes = {name: tuple(value.shape) for name, value in have.items()}
    try:
        weights = load_file(folder / WEIGHTS_FILE)
        if shapes != {name: tuple(value.shape) for name, value in weights.items()}:
            raise ValueError("it is not of the network's shape")
    except (OSError, ValueError, SafetensorError) as error:
        raise TrainingError(
            Sentence(
                f"{folder} 里的 adapter 坏了，或者不是这个配方训练的。删掉这个文件夹再运行一次。",
                f"The adapter in {folder} is damaged, or another recipe's. Delete that folder and run again.",
            ),
            f"{type(error).__name__}: {error}",
        ) from error
    set_peft_model_state_dict(network, {name: value.to(have[name].dtype) for name, value in weights.items()})


def _state(network: "nn.Module") -> "dict[str, Tensor]":
    """A and B of every module, by PEFT's names. Embeddings are never trained, so PEFT need not look whether they were,
    which it would do on the Hub."""
    from peft import get_peft_model_state_dict

    state: dict[str, Tensor] = get_peft_model_state_dict(network, save_embedding_layers=False)
    return state


def _write_weights(path: Path, network: "nn.Module") -> None:
    import torch
    from safetensors.torch import save

    state = _state(network)
    tensors = {name: state[name].detach().to("cpu", torch.bfloat16).contiguous() for name in sorted(state)}
    path.write_bytes(save(tensors, metadata={"format": "pt"}))  # its own writer hides why a disk refuses


def _config(network: "nn.Module", base_name: str) -> dict[str, Any]:
    """PEFT's own configuration, the sets in it sorted, so that every process writes the same."""
    config = dict(network.peft_config["default"].to_dict())  # type: ignore[operator,union-attr,index]
    config |= {"base_model_name_or_path": base_name, "inference_mode": True}
    plain = {key: sorted(value) if isinstance(value, set | frozenset) else value for key, value in config.items()}
    return {key: getattr(value, "value", value) for key, value in sorted(plain.items())}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
