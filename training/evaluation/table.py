"""All measures of all systems in one table: computed, kept as JSON, shown as Markdown, compared with an earlier one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest
from app.compose.schema import Misfit, typed
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.bootstrap import DIGITS, INTERVAL, RESAMPLES, Estimate
from training.evaluation.measures import MEASURES, MEMORY, Measure, measures_of
from training.evaluation.outputs import AUTHOR, Output
from training.evaluation.reader import recognised
from training.evaluation.reference import Reference, relationship_of, tone_of
from training.evaluation.written import Written, as_written, unchanged, with_requests
from training.json_lines import parse_json
from training.part import spread
from training.records import Record
from training.whole_file import write_json

MEASURES_FILE = "measures.json"
TITLES = {
    "prompt": Sentence("提示词", "Prompt"),
    "rag": Sentence("检索", "RAG"),
    "lora": Sentence("微调", "Fine-tune"),
    AUTHOR: Sentence("语料原文", "Corpus author"),
}


@dataclass(frozen=True)
class ReaderFacts:
    """How well a reader reads: of so many ``labels``, by ``chance``, cross-validated on the training split, and on
    texts held out of it."""

    labels: int
    chance: float
    cross_validated: float | None
    held_out: float | None


@dataclass(frozen=True)
class Table:
    """The figures.

    Attributes:
        requests: answered by every system; only these are measured.
        records: of the corpus's training split.
        readers: by label, ``tone`` and ``relationship``.
        notes: what could not be measured, in Chinese and English.
        systems: by system and measure; None where there is no such figure.
    """

    requests: int
    records: int
    readers: dict[str, ReaderFacts]
    notes: tuple[Sentence, ...]
    systems: dict[str, dict[str, Estimate | None]]


def measured(
    outputs: Sequence[Output],
    asked: Mapping[tuple[str, str], GreetingRequest],
    held_out: Sequence[Record],
    reference: Reference,
    catalog: Catalog,
    memory: Mapping[str, int] | None = None,
) -> Table:
    """Every measure of every system among the outputs, and of the corpus's own author.

    Args:
        outputs: of one or more systems.
        asked: the requests, by id and variation.
        held_out: records outside the training split; where the requests are theirs, theirs are the author's texts.
        memory: the most each system took, in bytes, where that is known.

    Raises:
        TrainingError: there are no texts, or no request that every system answered.
    """
    by_system: dict[str, list[Written]] = {}
    for each in with_requests(outputs, asked):
        by_system.setdefault(each.output.system, []).append(each)
    answered = [{each.request for each in unchanged(written)} for written in by_system.values()]
    common = set.intersection(*answered) if answered else set()
    if not common:
        raise TrainingError(
            Sentence(
                "没有一个请求是每个系统都写了的，没法比。请用同一份请求把 `python -m training evaluate` 跑完，再来量。",
                "There is no request that every system answered, so nothing can be compared. Let `python -m training "
                "evaluate` finish with one file of requests, then measure again.",
            ),
            ", ".join(f"{system}: {len(requests)}" for system, requests in zip(by_system, answered, strict=True)),
        )
    author = [as_written(record, catalog) for record in held_out]
    # A request may have a record's id and ask for less, as `reading requests --plain` makes them.
    own = [each for each in author if each.request in common and asked[each.request, ""] == each.asked]
    by_system.setdefault(AUTHOR, own if len(own) == len(common) else list(spread(author, len(common))))
    systems = {
        system: measures_of([each for each in written if each.request in common or system == AUTHOR], reference)
        for system, written in sorted(by_system.items(), key=lambda item: _order(item[0]))
        if written
    }
    for system, size in (memory or {}).items():
        if system in systems:
            systems[system][MEMORY] = Estimate(size / 2**20, size / 2**20, size / 2**20)
    readers = {
        name: ReaderFacts(
            labels=len(reader.labels),
            chance=reader.chance,
            cross_validated=reader.cross_validated,
            held_out=recognised(author, reader, label_of).value if author else None,
        )
        for name, reader, label_of in (
            ("tone", reference.tones, tone_of),
            ("relationship", reference.relationships, relationship_of),
        )
        if reader is not None
    }
    return Table(len(common), reference.records, readers, reference.notes, systems)


def _order(system: str) -> tuple[int, str]:
    known = list(TITLES)
    return (known.index(system) if system in known else len(known), system)


def write_table(path: Path, table: Table) -> None:
    """Write the figures as JSON: the fields of :class:`Table`, figures as ``value``, ``low`` and ``high``.

    Raises:
        TrainingError: the disk does not allow it.
    """
    raw = {"interval": INTERVAL, "resamples": RESAMPLES, **rounded(asdict(table))}
    write_json(path, raw)


def rounded(raw: Any) -> Any:
    """Every figure in it with so many :data:`DIGITS`."""
    if isinstance(raw, float):
        return float(f"{raw:.{DIGITS}g}")
    if isinstance(raw, dict):
        return {key: rounded(value) for key, value in raw.items()}
    return [rounded(value) for value in raw] if isinstance(raw, (list, tuple)) else raw


def read_table(path: Path) -> Table:
    """What :func:`write_table` wrote.

    Raises:
        TrainingError: it cannot be read or is something else.
    """
    try:
        raw, fault = parse_json(path.read_text(encoding="utf-8"))
        if fault is None:
            fields = {key: value for key, value in raw.items() if key not in ("interval", "resamples")}
            table: Table = typed(Table, fields)
            systems = {
                system: {name: typed(Estimate | None, figure, f"{system}.{name}") for name, figure in figures.items()}
                for system, figures in table.systems.items()
            }
            readers = {name: typed(ReaderFacts, facts, name) for name, facts in table.readers.items()}
            return Table(table.requests, table.records, readers, table.notes, systems)
        detail = fault.en
    except Misfit as misfit:
        detail = misfit.clause.en
    except (OSError, UnicodeDecodeError, AttributeError) as error:
        detail = str(error)
    raise TrainingError(
        Sentence(
            f"{path.name} 不是 `python -m training evaluate` 写的那份数字。请检查路径，或再量一次。",
            f"{path.name} is not the figures that `python -m training evaluate` wrote. Check the path, or measure "
            "again.",
        ),
        f"{path}: {detail}",
    )


def title_of(system: str) -> Sentence:
    """A system's name for people."""
    return TITLES.get(system, Sentence(system, system))


