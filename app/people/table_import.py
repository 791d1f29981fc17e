"""Pasted cells, CSV and vCard files as people: how each column was understood, who can be added, and what cannot.

Reading is in two steps, so that the person can say what a column means in between: :func:`read_file` or
:func:`read_pasted` gives a :class:`Table` with guessed meanings, :func:`people_in` the people under any meanings.
Nothing typed in a table is ever evaluated: a formula is the text it is written as.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.compose.catalog import Catalog
from app.compose.request import LONGEST, MOST_DETAILS, fold
from app.compose.sentence import Sentence
from app.people.errors import StoreError, reading_error, refuse_special
from app.people.formulas import restored
from app.people.recipients import LONGEST_NAME, LONGEST_NOTES, RecipientFields, recipient_fields
from app.people.table_columns import (
    Meaning,
    by_titles,
    by_values,
    has_titles,
    named,
    relationship_ids,
    tone_ids,
)
from app.people.table_text import Line, Problem, Sheet, TableError, decode, split
from app.people.vcard import looks_like_vcard, read_cards

LARGEST_FILE = 64 << 20  # bytes
_SAMPLE = 200  # rows by which columns without titles are understood
_PASTED = Sentence("粘贴的表格", "Pasted cells")


@dataclass(frozen=True)
class Column:
    """One column: its title, empty where there are none, what it is taken for, and its first cells."""

    title: str
    meaning: Meaning | None
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """What was read, before it is people. ``format`` is how it was read: encoding, separator."""

    format: Sentence
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]

    @property
    def meanings(self) -> tuple[Meaning | None, ...]:
        """The guess."""
        return tuple(column.meaning for column in self.columns)


@dataclass(frozen=True)
class Found:
    """The people in a table. ``left_out`` says why a row is nobody, ``remarks`` what was changed in one that is."""

    people: tuple[RecipientFields, ...]
    left_out: tuple[Problem, ...]
    remarks: tuple[Problem, ...]


def read_file(path: Path, catalog: Catalog) -> Table:
    """Read a CSV or vCard file, whatever its name.

    Raises:
        TableError: nothing can be read of it: ``empty``, ``only_titles``, ``binary``, ``spreadsheet`` or ``too_large``.
        StoreError: the disk does not give it: ``missing``, ``no_file``, ``unreadable`` and others.
    """
    try:
        refuse_special(path)
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise reading_error(error, path) from error
    if len(content) > LARGEST_FILE:
        raise TableError(
            "too_large",
            Sentence(
                f"{path.name} 超过 {LARGEST_FILE >> 20} MB，没有导入。请确认是不是选对了文件；名片带照片的，"
                f"导出时不带照片。",
                f"{path.name} is larger than {LARGEST_FILE >> 20} MB and was not read. Check whether it is the "
                f"right file; "
                "export cards without photos.",
            ),
        )
    text, encoding = decode(content)
    if looks_like_vcard(text):
        return _table(read_cards(text, encoding), catalog)
    return _table(split(text, Sentence(encoding, encoding)), catalog)


def read_pasted(text: str, catalog: Catalog) -> Table:
    """Read cells as a spreadsheet puts them on the clipboard, or lines typed elsewhere.

    Raises:
        TableError: ``empty`` or ``only_titles``.
    """
    if looks_like_vcard(text):
        return _table(read_cards(text, "UTF-8"), catalog)
    return _table(split(text, _PASTED), catalog)


def people_in(table: Table, meanings: Sequence[Meaning | None], catalog: Catalog) -> Found:
    """The people in a table when its columns mean this; a meaning given twice is that of the first column."""
    if "name" not in meanings and "address" not in meanings:
        return Found(
            (),
            (
                Problem(
                    0,
                    Sentence(
                        "还不知道哪一列是姓名。请在上面选一列作“姓名”。",
                        "No column is the name yet. Choose the one that is.",
                    ),
                ),
            ),
            (),
        )
    reader = _Reader(catalog, {meaning: meanings.index(meaning) for meaning in meanings if meaning})
    for line in table.lines:
        reader.take(line)
    left_out = sorted((*table.problems, *reader.left_out), key=lambda problem: problem.number)
    return Found(tuple(reader.people), tuple(left_out), tuple(reader.remarks))


class _Reader:
    """The people taken so far, and what was said of each row."""

    def __init__(self, catalog: Catalog, columns: dict[Meaning, int]) -> None:
        self._columns = columns
        self._relationships = relationship_ids(catalog)
        self._tones = tone_ids(catalog)
        self._seen: dict[RecipientFields, int] = {}
        self._names: dict[str, int] = {}
        self.people: list[RecipientFields] = []
        self.left_out: list[Problem] = []
        self.remarks: list[Problem] = []

    def take(self, line: Line) -> None:
        """One row becomes a person, or a sentence why not."""
        name = self._cell(line, "name") or self._cell(line, "address")
        if not fold(name[: 100 * LONGEST_NAME]):
            self._leave_out(
                line,
                f"第 {line.number} 行没有姓名，没有加入。请补上姓名再导入。",
                f"Line {line.number} has no name and was left out. Add one and import it again.",
            )
            return
        try:
            person = recipient_fields(
                name,
                relationship=self._named(line, "relationship", self._relationships, "关系", "relationship"),
                tone=self._named(line, "tone", self._tones, "语气", "tone"),
                address=self._address(line),
                facts=self._facts(line),
                notes=self._cell(line, "notes")[:LONGEST_NOTES],
            )
        except StoreError as error:
            self._leave_out(
                line,
                f"第 {line.number} 行没有加入：{error.sentence.zh}",
                f"Line {line.number} was left out: {error.sentence.en}",
            )
            return
        if person in self._seen:
            first = self._seen[person]
            self._leave_out(
                line,
                f"第 {line.number} 行和第 {first} 行完全一样，没有重复加入。",
                f"Line {line.number} is the same as line {first} and was not added twice.",
            )
            return
        if person.name in self._names:
            self._remark(
                line,
                f"第 {line.number} 行的“{person.name}”和第 {self._names[person.name]} 行同名，当作两个人加入。"
                f"若是同一人，删去一行。",
                f"Line {line.number}: {person.name} is also the name in line {self._names[person.name]}; both "
                f"were added. "
                "If it is one person, delete a row.",
            )
        self._seen[person] = line.number
        self._names.setdefault(person.name, line.number)
        self.people.append(person)

    def _cell(self, line: Line, meaning: Meaning) -> str:
        column = self._columns.get(meaning)
        text = line.cells[column].strip() if column is not None and column < len(line.cells) else ""
        return restored(text)  # what our own export has defused

    def _named(self, line: Line, meaning: Meaning, ids: dict[str, str], zh: str, en: str) -> str:
        text = self._cell(line, meaning)
        if not text:
            return ""
        if found := named(text, ids):
            return found
        self._remark(
            line,
            f"第 {line.number} 行的{zh}“{text[:20]}”对不上，先空着。请在表里选一个。",
            f"Line {line.number}: the {en} {text[:20]!r} is not known and was left empty. Choose one in the table.",
        )
        return ""

    def _address(self, line: Line) -> str:
        text = fold(self._cell(line, "address"))
        if len(text) > LONGEST["address"]:
            self._remark(
                line,
                f"第 {line.number} 行的称呼太长（{len(text)} 个字），先空着。请写一个平时的叫法。",
                f"Line {line.number}: the form of address is too long ({len(text)} characters) and was left empty.",
            )
            return ""
        return text

    def _facts(self, line: Line) -> list[str]:
        parts = [fold(part) for part in re.split(r"[;；\n|｜]", self._cell(line, "facts"))]
        given = [part for part in parts if part]
        kept = [part for part in given if len(part) <= LONGEST["detail"]][:MOST_DETAILS]
        if len(kept) < len(given):
            self._remark(
                line,
                f"第 {line.number} 行想提到的事用了 {len(kept)} 件（最多 {MOST_DETAILS} 件，每件 "
                f"{LONGEST['detail']} 字以内）。"
                "请看一眼留下的是不是最要紧的。",
                f"Line {line.number}: {len(kept)} of {len(given)} facts were kept (at most {MOST_DETAILS}, of "
                f"{LONGEST['detail']} characters). See whether they are the ones that matter.",
            )
        return kept

    def _leave_out(self, line: Line, zh: str, en: str) -> None:
        self.left_out.append(Problem(line.number, Sentence(zh, en)))

    def _remark(self, line: Line, zh: str, en: str) -> None:
        self.remarks.append(Problem(line.number, Sentence(zh, en)))


def _table(sheet: Sheet, catalog: Catalog) -> Table:
    lines = sheet.lines
    titles: tuple[str, ...] = ()
    if lines and has_titles(lines[0].cells, catalog):
        titles, lines = lines[0].cells, lines[1:]
        if not lines and not sheet.problems:
            raise TableError(
                "only_titles",
                Sentence(
                    "里面只有一行标题，没有可以加入的人。请在标题下面填上名单，再导入一次。",
                    "There is only a row of titles, and nobody to add. Fill in people below it and import it again.",
                ),
            )
    width = max((len(line.cells) for line in lines), default=len(titles))
    width = max(width, len(titles))
    titles += ("",) * (width - len(titles))
    sample = [line.cells for line in lines[:_SAMPLE]]
    meanings = by_titles(titles) if any(titles) else by_values(sample, width, catalog)
    columns = tuple(
        Column(fold(titles[index]), meanings[index], tuple(row[index] for row in sample[:3] if index < len(row)))
        for index in range(width)
    )
    return Table(sheet.format, columns, lines, sheet.problems)
