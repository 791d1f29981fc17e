"""Step ``table``: every way from base and adapter to a small file, with its size and its validation loss, in one table.

A quantized base is merged inside its grid, with stochastic rounding as the app does it and with rounding to nearest,
and the ordinary way: dequantized to F16, added, quantized again to each common type. A float base is merged in its own
precision and quantized. Where one is asked for, each type is made with an importance matrix of the corpus as well. Rows
that are done are kept in a JSON file beside the table; an interrupted run goes on there, and the large files in between
are removed as soon as they are measured.
"""

import argparse
import contextlib
import hashlib
import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog, load_catalog
from app.models.adapter import CONFIG_FILE, WEIGHTS_FILE, read_adapter
from app.models.merge import merge_model
from app.models.quantization import FLOAT_TYPES
from app.models.verify import sha256_of, verify_model
from app.models.vocabulary import read_vocabulary
from training.importance import Importance, measure_importance
from training.part import add_part_arguments, chosen_records
from training.progress import percent
from training.quantize import TYPES, is_float, quantize
from training.records import Record
from training.trim import trim
from training.whole_file import unwritten, write_text
from training.workspace import make_folder

_ROOT = Path(__file__).resolve().parents[1]
_MODELS = _ROOT / "models"
SMALL_TYPES = tuple(name for name in TYPES if name not in FLOAT_TYPES)
_WEIGHED = " weighed"  # after a type's name: with an importance matrix

# The rows before those of the types, by the name they have in the JSON file.
_TITLES = {
    "base": "the base alone, as it comes",
    "trimmed": "the base alone, vocabulary trimmed",
    "grid": "merged in the grid, stochastic rounding (what the app builds)",
    "nearest": "merged in the grid, rounded to nearest",
    "floats": "merged as floats ({floats}), not quantized",
}


@dataclass(frozen=True)
class Row:
    """One way: the file's bytes, its loss in nats per token, and over how many tokens that is the mean."""

    bytes: int
    loss: float
    tokens: int


