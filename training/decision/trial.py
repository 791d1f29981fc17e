"""A low-cost trial on somebody's corpus: the base writes for a few requests, and once more after a short training.

Everything it writes is kept in a folder. Killed at any moment and started again, it goes on.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.verify import sha256_of
from training.decision.corpus import Corpus, LabelledRequest, is_answer, read_any_requests
from training.decision.systems import PROMPT, RAG, TUNED, base_systems, tuned_system
from training.decision.tuner import Tuned, trial_workspace, tune
from training.errors import TrainingError
from training.evaluation.outputs import Output, outputs_file, read_outputs
from training.evaluation.requests import REQUESTS_FILE, Asked, by_job, with_variations
from training.evaluation.write import Pace, write_outputs
from training.part import spread
from training.progress import percent
from training.records import Record, corpus_sha256

_EVALUATED = {PROMPT: "prompt", RAG: "rag", TUNED: "lora"}  # what an evaluation calls them
FEWEST = 20  # records that may be learned from; with fewer nothing that is measured means much


@dataclass(frozen=True)
class Plan:
    """How much is tried.

    Attributes:
        records: learned from, at most.
        requests: written for, at most.
        seeds: texts of each.
        task: what the texts are called, for a prompt of a corpus that is none of greetings.
        rules: the person's own prompt, in place of ours; "" where there is none.
        tuning: whether the short training is done.
    """

    records: int = 300
    requests: int = 16
    seeds: int = 2
    task: str = "文字"
    rules: str = ""
    tuning: bool = True


@dataclass(frozen=True)
class Trial:
    """What was written, by system, for which requests (by id and variation), and the short training, where there was
    one; ``generic_prompt`` where the prompt was one for texts of any kind."""

    asked: Mapping[tuple[str, str], LabelledRequest]
    outputs: Mapping[str, Sequence[Output]]
    tuned: Tuned | None
    generic_prompt: bool = False


def run_trial(corpus: Corpus, requests: Mapping[str, LabelledRequest], base: Path, folder: Path, plan: Plan) -> Trial:
    """Do what of it is not done yet.

    Raises:
        TrainingError, ModelError, EngineError: what is in the way; what is finished stays.
        KeyboardInterrupt: likewise.
    """
    learned = spread(free_records(corpus, requests), plan.records)
    chosen = spread(tuple(requests.items()), plan.requests)
    asked = with_variations([Asked(id, "", request) for id, request in chosen])
    labels, pace = corpus.labels, Pace(plan.seeds)
    # Whatever is wrong with the base is said before an hour was spent on it.
    workspace = trial_workspace(base, learned, labels, folder)
    outputs: dict[str, Sequence[Output]] = {}
    with workspace.alone():
        with base_systems(base, learned, labels, plan.task, plan.rules) as systems:
            for name, system in systems.items():
                outputs[name] = write_outputs(system, asked, labels.catalog, folder, pace)
        tuned = tune(workspace, learned, labels) if plan.tuning else None
        if tuned is not None:
            with tuned_system(tuned.model, labels) as system:
                outputs[system.name] = write_outputs(system, asked, labels.catalog, folder, pace)
    return Trial(_by_job(asked), outputs, tuned, generic_prompt=not labels.own and not plan.rules)


def evaluated(folder: Path, corpus: Corpus) -> Trial:
    """What ``python -m training evaluate`` wrote, as a trial: its tuned model stands for a short training. Where it was
    killed midway, only the texts that every system has, of the same request, variation and seed.

    Raises:
        TrainingError: there are no texts of the prompted base and of retrieval, they cannot be read, or they have no
            request in common.
    """
    files = {name: outputs_file(folder, system) for name, system in _EVALUATED.items()}
    for name in (PROMPT, RAG):
        if not files[name].is_file():
            raise TrainingError(
                Sentence(
                    f"{folder} 里没有 {files[name].name}。请先运行 `python -m training evaluate --out {folder}`，"
                    "或改用 --requests。",
                    f"There is no {files[name].name} in {folder}. First run `python -m training evaluate --out "
                    f"{folder}`, or give --requests instead.",
                )
            )
    requests = read_any_requests(folder / REQUESTS_FILE, corpus.labels)
    asked = with_variations([Asked(id, "", request) for id, request in requests.items()])
    outputs = {name: read_outputs(file) for name, file in files.items() if file.is_file()}
    written = [{(output.job, output.seed) for output in ones} for ones in outputs.values()]
    common = {(job, seed) for job, seed in set.intersection(*written) if job in by_job(asked)}
    if not any(not variation for (_, variation), _ in common):
        raise TrainingError(
            Sentence(
                f"{folder} 里没有一个请求是每个系统都写了的，没法比。请先让 "
                f"`python -m training evaluate --out {folder}` 跑完。",
                f"In {folder} there is no request that every system answered, so nothing can be compared. Let `python "
                f"-m training evaluate --out {folder}` finish first.",
            ),
            ", ".join(f"{name}: {len(ones)}" for name, ones in outputs.items()),
        )
    kept = {name: [one for one in ones if (one.job, one.seed) in common] for name, ones in outputs.items()}
    return Trial(_by_job(asked), kept, None)


def free_records(corpus: Corpus, requests: Mapping[str, LabelledRequest]) -> list[Record]:
    """The records that may be learned from and answer none of the requests: what was seen before proves nothing.

    Args:
        requests: by their ids.

    Raises:
        TrainingError: there are too few.
    """
    asked = set(requests.values())
    free = [
        record
        for record in corpus.usable
        if record.request not in asked or not any(is_answer(record, *each) for each in requests.items())
    ]
    if len(free) < FEWEST:
        raise TrainingError(
            Sentence(
                f"除去请求本身，语料只剩 {len(free)} 条可以学，少于 {FEWEST} 条，试不出什么。请多写一些再试。",
                f"Beside the requests themselves the corpus has {len(free)} records to learn from, fewer than "
                f"{FEWEST}, which show nothing. Write more and try again.",
            )
        )
    return free


def trial_name(corpus: Path, requests: Path, base: Path, plan: Plan) -> str:
    """A folder's name that is another for another trial: for other contents of the files, whatever they are called.

    Raises:
        OSError: one of them cannot be read.
    """
    contents = [corpus_sha256(corpus) if corpus.is_dir() else sha256_of(corpus), sha256_of(requests)]
    contents.append(sha256_of(base, percent(base.name)))
    return "decide-" + hashlib.sha256(repr((contents, plan)).encode()).hexdigest()[:8]


def _by_job(asked: Iterable[Asked]) -> dict[tuple[str, str], LabelledRequest]:
    # A change of a request leaves it of its kind, which the type of Asked does not say.
    return {job: request for job, request in by_job(asked).items() if isinstance(request, LabelledRequest)}
