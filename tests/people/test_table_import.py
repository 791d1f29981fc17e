"""Tables as people keep them become people; what cannot, is said row by row."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.compose.catalog import Catalog, load_catalog
from app.people.csv_export import export_recipients
from app.people.errors import StoreError
from app.people.recipients import RecipientFields, add_recipient, recipient_fields
from app.people.store import Store
from app.people.table_import import Found, Table, TableError, people_in, read_file, read_pasted

TITLED = "姓名,关系,称呼,想提到的事,语气,备注\n张三,客户,张总,今年合作顺利；搬了新办公室,庄重,周四见\n李四,妈妈,,,,\n"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def found(table: Table, catalog: Catalog) -> Found:
    return people_in(table, table.meanings, catalog)


def pasted(text: str, catalog: Catalog) -> Found:
    return found(read_pasted(text, catalog), catalog)


def from_file(path: Path, content: bytes, catalog: Catalog) -> Found:
    path.write_bytes(content)
    return found(read_file(path, catalog), catalog)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_encoding_and_separator_gives_the_same_people(tmp_path, catalog, encoding, separator, newline):
    text = TITLED.replace(",", separator).replace("\n", newline)
    result = from_file(tmp_path / "表.csv", text.encode(encoding), catalog)
    assert result.people == (
        RecipientFields("张三", "client", "张总", "formal", ("今年合作顺利", "搬了新办公室"), "周四见"),
        RecipientFields("李四", "parents"),
    )
    assert (result.left_out, result.remarks) == ((), ())


def test_english_titles_and_values_are_understood(catalog):
    result = pasted("Full name\tRelationship\tTone\tNotes\nAnn\tCustomer\tSerious\tx\nBo\tMom\tFunny\t\n", catalog)
    assert [(one.name, one.relationship, one.tone) for one in result.people] == [
        ("Ann", "client", "formal"),
        ("Bo", "parents", "humorous"),
    ]


def test_without_titles_the_cells_say_what_the_columns_are(catalog):
    table = read_pasted("王芳\t同事\t芳芳\t今年升职了，带了新团队\n赵强\t老板\t赵总\t公司刚搬到新大楼\n", catalog)
    assert table.meanings == ("name", "relationship", "address", "facts")
    assert [column.title for column in table.columns] == ["", "", "", ""]
    assert [one.relationship for one in found(table, catalog).people] == ["colleague", "boss"]


def test_names_alone_are_people(catalog):
    assert [one.name for one in pasted("王芳\n赵强\n\n孙丽", catalog).people] == ["王芳", "赵强", "孙丽"]


def test_the_person_can_say_what_a_column_means(catalog):
    table = read_pasted("甲列\t乙列\n王芳\t芳芳\n", catalog)
    result = people_in(table, ("notes", "name"), catalog)
    assert [one.name for one in result.people] == ["乙列", "芳芳"]
    (problem,) = people_in(table, (None, None), catalog).left_out
    assert "姓名" in problem.sentence.zh


def test_every_label_of_the_catalogue_names_its_entry(catalog):
    for choice in catalog.relationships:
        for label in (choice.zh, choice.en, choice.id, f" {choice.en.upper()} "):
            (person,) = pasted(f"姓名\t关系\n王芳\t{label}\n", catalog).people
            assert person.relationship == choice.id, label
    for tone in catalog.tones:
        (person,) = pasted(f"姓名\t语气\n王芳\t{tone.zh}\n", catalog).people
        assert person.tone == tone.id


def test_a_quoted_cell_keeps_its_lines_separators_and_quotes(catalog):
    result = pasted('姓名,想提到的事,备注\n王芳,"升职\n搬家","他说""好""，再见"\n', catalog)
    assert result.people[0].facts == ("升职", "搬家")
    assert result.people[0].notes == '他说"好"，再见'


def test_an_unclosed_quote_costs_its_own_row_only(catalog):
    result = pasted('姓名,关系\n"王芳,同事\n赵强,老板\n"孙丽",客户\n', catalog)
    assert [one.name for one in result.people] == ["赵强", "孙丽"]
    (problem,) = result.left_out
    assert problem.number == 2 and "引号" in problem.sentence.zh and "改好" in problem.sentence.zh


def test_a_quote_in_a_pasted_cell_is_just_a_quote(catalog):
    assert [one.name for one in pasted('姓名\t关系\n"小芳\t同事\n', catalog).people] == ['"小芳']


def test_formulas_are_the_text_they_are_written_as(catalog):
    result = pasted("姓名\t备注\n=cmd|' /C calc'!A0\t=1+1\n@SUM(A1)\t-2\n", catalog)
    assert [(one.name, one.notes) for one in result.people] == [("=cmd|' /C calc'!A0", "=1+1"), ("@SUM(A1)", "-2")]


def test_a_cell_of_ten_megabytes_costs_its_row_only(tmp_path, catalog):
    big = "字" * (10 << 20)
    for cell in (big, f'"{big}"', '"' + "字字字\n" * (1 << 20) + '"'):
        result = from_file(tmp_path / "big.csv", f"姓名,备注\n王芳,{cell}\n赵强,好\n".encode(), catalog)
        assert [one.name for one in result.people] == ["赵强"]
        (problem,) = result.left_out
        assert problem.number == 2 and "特别长" in problem.sentence.zh


def test_a_line_in_another_encoding_is_named(tmp_path, catalog):
    content = "姓名,关系\n王芳,同事\n".encode() + "赵强,老板\n".encode("gb18030") + "孙丽,客户\n".encode()
    result = from_file(tmp_path / "mixed.csv", content, catalog)
    assert [one.name for one in result.people] == ["王芳", "孙丽"]
    (problem,) = result.left_out
    assert problem.number == 3 and "编码" in problem.sentence.zh


def test_a_line_of_utf_8_in_a_file_that_is_not_is_named_too(tmp_path, catalog):
    names = [f"{surname}{given}" for surname in "王李张刘陈杨赵黄周吴" for given in ("芳", "建国", "丽丽", "小明")]
    lines = [f"{name},同事" for name in names]
    content = b"\n".join(line.encode("gb18030") for line in ["姓名,关系", *lines])
    result = from_file(tmp_path / "mixed.csv", content + "\n诸葛亮,老板\n".encode(), catalog)
    assert [one.name for one in result.people] == names
    (problem,) = result.left_out
    assert problem.number == len(names) + 2 and "编码" in problem.sentence.zh


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b",,,\n,,,\n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path, catalog, content):
    path = tmp_path / "empty.csv"
    path.write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_file(path, catalog)
    assert caught.value.code == "empty"


def test_titles_alone_are_said_to_be_that(tmp_path, catalog):
    with pytest.raises(TableError) as caught:
        from_file(tmp_path / "titles.csv", "姓名,关系\n\n".encode(), catalog)
    assert caught.value.code == "only_titles"
    assert from_file(tmp_path / "broken.csv", '姓名,关系\n"王芳,同事\n'.encode(), catalog).left_out[0].number == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"PK\x03\x04rest", "spreadsheet"), (b"\xd0\xcf\x11\xe0rest", "spreadsheet"), (bytes(range(256)) * 9, "ok")],
)
def test_what_is_no_table_is_named(tmp_path, catalog, content, code):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    try:
        read_file(path, catalog)
    except TableError as error:
        assert error.code == code
    else:
        assert code == "ok"


def test_a_missing_file_is_a_sentence(tmp_path, catalog):
    with pytest.raises(StoreError) as caught:
        read_file(tmp_path / "没有.csv", catalog)
    assert caught.value.code == "missing"


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, catalog):
    places = [tmp_path]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.csv")
        places.append(tmp_path / "pipe.csv")
    for place in places:
        with pytest.raises(StoreError) as caught:
            read_file(place, catalog)
        assert caught.value.code == "no_file" and "选一个文件" in caught.value.sentence.zh


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
def test_a_file_that_may_not_be_read_is_a_sentence_about_reading(tmp_path, catalog):
    path = tmp_path / "名单.csv"
    path.write_text("姓名\n王芳\n")
    path.chmod(0)
    with as_nobody(), pytest.raises(StoreError) as caught:
        read_file(path, catalog)
    assert caught.value.code == "unreadable" and "没有权限读" in caught.value.sentence.zh


@contextmanager
def as_nobody() -> Iterator[None]:
    """As another user where this is the one whom no permission stops."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    yield
    os.seteuid(mine)


