"""Step ``evaluate``: the same requests to a prompted base, to one with retrieval, and to the fine-tuned model.

``DIR/requests.jsonl`` is what was asked, ``DIR/outputs-<system>.jsonl`` what came of it (:mod:`.outputs`), with a note
of its making beside it; figures and report follow (:mod:`.report`). Killed at any moment and started again, it goes on.
A system may be asked for at another temperature as well, beside its own: ``--systems prompt,rag,lora,lora-at-0.7``.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog, load_catalog
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation import report
from training.evaluation.names import KINDS, at_temperature, checked_name, parts_of
from training.evaluation.outputs import Output
from training.evaluation.prompt_system import Layout
from training.evaluation.requests import REQUESTS_FILE, Asked, as_asked, sha256_of_requests, with_variations
from training.evaluation.retrieval import Ranking
from training.evaluation.runs import read_runs
from training.evaluation.systems import Choices, opened, own_sampling, training_part
from training.evaluation.table import MEASURES_FILE, check_basis, read_table
from training.evaluation.write import MOST_SEEDS, Pace, check_unmixed, write_outputs
from training.json_lines import write_objects
from training.options import check_number
from training.part import part_records, spread
from training.reading import read_requests, request_fields
from training.records import CORPUS, corpus_sha256
from training.workspace import make_folder

DRAWN = 60  # requests of the corpus, where no file of them is given


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the step's arguments."""
    best = Choices()
    parser = subparsers.add_parser("evaluate", help="prompt, retrieval and fine-tune, side by side")
    parser.add_argument("--systems", default=",".join(KINDS), help="which, separated by commas (default: all); "
                        "lora-at-0.7 is one of them at another temperature")  # fmt: skip
    parser.add_argument("--requests", type=Path, help="a JSONL file, as `reading requests` writes it; without it "
                        f"{DRAWN} requests of the corpus's test part")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="a folder for what comes of it")
    parser.add_argument("--base", type=Path, help="the GGUF that is prompted (default: the app's base)")
    parser.add_argument("--model", type=Path, help="the tuned GGUF (default: the one built here)")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="folder of JSONL files and their split.json")
    parser.add_argument("--part", choices=("test", "validation"), default="test", help="of it, without --requests")
    parser.add_argument("--limit", type=int, help="so many requests only, evenly spread")
    parser.add_argument("--plain", action="store_true", help="no small changes of the requests")
    parser.add_argument("--seeds", type=int, default=3, help="texts of every request")
    parser.add_argument("--seed", type=int, default=0, help="that the draws begin with")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto")
    parser.add_argument("--threads", type=int, help="default: as the app")
    parser.add_argument("--unmeasured", action="store_true", help="write only; `report` measures whenever it is wanted")
    parser.add_argument("--study", type=Path, help="the result of `study`, for the pictures of what data is worth")
    parser.add_argument("--check", type=Path, metavar="OLD.json", help=f"an earlier {MEASURES_FILE}; the exit status "
                        "is 1 where a figure has left its interval")  # fmt: skip
    trying = parser.add_argument_group("other settings than those found best")
    trying.add_argument("--layout", choices=[one.value for one in Layout], default=best.layout.value,
                        help="where the prompt has its examples")  # fmt: skip
    trying.add_argument("--ranking", choices=[one.value for one in Ranking], default=best.ranking.value,
                        help="what makes a record near a request")  # fmt: skip
    trying.add_argument("--nearest", type=int, default=best.nearest, help="records retrieved")
    trying.add_argument("--temperature", type=float, help="of every system, in files named after it")
    parser.set_defaults(run=run, pictures=None)


