"""Step ``merge``: base and adapter to one GGUF file, as the app builds it on a user's machine."""

import argparse
import time
from pathlib import Path

from app.compose.prompt import CHAT_TEMPLATE
from app.models.adapter import WEIGHTS_FILE
from app.models.merge import merge_model
from app.models.verify import sha256_of
from app.models.vocabulary import read_vocabulary

_MODELS = Path(__file__).resolve().parents[1] / "models"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("merge", help="merge an adapter into a base")
    parser.add_argument("--base", type=Path, required=True, help="the base, a GGUF file")
    parser.add_argument("--adapter", type=Path, default=_MODELS / "adapter", help="a PEFT LoRA folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, default=_MODELS / "vocabulary.txt", help="the tokens to keep")
    parser.add_argument("--whole-vocabulary", action="store_true", help="keep every token of the base")
    parser.add_argument("--seed", type=int, default=1, help="of the rounding")
    parser.add_argument("--name", default="拜年帖 1.5B")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Merge, saying how far it is."""
    metadata = {
        "general.name": args.name,
        "general.description": "Writes Spring Festival greetings to one particular person, in Chinese",
        "general.license": "apache-2.0",
        "general.languages": ["zh"],
        "tokenizer.chat_template": CHAT_TEMPLATE,
        "bainiantie.base_sha256": sha256_of(args.base),
        "bainiantie.adapter_sha256": sha256_of(args.adapter / WEIGHTS_FILE),
        "bainiantie.seed": args.seed,
    }
    started = time.monotonic()
    merge_model(
        args.base,
        args.adapter,
        args.out,
        vocabulary=None if args.whole_vocabulary else read_vocabulary(args.vocabulary),
        seed=args.seed,
        metadata=metadata,
        progress=lambda done, total: print(f"\r{done * 100 // total:3d} %", end="", flush=True),
    )
    size = args.out.stat().st_size
    print(f"\r{args.out}: {size:,} bytes in {time.monotonic() - started:.0f} s")
    return 0