class Workshop:
    """Builds the file of each row from one base and one adapter, in a folder of its own.

    Args:
        kept: ids of the vocabulary kept; None for all.
        seed: of the stochastic rounding.
        weighed_by: records whose reading says which inputs matter.
        keep: a folder the files made are left in; None to remove each after its row.
    """

    def __init__(
        self,
        base: Path,
        adapter: Path,
        folder: Path,
        *,
        kept: Sequence[int] | None,
        seed: int,
        threads: int | None,
        weighed_by: Sequence[Record] = (),
        keep: Path | None = None,
    ) -> None:
        self._base = base
        self._adapter = adapter
        self._folder = folder
        self._kept = kept
        self._seed = seed
        self._threads = threads
        self._weighed_by = weighed_by
        self._keep = keep

    @contextlib.contextmanager
    def file_of(self, way: str) -> Iterator[Path]:
        """The file of a row, for as long as it is needed.

        Raises:
            ModelError, TrainingError: it cannot be made.
        """
        if way == "base":
            yield self._base
        elif way == "floats":
            yield self._floats
        else:
            path = (self._keep or self._folder) / f"{way.replace(' ', '-')}.gguf"
            try:
                self._make(way, path)
                yield path
            finally:
                if self._keep is None:
                    path.unlink(missing_ok=True)

    def _make(self, way: str, path: Path) -> None:
        if way == "trimmed":
            assert self._kept is not None
            trim(self._base, path, self._kept)
        elif way in ("grid", "nearest"):
            self._merge(self._base, path, self._seed if way == "grid" else None)
        else:
            type_name = way.removesuffix(_WEIGHED)
            quantize(self._floats, path, type_name, self._threads, None if way == type_name else self._importance)

    @cached_property
    def _importance(self) -> Importance:
        return measure_importance(self._floats, self._weighed_by, load_catalog(), percent("importance"))

    @cached_property
    def _floats(self) -> Path:
        """Base and adapter merged as floats, made when first needed; goes with the folder."""
        path = self._folder / "floats.gguf"
        if is_float(verify_model(self._base, sha256=None)):
            self._merge(self._base, path, self._seed)
            return path
        dequantized = self._folder / "dequantized.gguf"
        try:
            quantize(self._base, dequantized, "F16", self._threads)
            self._merge(dequantized, path, self._seed)
        finally:
            dequantized.unlink(missing_ok=True)
        return path

    def _merge(self, base: Path, path: Path, seed: int | None) -> None:
        merge_model(base, self._adapter, path, vocabulary=self._kept, seed=seed, metadata={})


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("table", help="compare the ways to a small file by size and loss")
    parser.add_argument("--base", type=Path, required=True, help="the base, a GGUF file")
    parser.add_argument("--adapter", type=Path, default=_MODELS / "adapter", help="a PEFT LoRA folder")
    parser.add_argument("--vocabulary", type=Path, default=_MODELS / "vocabulary.txt", help="the tokens to keep")
    parser.add_argument("--whole-vocabulary", action="store_true", help="keep every token of the base")
    parser.add_argument("--seed", type=int, default=1, help="of the stochastic rounding")
    parser.add_argument("--types", nargs="*", choices=SMALL_TYPES, default=SMALL_TYPES, metavar="TYPE")
    parser.add_argument(
        "--importance",
        type=int,
        default=0,
        metavar="RECORDS",
        help="quantize with an importance matrix too, of so many records of the training part",
    )
    parser.add_argument("--out", type=Path, required=True, help="the table, a Markdown file")
    parser.add_argument("--work", type=Path, default=_MODELS, help="where the large files in between may lie")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the files of the rows made there")
    add_part_arguments(parser)
    parser.add_argument("--threads", type=int, help="one a processor if not given")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the rows that are missing, writing the table after each."""
    from training.likelihood import measure

    header = verify_model(args.base, sha256=None)
    read_adapter(args.adapter)  # whatever is wrong with it, before a gigabyte is hashed
    kept = None if args.whole_vocabulary else read_vocabulary(args.vocabulary)
    catalog = load_catalog()
    records = chosen_records(args, catalog)
    weighed_by = _weighed_by(args, catalog)
    settings = _settings(args, records, kept)
    matrices = next((tensor.type for tensor in header.tensors if len(tensor.shape) > 1), "F32")
    titles = _titles(kept is not None, matrices if is_float(header) else None)
    done = _rows_done(args.out, settings)
    wanted = [*(way for way in titles if way.removesuffix(_WEIGHED) not in TYPES), *args.types]
    wanted += [name + _WEIGHED for name in args.types if weighed_by]
    if args.keep is not None:
        make_folder(args.keep)
    with _folder(args.work / f"table-{args.out.stem}") as folder:
        workshop = Workshop(
            *(args.base, args.adapter, folder),
            kept=kept,
            seed=args.seed,
            threads=args.threads,
            weighed_by=weighed_by,
            keep=args.keep,
        )
        for way in wanted:
            if way not in done:
                with workshop.file_of(way) as path:
                    found = measure(path, records, catalog, threads=args.threads, progress=percent(way))
                    done[way] = Row(path.stat().st_size, found.loss, found.tokens)
                _keep(args.out, settings, done)
            print(f"{titles[way]}: {done[way].bytes:,} bytes, {done[way].loss:.4f} nats per token", flush=True)
            rows = {titles[name]: done[name] for name in titles if name in done}
            write_text(args.out, table(rows, settings, _command(args, done)))
    print(args.out)
    return 0


def _titles(trimming: bool, float_type: str | None) -> dict[str, str]:
    """What each row is called, in the table's order; ``float_type`` of a float base, None for a quantized one."""
    ways = ["base", "trimmed", "grid", "nearest", "floats"]
    if not trimming:
        ways.remove("trimmed")
    if float_type is not None:
        ways = [way for way in ways if way not in ("grid", "nearest")]
    titles = {way: _TITLES[way].format(floats=float_type or "F16") for way in ways}
    before = "merged as floats" if float_type is not None else "dequantized to F16, merged"
    for name in SMALL_TYPES:
        titles[name] = f"{before}, quantized to {name}"
        titles[name + _WEIGHED] = f"{before}, quantized to {name} with an importance matrix"
    return titles


def _weighed_by(args: argparse.Namespace, catalog: Catalog) -> tuple[Record, ...]:
    if not args.importance:
        return ()
    return chosen_records(argparse.Namespace(corpus=args.corpus, part="train", limit=args.importance), catalog)


