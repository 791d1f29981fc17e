"""Cells a spreadsheet would run, found in a file without any code of the program's."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

ATTACKS = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠x",
    "﹦1", "\u200b=1", "\ufeff=1", "\u3000=1", "\x0b=1", "\x00=1", "=1\";=2", "新春好;=1+1", "新春好,=1+1",
    "新春好\t=1+1", "新春好\n=1+1", "新春好\r\n\u200b＝1", '新春好"\n"=1', '";=1', '",=1',
)  # fmt: skip
SEPARATORS = ",;\t|:"


def live_cells(path: Path) -> list[str]:
    """Every live cell of a file read as a table, whatever the separator is taken to be."""
    text = path.read_bytes().decode("utf-8-sig")
    return [cell for separator in SEPARATORS for cell in _cells(text, separator) if _is_live(cell)]


def _cells(text: str, separator: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        yield from row
    # And as a program that knows no quotes.
    for line in re.split("[\r\n]", text):
        yield from line.split(separator)


def _is_live(cell: str) -> bool:
    seen = "".join(character for character in cell if unicodedata.category(character)[0] not in "ZC")
    return unicodedata.normalize("NFKC", seen).startswith(("=", "+", "-", "@")) or cell.startswith(("\t", "\r"))
