"""Any corpus is read: its labels are found, greetings are known for what they are, and what is broken is said."""

from pathlib import Path
from typing import Any

import pytest

from app.compose.catalog import load_catalog
from app.compose.guard import check
from tests.training.decision import letters
from tests.training.tiny_run import write_greetings
from training.decision.corpus import read_any_corpus, read_any_requests, request_of
from training.errors import TrainingError

CATALOG = load_catalog()


def test_the_labels_of_a_foreign_corpus_are_found_in_it(tmp_path: Path):
    corpus = read_any_corpus(letters.write(tmp_path / "notes.jsonl", letters.records()), CATALOG)
    assert not corpus.labels.own and corpus.labels.fields == ("audience", "manner")
    assert len(corpus.records) == len(corpus.usable) == 60 and corpus.records[0].id == "notes:1"
    first = request_of(corpus.records[0])
    assert first.labels == (("audience", "guest"), ("manner", "gentle")) and first.label("manner") == "gentle"
    places = {corpus.labels.places[field] for field in corpus.labels.fields}
    assert {getattr(first, place) for place in places} == {"guest", "gentle"}
    (note,) = corpus.notes
    assert "audience" in note.zh and "line 1" in note.en  # why the guard does not apply


def test_what_is_asked_of_a_foreign_corpus_can_be_checked_and_written_for(tmp_path: Path):
    corpus = read_any_corpus(letters.write(tmp_path / "notes.jsonl", letters.records()), CATALOG)
    catalog = corpus.labels.catalog
    for record in corpus.records:
        check(record.text, record.request, catalog)
        length = catalog.length(record.request.length)
        assert 0 < length.low <= length.high <= 30


def test_a_field_called_as_in_a_greeting_stays_in_its_place_and_a_field_of_its_own_words_is_no_label(tmp_path: Path):
    lines = [
        {
            "mood": str(number % 2),
            "tone": "calm" if number % 3 else "loud",
            "length": "short",
            "source": f"page {number}",
        }
        | {"text": "一" * (number + 5)}
        for number in range(30)
    ]
    corpus = read_any_corpus(letters.write(tmp_path / "x.jsonl", lines), CATALOG)
    assert corpus.labels.fields == ("mood", "tone", "length")
    assert corpus.labels.places == {"mood": "relationship", "tone": "tone", "length": "length"}
    assert any("source" in note.en for note in corpus.notes)
    (length,) = corpus.labels.catalog.lengths
    assert (length.low, length.high) == (6, 33)


def test_greetings_are_known_and_only_the_part_that_trains_is_usable(tmp_path: Path):
    corpus = read_any_corpus(write_greetings(tmp_path / "corpus"), CATALOG)
    assert corpus.labels.own and corpus.labels.catalog is CATALOG and not corpus.notes
    assert corpus.labels.fields == ("relationship", "tone", "occasion", "length")
    assert len(corpus.records) == 66 and len(corpus.usable) == 57
    assert request_of(corpus.records[0]).label("relationship") == "boss"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json", "not JSON"),
        ("[1]", "should be a mapping"),
        ('{"audience": "guest"}', "no text"),
        ('{"audience": "guest", "text": " "}', "no text"),
        ('{"audience": 3, "text": "好"}', "audience should be text, not 3"),
        ('{"audience": "guest", "text": "好", "details": "一"}', "details should be a list of texts"),
    ],
)
def test_a_broken_line_is_said_with_its_number(tmp_path: Path, line: str, said: str):
    path = letters.write(tmp_path / "notes.jsonl", letters.records())
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        read_any_corpus(path, CATALOG)
    assert "Line 61 of notes.jsonl" in caught.value.sentence.en and said in caught.value.sentence.en


def test_a_slip_in_a_corpus_of_greetings_does_not_make_it_another_kind_of_corpus(tmp_path: Path):
    folder = write_greetings(tmp_path / "corpus")
    with (folder / "few.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"relationship": "bos", "tone": "formal", "text": "新年好。"}\n')
    with pytest.raises(TrainingError) as caught:
        read_any_corpus(folder, CATALOG)
    assert "Line 67 of few.jsonl" in caught.value.sentence.en and "boss" in caught.value.sentence.en


def test_an_empty_corpus_one_without_labels_and_one_that_is_not_there(tmp_path: Path):
    empty = letters.write(tmp_path / "empty.jsonl", [])
    bare = letters.write(tmp_path / "bare.jsonl", [{"text": "好"}, {"text": "坏"}])
    for path, said in ((empty, "no record"), (bare, "no label"), (tmp_path / "nowhere.jsonl", "cannot be read")):
        with pytest.raises(TrainingError) as caught:
            read_any_corpus(path, CATALOG)
        assert said in caught.value.sentence.en


def requests(tmp_path: Path, *lines: dict[str, Any]) -> Any:
    corpus = read_any_corpus(letters.write(tmp_path / "notes.jsonl", letters.records()), CATALOG)
    return read_any_requests(letters.write(tmp_path / "asked.jsonl", lines), corpus.labels)


def test_requests_are_read_as_the_corpus_is(tmp_path: Path):
    found = requests(tmp_path, *letters.REQUESTS, {"audience": "guest", "manner": "gentle", "text": "作者的"})
    assert list(found) == ["one", "two", "three", "asked:4"]
    assert found["one"].address == "王老师" and found["one"].details == ("汤圆留了", "灯亮着")
    assert found["asked:4"].labels == (("audience", "guest"), ("manner", "gentle"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no request in asked.jsonl"),
        ([{"audience": "gest", "manner": "gentle"}], "audience is 'gest', which no record has; 'guest' is nearest"),
        ([{"audience": "guest"}], "manner is ''"),
        (
            [{"audience": "guest", "manner": "brisk", "adress": "阿哲"}],
            "the field 'adress'; 'address' is nearest",
        ),
        ([{"id": "a", "audience": "guest", "manner": "brisk"}] * 2, "'a' was used before"),
    ],
)
def test_requests_that_cannot_be_tried_are_said(tmp_path: Path, lines: list[dict[str, Any]], said: str):
    with pytest.raises(TrainingError) as caught:
        requests(tmp_path, *lines)
    assert said in caught.value.sentence.en


def test_a_request_may_have_a_field_that_records_have_and_that_is_no_label(tmp_path: Path):
    lines = [record | {"source": f"page {number}"} for number, record in enumerate(letters.records())]
    corpus = read_any_corpus(letters.write(tmp_path / "notes.jsonl", lines), CATALOG)
    assert corpus.labels.others == ("source",)
    asked = letters.write(tmp_path / "asked.jsonl", [lines[0] | {"id": "notes:1"}])
    assert list(read_any_requests(asked, corpus.labels)) == ["notes:1"]
