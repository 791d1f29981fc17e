"""The longest run is found wherever it stands, within one text, marks and white space aside."""

import random

import pytest

from tests.training.evaluation import voices
from training.evaluation.copying import COPIED_RUN, Runs, copied_share, longest_run

ASKED = voices.records(held_out=True)[0].request


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("今年灯给家里留着", "灯给家里留着"),
        ("灯，给家里！留着吗", "灯给家里留着"),
        ("酒没喝完灯给", "酒没喝完"),  # not on into the next text
        ("毫不相干", ""),
        ("", ""),
        ("，。！", ""),
    ],
)
def test_the_longest_run_is_found(text: str, run: str):
    assert Runs(["咱俩那顿酒没喝完", "灯给家里留着。"]).longest(text) == run


def test_it_is_what_a_search_through_everything_finds():
    generator = random.Random(5)

    def random_text() -> str:
        return "".join(generator.choices("甲乙丙", k=generator.randint(0, 25)))

    for _ in range(50):
        texts, text = [random_text() for _ in range(6)], random_text()
        pieces = {text[start:end] for start in range(len(text)) for end in range(start, len(text) + 1)}
        longest = max((len(piece) for piece in pieces if any(piece in one for one in texts)), default=0)
        assert len(Runs(texts).longest(text)) == longest


def test_no_training_text_is_nothing_to_recite():
    assert Runs([]).longest("新年好") == ""


def test_only_a_long_run_is_recited():
    known = "一二三四五六七八九十百千万亿"
    runs = Runs([known])
    texts = [
        voices.written("a", f"哈，{known[:COPIED_RUN]}哈", ASKED),
        voices.written("b", f"哈{known[: COPIED_RUN - 1]}哈", ASKED),
    ]
    assert copied_share(texts, runs).value == 0.5
    assert longest_run(texts, runs).value == COPIED_RUN - 0.5
