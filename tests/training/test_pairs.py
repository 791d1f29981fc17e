"""A reader's marks as pairs: what would be sent against what would not, each request on one side of the split."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import make_request
from tests.training.small_corpus import ROOT
from training.encoding import Encoder
from training.errors import TrainingError
from training.examples import Example
from training.marks import Mark, marks_sha256, read_marks, tally
from training.pairs import marked_pairs, own_pairs

CATALOG = load_catalog()


@pytest.fixture(scope="module")
def encoder(tiny_float_base: Path) -> Iterator[Encoder]:
    with Encoder(tiny_float_base) as opened:
        yield opened


def marks_of(count: int) -> list[Mark]:
    """For each of so many requests two texts to be sent and three not to be."""
    requests = [
        make_request(CATALOG, {"relationship": "boss", "tone": "formal", "address": f"第{n}"}) for n in range(count)
    ]
    texts = [
        ("新年快乐。", True),
        ("万事如意。", True),
        ("新年新年。", False),
        ("快乐快乐。", False),
        ("年年年。", False),
    ]
    return [Mark(request, text, send) for request in requests for text, send in texts]


def test_every_pair_is_of_one_request_and_the_better_text_is_chosen(encoder: Encoder):
    taught, held = marked_pairs(marks_of(60), encoder, CATALOG, 4, seed=1)
    assert len(taught) + len(held) == 60 * 4 and taught and held
    sent = {tuple(encoder.encode_answer(text)) for text in ("新年快乐。", "万事如意。")}
    for pair in (*taught, *held):
        assert pair.chosen.prompt == pair.rejected.prompt
        assert pair.chosen.answer in sent and pair.rejected.answer not in sent
    assert not {pair.chosen.prompt for pair in taught} & {pair.chosen.prompt for pair in held}
    places = [example.place for pair in (*taught, *held) for example in pair.examples]
    assert places == list(range(2 * 60 * 4))
    assert set(Counter(pair.chosen.prompt for pair in taught).values()) == {4}


def test_the_pairs_follow_from_the_marks_and_the_seed_alone(encoder: Encoder):
    marks = marks_of(20)
    assert marked_pairs(marks, encoder, CATALOG, 3, seed=1) == marked_pairs(marks, encoder, CATALOG, 3, seed=1)
    assert marked_pairs(marks, encoder, CATALOG, 3, seed=1) != marked_pairs(marks, encoder, CATALOG, 3, seed=2)
    others = [mark for mark in marks if mark.request != marks[0].request]
    fewer = {pair.chosen.prompt for pair in marked_pairs(others, encoder, CATALOG, 3, seed=1)[1]}
    assert fewer <= {pair.chosen.prompt for pair in marked_pairs(marks, encoder, CATALOG, 3, seed=1)[1]}


def test_a_request_of_which_all_or_nothing_would_be_sent_gives_no_pair(encoder: Encoder):
    marks = [mark for mark in marks_of(5) if mark.send] + [mark for mark in marks_of(9)[25:] if not mark.send]
    assert marked_pairs(marks, encoder, CATALOG, 4, seed=1) == ([], [])


def test_a_text_two_readers_disagree_about_is_not_set_against_itself(encoder: Encoder):
    request = marks_of(1)[0].request
    marks = [Mark(request, "新年快乐。", True), Mark(request, "新年快乐。", False), Mark(request, "年年年。", False)]
    taught, held = marked_pairs(marks, encoder, CATALOG, 4, seed=1)
    assert len(taught) + len(held) == 1


def test_marks_are_read_and_hashed(tmp_path: Path):
    path = tmp_path / "round.jsonl"
    lines = [
        {"request": {"relationship": "boss", "tone": "formal"}, "text": "新年快乐。", "send": True},
        {"request": {"relationship": "boss", "tone": "formal"}, "text": "年年。", "send": False, "why": "不通"},
    ]
    path.write_text("\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    marks = read_marks([path], CATALOG)
    assert [(mark.text, mark.send) for mark in marks] == [("新年快乐。", True), ("年年。", False)]
    before = marks_sha256([path])
    path.write_text(json.dumps(lines[0]))
    assert marks_sha256([path]) != before


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"text": "好", "send": true}',
        '{"request": {"relationship": "boss", "tone": "formal"}, "text": "好", "send": "yes"}',
        '{"request": {"relationship": "boss", "tone": "formal"}, "text": "", "send": true}',
        '{"request": {"relationship": "nobody", "tone": "formal"}, "text": "好", "send": true}',
        '{"request": 5, "text": "好", "send": true}',
    ],
)
def test_a_line_that_is_no_mark_is_named(tmp_path: Path, line: str):
    path = tmp_path / "round.jsonl"
    path.write_text("\n\n" + line + "\n", encoding="utf-8")
    with pytest.raises(TrainingError) as error:
        read_marks([path], CATALOG)
    assert "第 3 行" in error.value.sentence.zh and "Line 3 of round.jsonl" in error.value.sentence.en


def test_own_texts_are_set_against_the_corpuss_unless_they_are_the_same_or_never_ended():
    asked = [Example(place, (1, 2), (7, place, 9)) for place in range(4)]
    taught, held = own_pairs(asked, [(5,), (7, 1), (), (6,)], 9, held=asked[3:])
    assert [(pair.chosen.answer, pair.rejected.answer) for pair in taught] == [((7, 0, 9), (5, 9))]
    assert [(pair.chosen.answer, pair.rejected.answer) for pair in held] == [((7, 3, 9), (6, 9))]
    assert [example.place for pair in (*taught, *held) for example in pair.examples] == [0, 1, 2, 3]


def test_the_card_of_the_kept_marks_has_their_counts():
    folder = ROOT / "training" / "marks"
    counts = tally(read_marks(sorted(folder.glob("round-*.jsonl")), CATALOG))
    rows = [line for line in (folder / "README.md").read_text(encoding="utf-8").splitlines() if line.endswith("% |")]
    found = {}
    for row in rows:
        name, texts, sent, _ = (cell.strip() for cell in row.strip("|").split("|"))
        found[name] = int(texts.replace(",", "")), int(sent.replace(",", ""))
    assert found == counts
