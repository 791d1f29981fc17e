"""Step ``check``: every fault of a corpus, a line each, and what the corpus holds; exits with 1 if there is a fault.

One record at a time by ``training/rules.py``; the corpus as a whole here: texts that repeat each other, held-out ones
near others, cells that are thin or open alike, worn phrases, images used twice. Reads whatever is in the files: a
line that is no record is a fault like any other and hides nothing. Changes nothing.
"""

import argparse
import codecs
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from app.compose.catalog import Catalog, load_catalog
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from training.counts import count_tables
from training.errors import TrainingError
from training.json_lines import parse_json
from training.neighbours import NEAR_REPEAT, NEIGHBOUR, Pair, near_pairs
from training.records import CORPUS, SPLIT_FILE, Record, corpus_files, read_held_out
from training.rules import record_faults
from training.wording import shared_images, worn_phrases

LONGEST_LINE = 10_000  # bytes; the longest record of the corpus has 700
THIN = 0.75  # of the median cell: fewer records and the cell is thin
ALIKE = 6  # of so many texts of a cell one may open like others, but two always
_OPENING = 4  # characters, after the name
_OTHERS_NAMED = 8


@dataclass(frozen=True)
class Fault:
    """What is wrong and where: a file and its line, a file, or a cell."""

    where: str
    sentence: Sentence

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence.zh} / {self.sentence.en}"


@dataclass(frozen=True)
class Report:
    """A corpus as it was found.

    ``records`` are those that have a text, whatever else is wrong with them; ``held_out`` is the part, by id, of those
    the split names.
    """

    records: tuple[Record, ...]
    held_out: Mapping[str, str]
    faults: tuple[Fault, ...]


def check_corpus(folder: Path, catalog: Catalog) -> Report:
    """Everything that is wrong with the corpus in ``folder``.

    Raises:
        TrainingError: there is no corpus in it.
    """
    faults: list[Fault] = []
    records: list[Record] = []
    names: set[str] = set()
    for path in corpus_files(folder):
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            faults.append(Fault(path.name, Sentence(f"读不出来（{reason}）", f"cannot be read ({reason})")))
            continue
        # Lines as training counts them, see training.json_lines.
        data = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for number, line in enumerate(data.split(b"\n"), 1):
            if not line.strip():
                continue
            name = f"{path.stem}:{number}"
            names.add(name)
            raw, fault = _parsed(line)
            found = [fault] if fault is not None else record_faults(raw, catalog)
            faults.extend(Fault(_place(name), sentence) for sentence in found)
            if fault is None and (record := _record(name, raw)) is not None:
                records.append(record)
    held_out: Mapping[str, str] = {}
    if (folder / SPLIT_FILE).exists():
        try:
            held_out = read_held_out(folder, names)
        except TrainingError as error:
            faults.append(Fault(SPLIT_FILE, Sentence(error.sentence.zh.rstrip("。"), error.sentence.en.rstrip("."))))
    bodies = [record.body for record in records]
    near = list(near_pairs(bodies, NEIGHBOUR))
    faults += _repeats(records, near)
    faults += _leaks(records, near, held_out)
    faults += _openings(records)
    faults += _thin_cells(records, catalog)
    faults += _worn(records)
    faults += _images(records)
    return Report(tuple(records), held_out, tuple(faults))


def _place(name: str) -> str:
    """``boss-2.jsonl:17`` of the id ``boss-2:17``."""
    stem, _, number = name.rpartition(":")
    return f"{stem}.jsonl:{number}"


def _parsed(line: bytes) -> tuple[Any, Sentence | None]:
    """The mapping a line holds, or why it holds none."""
    if len(line) > LONGEST_LINE:
        return None, Sentence(
            f"这一行有 {len(line)} 字节，最多 {LONGEST_LINE}", f"a line of {len(line)} bytes, at most {LONGEST_LINE}"
        )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, Sentence(f"不是 UTF-8（第 {error.start + 1} 字节）", f"not UTF-8 (byte {error.start + 1})")
    raw, fault = parse_json(text)
    if fault is None and not isinstance(raw, dict):
        return None, Sentence("应是键值对（{…}）", "a record must be a mapping ({…})")
    return raw, fault


def _record(name: str, raw: Mapping[str, Any]) -> Record | None:
    """A line as a record though its request may be one nobody could make; None without a text.

    What has the wrong type is left out.
    """
    keys = ("relationship", "tone", "occasion", "length", "address", "zodiac", "signature", "text")
    given = {key: value for key in keys if isinstance(value := raw.get(key), str)}
    text = given.pop("text", "")
    if not text.strip():
        return None
    details = raw.get("details")
    facts = tuple(each for each in details if isinstance(each, str)) if isinstance(details, list) else ()
    return Record(name, GreetingRequest(**{"relationship": "", "tone": "", **given}, details=facts), text)


