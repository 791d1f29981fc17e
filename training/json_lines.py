"""JSON as people write it: JSONL, an object a line, read so that whatever is wrong can be said with its line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.whole_file import write_text

TOO_DEEP = Sentence("括号套得太深", "nested too deep")


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers from 1. The mark that some editors put before the
    first one is no part of it.

    Raises:
        TrainingError: it cannot be read, or is not UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            Sentence(
                f"{path.name} 读不出来，它应是 UTF-8 的 JSONL，一行一个对象。请检查路径，或另存为 UTF-8 再试。",
                f"{path.name} cannot be read; it should be JSONL in UTF-8, an object a line. Check the path, or save "
                "it as UTF-8.",
            ),
            f"{path}: {error}",
        ) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, line


def read_objects(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file.

    Raises:
        TrainingError: it cannot be read, or a line is no object.
    """
    found = []
    for number, line in numbered_lines(path):
        raw, fault = parse_object(line)
        if fault is not None:
            raise TrainingError(
                Sentence(
                    f"{path.name} 第 {number} 行有误：{fault.zh}。这个文件应是 JSONL，一行一个对象；改好这一行再运行。",
                    f"Line {number} of {path.name} is broken: {fault.en}. The file should be JSONL, an object a line; "
                    "mend that line and run again.",
                ),
                str(path),
            )
        found.append(raw)
    return found


def write_objects(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    """A JSONL file of these objects, whole or absent.

    Raises:
        TrainingError: the disk does not allow it.
    """
    write_text(path, "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects))


def parse_object(text: str) -> tuple[dict[str, Any], Sentence | None]:
    """The object a JSON text stands for, or what is wrong with it, as :func:`parse_json`."""
    raw, fault = parse_json(text)
    if fault is None and not isinstance(raw, dict):
        fault = Sentence("应是键值对（{…}）", "it should be a mapping ({…})")
    return ({}, fault) if fault else (raw, None)


def parse_json(text: str) -> tuple[Any, Sentence | None]:
    """The value a JSON text stands for, or what is wrong with it, as a clause; a key given twice is a fault too."""
    try:
        return json.loads(text, object_pairs_hook=_distinct), None
    except RecursionError:
        return None, TOO_DEEP
    except _RepeatedKey as error:
        return None, Sentence(f"{error} 出现了两次", f"{error} stands there twice")
    except ValueError as error:
        return None, Sentence(f"不是 JSON（{error}）", f"not JSON ({error})")


class _RepeatedKey(ValueError):
    """A JSON object names one key twice; which value is meant, nobody can tell."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise _RepeatedKey(repr(key[:40]))
        mapping[key] = value
    return mapping
