"""Reads a corpus: a folder of JSONL files, one greeting a line, and the fixed split that says which of them train.

The format is ``training/corpus/GUIDE.md``'s. Reading is strict about form, since a record that cannot be a request
cannot be a prompt; whether a record is good is ``training/check.py``'s business.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest, RequestError, make_request
from app.compose.schema import key_fault
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.json_lines import TOO_DEEP, numbered_lines, parse_json
from training.neighbours import body_of

CORPUS = Path(__file__).resolve().parent / "corpus"
SPLIT_FILE = "split.json"
HELD_OUT = ("validation", "test")
REQUEST_KEYS = frozenset(GreetingRequest.__dataclass_fields__)
REQUIRED_KEYS = frozenset({"relationship", "tone", "occasion", "length", "text"})


@dataclass(frozen=True)
class Record:
    """One greeting and what was asked for. ``id`` is the file's stem and the line, from 1: ``boss-2:17``."""

    id: str
    request: GreetingRequest
    text: str

    @property
    def cell(self) -> tuple[str, str]:
        """Relationship and tone."""
        return self.request.relationship, self.request.tone

    @property
    def body(self) -> str:
        """The text without the name called and the signature, see :func:`training.neighbours.body_of`."""
        return body_of(self.text, self.request.address, self.request.signature)


@dataclass(frozen=True)
class Split:
    """A corpus in three parts, each in the corpus's order: to train on, to choose by, and to judge with at the end."""

    train: tuple[Record, ...]
    validation: tuple[Record, ...]
    test: tuple[Record, ...]


def corpus_files(folder: Path) -> list[Path]:
    """The JSONL files of a corpus, by name.

    Raises:
        TrainingError: no such folder, or no JSONL file in it.
    """
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise TrainingError(
            Sentence(
                f"{folder} 里没有语料（.jsonl 文件）。请检查 corpus 写得对不对，或换一个文件夹。",
                f"There is no corpus (no .jsonl file) in {folder}. Check the name, or give another folder.",
            )
        )
    return paths


def corpus_lines(folder: Path) -> Iterator[tuple[str, str]]:
    """The id and the raw JSON of every record, by file name and line; blank lines are passed over.

    Raises:
        TrainingError: no such folder, no JSONL file in it, or a file that is not UTF-8.
    """
    for path in corpus_files(folder):
        yield from file_lines(path)


def file_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Those of one file.

    Raises:
        TrainingError: it cannot be read, or is not UTF-8.
    """
    for number, line in numbered_lines(path):
        yield f"{path.stem}:{number}", line


def read_corpus(folder: Path, catalog: Catalog) -> list[Record]:
    """Every record of the corpus in ``folder``.

    Raises:
        TrainingError: a line that is not a record, with its file, its line and what is wrong.
    """
    return [parse_record(name, line, catalog) for name, line in corpus_lines(folder)]


def parse_record(name: str, line: str, catalog: Catalog) -> Record:
    """One line as a record.

    Raises:
        TrainingError: not JSON, an unknown or missing key, or a value that no request can have.
    """
    raw, fault = parse_json(line)
    if fault is not None:
        raise _bad_line(name, fault)
    where = Sentence("记录", "the record")
    fault = key_fault(raw, {*REQUEST_KEYS, "text"}, set(REQUIRED_KEYS), where)
    if fault is not None:
        raise _bad_line(name, fault)
    if not isinstance(raw["text"], str) or not raw["text"].strip():
        raise _bad_line(name, Sentence("text 不是文字", "text is not a text"))
    if re.search("[\ud800-\udfff]", raw["text"]):
        raise _bad_line(name, Sentence("text 里有半个字符", "text holds half a character"))
    try:
        request = make_request(catalog, request_fields(raw))
    except RecursionError as error:
        raise _bad_line(name, TOO_DEEP) from error
    except RequestError as error:
        zh, en = error.sentence.zh.rstrip("。"), error.sentence.en.rstrip(".")
        raise _bad_line(name, Sentence(zh, en)) from error
    return Record(name, request, raw["text"])


def request_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What of a raw record was asked for; the rest is the answer."""
    return {key: value for key, value in raw.items() if key in REQUEST_KEYS}


def _bad_line(name: str, fault: Sentence) -> TrainingError:
    file, _, number = name.rpartition(":")
    return TrainingError(
        Sentence(
            f"语料 {file}.jsonl 第 {number} 行有误：{fault.zh}。"
            "改好后再运行；`python -m training check` 会列出全部问题。",
            f"Line {number} of {file}.jsonl is not a record: {fault.en}. Mend it and run again; "
            "`python -m training check` lists every fault.",
        )
    )


def read_split(folder: Path, records: Sequence[Record]) -> Split:
    """The corpus divided as ``split.json`` beside it says: ids of the validation and the test part; the rest trains.

    Raises:
        TrainingError: as :func:`read_held_out` does.
    """
    held = read_held_out(folder, {record.id for record in records})
    train = tuple(record for record in records if record.id not in held)
    validation, test = (tuple(record for record in records if held.get(record.id) == part) for part in HELD_OUT)
    return Split(train, validation, test)


def read_held_out(folder: Path, known: Set[str]) -> dict[str, str]:
    """The part, by id, of every record ``split.json`` holds out.

    Args:
        known: the ids of all records of the corpus.

    Raises:
        TrainingError: no such file, not of that form, or an id that is not there or in both parts.
    """
    path = folder / SPLIT_FILE
    try:
        raw, fault = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            Sentence(
                f"没有可用的 {path.name}（哪些记录留作验证）。用 `python -m training split` 生成一份。",
                f"There is no usable {path.name}, which says what is held out. `python -m training split` makes one.",
            ),
            f"{path}: {error}",
        ) from error
    if fault is not None:
        fault = Sentence(f"{SPLIT_FILE} {fault.zh}", f"{SPLIT_FILE} is broken: {fault.en}")
    else:
        fault = key_fault(raw, set(HELD_OUT), set(HELD_OUT), Sentence(SPLIT_FILE, SPLIT_FILE)) or _split_fault(
            raw, known
        )
    if fault is not None:
        raise TrainingError(
            Sentence(
                f"{fault.zh}。语料改动后请用 `python -m training split` 重新生成。",
                f"{fault.en}. After a change of the corpus make it again: `python -m training split`.",
            )
        )
    return {name: part for part in HELD_OUT for name in raw[part]}


def _split_fault(raw: Mapping[str, Any], known: Set[str]) -> Sentence | None:
    seen: set[str] = set()
    for part in HELD_OUT:
        if not isinstance(raw[part], list) or not all(isinstance(name, str) for name in raw[part]):
            return Sentence(f"{SPLIT_FILE} 的 {part} 应是编号的列表", f"{part} of {SPLIT_FILE} must be a list of ids")
        for name in raw[part]:
            if name not in known:
                return Sentence(
                    f"{SPLIT_FILE} 里的 {name[:40]!r} 不在语料里", f"{name[:40]!r} of {SPLIT_FILE} is not in the corpus"
                )
            if name in seen:
                return Sentence(f"{SPLIT_FILE} 里 {name} 出现了两次", f"{name} stands twice in {SPLIT_FILE}")
            seen.add(name)
    return None


def corpus_sha256(folder: Path) -> str:
    """One hash (hex) of all that decides what is trained on: names and bytes of the JSONL files and of the split."""
    sha = hashlib.sha256()
    for path in [*sorted(folder.glob("*.jsonl")), folder / SPLIT_FILE]:
        data = path.read_bytes() if path.exists() else b""
        sha.update(f"{path.name}:{len(data)}\n".encode() + data)
    return sha.hexdigest()
