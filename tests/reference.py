"""llama.cpp as the judge of a merge: a model's probabilities, and an adapter applied at run time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

from app.models.adapter import LowRank
from app.models.gguf_file import read_header
from app.models.gguf_header import write_header


def write_lora(path: Path, adapter: Mapping[str, LowRank], family: str = "qwen2", layers: int = 2) -> Path:
    """The adapter as a GGUF file that llama.cpp adds at run time, in float32, its scale folded into B."""
    architecture = next(number for number, name in gguf.MODEL_ARCH_NAMES.items() if name == family)
    names = gguf.get_tensor_name_map(architecture, layers)
    writer = gguf.GGUFWriter(path, family)
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 0.0)  # 0: nothing but what is folded in
    for module, change in adapter.items():
        name = f"{names.get_name(module)}.weight"
        writer.add_tensor(f"{name}.lora_a", change.down)
        writer.add_tensor(f"{name}.lora_b", (change.up * change.scale).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def open_model(path: Path, lora: Path | None = None, context: int = 512) -> llama_cpp.Llama:
    """The model, keeping the logits of every position."""
    return llama_cpp.Llama(
        str(path),
        n_ctx=context,
        n_batch=context,
        n_threads=2,
        logits_all=True,
        verbose=False,
        lora_path=None if lora is None else str(lora),
    )


def log_probabilities(model: llama_cpp.Llama, tokens: Sequence[int]) -> np.ndarray:
    """Natural-log probabilities of the token after each position: float64 (positions, vocabulary)."""
    model.reset()
    model.eval(tokens)
    logits = model.scores[: len(tokens)].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def divergence(reference: np.ndarray, other: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of ``other`` from ``reference``, in nats a position."""
    return float((np.exp(reference) * (reference - other)).sum(axis=1).mean())


def pieces(model: llama_cpp.Llama, text: str, special: bool = False) -> list[bytes]:
    """The text of every token ``text`` becomes."""
    tokens = model.tokenize(text.encode(), add_bos=False, special=special)
    return [model.detokenize([token], special=True) for token in tokens]


def write_float_merge(base: Path, adapter: Mapping[str, LowRank], path: Path) -> Path:
    """What dequantizing the base and adding the adapter gives, in F32, before anything is rounded again."""
    header = read_header(base)
    family = header.metadata["general.architecture"]
    architecture = next(number for number, name in gguf.MODEL_ARCH_NAMES.items() if name == family)
    names = gguf.get_tensor_name_map(architecture, header.metadata[f"{family}.block_count"])
    changes = {f"{names.get_name(module)}.weight": change for module, change in adapter.items()}
    with path.open("wb") as file:
        written = write_header(
            file, header.metadata, header.kinds, [(tensor.name, "F32", tensor.shape) for tensor in header.tensors]
        )
        for tensor, placed in zip(gguf.GGUFReader(base).tensors, written.tensors, strict=True):
            weights = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
            if tensor.name in changes:
                change = changes[tensor.name]
                weights = weights + (change.scale * change.up @ change.down).astype(np.float32)
            file.write(bytes(placed.offset - file.tell()))
            file.write(weights.astype("<f4").tobytes())
    return path
