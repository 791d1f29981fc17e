"""Step ``reading``: greetings of several models, read by a person who does not know which wrote what.

``requests`` takes requests of the corpus for ``python -m app compose --requests``; ``sheet`` mixes what came of them; a
reader answers, line by line, whether they would send the text; ``count`` opens the key and counts. A loss says what is
likely, a reading what is good, and where the two differ it is the reading that decides what is shipped. ``marks`` keeps
what a reader said of texts the tuned model wrote, for the preference stage to learn from.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog, load_catalog
from app.compose.prompt import user_message
from app.compose.request import GreetingRequest, RequestError, make_request
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.json_lines import read_objects, write_objects
from training.marks import read_marks, tally
from training.part import add_part_arguments, part_records, spread
from training.records import Record
from training.whole_file import write_json

RESAMPLES = 2000


@dataclass(frozen=True)
class Count:
    """How a reader took one model's texts.

    ``sent`` of ``read`` they would send. ``low`` and ``high`` enclose 95 % of what the share would be with other
    requests (percentile bootstrap over requests, Efron 1979).
    """

    model: str
    sent: int
    read: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of the texts read, those that would be sent."""
        return self.sent / self.read


def request_fields(record: Record, *, plain: bool = False) -> dict[str, Any]:
    """What a record asks for, as a line of ``app compose --requests``, without its answer; ``plain``: without facts and
    signature."""
    request = replace(record.request, details=(), signature="") if plain else record.request
    fields = {name: getattr(request, name) for name in type(request).__dataclass_fields__}
    return {"id": record.id} | {name: value for name, value in fields.items() if value}


