"""``python -m app compose``: greetings on the command line, for one request or for a file of them."""

import argparse
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from app.commands.model_choice import ModelChoice, choose_model
from app.commands.writer import Writer, Written
from app.compose.catalog import Catalog, load_catalog
from app.compose.request import RequestError, make_request
from app.compose.select import Candidate
from app.compose.sentence import ExplainedError, Sentence
from app.engine.errors import EngineError

MOST_SHOWN = 20
LONGEST_REQUEST_LINE = 100_000  # characters of one line of a requests file


def add_parser(subparsers: Any) -> None:
    """Add ``compose`` to the program's commands."""
    parser = subparsers.add_parser(
        "compose", help="写祝福 (write greetings)", description="写几条祝福，选好的打印出来。"
    )
    parser.add_argument("--relationship", metavar="ID", help="写给谁，如 boss、parents (who receives it)")
    parser.add_argument("--tone", metavar="ID", help="语气，如 warm、humorous (how it is said)")
    parser.add_argument("--occasion", metavar="ID", help="场合，默认 spring_festival")
    parser.add_argument("--length", metavar="ID", help="篇幅 short|medium|long，默认 medium")
    parser.add_argument("--address", metavar="TEXT", help="称呼，如 王总")
    parser.add_argument("--detail", metavar="TEXT", action="append", default=[], help="想提到的事，最多两次")
    parser.add_argument("--zodiac", metavar="字", help="生肖一个字，如 羊；不给就不提")
    parser.add_argument("--signature", metavar="TEXT", help="落款")
    parser.add_argument("--count", type=int, default=3, metavar="N", help=f"要几条，1 到 {MOST_SHOWN}，默认 3")
    parser.add_argument("--seed", type=int, metavar="N", help="随机种子；同一种子同一请求得同样的祝福")
    parser.add_argument("--model", type=Path, metavar="FILE", help="用这个 GGUF 文件")
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto", help="用什么算，默认 auto")
    parser.add_argument("--json", action="store_true", help="打印一个 JSON 对象 (print one JSON object)")
    parser.add_argument("--requests", type=Path, metavar="IN.jsonl", help="一行一个请求的文件")
    parser.add_argument("--out", type=Path, metavar="OUT.jsonl", help="与 --requests 同用：结果写到这里")


def run(options: argparse.Namespace) -> int:
    """Write what the options ask for. Returns 0, 1 when the model or the engine fails, 2 when the request is unfit."""
    try:
        _check_options(options)
        catalog = load_catalog()
        if options.requests:
            return _write_many(options, catalog)
        return _write_one(options, catalog)
    except RequestError as error:
        _tell(error)
        return 2
    except ExplainedError as error:
        _tell(error)
        return 1
    except KeyboardInterrupt:
        print("\n已停止。(stopped)", file=sys.stderr)
        return 130


def _check_options(options: argparse.Namespace) -> None:
    if not 1 <= options.count <= MOST_SHOWN:
        raise RequestError(
            "count",
            Sentence(f"--count 要在 1 到 {MOST_SHOWN} 之间。", f"--count must be between 1 and {MOST_SHOWN}."),
        )
    if options.seed is not None and not 0 <= options.seed < 2**31:
        raise RequestError("seed", Sentence("--seed 要在 0 到 2147483647 之间。", "--seed must be in 0..2147483647."))
    if bool(options.requests) != bool(options.out):
        raise RequestError("requests", Sentence("--requests 和 --out 要一起给。", "--requests and --out go together."))


def _write_one(options: argparse.Namespace, catalog: Catalog) -> int:
    request = make_request(
        catalog,
        {
            "relationship": options.relationship,
            "tone": options.tone,
            "occasion": options.occasion,
            "length": options.length,
            "address": options.address,
            "zodiac": options.zodiac,
            "details": options.detail,
            "signature": options.signature,
        },
    )
    seed = options.seed if options.seed is not None else random.randrange(2**31)
    choice = choose_model(options.model)
    with _open(choice, catalog, options) as writer:
        written = writer.write(request, options.count, seed)
        if options.json:
            print(json.dumps({"seed": seed} | _result(writer, written), ensure_ascii=False, indent=2))
        else:
            for candidate in written.candidates:
                print(candidate.text)
                for fault in candidate.faults:
                    print(f"    ⚠ {fault.sentence.zh}")
    return 0


