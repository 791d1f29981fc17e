"""JSONL: what people and their editors make of it is read, and what is wrong is said with its line."""

from pathlib import Path

import pytest

from training.errors import TrainingError
from training.json_lines import numbered_lines, read_objects, write_objects

OBJECTS = [{"text": "新年好\n吉祥"}, {"send": True}]


def test_what_was_written_is_read(tmp_path: Path):
    write_objects(tmp_path / "a.jsonl", OBJECTS)
    assert read_objects(tmp_path / "a.jsonl") == OBJECTS


def test_an_editors_mark_blank_lines_and_line_ends_make_no_difference(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"text": "好"}\r\n\r\n{"send": true}\r\n'.encode())
    assert read_objects(path) == [{"text": "好"}, {"send": True}]
    assert [number for number, _ in numbered_lines(path)] == [1, 3]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "should be a mapping"),
        ('{"send": true, "send": false}', "'send' stands there twice"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str, said: str):
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n\n" + line, encoding="utf-8")
    with pytest.raises(TrainingError) as refused:
        read_objects(path)
    assert "Line 3 of a.jsonl" in refused.value.sentence.en and said in refused.value.sentence.en


@pytest.mark.parametrize("content", [None, "好".encode("gbk")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None):
    path = tmp_path / "a.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match="读不出来"):
        read_objects(path)
