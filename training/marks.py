"""What a reader said of texts the tuned model wrote: which they would send, unchanged, and which not.

``training/marks`` holds those that were given; the preference stage learns from them (:mod:`training.pairs`).
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest, RequestError, make_request
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.json_lines import numbered_lines, parse_object


@dataclass(frozen=True)
class Mark:
    """A text, the request it answers, and whether a reader would send it."""

    request: GreetingRequest
    text: str
    send: bool


def read_marks(files: Iterable[Path], catalog: Catalog) -> list[Mark]:
    """The marks in JSONL files: lines of ``request``, ``text``, ``send`` and, if the reader said it, ``why``.

    Raises:
        TrainingError: a file cannot be read, or a line is no mark, with its number.
    """
    return [_mark(path, number, line, catalog) for path in files for number, line in numbered_lines(path)]


def _mark(path: Path, number: int, line: str, catalog: Catalog) -> Mark:
    try:
        raw, fault = parse_object(line)
        if fault is not None:
            raise ValueError(fault.en)
        text, send = raw["text"], raw["send"]
        if not (isinstance(text, str) and text and isinstance(send, bool)):
            raise ValueError("text must be text, and send true or false")
        return Mark(make_request(catalog, raw["request"]), text, send)
    except RequestError as error:
        raise _no_mark(path, number, error.sentence.en) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_mark(path, number, f"{type(error).__name__}: {error}") from error


def _no_mark(path: Path, number: int, detail: str) -> TrainingError:
    return TrainingError(
        Sentence(
            f"{path.name} 第 {number} 行不是一条读后标记（request、text、send）。请改好或删掉这一行。",
            f"Line {number} of {path.name} is not a reader's mark (request, text, send). Mend or remove it.",
        ),
        f"{path}: {detail}",
    )


def marks_sha256(files: Iterable[Path]) -> str:
    """One hash (hex) of names and bytes."""
    sha = hashlib.sha256()
    for path in files:
        data = path.read_bytes()
        sha.update(f"{path.name}:{len(data)}\n".encode() + data)
    return sha.hexdigest()


def tally(marks: Sequence[Mark]) -> dict[str, tuple[int, int]]:
    """Texts, and how many of them would be sent: of all, by length, with and without facts, by tone."""
    groups: dict[str, Callable[[Mark], str]] = {
        "all": lambda mark: "",
        "length": lambda mark: mark.request.length,
        "facts": lambda mark: "given" if mark.request.details else "none",
        "tone": lambda mark: mark.request.tone,
    }
    found: dict[str, tuple[int, int]] = {}
    for name, group in groups.items():
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for mark in marks:
            counts[group(mark)][0] += 1
            counts[group(mark)][1] += mark.send
        for value, (texts, sent) in sorted(counts.items()):
            found[f"{name} {value}".strip()] = texts, sent
    return found
