"""Bytes of a file or a pasted text as rows of cells, and what of them is broken. Knows nothing of people.

Written here rather than left to the csv module: that one refuses cells from 131,072 characters on by a limit of the
whole process, and takes a quote nobody closed for a cell that reaches to the end of the file.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.compose.sentence import ExplainedError, Sentence

LONGEST_CELL = 10_000  # characters; nothing anybody means to say of a person is longer
MOST_ROWS = 5_000
MOST_COLUMNS = 200
SEPARATORS = {
    "\t": Sentence("制表符分隔", "separated by tabs"),
    ",": Sentence("逗号分隔", "separated by commas"),
    ";": Sentence("分号分隔", "separated by semicolons"),
}
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SAMPLE = 30  # rows by which the separator is told
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class TableError(ExplainedError):
    """A file or a pasted text of which nothing can be read; ``code`` is one word for programs."""

    def __init__(self, code: str, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.code = code


@dataclass(frozen=True)
class Problem:
    """What is to be known of one row, which stands in line ``number`` of the file, from 1."""

    number: int
    sentence: Sentence


@dataclass(frozen=True)
class Line:
    """The cells of one row and the line it begins in."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The rows of a table, how they were told apart, and the rows that could not be."""

    format: Sentence
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]


def decode(content: bytes) -> tuple[str, str]:
    """The text of a file and the name of its encoding. What fits no encoding is U+FFFD, one a piece.

    By its byte order mark, else UTF-8, else GB18030. A file in which most of the lines that tell are UTF-8 is UTF-8
    with some broken lines, and a line of Chinese in UTF-8 is broken in a file that is not: nearly every byte sequence
    is something in GB18030.

    Raises:
        TableError: ``spreadsheet`` or ``binary``.
    """
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise TableError(
            "spreadsheet",
            Sentence(
                "这是 Excel 工作簿，不是 CSV。请在 Excel 或 WPS 里“另存为”CSV 再导入，或直接复制表格、粘贴到这里。",
                "This is an Excel workbook, not CSV. Save it as CSV and import that, or copy the cells and "
                "paste them here.",
            ),
        )
    for mark, name in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace"), name.upper()
    if content[:65536].count(0) > len(content[:65536]) // 100:
        raise TableError(
            "binary",
            Sentence(
                "这个文件不是文字。请选 CSV（.csv、.txt）或通讯录名片（.vcf）。",
                "This file is not text. Choose a CSV (.csv, .txt) or a vCard file (.vcf).",
            ),
        )
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        lines = content.split(b"\n")
        telling = [line for line in lines[:20_000] if not line.isascii()]
        right = sum(_is_utf8(line) for line in telling)
        if right * 2 >= len(telling) and right:
            return content.decode("utf-8", "replace"), "UTF-8"
        return "\n".join(map(_gb18030, lines)), "GB18030"


