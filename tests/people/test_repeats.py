"""A picture or joke used again is noticed, in other words too; texts that merely greet alike are not."""

import itertools
import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from app.compose.select import alike
from app.people.common_bigrams import COMMON_BIGRAMS
from app.people.history import add_written, mark_sent, sent_to
from app.people.recipients import add_recipient, recipient_fields
from app.people.repeats import repeated, repeats
from app.people.store import Store
from tests.people.conftest import draft, request
from tests.people.reused_images import REUSED

CORPUS = Path(__file__).resolve().parents[2] / "training" / "corpus"
PLAIN = request()


@pytest.fixture(scope="module")
def corpus() -> list[dict]:
    return [
        json.loads(line)
        for file in sorted(CORPUS.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


@pytest.mark.parametrize(("one", "other"), REUSED)
def test_a_picture_used_again_in_other_words_is_noticed(one: str, other: str) -> None:
    name = one.split("，")[0]
    given = request(address=name) if len(name) < 6 and other.startswith(name) else PLAIN
    assert not alike(one, other)
    assert repeats(one, other, given) and repeats(other, one, given)


def test_texts_of_one_cell_which_repeat_no_picture_are_let_pass(corpus: list[dict]) -> None:
    cells = defaultdict(list)
    for record in corpus:
        cells[record["relationship"], record["tone"]].append(record)
    drawn = random.Random(2)
    pairs = [pair for cell in cells.values() for pair in drawn.sample(list(itertools.combinations(cell, 2)), 60)]
    asked = ("relationship", "tone", "occasion", "length", "address", "zodiac", "details", "signature")
    stopped = 0
    for one, other in pairs:
        given = request(**{key: one[key] for key in asked if key in one})
        stopped += repeats(one["text"], other["text"], given)
    print(f"{stopped} of {len(pairs)} pairs stopped")
    assert stopped < 0.005 * len(pairs)


def test_what_is_given_again_may_be_said_again() -> None:
    one = "王总，听说您养的鹦鹉会背唐诗了，新年想听一段。"
    other = "王总，鹦鹉会背唐诗，您多歇歇，让它替您拜年。"
    assert repeats(one, other, PLAIN)
    assert not repeats(one, other, request(address="王总", details=["养的鹦鹉会背唐诗"]))


def test_the_same_text_and_a_long_run_of_it_repeat() -> None:
    text = "新的一年，愿你一切都好"
    assert repeats(text, text, PLAIN) and repeats(f"{text}，多来走走", f"小李，{text}", PLAIN)


@pytest.mark.parametrize("text", ["", "！", "好", "Happy New Year"])
def test_nothing_much_repeats_nothing(text: str) -> None:
    assert not repeats(text, "妈，灯笼挂上了，等您回来看", PLAIN)


def test_the_earlier_text_that_is_repeated_is_named(store: Store) -> None:
    person, other = (add_recipient(store, recipient_fields(name)).id for name in ("阿简", "阿繁"))
    for text, recipient in (
        (REUSED[0][0], person),
        ("阿简，过年好，门口的雪扫干净了。", person),
        (REUSED[1][0], other),
    ):
        mark_sent(store, add_written(store, draft(text, recipient)).id)
    found = repeated(REUSED[0][1], PLAIN, sent_to(store, person))
    assert found is not None and found.text == REUSED[0][0]
    assert repeated(REUSED[1][1], PLAIN, sent_to(store, person)) is None


def test_the_common_pairs_are_those_of_the_corpus(corpus: list[dict]) -> None:
    counts: Counter[str] = Counter()
    for record in corpus:
        body = re.sub(r"\W", "", record["text"])
        counts.update({body[i : i + 2] for i in range(len(body) - 1)})
    common = {pair for pair, count in counts.items() if count >= 0.005 * len(corpus)}
    # The corpus grows; a pair at the threshold may pass it either way.
    assert len(common & COMMON_BIGRAMS) > 0.9 * len(common | COMMON_BIGRAMS)
