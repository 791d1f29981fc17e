"""Step ``merge``: base and adapter to one GGUF file, as the app builds it on a user's machine.

A float base is merged in its own precision and, with ``--type``, quantized after that.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from app.compose.prompt import CHAT_TEMPLATE
from app.models.adapter import WEIGHTS_FILE, read_adapter
from app.models.gguf_file import Header
from app.models.merge import merge_model
from app.models.verify import sha256_of, verify_model
from app.models.vocabulary import read_vocabulary
from training.progress import percent
from training.quantize import TYPES, already_quantized, is_float, quantize

MODELS = Path(__file__).resolve().parents[1] / "models"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("merge", help="merge an adapter into a base")
    parser.add_argument("--base", type=Path, required=True, help="the base, a GGUF file")
    parser.add_argument("--adapter", type=Path, default=MODELS / "adapter", help="a PEFT LoRA folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, default=MODELS / "vocabulary.txt", help="the tokens to keep")
    parser.add_argument("--whole-vocabulary", action="store_true", help="keep every token of the base")
    parser.add_argument("--seed", type=int, default=1, help="of the rounding")
    parser.add_argument("--type", choices=TYPES, help="quantize to this type; for a float base")
    parser.add_argument("--name", default="拜年帖 1.5B")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Merge, saying how far it is."""
    started = time.monotonic()
    merge_and_quantize(
        args.base,
        args.adapter,
        args.out,
        vocabulary=None if args.whole_vocabulary else read_vocabulary(args.vocabulary),
        seed=args.seed,
        name=args.name,
        type_name=args.type,
    )
    print(f"{args.out}: {args.out.stat().st_size:,} bytes in {time.monotonic() - started:.0f} s")
    return 0


def merge_and_quantize(
    base: Path,
    adapter: Path,
    out: Path,
    *,
    vocabulary: Sequence[int] | None,
    seed: int,
    name: str,
    type_name: str | None,
) -> None:
    """Write the file people run to ``out``, which is whole or absent.

    Args:
        vocabulary: the tokens to keep, None for all.
        seed: of the rounding, where the base is quantized.
        name: what the file calls itself.
        type_name: what a float base is quantized to after the merge; None leaves it as it is. A base that is quantized
            keeps its type.

    Raises:
        ModelError, TrainingError: base, adapter or disk do not allow it.
    """
    header = verify_model(base, sha256=None)
    read_adapter(adapter)  # whatever is wrong with it, before a gigabyte is hashed
    metadata = {
        "general.name": name,
        "general.description": "Writes Spring Festival greetings to one particular person, in Chinese",
        "general.license": "apache-2.0",
        "general.languages": ["zh"],
        "tokenizer.chat_template": CHAT_TEMPLATE,
        "bainiantie.base_sha256": sha256_of(base),
        "bainiantie.adapter_sha256": sha256_of(adapter / WEIGHTS_FILE),
        "bainiantie.seed": seed,
    }

    def merge(target: Path) -> None:
        merge_model(
            base, adapter, target, vocabulary=vocabulary, seed=seed, metadata=metadata, progress=percent("merging")
        )

    if not _quantizing(base, header, type_name):
        merge(out)
        return
    assert type_name is not None
    merged = out.with_name(f"{out.name}.float.part")
    try:
        merge(merged)
        quantize(merged, out, type_name)
    finally:
        merged.unlink(missing_ok=True)


def _quantizing(base: Path, header: Header, type_name: str | None) -> bool:
    """Whether the merged file is to be quantized.

    Raises:
        TrainingError: the base is quantized already, to another type.
    """
    if type_name is None or header.metadata.get("general.file_type") == TYPES[type_name]:
        return False
    if not is_float(header):
        raise already_quantized(base)
    return True
