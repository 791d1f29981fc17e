"""Any corpus in JSONL, and requests for it: every field of text but the few that are known is a label.

``text`` is what was written; ``address``, ``zodiac``, ``signature`` and ``details`` (a list) are what a person typed,
as in ``training/corpus/GUIDE.md``. Where a corpus is one of greetings, with the catalogue's own labels, its guard
applies; where not, a catalogue is made of the labels that are found. ``check``, ``split`` and ``all`` know the
catalogue's labels only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.compose.catalog import Catalog, Length, Occasion, Relationship, Tone
from app.compose.request import GreetingRequest, RequestError, fold, make_request
from app.compose.schema import nearest
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.json_lines import parse_object
from training.records import SPLIT_FILE, Record, corpus_lines, file_lines, read_split

TYPED = ("address", "zodiac", "signature")
LEAST_EACH = 2  # records a value, on average, below which a field is no label
SLIPS = 0.1  # of the lines of a corpus of greetings that may be broken; more, and it is another kind of corpus
USUAL = (5, 95)  # percentiles of the texts' lengths


@dataclass(frozen=True)
class LabelledRequest(GreetingRequest):
    """A request of any corpus: its ``labels`` as field and value. What of them has a place among a greeting's own
    fields stands there too, for whoever looks there."""

    labels: tuple[tuple[str, str], ...] = ()

    def label(self, field: str) -> str:
        """The value of a label field, "" where it has none."""
        return dict(self.labels).get(field, "")


@dataclass(frozen=True)
class Labels:
    """What can be asked for.

    Attributes:
        fields: the label fields, in the order of their first record.
        catalog: the greetings' own, or one made of the values found.
        own: it is the greetings' own, so the guard applies.
        places: which label stands in which field of a greeting request.
        others: fields of text that records have and that are no labels, each nearly always another.
    """

    fields: tuple[str, ...]
    catalog: Catalog
    own: bool
    places: Mapping[str, str]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """A corpus as it was read; ``usable`` are the records that may be learned from, ``notes`` what is to be known."""

    records: tuple[Record, ...]
    usable: tuple[Record, ...]
    labels: Labels
    notes: tuple[Sentence, ...]


def is_answer(record: Record, id: str, request: LabelledRequest) -> bool:
    """Whether a record is the author's text for this very request: it asks the same, and was either where the request
    was taken from or has something in it that a person typed. Of labels alone many records answer."""
    typed = request.address or request.signature or request.details
    return record.request == request and (record.id == id or bool(typed))


def request_of(record: Record) -> LabelledRequest:
    """A record's request, with its labels."""
    assert isinstance(record.request, LabelledRequest)
    return record.request


def read_any_corpus(path: Path, catalog: Catalog) -> Corpus:
    """The corpus in a JSONL file, or in a folder of them; what ``split.json`` there holds out is not usable.

    Args:
        catalog: the greetings' own.

    Raises:
        TrainingError: there is none, a line is no record, or it has no label.
    """
    lines = [(id, _parsed(id, line)) for id, line in (corpus_lines(path) if path.is_dir() else file_lines(path))]
    if not lines:
        raise TrainingError(
            Sentence(
                f"{path.name} 里一条记录也没有。语料应是 JSONL，一行一条，有 text 和至少一个标签。",
                f"There is no record in {path.name}. A corpus is JSONL, a record a line, with text and one label "
                "at least.",
            )
        )
    for id, raw in lines:
        if not isinstance(raw.get("text"), str) or not raw["text"].strip():
            raise _bad_line(id, Sentence("没有 text，或者它不是文字", "it has no text"))
    foreign = _why_foreign(lines, catalog)
    if foreign is None:
        names, notes = tuple(_catalogued(catalog)), list[Sentence]()
        labels = Labels(names, catalog, True, {name: name for name in names})
    else:
        names, notes = _label_fields([raw for _, raw in lines])
        others = {key for _, raw in lines for key in raw} - {*names, "id", "text", "details", *TYPED}
        labels = replace(_found_labels(names, [raw for _, raw in lines]), others=tuple(sorted(others)))
        notes = [foreign, *notes]
    records = tuple(Record(id, _request(id, raw, labels), raw["text"].strip()) for id, raw in lines)
    usable = records
    if path.is_dir() and (path / SPLIT_FILE).exists():
        usable = read_split(path, records).train
    return Corpus(records, usable, labels, tuple(notes))


