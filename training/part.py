"""Which records a step measures with: the arguments ``--corpus``, ``--part`` and ``--limit``, and what they choose."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from app.compose.catalog import Catalog
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.records import CORPUS, Record, read_corpus, read_split

PARTS = ("validation", "test", "train")
Item = TypeVar("Item")


def add_part_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of JSONL files and their split.json")
    parser.add_argument("--part", choices=PARTS, default="validation")
    parser.add_argument("--limit", type=int, help="of so many records only, evenly spread")


def chosen_records(args: argparse.Namespace, catalog: Catalog) -> tuple[Record, ...]:
    """The records the arguments name.

    Raises:
        TrainingError: the corpus or its split cannot be read, or nothing is left.
    """
    chosen = spread(part_records(args, catalog), args.limit)
    if not chosen:
        raise TrainingError(
            Sentence(
                f"语料的 {args.part} 部分里没有可用的记录。请检查 split.json 和 --limit。",
                f"The {args.part} part of the corpus leaves no record. Check split.json and --limit.",
            )
        )
    return chosen


def part_records(args: argparse.Namespace, catalog: Catalog) -> tuple[Record, ...]:
    """Every record of the part, whatever ``--limit`` says."""
    records: tuple[Record, ...] = getattr(read_split(args.corpus, read_corpus(args.corpus, catalog)), args.part)
    return records


def spread(items: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """``limit`` of them at even distances, so that of a corpus every relationship has its share; all where None."""
    if limit is None or limit >= len(items):
        return tuple(items)
    return tuple(items[index * len(items) // limit] for index in range(max(0, limit)))
