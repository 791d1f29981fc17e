"""Has a system write for all requests, in all variations, with all seeds: through the app's engine, job by job.

A run that was killed goes on where it stopped: the engine gives the same texts for the same job whatever ran before it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog
from app.compose.guard import never_right
from app.compose.prompt import Segment
from app.compose.sentence import Sentence
from app.engine.memory import memory_of
from app.engine.protocol import Sampling
from app.engine.session import Session
from app.models.verify import sha256_of
from training.errors import TrainingError
from training.evaluation.outputs import Output, append_outputs, outputs_file, read_whole_jobs
from training.evaluation.requests import Asked
from training.evaluation.systems import System
from training.evaluation.written import guard_reasons
from training.progress import TimeLeft, percent
from training.workspace import read_note, write_note

MOST_SEEDS = 32  # that the engine decodes side by side


@dataclass(frozen=True)
class Pace:
    """How many texts of a job there are, the seed of its draws, and what computes them."""

    seeds: int = 3
    seed: int = 0
    device: str = "auto"
    threads: int | None = None


@dataclass(frozen=True)
class _Job:
    """A prompt to be written for, as the engine is given it."""

    asked: Asked
    prompt: tuple[Segment, ...]
    sampling: Sampling
    most_tokens: int


def write_outputs(system: System, asked: Sequence[Asked], catalog: Catalog, folder: Path, pace: Pace) -> list[Output]:
    """All texts of a system, in the order of ``asked``, in its file in ``folder``; those that are there are kept.

    Beside them a note says what they came of, and the most memory the engine took (bytes, where the system tells).
    What no right answer contains, the other pronoun, no system may draw, as in the app.

    Raises:
        TrainingError: the texts there are of another run, or the disk does not allow it.
        ModelError, EngineError: the model cannot be read, or the engine cannot write.
    """
    jobs = _jobs(system, asked, catalog)
    file = outputs_file(folder, system.name)
    note_file = file.with_suffix(".json")
    note = _note(system, jobs, pace)
    known = read_note(note_file)
    if file.exists() and known.get("identity") != note["identity"]:
        raise _another_run(file)
    written = read_whole_jobs(file, pace.seeds)
    there = {output.job for output in written}
    waiting = [job for job in jobs if job.asked.job not in there]
    note["peak_memory"] = known.get("peak_memory") if there else None
    if not there:
        write_note(note_file, note)
    if not waiting:
        return written
    progress = TimeLeft(system.name, len(jobs), len(there))
    with Session(system.model, device=pace.device, threads=pace.threads) as session:
        for number, job in enumerate(waiting, len(there) + 1):
            outputs = _write(session, system, job, catalog, pace)
            # Before its texts: whenever this is killed, what was written is not known without what it took.
            memory = memory_of(session.pid)
            if memory is not None and memory["peak"] > (note["peak_memory"] or 0):
                note["peak_memory"] = memory["peak"]
                write_note(note_file, note)
            append_outputs(file, outputs)
            written += outputs
            progress.show(number)
    return written


def check_unmixed(system: System, asked: Sequence[Asked], catalog: Catalog, folder: Path, pace: Pace) -> None:
    """Refuse what :func:`write_outputs` would refuse, and write nothing.

    Raises:
        TrainingError: the texts there are of another run.
        ModelError: the model cannot be read.
    """
    jobs, file = _jobs(system, asked, catalog), outputs_file(folder, system.name)
    if file.exists() and read_note(file.with_suffix(".json")).get("identity") != _note(system, jobs, pace)["identity"]:
        raise _another_run(file)


def _jobs(system: System, asked: Sequence[Asked], catalog: Catalog) -> list[_Job]:
    return [
        _Job(
            one,
            system.segments(one.request),
            replace(system.sampling, avoid=never_right(one.request, catalog)),
            catalog.length(one.request.length).most_tokens,
        )
        for one in asked
    ]


def _write(session: Session, system: System, job: _Job, catalog: Catalog, pace: Pace) -> list[Output]:
    drawn = session.write(job.prompt, pace.seeds, pace.seed, job.sampling, job.most_tokens, verbatim=True)
    prompt_tokens = system.tokens(job.prompt)
    outputs = []
    for one in drawn.candidates:
        text = one.text.strip()
        reasons = guard_reasons(text, job.asked.request, catalog)
        seconds = round(drawn.seconds / pace.seeds, 3)
        outputs.append(
            Output(system.name, *job.asked.job, one.candidate, text, reasons, one.tokens, prompt_tokens, seconds)
        )
    return outputs


def _note(system: System, jobs: Sequence[_Job], pace: Pace) -> dict[str, Any]:
    """What the texts depend on; ``identity`` changes with any of it, every word of every prompt included."""
    facts: dict[str, Any] = {
        "model": system.model.name,
        "sha256": sha256_of(system.model, percent(system.model.name)),
        "sampling": asdict(system.sampling),
        "seeds": pace.seeds,
        "seed": pace.seed,
    }
    state = json.dumps([facts, [[job.asked.job, job.prompt, job.sampling.avoid, job.most_tokens] for job in jobs]])
    return {"identity": hashlib.sha256(state.encode()).hexdigest(), **facts}


def _another_run(file: Path) -> TrainingError:
    return TrainingError(
        Sentence(
            f"{file.name} 是另一次评测写下的：模型、提示词、请求、种子数或取样设置变了。请换一个 --out，或删掉它重写。",
            f"{file.name} was written in another evaluation: its model, prompt, requests, seeds or sampling were "
            "others. Choose another --out, or delete the file to write it anew.",
        ),
        str(file),
    )