def read_any_requests(path: Path, labels: Labels) -> dict[str, LabelledRequest]:
    """Requests by their ids; a line without one has its number.

    Raises:
        TrainingError: the file cannot be read or is empty, a line is broken, or asks for a label no record has.
    """
    found: dict[str, LabelledRequest] = {}
    for place, line in file_lines(path):
        raw = _parsed(place, line)
        id = str(raw.get("id") or place)
        if id in found:
            raise _bad_line(place, Sentence(f"id {id[:40]!r} 前面用过", f"the id {id[:40]!r} was used before"))
        found[id] = _request(place, raw, labels)
    if not found:
        raise TrainingError(
            Sentence(
                f"{path.name} 里一个请求也没有，试不了。请一行写一个，字段和语料一样，不用写 text。",
                f"There is no request in {path.name}, so nothing can be tried. Write one a line, with the corpus's "
                "fields and without text.",
            )
        )
    return found


def _parsed(id: str, line: str) -> dict[str, Any]:
    raw, fault = parse_object(line)
    if fault is not None:
        raise _bad_line(id, fault)
    for key, value in raw.items():
        if key == "details":
            wrong = not (value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value)))
        else:
            wrong = not (value is None or isinstance(value, str))
        if wrong:
            kind = ("文字的列表", "a list of texts") if key == "details" else ("文字", "text")
            shown = str(value)[:40]
            raise _bad_line(
                id, Sentence(f"{key} 应是{kind[0]}，不是 {shown}", f"{key} should be {kind[1]}, not {shown}")
            )
    return raw


def _bad_line(id: str, fault: Sentence) -> TrainingError:
    file, _, number = id.rpartition(":")
    return TrainingError(
        Sentence(
            f"{file}.jsonl 第 {number} 行有误：{fault.zh}。改好这一行再运行。",
            f"Line {number} of {file}.jsonl is broken: {fault.en}. Mend that line and run again.",
        )
    )


def _catalogued(catalog: Catalog) -> dict[str, Sequence[Any]]:
    """The label fields of a greeting, and their choices."""
    return {
        "relationship": catalog.relationships,
        "tone": catalog.tones,
        "occasion": catalog.occasions,
        "length": catalog.lengths,
    }


def _why_foreign(lines: Sequence[tuple[str, Mapping[str, Any]]], catalog: Catalog) -> Sentence | None:
    """Why the corpus is none of greetings with the catalogue's labels; None where it is.

    Raises:
        TrainingError: it is, but for a few broken lines.
    """
    faults: list[tuple[str, Sentence]] = []
    for id, raw in lines:
        try:
            make_request(catalog, {key: value for key, value in raw.items() if key not in ("id", "text")})
        except RequestError as error:
            faults.append((id, _clause(error)))
    if not faults:
        return None
    id, fault = faults[0]
    if len(faults) <= SLIPS * len(lines):
        raise _bad_line(id, fault)
    place = id.rpartition(":")[2]
    return Sentence(
        f"标签不是拜年帖目录里的（第 {place} 行：{fault.zh}），所以用语料自己的标签，内容只查称呼、细节、落款和篇幅。",
        f"The labels are not the greeting catalogue's (line {place}: {fault.en}), so they are taken from the corpus, "
        "and content is checked for name, details, signature and length only.",
    )


def _clause(error: RequestError) -> Sentence:
    return Sentence(error.sentence.zh.rstrip("。"), error.sentence.en.rstrip("."))


