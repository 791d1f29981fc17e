"""Step ``loss``: the validation loss of a GGUF model, through llama.cpp as the app runs it."""

import argparse
import json
from pathlib import Path

from app.compose.catalog import load_catalog
from training.part import add_part_arguments, chosen_records
from training.progress import percent


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("loss", help="measure a GGUF model's loss on held-out records")
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file of any type")
    add_part_arguments(parser)
    parser.add_argument("--threads", type=int, help="one a processor if not given")
    parser.add_argument("--json", action="store_true", help="print it as JSON, with every record's sum")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print nats per token."""
    # Compiled code; other steps do without it.
    from training.likelihood import measure

    catalog = load_catalog()
    records = chosen_records(args, catalog)
    found = measure(args.model, records, catalog, threads=args.threads, progress=percent("measuring"))
    if args.json:
        each = {record.id: {"nats": record.nats, "tokens": record.tokens} for record in found.records}
        whole = {"model": str(args.model), "part": args.part, "loss": found.loss, "tokens": found.tokens}
        print(json.dumps(whole | {"records": each}, ensure_ascii=False))
    else:
        print(
            f"{args.model}: {found.loss:.4f} nats per token over the {found.tokens:,} answer tokens "
            f"of {len(found.records)} records ({args.part})"
        )
    return 0
