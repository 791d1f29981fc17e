"""``python -m training split``: what is held out is held out for good, and nothing like it is trained on."""

import json
import random
import subprocess
import sys
from pathlib import Path

from app.compose.catalog import load_catalog
from tests.training.test_records import ROOT, write
from training.neighbours import NEIGHBOUR, body_of, near_pairs
from training.records import CORPUS, Record, corpus_lines, read_corpus, read_split

CATALOG = load_catalog()


def split_step(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The step as a person runs it."""
    command = [sys.executable, "-m", "training", "split", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def small_corpus(folder: Path, records: int, tones: tuple[str, ...] = ("warm",)) -> list[dict]:
    """Records with nothing in common, in ``folder``."""
    draw = random.Random(1)
    hanzi = [chr(0x4E00 + number) for number in range(6000)]
    made = [
        {
            "relationship": "boss",
            "tone": tones[number % len(tones)],
            "occasion": "spring_festival",
            "length": "short",
            "text": "".join(draw.sample(hanzi, 20)) + "。",
        }
        for number in range(records)
    ]
    write(folder, "boss.jsonl", *made)
    return made


def near_across(records: list[Record], folder: Path) -> int:
    """How many pairs of near neighbours lie in different parts."""
    split = read_split(folder, records)
    part = {record.id: name for name in ("validation", "test") for record in getattr(split, name)}
    texts = [body_of(record.text, record.request.address, record.request.signature) for record in records]
    return sum(
        part.get(records[pair.earlier].id) != part.get(records[pair.later].id) for pair in near_pairs(texts, NEIGHBOUR)
    )


def test_the_product_corpus_can_be_split_anew_one_of_each_cell(tmp_path: Path):
    for name, line in corpus_lines(CORPUS):
        with (tmp_path / f"{name.partition(':')[0]}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    done = split_step("--corpus", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4585 to train on, 168 to validate, 168 to test" in done.stdout
    records = read_corpus(tmp_path, CATALOG)
    split = read_split(tmp_path, records)
    assert len({record.cell for record in split.validation}) == len({record.cell for record in split.test}) == 168
    assert near_across(records, tmp_path) == 0


def test_the_split_of_the_product_has_no_near_neighbours_across_it():
    assert near_across(read_corpus(CORPUS, CATALOG), CORPUS) == 0


def test_the_same_texts_are_held_out_wherever_they_stand_and_others_with_another_seed(tmp_path: Path):
    made = small_corpus(tmp_path, 40, ("warm", "formal"))

    def held(*arguments: object) -> list[set[str]]:
        out = tmp_path / "made.json"
        out.unlink(missing_ok=True)
        assert split_step("--corpus", tmp_path, "--out", out, *arguments).returncode == 0
        texts = {record.id: record.text for record in read_corpus(tmp_path, CATALOG)}
        return [{texts[id] for id in ids} for ids in json.loads(out.read_text()).values()]

    first = held("--per-cell", 3)
    assert [len(part) for part in first] == [6, 6] and not first[0] & first[1]
    assert held("--per-cell", 3, "--seed", 1) != first
    (tmp_path / "boss.jsonl").unlink()
    write(tmp_path, "moved.jsonl", "", *reversed(made))
    assert held("--per-cell", 3) == first


def test_what_has_a_near_neighbour_is_never_held_out(tmp_path: Path):
    made = small_corpus(tmp_path, 6)
    copies = [{**record, "text": f"王总，{record['text']}", "address": "王总"} for record in made[:4]]
    write(tmp_path, "copies.jsonl", *copies)
    assert split_step("--corpus", tmp_path).returncode == 0
    held = json.loads((tmp_path / "split.json").read_text())
    assert sorted(held["validation"] + held["test"]) == ["boss:5", "boss:6"]


def test_a_small_corpus_is_refused_by_cell_and_split_by_share(tmp_path: Path):
    small_corpus(tmp_path, 9, ("warm", "formal", "poetic"))
    refused = split_step("--corpus", tmp_path)
    assert refused.returncode == 1 and "boss × warm has 3 records" in refused.stderr and "--share" in refused.stderr
    assert not (tmp_path / "split.json").exists()
    done = split_step("--corpus", tmp_path, "--share", 0.05)
    assert done.returncode == 0 and "7 to train on, 1 to validate, 1 to test" in done.stdout
    small_corpus(tmp_path, 3)
    refused = split_step("--corpus", tmp_path, "--share", 0.05, "--out", tmp_path / "other.json")
    assert refused.returncode == 1 and "The corpus has 3 records" in refused.stderr


def test_a_split_that_is_there_is_left_alone(tmp_path: Path):
    small_corpus(tmp_path, 9)
    (tmp_path / "split.json").write_text("mine")
    refused = split_step("--corpus", tmp_path)
    assert refused.returncode == 1 and "is there already" in refused.stderr
    assert (tmp_path / "split.json").read_text() == "mine" and len(list(tmp_path.iterdir())) == 2


def test_arguments_that_make_no_sense_are_refused(tmp_path: Path):
    small_corpus(tmp_path, 9)
    for arguments in (("--per-cell", 0), ("--share", 0.5), ("--share", "nan"), ("--per-cell", 1, "--share", 0.1)):
        assert split_step("--corpus", tmp_path, *arguments).returncode == 2
    assert not (tmp_path / "split.json").exists()
