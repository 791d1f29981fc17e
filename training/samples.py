"""Step ``samples``: what the tuned adapter itself writes, many texts a request, for a reader to mark.

Through torch in large batches, which on a processor is several times faster than one request after another; the lines
are those of ``python -m app compose --out``, so that ``python -m training reading sheet`` takes both.
"""

import argparse
import json
from pathlib import Path

from app.models.adapter import WEIGHTS_FILE
from app.models.verify import sha256_of
from training.allocator import keep_memory
from training.lora import first_stage
from training.options import check_number
from training.prepare import prepare
from training.progress import percent
from training.reading import parse_request, read_requests
from training.recipe import add_recipe_arguments
from training.whole_file import write_text
from training.workspace import Workspace


def write_samples(
    workspace: Workspace, requests: Path, each: int, temperature: float, out: Path, adapter: Path | None = None
) -> int:
    """Write ``each`` texts of the first stage's adapter, or of ``adapter``, for every request; how many there are.

    Raises:
        ModelError, TrainingError: what is in the way; what is written stays for the next time.
    """
    from training.adapter_folder import load_weights
    from training.answers import own_answers
    from training.encoding import Encoder
    from training.examples import Example
    from training.network import attach_adapters, choose_device, load_network

    asked = read_requests(requests, workspace.catalog)
    recipe = workspace.recipe
    folder = adapter or first_stage(workspace)[0]
    network = attach_adapters(load_network(workspace.base, choose_device(recipe.device)), recipe.adapter, recipe.seed)
    load_weights(folder, network)
    with Encoder(workspace.base) as encoder:
        parsed = [parse_request(one, workspace.catalog) for one in asked]
        encoded = [tuple(encoder.encode_prompt(request, workspace.catalog)) for request in parsed]
        own = own_answers(
            network,
            [Example(place, encoded[place // each], ()) for place in range(each * len(encoded))],
            encoder.end,
            temperature=temperature,
            seed=recipe.seed,
            file=out.with_name(f"{out.name}.batches"),
            identity=workspace.identity("samples", sha256_of(folder / WEIGHTS_FILE), temperature, encoded, each),
            progress=percent("samples"),
        )
        texts = [b"".join(encoder.pieces(answer)).decode("utf-8", "replace") for answer in own]
    lines = []
    for place, one in enumerate(asked):
        written = [{"text": text} for text in texts[place * each : (place + 1) * each] if text]
        lines.append(json.dumps({"id": one["id"], "candidates": written}, ensure_ascii=False) + "\n")
    write_text(out, "".join(lines))
    out.with_name(f"{out.name}.batches").unlink(missing_ok=True)
    return sum(1 for text in texts if text)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("samples", help="texts of the tuned adapter, for a reader to mark")
    add_recipe_arguments(parser)
    parser.add_argument("--requests", type=Path, required=True, help="as `reading requests` writes them")
    parser.add_argument("--each", type=int, default=6, help="texts of every request")
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--adapter", type=Path, help="a PEFT folder; the run's first stage if not given")
    parser.add_argument("--written", type=Path, required=True, help="the JSONL file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write and say how many."""
    check_number("--each", args.each, 1)
    check_number("--temperature", args.temperature, 0.01)
    keep_memory()
    workspace = Workspace.of(args)
    with workspace.alone():
        prepare(workspace)
        count = write_samples(workspace, args.requests, args.each, args.temperature, args.written, args.adapter)
    print(f"{args.written}: {count} texts")
    return 0