def test_control_characters_go(catalog):
    (person,) = pasted("姓名\t称呼\n王\x00\x07芳\u202e\t\x1b[31m芳\n", catalog).people
    assert (person.name, person.address) == ("王芳", "[31m芳")


def test_separators_too_many_are_said_to_be_that(catalog):
    (problem,) = pasted("姓名\t关系\n王芳" + "\t" * 300 + "\n赵强\t老板\n", catalog).left_out
    assert problem.number == 2 and "301 格" in problem.sentence.zh


def test_rows_given_twice_are_added_once_and_namesakes_are_pointed_out(catalog):
    result = pasted("姓名\t关系\n王芳\t同事\n王芳\t同事\n王芳\t客户\n", catalog)
    assert [one.relationship for one in result.people] == ["colleague", "client"]
    assert [(one.number, "完全一样" in one.sentence.zh) for one in result.left_out] == [(3, True)]
    assert [(one.number, "同名" in one.sentence.zh) for one in result.remarks] == [(4, True)]


def test_what_is_not_understood_or_too_long_is_left_empty_and_said(catalog):
    first = f"王芳\t表叔公\t{'长' * 30}\t一；二；三；{'长' * 50}"
    table = f"姓名\t关系\t称呼\t想提到的事\n{first}\n\t同事\t\t\n{'名' * 61}\t\t\t\n"
    result = pasted(table, catalog)
    (person,) = result.people
    assert (person.relationship, person.address, person.facts) == ("", "", ("一", "二"))
    assert len(result.remarks) == 3 and all("第 2 行" in one.sentence.zh for one in result.remarks)
    assert [one.number for one in result.left_out] == [3, 4]


def test_our_own_export_comes_back_as_it_was(tmp_path: Path, store: Store, catalog: Catalog) -> None:
    people = [
        recipient_fields("=cmd|'x", relationship="boss", tone="warm", facts=["升职", "搬家"], notes='"a",b\nc'),
        recipient_fields("王芳", address="芳芳"),
    ]
    for person in people:
        add_recipient(store, person)
    for language in ("zh_CN", "en"):
        export_recipients(store, tmp_path / "people.csv", catalog, language)
        table = read_file(tmp_path / "people.csv", catalog)
        assert list(found(table, catalog).people) == people
