"""Reads a PEFT LoRA adapter: ``adapter_config.json`` and ``adapter_model.safetensors``, strictly.

Whatever would make the merged model something else than what was trained (another LoRA variant, a tensor nobody asked
for, a rank that does not fit) is refused here, never skipped. Reads safetensors itself because that library's numpy
side has no bfloat16, which is what adapters are saved in. Knows nothing of GGUF.

Formats: https://github.com/huggingface/safetensors#format, https://arxiv.org/abs/2106.09685 (LoRA: W + alpha/r B A),
https://arxiv.org/abs/2312.03732 (rank-stabilized LoRA: alpha/sqrt(r)).
"""

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.compose.sentence import Sentence
from app.models.errors import ModelError
from app.models.quantization import from_bfloat16

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
LONGEST_HEADER = 16 << 20  # bytes of JSON
_WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")

# Settings of PEFT's LoraConfig that change what the weights mean; plain LoRA leaves each of them empty or false.
_VARIANTS = (
    "alora_invocation_tokens",
    "arrow_config",
    "corda_config",
    "eva_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "lora_ga_config",
    "megatron_config",
    "modules_to_save",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_dora",
    "use_qalora",
    "velora_config",
)
_PLAIN_STARTS = (True, False, None, "gaussian", "orthogonal")  # the others (PiSSA, OLoRA, …) also change the base


class AdapterError(ModelError):
    """The adapter cannot be used (``adapter_unfit``); ``detail`` names the file and what is wrong with it."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "adapter_unfit",
            Sentence(
                "微调文件（adapter）有问题，没法用它生成模型。请重新下载本程序，或换一个完整的 adapter 文件夹。",
                "The fine-tuning files (the adapter) are not usable, so the model cannot be built from them. "
                "Download the program again, or give a complete adapter folder.",
            ),
            detail,
        )


@dataclass(frozen=True)
class LowRank:
    """What one projection learned: its weight changes by ``scale * up @ down``.

    ``down`` (A) is (rank, inputs), ``up`` (B) is (outputs, rank), both float32.
    """

    down: NDArray[np.float32]
    up: NDArray[np.float32]
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs) of the weight it is added to."""
        return self.up.shape[0], self.down.shape[1]


def read_adapter(folder: Path) -> dict[str, LowRank]:
    """The adapter in ``folder``, by the name of the module it changes (``model.layers.0.self_attn.q_proj``).

    Raises:
        AdapterError: a file is missing, damaged, contradicts the other, or is not plain LoRA.
    """
    config = _read_config(folder / CONFIG_FILE)
    sides: dict[str, dict[str, NDArray[np.float32]]] = {}
    for key, values in _read_safetensors(folder / WEIGHTS_FILE).items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise AdapterError(f"{folder / WEIGHTS_FILE}: {key[:200]!r} is not the A or B of a linear layer")
        both = sides.setdefault(match["module"], {})
        if match["side"] in both:
            raise AdapterError(f"{folder / WEIGHTS_FILE}: {match['module']} has two lora_{match['side']}")
        both[match["side"]] = values
    if not sides:
        raise AdapterError(f"{folder / WEIGHTS_FILE}: no tensor in it")
    return {module: _low_rank(module, both, config) for module, both in sides.items()}


def _low_rank(module: str, sides: Mapping[str, NDArray[np.float32]], config: Mapping[str, Any]) -> LowRank:
    if set(sides) != {"A", "B"}:
        raise AdapterError(f"{module} has lora_{''.join(sides)} and not the other one")
    down, up = sides["A"], sides["B"]
    rank = _setting_of(module, config["rank_pattern"], config["r"])
    alpha = _setting_of(module, config["alpha_pattern"], config["lora_alpha"])
    if down.ndim != 2 or up.ndim != 2 or down.shape[0] != rank or up.shape[1] != rank:
        raise AdapterError(f"{module}: A is {down.shape} and B is {up.shape}, of rank {rank} by {CONFIG_FILE}")
    if not (np.isfinite(down).all() and np.isfinite(up).all()):
        raise AdapterError(f"{module} has a value that is not a finite number")
    return LowRank(down, up, alpha / (math.sqrt(rank) if config["use_rslora"] else rank))


