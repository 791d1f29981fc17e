"""Step ``rating``: a sheet of what several systems wrote, for readers to rate blind, and the count of their ratings."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog, load_catalog
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.outputs import AUTHOR, first_texts, outputs_files, read_outputs
from training.json_lines import write_objects
from training.part import spread
from training.rating.ratings import read_key, read_ratings, systems_of
from training.rating.sheet import instructions, mixed
from training.rating.summary import markdown
from training.reading import parse_request, read_requests
from training.records import CORPUS, read_corpus
from training.whole_file import write_json, write_text


def system_texts(path: Path, requests: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The text of the first seed for every request as it is asked, by its id.

    Raises:
        TrainingError: the file cannot be read, or has none for a request.
    """
    texts = first_texts(read_outputs(path))
    for request in requests:
        if request["id"] not in texts:
            raise TrainingError(
                Sentence(
                    f"{path.name} 里没有请求 {request['id']} 的文字。"
                    "请用同一份请求运行 `python -m training evaluate`。",
                    f"{path.name} has no text for the request {request['id']}. Run `python -m training evaluate` with "
                    "the same requests.",
                ),
                str(path),
            )
    return texts


def author_texts(corpus: Path, requests: Sequence[Mapping[str, Any]], catalog: Catalog) -> dict[str, str]:
    """What the corpus's author wrote for every request, by its id, which is the record's.

    Raises:
        TrainingError: a request is no record's, or was changed after it was taken from one.
    """
    records = {record.id: record for record in read_corpus(corpus, catalog)}
    for request in requests:
        record = records.get(str(request["id"]))
        if record is None or record.request != parse_request(request, catalog):
            raise TrainingError(
                Sentence(
                    f"请求 {request['id']} 和语料里同号的记录不一样，作者的原文不是答它的。请用 "
                    "`python -m training reading requests` 取请求，或加 --without-author。",
                    f"The request {request['id']} is not what a record of that id asks, so the author's text does not "
                    "answer it. Take requests with `python -m training reading requests`, or add --without-author.",
                )
            )
    return {id: record.text for id, record in records.items()}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("rating", help="readers rate, blind, what several systems wrote")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    sheet = actions.add_parser("sheet", help="the texts of all systems, mixed, to be rated")
    sheet.add_argument("--outputs", type=Path, required=True, help="the folder `evaluate --out` wrote to")
    sheet.add_argument("--requests", type=Path, required=True, help="as `reading requests` writes them")
    sheet.add_argument("--systems", nargs="+", metavar="NAME", help="of these only, as in outputs-NAME.jsonl")
    sheet.add_argument("--corpus", type=Path, default=CORPUS, help="for the author's own texts")
    sheet.add_argument("--without-author", action="store_true", help="leave the author's own texts out")
    sheet.add_argument("--limit", type=int, help="of so many requests only, evenly spread")
    sheet.add_argument("--seed", type=int, default=0, help="of the order")
    sheet.add_argument("--out", type=Path, required=True, help="the sheet, a JSONL file; every reader fills in a copy")
    sheet.add_argument(
        "--key", type=Path, required=True, help="who wrote what, a JSON file to be kept from the readers"
    )
    sheet.set_defaults(run=_run_sheet)

    count = actions.add_parser("count", help="a summary of the ratings, in Markdown")
    count.add_argument("sheets", type=Path, nargs="+", help="copies of the sheet, each filled in by one reader")
    count.add_argument("--key", type=Path, required=True)
    count.add_argument("--of", default="lora", metavar="NAME", help="the system whose losses are listed (default lora)")
    count.add_argument("--worst", type=int, default=30, help="how many of them (default 30)")
    count.add_argument("--out", type=Path, help="a file for the summary, beside printing it")
    count.set_defaults(run=_run_count)


def _run_sheet(args: argparse.Namespace) -> int:
    catalog = load_catalog()
    requests = spread(read_requests(args.requests, catalog), args.limit)
    if not requests:
        raise TrainingError(
            Sentence(
                f"{args.requests.name} 里一个请求也没有，没有东西可评。"
                "请用 `python -m training reading requests` 取一些。",
                f"There is no request in {args.requests.name}, so nothing to rate. "
                "`python -m training reading requests` takes some.",
            )
        )
    texts = {system: system_texts(path, requests) for system, path in _files(args.outputs, args.systems).items()}
    if not args.without_author:
        texts[AUTHOR] = author_texts(args.corpus, requests, catalog)
    for file in (args.out, args.key):
        if file.exists():
            raise _already_there(file)
    lines, key = mixed(requests, texts, catalog, args.seed)
    write_objects(args.out, [instructions(), *lines])
    write_json(args.key, key)
    print(f"{args.out}: {len(lines)} texts of {len(texts)} systems for {len(requests)} requests")
    return 0


def _already_there(file: Path) -> TrainingError:
    """That a sheet or its key is not written over: somebody's ratings may be in it, or belong to it."""
    return TrainingError(
        Sentence(
            f"{file.name} 已经有了，里面也许有人打过分，不覆盖。请用 --out 和 --key 换别的名字，或自己先删掉它。",
            f"{file.name} is there already and may hold somebody's ratings, so it is not written over. Choose other "
            "names with --out and --key, or delete it yourself first.",
        ),
        str(file),
    )


def _files(folder: Path, systems: Sequence[str] | None) -> dict[str, Path]:
    """The file of every system, by its name."""
    found = outputs_files(folder)
    found.pop(AUTHOR, None)
    wanted = systems or list(found)
    missing = [system for system in wanted if system not in found]
    if missing or not wanted:
        named = "、".join(missing) or "任何系统"
        raise TrainingError(
            Sentence(
                f"{folder} 里没有{named}的文字（outputs-….jsonl）。"
                f"请先运行 `python -m training evaluate --out {folder}`。",
                f"{folder} has no texts of {', '.join(missing) or 'any system'} (outputs-….jsonl). First run "
                f"`python -m training evaluate --out {folder}`.",
            )
        )
    return {system: found[system] for system in wanted}


def _run_count(args: argparse.Namespace) -> int:
    key = read_key(args.key)
    readers = [read_ratings(sheet, key) for sheet in args.sheets]
    if args.of not in systems_of(key):
        known = systems_of(key)
        raise TrainingError(
            Sentence(
                f"这份稿子里没有系统 {args.of}，有的是：{'、'.join(known)}。请改 --of。",
                f"The sheet has no system {args.of}; it has {', '.join(known)}. Change --of.",
            )
        )
    summary = markdown(readers, key, args.of, args.worst)
    if args.out is not None:
        write_text(args.out, summary)
    print(summary, end="")
    return 0
