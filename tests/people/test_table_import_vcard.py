"""Cards as phones export them, whole and broken."""

from pathlib import Path

import pytest

from app.compose.catalog import Catalog, load_catalog
from app.people.table_import import Found, people_in, read_file


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def people(path: Path, content: str | bytes, catalog: Catalog) -> Found:
    file = path / "contacts.vcf"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    table = read_file(file, catalog)
    return people_in(table, table.meanings, catalog)


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


def test_a_card_becomes_a_person(tmp_path, catalog):
    text = card(
        "N:王;芳;;;",
        "FN:王芳",
        "NICKNAME:芳姐,小芳",
        "CATEGORIES:myContacts,客户",
        "ORG:春风公司;市场部",
        "TITLE:经理",
        "NOTE:爱喝茶\\, 不喝酒\\n住城东",
    )
    (person,) = people(tmp_path, text, catalog).people
    assert (person.name, person.relationship, person.address) == ("王芳", "client", "芳姐")
    assert person.notes == "爱喝茶, 不喝酒\n住城东 · 春风公司 市场部 · 经理"


def test_version_4_groups_and_quoted_parameters(tmp_path, catalog):
    text = card(
        'item1.FN;LANGUAGE="zh;a:b":李雷', "item1.X-ABLabel:同学", "RELATED;TYPE=parent;VALUE=text:妈妈", version="4.0"
    )
    (person,) = people(tmp_path, text, catalog).people
    assert (person.name, person.relationship) == ("李雷", "")


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B=", "=E8=8A=B3"), "王芳"),
        (("FN;CHARSET=GB2312;QUOTED-PRINTABLE:=CD=F5=B7=BC",), "王芳"),
        (("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B;=E8=8A=B3;;;",), "王芳"),
        (("FN;CHARSET=IDNA;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B",), "王"),
        (("FN;CHARSET=hex;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B",), "王"),
        (("N:Smith;John;;;",), "John Smith"),
        (("FN:王", " 芳"), "王芳"),
        (("N:王;芳\\;芳;;;",), "王芳;芳".replace(";", "，")),
    ],
)
def test_names_in_every_writing(tmp_path, catalog, lines, name):
    (person,) = people(tmp_path, card(*lines, version="2.1"), catalog).people
    assert person.name == name


def test_a_photo_of_megabytes_is_passed_over(tmp_path, catalog):
    photo = "\r\n ".join(["A" * 72] * 60_000)
    text = card("FN:王芳", f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}", "NICKNAME:芳") + card("FN:李雷")
    assert [one.name for one in people(tmp_path, text, catalog).people] == ["王芳", "李雷"]


def test_a_card_cut_off_costs_nobody_else(tmp_path, catalog):
    text = "BEGIN:VCARD\nVERSION:3.0\nFN:王芳\nthis is broken\nBEGIN:VCARD\nFN:李雷\nEND:VCARD\nBEGIN:VCARD\nFN:韩梅"
    result = people(tmp_path, text, catalog)
    assert [one.name for one in result.people] == ["王芳", "李雷", "韩梅"]
    assert [problem.number for problem in result.left_out] == [1, 8]


def test_a_card_without_a_name_is_said_with_its_line(tmp_path, catalog):
    result = people(tmp_path, card("TEL:123") + card("FN:李雷"), catalog)
    assert [one.name for one in result.people] == ["李雷"]
    assert result.left_out[0].number == 1 and "姓名" in result.left_out[0].sentence.zh


def test_cards_in_gb18030(tmp_path, catalog):
    (person,) = people(tmp_path, card("FN:王芳").encode("gb18030"), catalog).people
    assert person.name == "王芳"


def test_a_file_of_nothing_but_a_beginning_has_nobody(tmp_path, catalog):
    result = people(tmp_path, "BEGIN:VCARD\n", catalog)
    assert result.people == () and len(result.left_out) == 1


def test_two_thousand_cards_with_huge_notes(tmp_path, catalog):
    text = "".join(card(f"FN:人{number}", "NOTE:" + "长" * 300) for number in range(2000))
    assert len(people(tmp_path, text, catalog).people) == 2000
    result = people(tmp_path, card("FN:王芳", "NOTE:" + "长" * 1_000_000) + card("FN:李雷"), catalog)
    assert [one.name for one in result.people] == ["李雷"] and len(result.left_out) == 1
