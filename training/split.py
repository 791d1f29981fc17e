"""Step ``split``: which records of a corpus are held out, to choose by and to judge with at the end; ``split.json``.

A record may be held out only if nothing else in the corpus is near it (``training/neighbours.py``): what the model has
all but read proves nothing. Which of those are taken, a hash of their text decides, so that to move or renumber records
changes nothing, and to add some next to nothing. A split is made once: results can be compared only where it is the
same, so a file that is there is never written over.
"""

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from app.compose.catalog import load_catalog
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.neighbours import NEIGHBOUR, near_pairs
from training.records import CORPUS, HELD_OUT, SPLIT_FILE, Record, Split, read_corpus
from training.whole_file import write_text

_LEAST_TO_TRAIN = 0.5  # of a cell, or of the whole corpus


def split_by_cell(records: Sequence[Record], per_cell: int, seed: int) -> Split:
    """Of every cell (relationship × tone) so many records to validate with, as many to test with, the rest to train on.

    Raises:
        TrainingError: a cell is too small, or too many of its records are near another one.
    """
    cells: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records:
        cells[record.cell].append(record)
    free = {record.id for record in _without_neighbours(records)}
    held: dict[str, str] = {}
    for cell, members in cells.items():
        candidates = [record for record in members if record.id in free]
        wanted = per_cell * len(HELD_OUT)
        if wanted > min(len(candidates), len(members) * _LEAST_TO_TRAIN):
            raise TrainingError(
                Sentence(
                    f"{' × '.join(cell)} 这一格有 {len(members)} 条，其中 {len(candidates)} 条与别的都不相近，"
                    f"不够留出 {wanted} 条。请给这一格多写几条，或改用 --share，不分格地留。",
                    f"The cell {' × '.join(cell)} has {len(members)} records, {len(candidates)} of them near no other: "
                    f"too few to hold {wanted} out. Write more of it, or hold out by --share, whatever the cell.",
                )
            )
        held |= _drawn(candidates, per_cell, seed)
    return _parted(records, held)


def split_by_share(records: Sequence[Record], share: float, seed: int) -> Split:
    """Of all records such a share, one at least, to validate with, as much to test with, the rest to train on.

    Raises:
        TrainingError: that leaves less than half to train on, or too many records are near another one.
    """
    candidates = _without_neighbours(records)
    each = max(1, round(share * len(records)))
    wanted = each * len(HELD_OUT)
    if wanted > min(len(candidates), len(records) * _LEAST_TO_TRAIN):
        raise TrainingError(
            Sentence(
                f"语料有 {len(records)} 条，其中 {len(candidates)} 条与别的都不相近，不够留出 {wanted} 条。"
                "请多写几条，或把 --share 改小。",
                f"The corpus has {len(records)} records, {len(candidates)} of them near no other: too few to hold "
                f"{wanted} out. Write more, or give a smaller --share.",
            )
        )
    return _parted(records, _drawn(candidates, each, seed))


def _without_neighbours(records: Sequence[Record]) -> list[Record]:
    bodies = [record.body for record in records]
    near = {index for pair in near_pairs(bodies, NEIGHBOUR) for index in (pair.earlier, pair.later)}
    return [record for index, record in enumerate(records) if index not in near]


def _drawn(candidates: Sequence[Record], each: int, seed: int) -> dict[str, str]:
    """The part, by id, of ``each`` records a part: those whose text's hash comes first."""

    def order(record: Record) -> bytes:
        # A lone surrogate, which JSON can spell, has no UTF-8.
        return hashlib.sha256(f"{seed}\n{record.text}".encode("utf-8", errors="surrogatepass")).digest()

    drawn = sorted(candidates, key=order)[: each * len(HELD_OUT)]
    return {record.id: HELD_OUT[number // each] for number, record in enumerate(drawn)}


def _parted(records: Sequence[Record], held: dict[str, str]) -> Split:
    train, validation, test = (
        tuple(record for record in records if held.get(record.id) == part) for part in (None, *HELD_OUT)
    )
    return Split(train, validation, test)


def write_split(path: Path, split: Split) -> None:
    """Write the ids held out, whole or not at all.

    Raises:
        TrainingError: ``path`` is there already, or cannot be written.
    """
    if path.exists():
        raise TrainingError(
            Sentence(
                f"{path} 已经有了。划分一改，以前的结果就没法比；确实要重做，请先删掉它，或换一个 --out。",
                f"{path} is there already. With another split earlier results compare no more; to make it anew all the "
                "same, delete it first, or choose another --out.",
            )
        )
    held = {part: [record.id for record in getattr(split, part)] for part in HELD_OUT}
    write_text(path, json.dumps(held, indent=0, ensure_ascii=False) + "\n")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("split", help="choose the records of a corpus that are held out")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of JSONL files")
    parser.add_argument("--out", type=Path, help=f"default: {SPLIT_FILE} in the corpus")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--per-cell", type=_count, help="records of each cell in either part (default 1)")
    how.add_argument("--share", type=_share, help="share of all records in either part, for a corpus of few cells")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _share(text: str) -> float:
    if not 0 < (share := float(text)) < 0.5:
        raise argparse.ArgumentTypeError("must be between 0 and 0.5")
    return share


def run(args: argparse.Namespace) -> int:
    """Write the split and say how large its parts are."""
    records = read_corpus(args.corpus, load_catalog())
    if args.share is not None:
        split = split_by_share(records, args.share, args.seed)
    else:
        split = split_by_cell(records, args.per_cell or 1, args.seed)
    out = args.out or args.corpus / SPLIT_FILE
    write_split(out, split)
    sizes = len(split.train), len(split.validation), len(split.test)
    zh = "训练 {} 条，验证 {} 条，测试 {} 条".format(*sizes)
    print(f"{out}: {zh} / {sizes[0]} to train on, {sizes[1]} to validate, {sizes[2]} to test")
    return 0