def split(text: str, format: Sentence) -> Sheet:
    """The rows of ``text``; empty ones are passed over, broken ones named.

    Raises:
        TableError: ``empty``.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    separator, number = None, 1
    if text[:4].lower() == "sep=" and text[4:5] in (*SEPARATORS, "|") and text[5:6] in ("\n", ""):
        # Excel writes and heeds this line.
        separator, text, number = text[4], text[6:], 2
    separator = separator or _separator(text)
    lines: list[Line] = []
    problems: list[Problem] = []
    for found in _records(text, separator, number):
        if isinstance(found, Problem):
            problems.append(found)
        elif any(cell.strip() for cell in found.cells):
            if len(lines) == MOST_ROWS:
                problems.append(_too_many(found.number))
                break
            lines.append(found)
    if not lines and not problems:
        raise TableError(
            "empty",
            Sentence(
                "里面没有内容，没有可以加入的人。请检查是不是选对了文件，或复制对了单元格。",
                "There is nothing in it, and nobody to add. Check whether it is the right file, or the right cells.",
            ),
        )
    kind = SEPARATORS.get(separator, Sentence(f"“{separator}”分隔", f"separated by {separator}"))
    whole = Sentence(f"{format.zh}，{kind.zh}", f"{format.en}, {kind.en}")
    return Sheet(whole, tuple(lines), tuple(problems))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _gb18030(line: bytes) -> str:
    """A line of a file in GB18030, in which no Chinese of two bytes a character happens to be Chinese in UTF-8."""
    if _is_utf8(line) and _CHINESE.search(line.decode()):
        return line.decode("ascii", "replace")
    return line.decode("gb18030", "replace")


def _separator(text: str) -> str:
    """Of the three, the one that cuts the first rows into most columns, the same number in most of them."""

    def merit(separator: str) -> tuple[int, int]:
        widths = []
        for found, _ in zip(_records(text, separator, 1), range(_SAMPLE), strict=False):
            if isinstance(found, Line) and (len(found.cells) > 1 or found.cells[0]):
                widths.append(len(found.cells))
        common = max(set(widths), key=widths.count, default=1)
        return (widths.count(common) if common > 1 else 0, common)

    return max(SEPARATORS, key=merit)


def _records(text: str, separator: str, number: int) -> Iterator[Line | Problem]:
    at = 0
    while at < len(text):
        cells, end = _record(text, at, separator)
        if cells is None:
            # Read on in the next line, whatever the quote was to enclose.
            end = _line_end(text, at) + 1
            line = text[at : end - 1]
            if separator == "\t" and len(line) <= LONGEST_CELL:
                cells = line.split("\t")  # in a pasted row a quote is mostly just a quote
        if cells is None:
            yield Problem(
                number,
                Sentence(
                    f"第 {number} 行的引号没有成对，分不清哪几格，没有加入。请在原表里改好这一行，再导入一次。",
                    f"Line {number}: its quotes do not match, so its cells cannot be told apart; it was left out. "
                    "Correct this line in the table and import it again.",
                ),
            )
        elif len(cells) > MOST_COLUMNS:
            yield Problem(
                number,
                Sentence(
                    f"第 {number} 行有 {len(cells):,} 格（最多 {MOST_COLUMNS} 格），没有加入。"
                    "请看看它是不是多了分隔符，改好再导入。",
                    f"Line {number} has {len(cells):,} cells (at most {MOST_COLUMNS}); it was left out. See whether it "
                    "has separators too many, correct it and import it again.",
                ),
            )
        elif any(len(cell) > LONGEST_CELL for cell in cells):
            yield Problem(
                number,
                Sentence(
                    f"第 {number} 行有一格特别长（{max(map(len, cells)):,} 个字），没有加入。请把它缩短再导入。",
                    f"Line {number} has a cell of {max(map(len, cells)):,} characters; it was left out. Shorten it and "
                    "import it again.",
                ),
            )
        elif any("\ufffd" in cell for cell in cells):
            yield Problem(
                number,
                Sentence(
                    f"第 {number} 行有认不出的字（编码和别的行不一样），没有加入。请把文件另存为 UTF-8 再导入，"
                    f"或手工填这一行。",
                    f"Line {number} has characters in another encoding than the rest; it was left out. Save "
                    f"the file as "
                    "UTF-8 and import it again, or type this row.",
                ),
            )
        else:
            yield Line(number, tuple(cells))
        number += text.count("\n", at, end)
        at = end


def _record(text: str, at: int, separator: str) -> tuple[list[str] | None, int]:
    """The cells of the row that begins at ``at`` and where the next begins; None for cells when its quotes fail."""
    cells = []
    newline = _line_end(text, at)
    while True:
        if text.startswith('"', at):
            close = _closing(text, at + 1)
            if close < 0 or text[close + 1 : close + 2] not in (separator, "\n", ""):
                return None, at
            cells.append(text[at + 1 : close].replace('""', '"'))
            at = close + 1
            newline = _line_end(text, at) if newline < at else newline
        else:
            end = text.find(separator, at, newline)
            end = newline if end < 0 else end
            cells.append(text[at:end])
            at = end
        if at >= newline:
            return cells, newline + 1
        at += 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _closing(text: str, at: int) -> int:
    while (close := text.find('"', at)) >= 0 and text[close + 1 : close + 2] == '"':
        at = close + 2
    return close


def _too_many(number: int) -> Problem:
    return Problem(
        number,
        Sentence(
            f"一次最多导入 {MOST_ROWS:,} 行，第 {number} 行起没有加入。请把后面的分成另一个文件再导入。",
            f"At most {MOST_ROWS:,} rows at a time; from line {number} on they were left out. Put the rest "
            f"into another "
            "file.",
        ),
    )
