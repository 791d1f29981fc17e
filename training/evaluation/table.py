"""All measures of all systems in one table: computed, kept as JSON, shown as Markdown, compared with an earlier one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest
from app.compose.schema import Misfit, typed
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.evaluation.bootstrap import DIGITS, INTERVAL, RESAMPLES, Estimate
from training.evaluation.measures import MEASURES, MEMORY, Measure, measures_of
from training.evaluation.names import degrees, order_of, title_of
from training.evaluation.outputs import AUTHOR, Output
from training.evaluation.reader import recognised
from training.evaluation.reference import Reference, relationship_of, tone_of
from training.evaluation.written import Written, as_written, unchanged, with_requests
from training.json_lines import parse_json
from training.part import spread
from training.records import Record
from training.whole_file import write_json

MEASURES_FILE = "measures.json"


@dataclass(frozen=True)
class ReaderFacts:
    """How well a reader reads: of so many ``labels``, by ``chance``, cross-validated on the training split, and on
    texts held out of it."""

    labels: int
    chance: float
    cross_validated: float | None
    held_out: float | None


@dataclass(frozen=True)
class Made:
    """What a system's texts came of, as the note beside them has it: the model's file, how it was drawn from, and how
    many texts of a request there are, the first drawn with ``seed``."""

    model: str
    sha256: str
    temperature: float
    top_p: float
    min_p: float
    seeds: int
    seed: int

    @property
    def drawn(self) -> Sentence:
        """How, in words."""
        cut = f"min-p {self.min_p:g}" + (f", top-p {self.top_p:g}" if self.top_p < 1 else "")
        return Sentence(
            f"温度 {degrees(self.temperature)}，{cut.replace(', ', '，')}，每个请求 {self.seeds} 条",
            f"temperature {degrees(self.temperature)}, {cut}, {self.seeds} texts a request",
        )


@dataclass(frozen=True)
class Table:
    """The figures.

    Attributes:
        requests: answered by every system; only these are measured.
        records: of the corpus's training split.
        readers: by label, ``tone`` and ``relationship``.
        notes: what could not be measured, in Chinese and English.
        systems: by system and measure; None where there is no such figure.
        made: by system, where that is known.
        requests_sha256, corpus_sha256: of what was asked and of the corpus; "" in tables of before these were kept.
    """

    requests: int
    records: int
    readers: dict[str, ReaderFacts]
    notes: tuple[Sentence, ...]
    systems: dict[str, dict[str, Estimate | None]]
    made: dict[str, Made] = field(default_factory=dict)
    requests_sha256: str = ""
    corpus_sha256: str = ""

    def title(self, system: str) -> Sentence:
        """A system's name for people, with its temperature where that is known."""
        return title_of(system, self.made[system].temperature if system in self.made else None)


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
        for system, written in sorted(by_system.items(), key=lambda item: order_of(item[0]))
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
            made = {system: typed(Made, facts, system) for system, facts in table.made.items()}
            return replace(table, readers=readers, systems=systems, made=made)
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


def shown(measure: Measure, value: float) -> str:
    """A figure as it is printed."""
    text = f"{value:.0%}" if measure.form == "share" else f"{value:,.{measure.decimals}f}"
    return text.replace("-", "−")


def shown_interval(measure: Measure, figure: Estimate) -> str:
    """Its interval, as in ``54 – 68%``; "" where it is a point."""
    low, high = shown(measure, figure.low), shown(measure, figure.high)
    return f"{low.removesuffix('%')} – {high}" if figure.low < figure.high else ""


def markdown(table: Table) -> str:
    """The table in Markdown: a column a system, how it was drawn from, then a row a measure, intervals in brackets."""
    heads = [f"{title_of(system).zh} {title_of(system).en}" for system in table.systems]
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    if table.made:
        made = [table.made.get(system) for system in table.systems]
        lines.append("| 模型 Model | " + " | ".join(each.model if each else "—" for each in made) + " |")
        drawn = [f"{each.drawn.zh} {each.drawn.en}" if each else "—" for each in made]
        lines.append("| 取样 Sampling | " + " | ".join(drawn) + " |")
    for measure in MEASURES:
        figures = [figures.get(measure.name) for figures in table.systems.values()]
        cells = [_cell(measure, figure) if figure else "—" for figure in figures]
        lines.append(f"| {measure.title.zh} {measure.title.en} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(measure: Measure, figure: Estimate) -> str:
    interval = shown_interval(measure, figure)
    return shown(measure, figure.value) + (f" ({interval})" if interval else "")


def check_basis(path: Path, old: Table, requests_sha256: str, corpus_sha256: str) -> None:
    """Refuse to compare with figures of other requests or of another corpus.

    Args:
        path: of the old figures.

    Raises:
        TrainingError: they are.
    """
    for before, now, zh, en in (
        (old.requests_sha256, requests_sha256, "另一批请求", "other requests"),
        (old.corpus_sha256, corpus_sha256, "另一份语料", "another corpus"),
    ):
        if before and before != now:
            raise _other_basis(path, zh, en)


def _other_basis(path: Path, zh: str, en: str) -> TrainingError:
    return TrainingError(
        Sentence(
            f"{path.name} 量的是{zh}，和这次的比不了。请用当时的请求和语料，或换一份 --check。",
            f"{path.name} has the figures of {en}, which cannot be compared with these. Use the requests and the "
            "corpus of then, or another file with --check.",
        ),
        str(path),
    )


def check_size(path: Path, old: Table, new: Table) -> None:
    """Refuse to compare figures of so many requests and records with those of more or fewer.

    Raises:
        TrainingError: they are of more or fewer.
    """
    for before, now, zh, en in (
        (old.requests, new.requests, "个请求", "requests"),
        (old.records, new.records, "条训练记录", "training records"),
    ):
        if before != now:
            raise _other_basis(path, f" {before:,} {zh}（这次是 {now:,} {zh}）", f"{before:,} {en}, not {now:,},")


def left(old: Table, new: Table) -> list[Sentence]:
    """What of the new figures is outside the old ones' intervals, or there no more; what depends on the machine is not
    compared. Both are of the same requests and corpus: :func:`check_basis`, :func:`check_size`."""
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