def shown(measure: Measure, value: float) -> str:
    """A figure as it is printed."""
    text = f"{value:.0%}" if measure.form == "share" else f"{value:,.{measure.decimals}f}"
    return text.replace("-", "−")


def shown_interval(measure: Measure, figure: Estimate) -> str:
    """Its interval, as in ``54 – 68%``; "" where it is a point."""
    low, high = shown(measure, figure.low), shown(measure, figure.high)
    return f"{low.removesuffix('%')} – {high}" if figure.low < figure.high else ""


def markdown(table: Table) -> str:
    """The table in Markdown: a row a measure, a column a system, intervals in brackets."""
    heads = [f"{title_of(system).zh} {title_of(system).en}" for system in table.systems]
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    for measure in MEASURES:
        figures = [figures.get(measure.name) for figures in table.systems.values()]
        cells = [_cell(measure, figure) if figure else "—" for figure in figures]
        lines.append(f"| {measure.title.zh} {measure.title.en} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(measure: Measure, figure: Estimate) -> str:
    interval = shown_interval(measure, figure)
    return shown(measure, figure.value) + (f" ({interval})" if interval else "")


def left(old: Table, new: Table) -> list[Sentence]:
    """What of the new figures is outside the old ones' intervals, or there no more; what depends on the machine is not
    compared."""
    found = []
    for system, figures in old.systems.items():
        for measure in MEASURES:
            before = figures.get(measure.name)
            if before is None or measure.of_machine:
                continue
            now = new.systems.get(system, {}).get(measure.name)
            name = title_of(system)
            if now is None:
                found.append(
                    Sentence(
                        f"{name.zh}的“{measure.title.zh}”（{measure.name}）这次没有量到。",
                        f"{name.en}: “{measure.title.en}” ({measure.name}) was not measured this time.",
                    )
                )
            elif not before.holds(now.value):
                interval = shown_interval(measure, before) or shown(measure, before.value)
                value = shown(measure, now.value)
                found.append(
                    Sentence(
                        f"{name.zh}的“{measure.title.zh}”（{measure.name}）是 {value}，出了原来的区间 {interval}。",
                        f"{name.en}: “{measure.title.en}” ({measure.name}) is {value}, outside the earlier {interval}.",
                    )
                )
    return found
