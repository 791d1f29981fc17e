"""Reading a corpus and its split: what is a record, what is none, and how it is said."""

import json
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from training.errors import TrainingError
from training.records import CORPUS, corpus_sha256, read_corpus, read_split

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog()
RECORD = {
    "relationship": "boss",
    "tone": "warm",
    "occasion": "new_years_eve",
    "length": "short",
    "address": "王总",
    "details": ["他刚出差回来"],
    "text": "王总，出差回来先喝口热茶，除夕的事都放一放。",
}


def write(folder: Path, name: str, *lines: object) -> Path:
    """A file of the corpus in ``folder``: records as JSON, text and bytes as they are."""
    data = [
        line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in lines
    ]
    path = folder / name
    path.write_bytes(b"\n".join(data) + b"\n")
    return path


def test_a_record_is_a_request_and_its_answer(tmp_path: Path):
    write(tmp_path, "boss-2.jsonl", "", RECORD)
    [record] = read_corpus(tmp_path, CATALOG)
    assert record.id == "boss-2:2" and record.cell == ("boss", "warm")
    assert record.request.details == ("他刚出差回来",) and record.request.signature == ""
    assert record.text == RECORD["text"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "must be a mapping"),
        ("[" * 100_000, "nested too deep"),
        ('{"text": "好", "text": "不好"}', "twice"),
        ({**RECORD, "adress": "王总"}, "nearest known one is address"),
        ({key: value for key, value in RECORD.items() if key != "tone"}, "lacks tone"),
        ({**RECORD, "tone": "warmm"}, "the nearest is warm"),
        ({**RECORD, "text": 7}, "text is not a text"),
        (json.dumps({**RECORD, "text": "好\ud83d"}), "half a character"),
        ({**RECORD, "details": ["一", "二", "三"]}, "At most 2 facts"),
    ],
)
def test_what_is_no_record_is_named_with_its_line(line: object, said: str, tmp_path: Path):
    write(tmp_path, "boss.jsonl", RECORD, line)
    with pytest.raises(TrainingError) as raised:
        read_corpus(tmp_path, CATALOG)
    assert said in raised.value.sentence.en and "Line 2 of boss.jsonl" in raised.value.sentence.en
    assert "boss.jsonl 第 2 行" in raised.value.sentence.zh


def test_a_folder_without_a_corpus_and_a_file_in_another_encoding_are_refused(tmp_path: Path):
    with pytest.raises(TrainingError, match="没有语料"):
        read_corpus(tmp_path / "nowhere", CATALOG)
    write(tmp_path, "boss.jsonl", json.dumps(RECORD, ensure_ascii=False).encode("gbk"))
    with pytest.raises(TrainingError, match="UTF-8"):
        read_corpus(tmp_path, CATALOG)


def test_the_split_divides_the_corpus_in_its_order(tmp_path: Path):
    write(tmp_path, "boss.jsonl", *[RECORD] * 5)
    (tmp_path / "split.json").write_text('{"validation": ["boss:4", "boss:2"], "test": ["boss:5"]}')
    split = read_split(tmp_path, read_corpus(tmp_path, CATALOG))
    assert [record.id for record in split.train] == ["boss:1", "boss:3"]
    assert [record.id for record in split.validation] == ["boss:2", "boss:4"]
    assert [record.id for record in split.test] == ["boss:5"]


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (None, "There is no usable split.json"),
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "must be a mapping"),
        ('{"validation": []}', "lacks test"),
        ('{"validation": [], "test": [], "train": []}', "unknown key train"),
        ('{"validation": 3, "test": []}', "must be a list of ids"),
        ('{"validation": [["boss:1"]], "test": []}', "must be a list of ids"),
        ('{"validation": ["boss:9"], "test": []}', "not in the corpus"),
        ('{"validation": ["boss:1"], "test": ["boss:1"]}', "stands twice"),
    ],
)
def test_a_split_that_does_not_fit_is_refused(split: str | None, said: str, tmp_path: Path):
    write(tmp_path, "boss.jsonl", RECORD)
    if split is not None:
        (tmp_path / "split.json").write_text(split)
    with pytest.raises(TrainingError) as raised:
        read_split(tmp_path, read_corpus(tmp_path, CATALOG))
    assert said in raised.value.sentence.en and "python -m training split" in raised.value.sentence.en


def test_the_hash_of_a_corpus_changes_with_a_text_a_name_and_the_split(tmp_path: Path):
    path = write(tmp_path, "boss.jsonl", RECORD)
    hashes = [corpus_sha256(tmp_path)]
    write(tmp_path, "boss.jsonl", RECORD, RECORD)
    hashes.append(corpus_sha256(tmp_path))
    path.rename(tmp_path / "chief.jsonl")
    hashes.append(corpus_sha256(tmp_path))
    (tmp_path / "split.json").write_text("{}")
    hashes.append(corpus_sha256(tmp_path))
    assert len(set(hashes)) == 4 and corpus_sha256(tmp_path) == hashes[-1]


def test_the_corpus_of_the_product_is_read_and_split():
    split = read_split(CORPUS, read_corpus(CORPUS, CATALOG))
    assert [len(part) for part in (split.train, split.validation, split.test)] == [4585, 168, 168]
    assert len({record.cell for record in split.validation}) == len({record.cell for record in split.test}) == 168
