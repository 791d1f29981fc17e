"""Step ``trim``: a base without the tokens greetings never need, and nothing else changed.

Rows of the embeddings are dropped as bytes and token ids renumbered, by the code of the merge, so it is exact for any
type of weights. ``training/trim_proof.py`` shows that it is.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.models.merge import merge_model
from app.models.verify import sha256_of, verify_model
from app.models.vocabulary import read_vocabulary
from training.progress import percent

_MODELS = Path(__file__).resolve().parents[1] / "models"


def trim(
    base: Path,
    out: Path,
    kept: Sequence[int],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write ``base`` with the tokens ``kept`` (ascending ids) alone to ``out``, which is whole or absent.

    Raises:
        ModelError: the base is not a whole GGUF model, the ids are not of its vocabulary, or the disk fails.
    """
    header = verify_model(base, sha256=None)
    metadata = {**_descriptions(header.metadata), "bainiantie.base_sha256": sha256_of(base)}
    merge_model(base, None, out, vocabulary=kept, seed=None, metadata=metadata, progress=progress)


def _descriptions(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Name, licence, authors: what a merge changes and trimming does not."""
    return {
        key: value
        for key, value in metadata.items()
        if key.startswith("general.")
        and (isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)))
    }


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("trim", help="drop the tokens greetings never need from a base")
    parser.add_argument("--base", type=Path, required=True, help="a GGUF file of any type")
    parser.add_argument("--vocabulary", type=Path, default=_MODELS / "vocabulary.txt", help="the tokens to keep")
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trim and say how much is gone."""
    started = time.monotonic()
    trim(args.base, args.out, read_vocabulary(args.vocabulary), percent("trimming"))
    before, after = args.base.stat().st_size, args.out.stat().st_size
    print(
        f"{args.out}: {after:,} bytes, {after / before:.3f} of {args.base.name}, in {time.monotonic() - started:.0f} s"
    )
    return 0