def _setting_of(module: str, patterns: Mapping[str, Any], otherwise: Any) -> Any:
    """The first pattern that ends the module's name decides, as in PEFT's ``get_pattern_key``."""
    for pattern, value in patterns.items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return otherwise


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterError(f"{path}: {error}") from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise AdapterError(f"{path}: not the configuration of a LoRA adapter")
    for key in _VARIANTS:
        if config.get(key):
            raise AdapterError(f"{path}: {key} is set; only plain LoRA can be merged")
    if config.get("bias", "none") != "none":
        raise AdapterError(f"{path}: bias is {config['bias']!r}; only plain LoRA can be merged")
    if config.get("init_lora_weights") not in _PLAIN_STARTS:
        raise AdapterError(f"{path}: init_lora_weights {config['init_lora_weights']!r} also changes the base")
    config = {"rank_pattern": {}, "alpha_pattern": {}, "use_rslora": False} | config
    ranks = [config.get("r"), *_pattern(path, config, "rank_pattern").values()]
    if not all(isinstance(rank, int) and not isinstance(rank, bool) and 0 < rank < 1 << 16 for rank in ranks):
        raise AdapterError(f"{path}: r or rank_pattern is not a rank: {ranks}")
    alphas = [config.get("lora_alpha"), *_pattern(path, config, "alpha_pattern").values()]
    if not all(isinstance(alpha, (int, float)) and not isinstance(alpha, bool) for alpha in alphas):
        raise AdapterError(f"{path}: lora_alpha or alpha_pattern is not a number: {alphas}")
    return config


def _pattern(path: Path, config: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = config[key]
    if not isinstance(value, dict):
        raise AdapterError(f"{path}: {key} is not an object")
    for pattern in value:
        try:
            re.compile(pattern)
        except re.error as error:
            raise AdapterError(f"{path}: {key} {pattern!r}: {error}") from error
    return value


def _read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every tensor of the file, widened to float32, in the file's order."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise AdapterError(f"{path}: {error}") from error
    length = struct.unpack_from("<Q", raw)[0] if len(raw) >= 8 else -1
    if not 0 < length <= min(LONGEST_HEADER, len(raw) - 8):
        raise AdapterError(f"{path}: {len(raw)} bytes, not a whole safetensors file")
    try:
        header = json.loads(raw[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise AdapterError(f"{path}: its header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise AdapterError(f"{path}: its header is not an object")
    header.pop("__metadata__", None)
    data = memoryview(raw)[8 + length :]
    found: dict[str, NDArray[np.float32]] = {}
    expected = 0
    for key, entry in sorted(header.items(), key=lambda item: _begin(path, *item)):
        begin, end, kind, shape = _entry(path, key, entry)
        # The format allows neither holes nor overlaps, so a damaged header shows.
        if begin != expected or end > len(data) or end - begin != math.prod(shape) * _WIDTHS[kind]:
            raise AdapterError(f"{path}: {key[:200]!r} {kind}{list(shape)} at {begin}:{end} of {len(data)} bytes")
        found[key] = _widened(kind, data[begin:end]).reshape(shape)
        expected = end
    if expected != len(data):
        raise AdapterError(f"{path}: {len(data)} bytes of tensors where the header has {expected}")
    return found


def _begin(path: Path, key: str, entry: Any) -> int:
    return _entry(path, key, entry)[0]


def _entry(path: Path, key: str, entry: Any) -> tuple[int, int, str, tuple[int, ...]]:
    """Begin, end, type and shape of a tensor, from its entry in the header."""
    try:
        kind, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise AdapterError(f"{path}: the entry of {key[:200]!r} is not one of a tensor") from error
    if kind not in _WIDTHS:
        raise AdapterError(f"{path}: {key[:200]!r} is {kind}; one of {', '.join(_WIDTHS)} is needed")
    numbers = (*shape, begin, end)
    if not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers):
        raise AdapterError(f"{path}: {key[:200]!r} has the shape {shape} at {begin}:{end}")
    return begin, end, kind, shape


def _widened(kind: str, raw: memoryview) -> NDArray[np.float32]:
    if kind == "BF16":
        return from_bfloat16(np.frombuffer(raw, "<u2"))
    return np.frombuffer(raw, {"F32": "<f4", "F16": "<f2"}[kind]).astype(np.float32)
