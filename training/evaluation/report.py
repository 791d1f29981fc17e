"""Step ``report``: the texts of an evaluation measured, and what a person reads of that.

``DIR/measures.json`` has the figures, ``DIR/report.html`` the table, the pictures and texts to be read blind; the
pictures stand beside it as SVG and PNG.
"""

import argparse
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog, load_catalog
from app.compose.schema import Misfit, typed
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation import pictures
from training.evaluation.blind import side_by_side
from training.evaluation.outputs import Output, outputs_files, read_outputs
from training.evaluation.page import page_html
from training.evaluation.reference import Reference
from training.evaluation.requests import REQUESTS_FILE, as_asked, by_job, sha256_of_requests, with_variations
from training.evaluation.runs import STUDY_FILE, read_runs
from training.evaluation.table import (
    MEASURES_FILE,
    Made,
    Table,
    check_basis,
    check_size,
    left,
    markdown,
    measured,
    read_table,
    write_table,
)
from training.reading import read_requests
from training.records import CORPUS, corpus_sha256, read_corpus, read_split
from training.whole_file import write_text
from training.workspace import read_note

REPORT_FILE = "report.html"


def finish(folder: Path, corpus: Path, catalog: Catalog, study: Path | None = None) -> Table:
    """Measure the outputs in ``folder`` and write figures, pictures and report beside them.

    Args:
        corpus: folder of JSONL files and their split.
        study: the result of a study, for two more pictures.

    Raises:
        TrainingError: outputs, requests, corpus or study cannot be read, or the disk does not allow it.
    """
    runs = read_runs(study) if study else ()
    outputs = _outputs(folder)
    plain = as_asked(read_requests(folder / REQUESTS_FILE, catalog), catalog)
    asked = by_job(with_variations(plain))
    split = read_split(corpus, read_corpus(corpus, catalog))
    held_out = (*split.validation, *split.test)
    table = measured(outputs, asked, held_out, Reference.of(split.train), catalog, _memory(folder))
    known = {record.id for record in split.train} & {id for id, _ in asked}
    if known:
        table = replace(table, notes=(*table.notes, _trained_on(len(known))))
    table = replace(
        table,
        made={system: made for system, made in _made(folder).items() if system in table.systems},
        requests_sha256=sha256_of_requests(plain),
        corpus_sha256=corpus_sha256(corpus),
    )
    write_table(folder / MEASURES_FILE, table)
    drawn = pictures.draw_all(table, runs, folder)
    author = {record.id: record.text for record in held_out if asked.get((record.id, "")) == record.request}
    comparisons = side_by_side(outputs, asked, author, catalog)
    svg = {file.stem: file.read_text(encoding="utf-8") for file in drawn if file.suffix == ".svg"}
    write_text(folder / REPORT_FILE, page_html(table, comparisons, svg))
    return table


def _trained_on(count: int) -> Sentence:
    return Sentence(
        f"有 {count} 个请求出自语料的训练部分，微调和检索都见过它们的原文，这些数字会偏高。"
        "请用 test 部分的请求再评一次。",
        f"{count} of the requests are of the corpus's training split: the fine-tune and the retrieval have seen what "
        "its author wrote for them, so these figures flatter. Evaluate again with requests of the test part.",
    )


def _outputs(folder: Path) -> list[Output]:
    """Those of all systems. Whose a text is, the name of its file says, so that a file of another folder can be put
    beside these under a name of its own."""
    found = [
        replace(output, system=system)
        for system, path in outputs_files(folder).items()
        for output in read_outputs(path)
    ]
    if not found:
        raise TrainingError(
            Sentence(
                f"{folder} 里没有任何系统写的文字，没有可量的。"
                f"请先用 `python -m training evaluate --out {folder}` 写出来。",
                f"There is no text of any system in {folder}, so there is nothing to measure. `python -m training "
                f"evaluate --out {folder}` has them written.",
            )
        )
    return found


def _memory(folder: Path) -> dict[str, int]:
    """The most memory each system took, in bytes, as the notes beside the outputs have it."""
    peaks = {system: note.get("peak_memory") for system, note in _notes(folder).items()}
    return {system: peak for system, peak in peaks.items() if isinstance(peak, int)}


def _made(folder: Path) -> dict[str, Made]:
    """What each system's texts came of, where its note says it."""
    found = {}
    for system, note in _notes(folder).items():
        with suppress(Misfit, KeyError, TypeError):  # a note that does not say it
            facts = {key: note[key] for key in ("model", "sha256", "seeds", "seed")}
            facts |= {key: note["sampling"][key] for key in ("temperature", "top_p", "min_p")}
            found[system] = typed(Made, facts, system)
    return found


def _notes(folder: Path) -> dict[str, dict[str, Any]]:
    return {system: read_note(path.with_suffix(".json")) for system, path in outputs_files(folder).items()}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("report", help="measure what `evaluate` wrote, and make its report")
    parser.add_argument("--out", type=Path, required=True, help="the folder `evaluate` wrote to")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of JSONL files and their split.json")
    parser.add_argument("--study", type=Path, help="the result of `study`, for the pictures of what data is worth "
                        f"(default: {STUDY_FILE} in --out, where there is one)")  # fmt: skip
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw the pictures there as well")
    parser.add_argument("--check", type=Path, metavar="OLD.json",
                        help=f"an earlier {MEASURES_FILE}; exits with 1 where a figure left its interval")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, write, print the table; 1 where ``--check`` finds a figure outside its interval."""
    catalog = load_catalog()
    old = read_table(args.check) if args.check else None
    if old is not None:
        asked = as_asked(read_requests(args.out / REQUESTS_FILE, catalog), catalog)
        check_basis(args.check, old, sha256_of_requests(asked), corpus_sha256(args.corpus))
    beside = args.out / STUDY_FILE
    study = args.study or (beside if beside.is_file() else None)
    table = finish(args.out, args.corpus, catalog, study)
    print(markdown(table))
    print(args.out / REPORT_FILE)
    if args.pictures:
        for file in pictures.draw_all(table, read_runs(study) if study else (), args.pictures):
            print(file)
    if old is not None:
        check_size(args.check, old, table)
    changes = left(old, table) if old else []
    for change in changes:
        print(f"{change.zh} / {change.en}")
    return 1 if changes else 0