def _settings(args: argparse.Namespace, records: Sequence[Record], kept: Sequence[int] | None) -> dict[str, Any]:
    """Everything the rows depend on."""
    return {
        "base": args.base.name,
        "base_sha256": sha256_of(args.base),
        "adapter_sha256": sha256_of(args.adapter / WEIGHTS_FILE),
        "adapter_config_sha256": sha256_of(args.adapter / CONFIG_FILE),
        "tokens_kept": None if kept is None else len(kept),
        "vocabulary_sha256": None if kept is None else hashlib.sha256(repr(tuple(kept)).encode()).hexdigest(),
        "seed": args.seed,
        "part": args.part,
        "importance": args.importance,
        "records": len(records),
        "records_sha256": hashlib.sha256(repr(records).encode()).hexdigest(),
        "llama_cpp_python": version("llama-cpp-python"),
    }


def _rows_file(out: Path) -> Path:
    return out.with_suffix(".json")


def _rows_done(out: Path, settings: Mapping[str, Any]) -> dict[str, Row]:
    """What an earlier run found; nothing where its settings were others."""
    try:
        kept = json.loads(_rows_file(out).read_text(encoding="utf-8"))
        rows = {way: Row(**row) for way, row in kept["rows"].items()} if kept["settings"] == settings else None
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{_rows_file(out)} is not read ({error}); all rows are made anew", file=sys.stderr)
        return {}
    if rows is None:
        print(f"{_rows_file(out)} is of other ingredients; all rows are made anew", file=sys.stderr)
    return rows or {}


def _keep(out: Path, settings: Mapping[str, Any], rows: Mapping[str, Row]) -> None:
    kept = {"settings": settings, "rows": {way: vars(row) for way, row in rows.items()}}
    write_text(_rows_file(out), json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def _command(args: argparse.Namespace, done: Mapping[str, Row]) -> str:
    """The command that makes all rows of the table at once, were none there."""
    command = [".venv/bin/python", "-m", "training", "table", "--base", args.base, "--adapter", args.adapter]
    command += ["--whole-vocabulary"] if args.whole_vocabulary else ["--vocabulary", args.vocabulary]
    command += ["--corpus", args.corpus, "--part", args.part]
    command += [] if args.limit is None else ["--limit", args.limit]
    command += ["--importance", args.importance] if args.importance else []
    command += ["--seed", args.seed, "--out", args.out, "--types", *(name for name in SMALL_TYPES if name in done)]
    return shlex.join(_shown(part) for part in command)


def _shown(part: object) -> str:
    """An argument as text, a path inside this repository relative to it."""
    if isinstance(part, Path):
        path = part.resolve()
        return (path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else part).as_posix()
    return str(part)


def table(rows: Mapping[str, Row], settings: Mapping[str, Any], command: str) -> str:
    """The Markdown: the rows by title, the base's first; what they were made of, and by which command."""
    base = next(iter(rows.values()))
    kept = settings["tokens_kept"]
    vocabulary = "the whole vocabulary" if kept is None else f"{kept:,} tokens kept (the first row keeps all)"
    lines = [
        "# Ways to a small file",
        "",
        f"Loss of the answers of {settings['records']} records ({settings['part']} part of the corpus), "
        f"{base.tokens:,} tokens, in nats per token; smaller is better.",
        "",
        "| way | bytes | of the base | loss |",
        "| --- | ---: | ---: | ---: |",
    ]
    for title, row in rows.items():
        lines.append(f"| {title} | {row.bytes:,} | {row.bytes / base.bytes:.3f} | {row.loss:.4f} |")
    lines += [
        "",
        f"Base `{settings['base']}` (SHA-256 `{settings['base_sha256']}`), adapter weights SHA-256 "
        f"`{settings['adapter_sha256']}`, {vocabulary}, seed {settings['seed']}, "
        f"llama-cpp-python {settings['llama_cpp_python']}. Made by",
        "",
        "```",
        command,
        "```",
        "",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """A folder that is empty at the beginning, whatever a killed run left, and gone at the end.

    Raises:
        TrainingError: it cannot be made.
    """
    try:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    except OSError as error:
        raise unwritten(error, path) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
