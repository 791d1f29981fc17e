"""Step ``quantize``: a float GGUF model (F32, F16, BF16) as Q4_K_M or another type, by llama.cpp's own quantizer.

For bases that come in full precision: merge first, in full precision, then this. A base that is quantized already is
merged inside its grid instead (``app/models/merge.py`` says why) and never comes here; only back to floats it may go.
"""

import argparse
import ctypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.compose.sentence import Sentence
from app.models.gguf_file import Header
from app.models.quantization import FLOAT_TYPES
from app.models.verify import verify_model
from training.errors import TrainingError
from training.whole_file import whole_file

# Names of ggml's file types as llama-quantize has them (``llama_ftype`` in llama.h), large to small. Not the ones that
# need an importance matrix.
TYPES = {
    "F32": 0,
    "F16": 1,
    "BF16": 32,
    "Q8_0": 7,
    "Q6_K": 18,
    "Q5_K_M": 17,
    "Q5_K_S": 16,
    "Q5_1": 9,
    "Q5_0": 8,
    "Q4_K_M": 15,
    "Q4_K_S": 14,
    "Q4_1": 3,
    "Q4_0": 2,
    "IQ4_NL": 25,
    "IQ4_XS": 30,
    "Q3_K_L": 13,
    "Q3_K_M": 12,
    "Q3_K_S": 11,
    "Q2_K": 10,
}


def quantize(
    source: Path,
    out: Path,
    type_name: str = "Q4_K_M",
    threads: int | None = None,
    importance: Mapping[str, NDArray[np.float32]] | None = None,
) -> None:
    """Write ``source`` as ``type_name`` to ``out``, which is whole or absent.

    Args:
        source: a GGUF model of floats; of any type where ``type_name`` is a float type.
        type_name: one of ``TYPES``.
        threads: None for one a processor.
        importance: of each tensor's inputs, as :mod:`training.importance` measures it.

    Raises:
        ModelError: ``source`` is not a whole GGUF model.
        TrainingError: it is quantized already, ``out`` cannot be written, or llama.cpp refuses.
    """
    # Compiled code; most steps do without it.
    from llama_cpp import llama_cpp

    from app.llama.log import fresh_log

    if not is_float(verify_model(source, sha256=None)) and type_name not in FLOAT_TYPES:
        raise already_quantized(source)
    if os.name == "nt" and not str(out.absolute().parent).isascii():
        raise _not_ascii(out)
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = TYPES[type_name]
    params.allow_requantize = True
    params.nthread = threads or os.cpu_count() or 1
    if importance:
        params.imatrix = _entries(importance)
    with whole_file(out) as part:
        log = fresh_log()
        code = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(part), params)
        if code != 0:
            _try_the_disk(part)
            raise _refused(source, type_name, f"llama_model_quantize answered {code}: {log}")
        verify_model(part, sha256=None)


def _entries(importance: Mapping[str, NDArray[np.float32]]) -> Any:
    """An importance matrix as llama.h has it: an entry a tensor, and one without a name at the end."""
    from llama_cpp import llama_cpp

    entries = (llama_cpp.llama_model_imatrix_data * (len(importance) + 1))()
    for entry, (name, values) in zip(entries, importance.items(), strict=False):
        entry.name, entry.size = name.encode(), values.size
        entry.data = np.ascontiguousarray(values, np.float32).ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return entries


def is_float(header: Header) -> bool:
    """Whether no tensor of the file is quantized."""
    return all(tensor.type in FLOAT_TYPES for tensor in header.tensors)


def already_quantized(source: Path) -> TrainingError:
    """Quantizing it a second time would lose what an adapter changed."""
    return TrainingError(
        Sentence(
            f"{source.name} 已经是量化模型，再量化一次会丢掉微调的效果。"
            "量化过的基础模型请直接用 `python -m training merge` 合并（不带 --type），它在原有的量化网格里改；"
            "要换别的量化，请用 F16、BF16 或 F32 的基础模型。",
            f"{source.name} is quantized already, and quantizing again would lose what fine-tuning changed. Merge into "
            "a quantized base with `python -m training merge` and no --type: that works inside its grid. For another "
            "type start from an F16, BF16 or F32 base.",
        )
    )


def _try_the_disk(part: Path) -> None:
    """Raises:
    OSError: what the quantizer, which says only "iostream error", was told when it wrote.
    """
    with part.open("ab") as file:
        file.write(bytes(1 << 20))
        file.flush()
        os.fsync(file.fileno())


def _refused(source: Path, type_name: str, detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            f"llama.cpp 没能把 {source.name} 量化成 {type_name}，没有生成文件。请换一种类型，或更新 llama-cpp-python。",
            f"llama.cpp could not quantize {source.name} to {type_name}; no file was made. Try another type, or update "
            "llama-cpp-python.",
        ),
        detail,
    )


def _not_ascii(out: Path) -> TrainingError:
    return TrainingError(
        Sentence(
            f"在 Windows 上，llama.cpp 的量化器只能写到纯英文路径，{out.absolute().parent} 不行。"
            "请把 --out 放到 C:\\models 这样的文件夹，完成后再移过来。",
            f"On Windows llama.cpp's quantizer writes to paths in plain ASCII only, and {out.absolute().parent} is "
            "not. Put --out in a folder such as C:\\models and move the file afterwards.",
        )
    )


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("quantize", help="quantize a float model")
    parser.add_argument("source", type=Path, help="a GGUF file of floats")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=TYPES, default="Q4_K_M")
    parser.add_argument("--threads", type=int, help="one a processor if not given")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Quantize and say how large the result is."""
    quantize(args.source, args.out, args.type, args.threads)
    before, after = args.source.stat().st_size, args.out.stat().st_size
    print(f"{args.out}: {after:,} bytes, {after / before:.3f} of {args.source.name}")
    return 0
