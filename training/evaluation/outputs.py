"""The texts that were written, and the file they are kept in: JSONL, one text a line, written job by job.

A job is one request in one variation; its texts, one a seed, stand together. A file is only ever added to, so whatever
moment a run is killed at, all but the last job of its file is whole.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from app.compose.schema import Misfit, typed
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.json_lines import parse_json
from training.whole_file import unwritten

AUTHOR = "corpus"  # the system that is the corpus's author: a text nobody generated
_PREFIX = "outputs-"


@dataclass(frozen=True)
class Output:
    """One text a system wrote.

    Attributes:
        system: ``prompt``, ``rag``, ``lora``, one of them at another temperature (:mod:`.names`), or :data:`AUTHOR`.
        request: the request's id.
        variation: what of the request was changed: ``name``, ``year`` or ``order``; "" for the request as it is.
        seed: which of the texts of its job, from 0.
        text: as the model wrote it, without white space around it.
        reasons: codes of the guard's faults (:class:`app.compose.guard.Fault`), each once; empty where it passes.
        tokens: written, without the end of the turn.
        prompt_tokens: of the whole prompt, also where the engine took its beginning over from the job before.
        seconds: of wall time that the job took in the engine, over its texts.
    """

    system: str
    request: str
    variation: str
    seed: int
    text: str
    reasons: tuple[str, ...]
    tokens: int
    prompt_tokens: int
    seconds: float

    @property
    def job(self) -> tuple[str, str]:
        """The request and its variation."""
        return self.request, self.variation


def outputs_file(folder: Path, system: str) -> Path:
    """Where the texts of a system are."""
    return folder / f"{_PREFIX}{system}.jsonl"


def outputs_files(folder: Path) -> dict[str, Path]:
    """The files of all systems that there are in a folder, by the system's name."""
    return {path.stem.removeprefix(_PREFIX): path for path in sorted(folder.glob(f"{_PREFIX}*.jsonl"))}


def first_texts(outputs: Iterable[Output]) -> dict[str, str]:
    """For every request as it is, by its id, the text of its first seed."""
    unchanged = [output for output in outputs if not output.variation]
    last_to_first = sorted(unchanged, key=lambda output: -output.seed)
    return {output.request: output.text for output in last_to_first}


def read_outputs(path: Path) -> list[Output]:
    """The texts of a file, but for a last line that was not written to its end.

    Raises:
        TrainingError: it cannot be read, or a line is no output.
    """
    return [output for output, _ in _read(path)]


def read_whole_jobs(path: Path, seeds: int) -> list[Output]:
    """The texts of all jobs that have one for each of so many seeds. What stands after them, which can only be of a job
    that was being written when the run was killed, is cut off the file; none where there is no file yet.

    Raises:
        TrainingError: as :func:`read_outputs`, or the file may not be written.
    """
    if not path.exists():
        return []
    found = _read(path)
    whole = len(found)
    while whole and found[whole - 1][0].seed != seeds - 1:
        whole -= 1
    end = found[whole - 1][1] if whole else 0
    try:
        if path.stat().st_size > end:
            os.truncate(path, end)
    except OSError as error:
        raise unwritten(error, path) from error
    return [output for output, _ in found[:whole]]


def append_outputs(path: Path, outputs: Iterable[Output]) -> None:
    """Add the texts of a job.

    Raises:
        TrainingError: the disk does not allow it.
    """
    lines = "".join(json.dumps(asdict(output), ensure_ascii=False) + "\n" for output in outputs)
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(lines)
    except OSError as error:
        raise unwritten(error, path) from error


def _read(path: Path) -> list[tuple[Output, int]]:
    """Every text, and where its line ends in the file, in bytes."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TrainingError(
            Sentence(
                f"{path.name} 读不出来。请先用 `python -m training evaluate --out` 写出它，或检查路径。",
                f"{path.name} cannot be read. `python -m training evaluate --out` writes it; check the path.",
            ),
            f"{path}: {error}",
        ) from error
    found: list[tuple[Output, int]] = []
    end = 0
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        end += len(line) + 1
        found.append((_parsed(line, path, number), end))
    return found


def _parsed(line: bytes, path: Path, number: int) -> Output:
    try:
        raw, fault = parse_json(line.decode("utf-8"))
        if fault is None:
            output: Output = typed(Output, raw)
            return output
    except UnicodeDecodeError as error:
        fault = Sentence("不是 UTF-8", f"not UTF-8 ({error.reason})")
    except Misfit as misfit:
        fault = misfit.clause
    raise TrainingError(
        Sentence(
            f"{path.name} 第 {number} 行坏了：{fault.zh}。请删掉这个文件，再运行一次 `python -m training evaluate`。",
            f"Line {number} of {path.name} is broken: {fault.en}. Delete the file and run `python -m training "
            "evaluate` again.",
        ),
        str(path),
    )
