"""Selection shows clean texts first, the likelier first, and never the same text twice."""

from app.compose.guard import Fault
from app.compose.select import Candidate, alike, choose, similarity
from app.compose.sentence import Sentence

FAULT = Fault("length", Sentence("太短了。", "Too short."))
TEXTS = [
    "汤在锅里，灯给你留着，路上慢点开。",
    "福字贴正了，鞭炮也买了，就等你进门。",
    "给你留了靠窗的座，面也下好了，快回。",
    "雪停了，门口的路扫干净了，随时欢迎。",
]


def candidate(index: int, text: str, logprob: float, *faults: Fault) -> Candidate:
    return Candidate(index, text, 20, logprob, faults)


def test_the_likeliest_clean_texts_are_chosen_in_order():
    drawn = [candidate(i, text, -2.0 + i / 10) for i, text in enumerate(TEXTS)]
    assert [chosen.index for chosen in choose(drawn, 3)] == [3, 2, 1]


def test_a_faulty_text_only_fills_a_place_nobody_else_can():
    drawn = [candidate(0, TEXTS[0], -0.1, FAULT), candidate(1, TEXTS[1], -3.0), candidate(2, TEXTS[2], -2.0)]
    assert [chosen.index for chosen in choose(drawn, 2)] == [2, 1]
    assert [chosen.index for chosen in choose(drawn, 3)] == [2, 1, 0]


def test_alike_texts_are_shown_once_while_others_are_left():
    twin = TEXTS[0].replace("慢点", "慢些")
    drawn = [candidate(0, TEXTS[0], -0.1), candidate(1, twin, -0.2), candidate(2, TEXTS[2], -3.0)]
    assert [chosen.index for chosen in choose(drawn, 2)] == [0, 2]


def test_texts_that_begin_with_the_same_long_clause_are_alike():
    one = "晓雯，新家的门锁我来开，钥匙在枕头底下，别急着搬。过年这几天，你只管吃好，睡好，别操心。"
    other = "晓雯，新家的门锁我来开，钥匙在枕头底下，别怕冷。过年了，出门多穿件衣服，回来先喝口热的。"
    assert alike(one, other)
    assert not alike("王总，给您拜年。去年多蒙您指点。", "王总，给您拜年。方案我一直留在手边。")


def test_the_same_text_is_never_shown_twice():
    drawn = [candidate(i, TEXTS[0], -0.1) for i in range(8)]
    assert len(choose(drawn, 3)) == 1


def test_nothing_drawn_gives_nothing():
    assert choose([], 3) == ()
    assert choose([candidate(0, TEXTS[0], -1.0)], 0) == ()


def test_similarity_is_one_for_the_same_and_none_for_unrelated_texts():
    assert similarity(TEXTS[0], TEXTS[0]) == 1.0
    assert similarity(TEXTS[0], TEXTS[3]) < 0.1
    assert similarity("！", "！") == 1.0