def _label_fields(raws: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[Sentence]]:
    """The fields that are labels, and what is to be said of those that are not.

    Raises:
        TrainingError: there is none.
    """
    values: dict[str, Counter[str]] = {}
    for raw in raws:
        for key, value in raw.items():
            if key not in ("id", "text", "details", *TYPED) and value:
                values.setdefault(key, Counter())[value] += 1
    labels = [key for key, counts in values.items() if len(counts) == 1 or counts.total() >= LEAST_EACH * len(counts)]
    notes = [
        Sentence(
            f"{key} 有 {len(counts)} 种写法、{counts.total()} 条，几乎各不相同，不当标签用。",
            f"{key} has {len(counts)} values in {counts.total()} records, nearly all different, and is taken for no "
            "label.",
        )
        for key, counts in values.items()
        if key not in labels
    ]
    if not labels:
        raise TrainingError(
            Sentence(
                "语料里没有标签：除了 text，每条至少要有一个字段说明要写成什么样，例如 tone。请补上再试。",
                "The corpus has no label: beside text every record needs a field that says what manner is wanted, such "
                "as tone. Add one and try again.",
            )
        )
    return tuple(labels), notes


def _found_labels(names: Sequence[str], raws: Sequence[Mapping[str, Any]]) -> Labels:
    """A catalogue of the values found. Lengths are what is usual of the texts of each."""
    places = {"length": "length"} if "length" in names else {}
    free = ["relationship", "tone", "occasion"]
    for name in names:
        if name in free:
            places[name] = name
            free.remove(name)
    for name in names:
        if name not in places and free:
            places[name] = free.pop(0)

    def values(place: str) -> list[str]:
        name = next((name for name, at in places.items() if at == place), None)
        return sorted({(raw.get(name) or "") if name else "" for raw in raws})

    lengths = []
    for value in values("length"):
        sizes = [len(raw["text"].strip()) for raw in raws if not value or raw.get("length") == value]
        low, high = (round(float(end)) for end in np.percentile(sizes, USUAL))
        lengths.append(Length(value, value, value, low, high))
    catalog = Catalog(
        groups=(),
        relationships=tuple(Relationship(each, each, each, "", "either") for each in values("relationship")),
        tones=tuple(Tone(each, each, each, "") for each in values("tone")),
        occasions=tuple(Occasion(each, each, each) for each in values("occasion")),
        lengths=tuple(lengths),
    )
    return Labels(tuple(names), catalog, False, places)


def _request(id: str, raw: Mapping[str, Any], labels: Labels) -> LabelledRequest:
    """The request of a line.

    Raises:
        TrainingError: it has a field or a label that no record has.
    """
    given = {key: value for key, value in raw.items() if key not in ("id", "text")}
    if labels.own:
        try:
            request = make_request(labels.catalog, given)
        except RequestError as error:
            raise _bad_line(id, _clause(error)) from error
        values = {field.name: getattr(request, field.name) for field in fields(GreetingRequest)}
        return LabelledRequest(**values, labels=tuple((name, values[name]) for name in labels.fields))
    allowed = {*TYPED, "details", *labels.fields, *labels.others}
    for key in given:
        if key not in allowed:
            near, shown = nearest(key, allowed), key[:40]
            raise _bad_line(
                id,
                Sentence(
                    f"语料里没有 {shown!r} 这个字段，最接近的是 {near!r}",
                    f"no record has the field {shown!r}; {near!r} is nearest",
                ),
            )
    typed = {key: fold(given.get(key) or "") for key in TYPED}
    known = _catalogued(labels.catalog)
    at = {place: given.get(name) or "" for name, place in labels.places.items()}
    for name, place in labels.places.items():
        choices = [choice.id for choice in known[place]]
        if at[place] not in choices:
            near = nearest(at[place], choices)
            raise _bad_line(
                id,
                Sentence(
                    f"{name} 是 {at[place][:40]!r}，语料里没有这个值，最接近的是 {near!r}",
                    f"{name} is {at[place][:40]!r}, which no record has; {near!r} is nearest",
                ),
            )
    return LabelledRequest(
        **{place: at.get(place, "") for place in known},
        **typed,
        details=tuple(fold(each) for each in given.get("details") or () if each.strip()),
        labels=tuple((name, fold(given[name])) for name in labels.fields if given.get(name)),
    )