def run(args: argparse.Namespace) -> int:
    """Have every system write, say what came of each, and measure."""
    names = _names(args)
    check_number("--seeds", args.seeds, 1, MOST_SEEDS)
    check_number("--nearest", args.nearest, 1, 16)
    check_number("--limit", args.limit, 1)
    catalog = load_catalog()
    fields = _requests(args, catalog)
    asked = as_asked(fields, catalog)
    if not args.plain:
        asked = with_variations(asked)
    choices = Choices(
        base=args.base,
        model=args.model,
        corpus=args.corpus,
        layout=Layout(args.layout),
        ranking=Ranking(args.ranking),
        nearest=args.nearest,
    )
    pace = Pace(args.seeds, args.seed, args.device, args.threads)
    kept = args.out / REQUESTS_FILE
    _check_same_requests(kept, fields, catalog)
    _check_all(args, names, choices, asked, pace, catalog)
    make_folder(args.out)
    if not kept.exists():
        write_objects(kept, fields)
    for name in names:
        with opened(name, choices, catalog) as system:
            print(_summary(name, write_outputs(system, asked, catalog, args.out, pace)))
    return 0 if args.unmeasured else report.run(args)


def _names(args: argparse.Namespace) -> list[str]:
    """The systems, each once; with ``--temperature`` under the names that says it, where it is not their own."""
    names = [checked_name(name.strip()) for name in args.systems.split(",") if name.strip()]
    if args.temperature is not None:
        names = [
            checked_name(at_temperature(name, args.temperature))
            if parts_of(name)[1] is None and own_sampling(name).temperature != args.temperature
            else name
            for name in names
        ]
    return list(dict.fromkeys(names))


def _check_all(
    args: argparse.Namespace,
    names: Sequence[str],
    choices: Choices,
    asked: Sequence[Asked],
    pace: Pace,
    catalog: Catalog,
) -> None:
    """Refuse whatever would only be found out after hours of writing: what is compared with, the study, the corpus,
    every system's files.

    Raises:
        TrainingError, ModelError: the first thing that is in the way.
    """
    if args.study:
        read_runs(args.study)
    if not args.unmeasured:
        training_part(args.corpus, catalog)
    if args.check:
        requests = sha256_of_requests(asked)
        check_basis(args.check, read_table(args.check), requests, corpus_sha256(args.corpus))
    for name in names:
        with opened(name, choices, catalog) as system:
            check_unmixed(system, asked, catalog, args.out, pace)


def _requests(args: argparse.Namespace, catalog: Catalog) -> list[dict[str, Any]]:
    """What is asked, as a requests file has it.

    Raises:
        TrainingError: there is no request, or a line is none.
    """
    if args.requests is not None:
        found = read_requests(args.requests, catalog)
        source = args.requests.name
    else:
        found = [request_fields(record) for record in part_records(args, catalog)]
        source = f"{args.corpus} ({args.part})"
    limit = args.limit or (DRAWN if args.requests is None else None)
    if not found:
        raise TrainingError(
            Sentence(
                f"{source} 里一个请求也没有，没有可写的。`python -m training reading requests --part test` "
                "能从语料里取一些。",
                f"There is no request in {source}, so there is nothing to write. `python -m training reading requests "
                "--part test` takes some from the corpus.",
            )
        )
    return list(spread(found, limit))


def _check_same_requests(file: Path, fields: Sequence[dict[str, Any]], catalog: Catalog) -> None:
    """Refuse to put other requests' outputs among those there are.

    Raises:
        TrainingError: the folder has other requests.
    """
    if file.exists() and as_asked(read_requests(file, catalog), catalog) != as_asked(fields, catalog):
        raise TrainingError(
            Sentence(
                f"{file.parent} 里是另一批请求的结果。请换一个 --out，或先把里面的文件删掉。",
                f"{file.parent} has what came of other requests. Choose another --out, or delete its files first.",
            ),
            str(file),
        )


def _summary(name: str, outputs: Sequence[Output]) -> str:
    passed = sum(not output.reasons for output in outputs)
    tokens = sum(output.tokens for output in outputs)
    prompt = sum(output.prompt_tokens for output in outputs)
    seconds = sum(output.seconds for output in outputs)
    count = len(outputs)
    return (
        f"{name}: {count} texts, {passed} without a fault ({passed / count:.0%}), {tokens / count:.0f} tokens and "
        f"{seconds / count:.2f} s a text, prompts of {prompt / count:.0f} tokens"
    )