def _repeats(records: Sequence[Record], near: Sequence[Pair]) -> Iterator[Fault]:
    """Texts that say again what an earlier one said, with its names or (``near``) without them."""
    nearest: dict[int, tuple[float, int]] = {}
    for earlier, later, share in (*near_pairs([record.text for record in records], NEAR_REPEAT), *near):
        if share > NEAR_REPEAT:
            nearest[later] = max(nearest.get(later, (0.0, 0)), (share, earlier))
    for later, (share, earlier) in sorted(nearest.items()):
        other = _place(records[earlier].id)
        yield Fault(
            _place(records[later].id),
            Sentence(
                f"和 {other} 几乎一样（{share:.0%}）：{_clipped(records[later].text)}",
                f"nearly repeats {other} ({share:.0%})",
            ),
        )


def _leaks(records: Sequence[Record], near: Sequence[Pair], held_out: Mapping[str, str]) -> Iterator[Fault]:
    """Held-out records with a near neighbour in another part of the split."""
    for earlier, later, share in near:
        pair = records[earlier].id, records[later].id
        parts = [held_out.get(name, "train") for name in pair]
        if parts[0] == parts[1]:
            continue
        held, other = pair if parts[0] != "train" else pair[::-1]
        yield Fault(
            _place(held),
            Sentence(
                f"留作 {held_out[held]}，却和 {held_out.get(other, 'train')} 的 {_place(other)} 相近（{share:.0%}）",
                f"held out, yet near to {_place(other)} of another part ({share:.0%})",
            ),
        )


def _openings(records: Sequence[Record]) -> Iterator[Fault]:
    """Cells in which too many texts open with the same characters, the name aside."""
    sizes = Counter(record.cell for record in records)
    openings: defaultdict[tuple[tuple[str, str], str], list[Record]] = defaultdict(list)
    for record in records:
        text = record.text.removeprefix(record.request.address)
        openings[record.cell, text[text[:1] in "，：！。、,:" :][:_OPENING]].append(record)
    for (cell, opening), alike in openings.items():
        if len(alike) > max(2, sizes[cell] // ALIKE):
            yield Fault(
                _place(alike[-1].id),
                Sentence(
                    f"{_clipped(' × '.join(cell))} 有 {len(alike)} 条用“{_clipped(opening)}”开头：{_names(alike[:-1])}",
                    f"{len(alike)} texts of the cell open alike",
                ),
            )


def _thin_cells(records: Sequence[Record], catalog: Catalog) -> Iterator[Fault]:
    """Cells of the catalogue that have no record, a line a relationship, or far fewer than others have."""
    sizes = Counter(record.cell for record in records)
    least = THIN * median(sizes.values()) if sizes else 0.0
    for relationship in catalog.relationships:
        absent = [tone.id for tone in catalog.tones if not sizes[relationship.id, tone.id]]
        if absent:
            tones = ", ".join(absent)
            yield Fault(relationship.id, Sentence(f"一条也没有：{tones}", "no record of these tones"))
        for tone in catalog.tones:
            size = sizes[relationship.id, tone.id]
            if 0 < size < least:
                yield Fault(
                    f"{relationship.id} × {tone.id}",
                    Sentence(
                        f"只有 {size} 条，至少要 {least:.0f} 条", f"only {size} records, at least {least:.0f} wanted"
                    ),
                )


def _worn(records: Sequence[Record]) -> Iterator[Fault]:
    """Phrases so many texts have that they are clichés of this corpus."""
    for phrase, texts in worn_phrases(records):
        first, *others = (records[index] for index in texts)
        yield Fault(
            _place(first.id),
            Sentence(f"“{phrase}”用了 {len(texts)} 条：{_names(others)}", f"a phrase worn by {len(texts)} texts"),
        )


def _images(records: Sequence[Record]) -> Iterator[Fault]:
    """Images that serve twice in a cell."""
    for earlier, later, wording in shared_images(records):
        other = _place(records[earlier].id)
        yield Fault(
            _place(records[later].id),
            Sentence(
                f"和 {other} 用了同一个意象：{'、'.join(wording)}", f"the same image as {other}, of the same cell"
            ),
        )


def _names(records: Sequence[Record]) -> str:
    named = ", ".join(_place(record.id) for record in records[:_OTHERS_NAMED])
    return named + (f" … ({len(records)})" if len(records) > _OTHERS_NAMED else "")


def _clipped(text: str) -> str:
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= 60 else line[:60] + "…"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("check", help="list every fault of a corpus")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of JSONL files")
    parser.add_argument("--counts", action="store_true", help="also print what the corpus holds")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the faults, the tables where asked for, and one line that sums up; 1 if there is a fault."""
    catalog = load_catalog()
    report = check_corpus(args.corpus, catalog)
    for fault in report.faults:
        print(fault)
    if args.counts:
        print("\n".join([*count_tables(report.records, report.held_out, catalog), ""]))
    cells = len({record.cell for record in report.records})
    records, faults = len(report.records), len(report.faults)
    print(f"{records} 条记录，{cells} 格，{faults} 处问题 / {records} records, {cells} cells, {faults} faults")
    return 1 if report.faults else 0
