"""Step ``report``: the texts of an evaluation measured, and what a person reads of that.

``DIR/measures.json`` has the figures, ``DIR/report.html`` the table, the pictures and texts to be read blind; the
pictures stand beside it as SVG and PNG.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from app.compose.catalog import Catalog, load_catalog
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation import pictures
from training.evaluation.blind import side_by_side
from training.evaluation.outputs import Output, outputs_files, read_outputs
from training.evaluation.page import page_html
from training.evaluation.reference import Reference
from training.evaluation.requests import REQUESTS_FILE, as_asked, by_job, with_variations
from training.evaluation.runs import read_runs
from training.evaluation.table import MEASURES_FILE, Table, left, markdown, measured, read_table, write_table
from training.reading import read_requests
from training.records import CORPUS, read_corpus, read_split
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
    asked = by_job(with_variations(as_asked(read_requests(folder / REQUESTS_FILE, catalog), catalog)))
    split = read_split(corpus, read_corpus(corpus, catalog))
    held_out = (*split.validation, *split.test)
    table = measured(outputs, asked, held_out, Reference.of(split.train), catalog, _memory(folder))
    known = {record.id for record in split.train} & {id for id, _ in asked}
    if known:
        table = replace(table, notes=(*table.notes, _trained_on(len(known))))
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
    found = [output for path in outputs_files(folder).values() for output in read_outputs(path)]
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
    notes = {system: read_note(path.with_suffix(".json")) for system, path in outputs_files(folder).items()}
    peaks = {system: note.get("peak_memory") for system, note in notes.items()}
    return {system: peak for system, peak in peaks.items() if isinstance(peak, int)}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("report", help="measure what `evaluate` wrote, and make its report")
    parser.add_argument("--out", type=Path, required=True, help="the folder `evaluate` wrote to")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of JSONL files and their split.json")
    parser.add_argument("--study", type=Path, help="the result of `study`, for the pictures of what data is worth")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw the pictures there as well")
    parser.add_argument("--check", type=Path, metavar="OLD.json",
                        help=f"an earlier {MEASURES_FILE}; exits with 1 where a figure left its interval")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, write, print the table; 1 where ``--check`` finds a figure outside its interval."""
    old = read_table(args.check) if args.check else None
    table = finish(args.out, args.corpus, load_catalog(), args.study)
    print(markdown(table))
    print(args.out / REPORT_FILE)
    if args.pictures:
        for file in pictures.draw_all(table, read_runs(args.study) if args.study else (), args.pictures):
            print(file)
    changes = left(old, table) if old else []
    for change in changes:
        print(f"{change.zh} / {change.en}")
    return 1 if changes else 0
