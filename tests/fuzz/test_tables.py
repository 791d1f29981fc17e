"""Tables, vCards and what is pasted: whatever is in them, each row becomes somebody, or a sentence says why not."""

import encodings.aliases
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compose.catalog import load_catalog
from app.people.table_import import people_in, read_file, read_pasted
from app.people.table_text import TableError
from tests.fuzz.hostile import changed_bytes, texts
from tests.tally import Tally

CATALOG = load_catalog()
TITLES = ("姓名", "关系", "称呼", "想提到的事", "语气", "备注", "name", "")

cells = texts | st.sampled_from(("王芳", "同事", "=1+1", '"', '""', "a\nb", "x" * 10_001, "\ufffd", "领导、同事"))
tables = st.builds(
    lambda rows, separator, end: end.join(separator.join(row) for row in rows),
    st.lists(st.lists(cells | st.sampled_from(TITLES), max_size=6), max_size=8),
    st.sampled_from((",", "\t", ";", "|", ",,")),
    st.sampled_from(("\n", "\r\n", "\r", "\n\n")),
)
charsets = st.sampled_from(sorted({*encodings.aliases.aliases, "undefined", "GB2312", "no-such", "x" * 40}))
names = st.sampled_from(("FN", "N", "item1.FN", "NICKNAME", "NOTE", "ORG", "CATEGORIES", "PHOTO", "VERSION", "X"))
card_lines = st.builds(
    lambda name, charset, quoted, value, folded: (
        f"{name}{f';CHARSET={charset}' if charset else ''}{quoted}:{value}{folded}"
    ),
    names,
    st.none() | charsets,
    st.sampled_from(("", ";ENCODING=QUOTED-PRINTABLE", ';TYPE="a:b"', ";")),
    texts | st.sampled_from(("=E7=8E=8B=", "=\n=E8", "王;芳;;;", "a\\", "=ZZ", "\\n\\,\\;")),
    st.sampled_from(("", "\n ", "\n\t更多", "=\n")),
)
cards = st.lists(
    st.one_of(st.just("BEGIN:VCARD"), st.just("END:VCARD"), card_lines, texts), min_size=1, max_size=20
).map(lambda lines: "BEGIN:VCARD\n" + "\n".join(lines))
encoded = st.sampled_from(("utf-8", "gb18030", "utf-16", "utf-8-sig", "latin-1"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def people_of(tally: Tally, kind: str, path: Path, content: bytes) -> None:
    """Import a file: every row becomes somebody or a sentence."""
    path.write_bytes(content)
    try:
        table = read_file(path, CATALOG)
    except TableError as error:
        assert error.sentence.zh.endswith("。") and error.sentence.en
        tally.count(kind, "refused with a sentence")
        return
    found = people_in(table, table.meanings, CATALOG)
    assert all(problem.sentence.zh and problem.sentence.en for problem in (*found.left_out, *found.remarks))
    if "name" in table.meanings or "address" in table.meanings:
        assert len(found.people) + len(found.left_out) >= len(table.lines), "nobody is lost without a word"
    tally.count(kind, "read, row by row")


@settings(max_examples=200)
@given(tables, encoded)
def test_tables(tally: Tally, folder: Path, text: str, encoding: str) -> None:
    people_of(tally, "tables", folder / "名单.csv", text.encode(encoding, "replace"))


@settings(max_examples=200)
@given(st.binary(max_size=400) | changed_bytes("姓名,关系\n王芳,同事\n".encode(), (b"\x00", b"\xff\xfe", b'"', b"PK")))
def test_bytes_for_a_table(tally: Tally, folder: Path, content: bytes) -> None:
    people_of(tally, "tables", folder / "名单.csv", content)


@settings(max_examples=200)
@given(cards, encoded)
def test_cards(tally: Tally, folder: Path, text: str, encoding: str) -> None:
    people_of(tally, "vCard files", folder / "名片.vcf", text.encode(encoding, "replace"))


@settings(max_examples=200)
@given(tables | cards)
def test_what_is_pasted(tally: Tally, text: str) -> None:
    try:
        table = read_pasted(text, CATALOG)
        people_in(table, table.meanings, CATALOG)
        tally.count("pasted texts", "read, row by row")
    except TableError as error:
        assert error.sentence.zh and error.sentence.en
        tally.count("pasted texts", "refused with a sentence")