def _write_many(options: argparse.Namespace, catalog: Catalog) -> int:
    """A line out for every line in; the output takes its final name only when it is whole.

    One request after the other, so that each gets the greetings that it gets alone, whatever stands beside it in the
    file. Side by side they would be done sooner (``bench`` prints by how much), and some would come out otherwise, for
    the reason that :mod:`app.engine.batch` gives.
    """
    seed = options.seed if options.seed is not None else random.randrange(2**31)
    choice = choose_model(options.model)
    partial = options.out.with_name(options.out.name + ".part")
    try:
        with (
            options.requests.open(encoding="utf-8-sig", errors="replace") as source,
            _open(choice, catalog, options) as writer,
            partial.open("w", encoding="utf-8") as sink,
        ):
            for number, line in enumerate(_lines(source), 1):
                answer = _answer(line, number, writer, catalog, options.count, seed)
                sink.write(json.dumps(answer, ensure_ascii=False) + "\n")
                sink.flush()
                print(f"\r{number} 条", end="", file=sys.stderr, flush=True)
            os.fsync(sink.fileno())
        os.replace(partial, options.out)
    except OSError as error:
        raise ExplainedError(
            Sentence(
                f"文件读写出错：{error.filename or options.out}（{error.strerror}）。已写好的在 {partial.name} 里。",
                f"A file cannot be read or written: {error.filename or options.out} ({error.strerror}). "
                f"What was written is in {partial.name}.",
            ),
            repr(error),
        ) from error
    print(f"\r写完了，在 {options.out}。", file=sys.stderr)
    return 0


def _lines(source: TextIO) -> Iterator[str]:
    """Lines that are not blank; a line past the limit comes cut, and is then refused as no JSON."""
    while line := source.readline(LONGEST_REQUEST_LINE):
        while not line.endswith("\n") and (rest := source.readline(LONGEST_REQUEST_LINE)):
            if rest.endswith("\n"):
                break
        if line.strip():
            yield line


def _answer(line: str, number: int, writer: Writer, catalog: Catalog, count: int, seed: int) -> dict[str, Any]:
    """One output object: the line's id and its candidates, or its id and why there are none."""
    name: Any = None
    try:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RequestError(
                "line", Sentence(f"第 {number} 行不是 JSON：{error}。", f"Line {number} is not JSON: {error}.")
            ) from error
        if not isinstance(fields, dict):
            raise RequestError("line", Sentence(f"第 {number} 行不是一个对象。", f"Line {number} is not an object."))
        name = fields.pop("id", None)
        fields.pop("text", None)  # a corpus record is a request that knows its answer
        written = writer.write(make_request(catalog, fields), count, seed)
    except (RequestError, EngineError) as error:
        return {"id": name, "error": error.sentence.zh, "error_en": error.sentence.en}
    return {"id": name, "seed": seed} | _result(writer, written)


def _open(choice: ModelChoice, catalog: Catalog, options: argparse.Namespace) -> Writer:
    return Writer(choice.path, catalog, choice.sampling, choice.draw, sha256=choice.sha256, device=options.device)


def _result(writer: Writer, written: Written) -> dict[str, Any]:
    assert writer.ready is not None
    return {
        "candidates": [_shown(candidate) for candidate in written.candidates],
        "seconds": round(written.seconds, 2),
        "device": writer.ready.device,
        "model": writer.ready.model,
    }


def _shown(candidate: Candidate) -> dict[str, Any]:
    return {
        "text": candidate.text,
        "faults": [
            {"code": fault.code, "zh": fault.sentence.zh, "en": fault.sentence.en} for fault in candidate.faults
        ],
        "tokens": candidate.tokens,
        "logprob": round(candidate.logprob, 4),
    }


def _tell(error: ExplainedError) -> None:
    print(error.sentence.zh, file=sys.stderr)
    print(error.sentence.en, file=sys.stderr)
