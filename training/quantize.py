"""Step ``quantize``: a float GGUF model (F32, F16, BF16) as Q4_K_M, by llama.cpp's own quantizer.

For bases that come in full precision: merge first, in full precision, then this. A base that is quantized already is
merged inside its grid instead (``app/models/merge.py`` says why) and never comes here.
"""

import argparse
import os
from pathlib import Path

from app.models.verify import verify_model

# Names of ggml's file types as llama-quantize has them (``llama_ftype`` in llama.h).
TYPES = {"Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18, "Q8_0": 7}


def quantize(source: Path, out: Path, type_name: str = "Q4_K_M", threads: int | None = None) -> None:
    """Write ``source`` quantized to ``out``, under a temporary name until it is whole.

    Raises:
        ModelError: ``source`` is not a whole GGUF model.
        RuntimeError: llama.cpp refuses, having said why on standard error.
    """
    # Compiled code; the other steps do without it.
    import llama_cpp

    verify_model(source, sha256=None)
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = TYPES[type_name]
    params.nthread = threads or os.cpu_count() or 1
    part = out.with_name(out.name + ".part")
    try:
        code = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(part), params)
        if code != 0:
            raise RuntimeError(f"llama_model_quantize answered {code} for {source}")
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("quantize", help="quantize a float model")
    parser.add_argument("source", type=Path, help="a GGUF file of floats")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=TYPES, default="Q4_K_M")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Quantize and say how large the result is."""
    quantize(args.source, args.out, args.type)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")
    return 0
