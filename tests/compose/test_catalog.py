"""The catalogue says what can be chosen, and refuses a file it cannot trust."""

from pathlib import Path

import pytest

from app.compose.catalog import CATALOG_FILE, CatalogError, load_catalog
from app.compose.guard import check
from app.compose.request import make_request


def test_the_shipped_catalog_has_everything_the_corpus_uses():
    catalog = load_catalog()
    assert len(catalog.relationships) == 21
    assert len(catalog.tones) == 8
    assert len(catalog.occasions) == 6
    assert [(length.id, length.low, length.high) for length in catalog.lengths] == [
        ("short", 12, 30),
        ("medium", 31, 70),
        ("long", 71, 140),
    ]
    assert {group.id for group in catalog.groups} == {relationship.group for relationship in catalog.relationships}
    assert all(choice.zh and choice.en for choice in (*catalog.relationships, *catalog.tones, *catalog.occasions))


def test_labels_the_adapter_was_trained_on_do_not_move():
    catalog = load_catalog()
    labels = {relationship.id: relationship.zh for relationship in catalog.relationships}
    assert labels["group"] == "群发"
    assert labels["child"] == "孩子"
    assert labels["senior"] == "前辈"
    assert labels["team"] == "团队"
    assert labels["in_laws"] == "岳父母/公婆"


def test_every_sample_line_would_pass_the_guard_itself():
    catalog = load_catalog()
    for tone in catalog.tones:
        request = make_request(catalog, {"relationship": "neighbor", "tone": tone.id, "length": "medium"})
        codes = {fault.code for fault in check(tone.sample, request, catalog)} - {"length"}
        assert not codes, (tone.id, codes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("en: Parents,", "eng: Parents,"), "en"),
        (("group: family, zh: 父母", "group: famly, zh: 父母"), "famly"),
        (("id: grandparents", "id: parents"), "parents"),
        (("low: 12", "low: twelve"), "low"),
        (("pronoun: 您", "pronoun: thou"), "pronoun"),
        (("tones:", "tone:"), "tones"),
    ],
)
def test_a_broken_catalog_is_named_with_its_cure(tmp_path: Path, change: tuple[str, str], expected: str):
    text = CATALOG_FILE.read_text(encoding="utf-8")
    assert change[0] in text
    broken = tmp_path / "catalog.yaml"
    broken.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(broken)
    assert expected in caught.value.sentence.zh
    assert expected in caught.value.sentence.en


NO_CATALOGS = [b"", b"- 1\n- 2", b"groups: 3", b"\xff\xfe\x00", b"a: [1, 2", b"groups: []", b"x" * 5000 + b": 1"]
# What PyYAML itself lets through as errors of Python.
NO_VALUES = [b"2026-02-30", b"0x_", b"9" * 5000, b"!!timestamp x", b"!!bool x", b"!!float x", b"[" * 3000]


@pytest.mark.parametrize("content", [*NO_CATALOGS, *NO_VALUES], ids=lambda content: repr(content[:20]))
def test_a_file_that_is_no_catalog_is_refused_with_a_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "catalog.yaml"
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=r"catalog\.yaml") as caught:
        load_catalog(path)
    assert len(caught.value.sentence.zh) < 500


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path):
    with pytest.raises(CatalogError):
        load_catalog(tmp_path / "nowhere.yaml")