def mixed(
    requests: Sequence[Mapping[str, Any]],
    answers: Mapping[str, Mapping[str, Sequence[str]]],
    catalog: Catalog,
    seed: int,
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The sheet, and its key.

    Args:
        requests: as :func:`request_fields` makes them.
        answers: the texts of each model for each request's id.

    Returns:
        Lines of ``number``, ``asked`` (the prompt's own lines), ``text``, and ``send`` and ``why`` for the reader; and,
        by number, which models wrote the text, for which request. A text two of them wrote is read once.
    """
    generator = random.Random(f"{seed}:sheet")
    lines: list[dict[str, Any]] = []
    key: dict[str, dict[str, Any]] = {}
    for request in requests:
        writers: dict[str, list[str]] = defaultdict(list)
        for model, texts in answers.items():
            for text in texts[str(request["id"])]:
                writers[text].append(model)
        texts_in_order = sorted(writers)
        generator.shuffle(texts_in_order)
        asked = user_message(parse_request(request, catalog), catalog)
        for text in texts_in_order:
            number = str(len(lines) + 1)
            lines.append({"number": number, "asked": asked, "text": text, "send": None, "why": ""})
            key[number] = {"request": request, "models": writers[text]}
    return lines, key


def parse_request(fields: Mapping[str, Any], catalog: Catalog) -> GreetingRequest:
    """The request of a line.

    Raises:
        RequestError: it is none.
    """
    return make_request(catalog, {name: value for name, value in fields.items() if name != "id"})


def counted(marks: Mapping[str, bool], key: Mapping[str, Mapping[str, Any]], seed: int = 0) -> list[Count]:
    """The count of every model, the most sent first.

    Args:
        marks: for every number of the key, whether the reader would send the text.
    """
    by_model: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for number, entry in key.items():
        for model in entry["models"]:
            by_model[model][entry["request"]["id"]].append(marks[number])
    counts = []
    for model, requests in by_model.items():
        groups = [(sum(marked), len(marked)) for marked in requests.values()]
        low, high = _interval(groups, seed)
        sent, read = (sum(column) for column in zip(*groups, strict=True))
        counts.append(Count(model, sent, read, low, high))
    return sorted(counts, key=lambda count: (-count.share, count.model))


def _interval(groups: Sequence[tuple[int, int]], seed: int) -> tuple[float, float]:
    generator = random.Random(f"{seed}:bootstrap")
    shares = []
    for _ in range(RESAMPLES):
        drawn = generator.choices(groups, k=len(groups))
        shares.append(sum(sent for sent, _ in drawn) / sum(read for _, read in drawn))
    shares.sort()
    return shares[round(0.025 * (RESAMPLES - 1))], shares[round(0.975 * (RESAMPLES - 1))]


def read_requests(path: Path, catalog: Catalog) -> list[dict[str, Any]]:
    """The requests a sheet is about.

    Raises:
        TrainingError: the file cannot be read, or a line is no request with an id of its own.
    """
    requests = read_objects(path)
    if len({str(request.get("id", "")) for request in requests} - {""}) != len(requests):
        raise TrainingError(
            Sentence(
                f"{path.name} 里有请求没有 id，或 id 重复。请用 `python -m training reading requests` 生成它。",
                f"A request of {path.name} has no id of its own. `python -m training reading requests` makes them.",
            )
        )
    for request in requests:
        try:
            parse_request(request, catalog)
        except RequestError as error:
            raise TrainingError(error.sentence, f"{path}: {request['id']}") from error
    return requests


def _read_key(path: Path) -> dict[str, Any]:
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(key, dict) and all({"models", "request"} <= set(entry) for entry in key.values()):
            return key
        detail = "not what `sheet` wrote"
    except (OSError, ValueError, TypeError) as error:
        detail = str(error)
    raise TrainingError(
        Sentence(
            f"{path.name} 不是这份稿子的答案（key）。请给出 `reading sheet` 写的那个文件。",
            f"{path.name} is not the key of a sheet. Give the file that `reading sheet` wrote.",
        ),
        f"{path}: {detail}",
    )


def _texts(path: Path, requests: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The texts ``app compose`` wrote for every request, by its id."""
    found = {
        str(line.get("id")): [str(candidate["text"]) for candidate in line.get("candidates", ())]
        for line in read_objects(path)
    }
    for request in requests:
        if not found.get(str(request["id"])):
            raise TrainingError(
                Sentence(
                    f"{path.name} 里没有请求 {request['id']} 的文字。请用同一份请求重新写一遍。",
                    f"{path.name} has no text for the request {request['id']}. Write it anew for the same requests.",
                )
            )
    return found


def _marks(lines: Sequence[Mapping[str, Any]], key: Mapping[str, Any], name: str) -> dict[str, bool]:
    """What the reader said of every text.

    Raises:
        TrainingError: a text nobody judged, or a sheet of another key.
    """
    marks = {str(line.get("number")): line.get("send") for line in lines}
    for number in key:
        if not isinstance(marks.get(number), bool):
            raise TrainingError(
                Sentence(
                    f"{name} 第 {number} 条还没判：send 请写 true（愿意发）或 false。",
                    f"Text {number} of {name} is not judged yet: let send be true (I would send it) or false.",
                )
            )
    return {number: bool(marks[number]) for number in key}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    parser = subparsers.add_parser("reading", help="compare models by a blind reading of what they write")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    requests = actions.add_parser("requests", help="held-out requests, for `python -m app compose --requests`")
    add_part_arguments(requests)
    requests.add_argument("--only", nargs="+", metavar="PATTERN", help='of records with such ids, as in "*-2:*"')
    requests.add_argument("--plain", action="store_true", help="without the facts and the signature")
    requests.add_argument("--out", type=Path, required=True, help="a JSONL file")
    requests.set_defaults(run=_run_requests)

    sheet = actions.add_parser("sheet", help="what several models wrote, mixed, for a reader")
    sheet.add_argument("--requests", type=Path, required=True)
    sheet.add_argument("--written", type=Path, nargs="+", required=True, help="what `app compose --out` wrote; the "
                       "file's name is the model's")  # fmt: skip
    sheet.add_argument("--out", type=Path, required=True, help="the sheet, a JSONL file")
    sheet.add_argument("--key", type=Path, required=True, help="who wrote what, a JSON file to be kept from the reader")
    sheet.add_argument("--seed", type=int, default=0)
    sheet.set_defaults(run=_run_sheet)

    count = actions.add_parser("count", help="count the marks of one or more readers")
    count.add_argument("sheets", type=Path, nargs="+", help="copies of the sheet, each marked by one reader")
    count.add_argument("--key", type=Path, required=True)
    count.set_defaults(run=_run_count)

    marks = actions.add_parser("marks", help="keep a reader's marks for the preference stage")
    marks.add_argument("sheet", type=Path, help="marked by a reader")
    marks.add_argument("--key", type=Path, required=True)
    marks.add_argument("--out", type=Path, required=True, help="a JSONL file")
    marks.set_defaults(run=_run_marks)

    tallied = actions.add_parser("tally", help="count the marks that were kept, by length, facts and tone")
    tallied.add_argument("marks", type=Path, nargs="+")
    tallied.set_defaults(run=_run_tally)


def _run_requests(args: argparse.Namespace) -> int:
    records = part_records(args, load_catalog())
    patterns = args.only or ["*"]
    chosen = spread([record for record in records if any(fnmatch(record.id, each) for each in patterns)], args.limit)
    write_objects(args.out, [request_fields(record, plain=args.plain) for record in chosen])
    print(f"{args.out}: {len(chosen)} requests")
    return 0


def _run_sheet(args: argparse.Namespace) -> int:
    catalog = load_catalog()
    requests = read_requests(args.requests, catalog)
    answers = {path.stem: _texts(path, requests) for path in args.written}
    lines, key = mixed(requests, answers, catalog, args.seed)
    write_objects(args.out, lines)
    write_json(args.key, key)
    print(f"{args.out}: {len(lines)} texts of {len(answers)} models for {len(requests)} requests")
    return 0


def _run_count(args: argparse.Namespace) -> int:
    """A Markdown table: a row a model, a column a reader, the bootstrap interval in brackets."""
    key = _read_key(args.key)
    readers = [counted(_marks(read_objects(sheet), key, sheet.name), key) for sheet in args.sheets]
    print("| " + "".join(f"| {sheet.stem} " for sheet in args.sheets) + "|")
    print("| --- " * (len(readers) + 1) + "|")
    for first in readers[0]:
        cells = [next(count for count in reader if count.model == first.model) for reader in readers]
        print(f"| {first.model} " + "".join(f"| {_cell(count)} " for count in cells) + "|")
    return 0


def _cell(count: Count) -> str:
    return f"{count.sent} of {count.read}, {count.share:.0%} ({count.low:.0%} to {count.high:.0%})"


def _run_marks(args: argparse.Namespace) -> int:
    key = _read_key(args.key)
    lines = read_objects(args.sheet)
    marks = _marks(lines, key, args.sheet.name)
    said = {str(line.get("number")): line for line in lines}
    kept = []
    for number, entry in key.items():
        request = {name: value for name, value in entry["request"].items() if name != "id"}
        mark = {"request": request, "text": said[number]["text"], "send": marks[number]}
        kept.append(mark | ({"why": said[number]["why"]} if said[number].get("why") else {}))
    write_objects(args.out, kept)
    print(f"{args.out}: {sum(marks.values())} of {len(kept)} texts would be sent")
    return 0


def _run_tally(args: argparse.Namespace) -> int:
    for name, (texts, sent) in tally(read_marks(args.marks, load_catalog())).items():
        print(f"| {name} | {texts:,} | {sent:,} | {sent / texts:.0%} |")
    return 0
