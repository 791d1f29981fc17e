"""distinct-n and self-BLEU, by hand, and on who repeats himself."""

import math

import pytest

from tests.training.evaluation import voices
from training.evaluation.diversity import distinct, self_bleu

pytestmark = pytest.mark.torch
ASKED = voices.records(held_out=True)[0].request


def texts(*bodies: str):
    return [voices.written(str(number), body, ASKED) for number, body in enumerate(bodies)]


def test_distinct_is_a_share_of_all_n_grams():
    same = [voices.written("a", "甲乙甲乙", ASKED)]
    assert distinct(same, 2).value == pytest.approx(2 / 3)
    assert distinct(same, 1).value == pytest.approx(1 / 2)
    assert distinct([voices.written("a", "甲", ASKED)], 2).value == 0.0


def test_more_texts_of_a_request_are_no_more_text():
    """Each draw has one text a request, so three seeds do not count as three times the text."""
    once, thrice = voices.well_voiced(1), voices.well_voiced(3)
    assert distinct(thrice, 2).value > 0.9 * distinct(once, 2).value


def test_who_says_the_same_to_all_is_less_diverse():
    varied, same = voices.well_voiced(), voices.same_for_all()
    assert distinct(same, 2).high < distinct(varied, 2).low
    quoting, quoted = self_bleu(same), self_bleu(varied)
    assert quoting and quoted and quoting.low > quoted.high


def test_a_text_that_another_has_too_is_quoted_whole():
    figure = self_bleu(texts("新年快乐呀", "新年快乐呀"))
    assert figure and figure.value == pytest.approx(1.0)


def test_self_bleu_is_that_of_papineni_with_texgen_s_smoothing():
    figure = self_bleu(texts("甲乙丙丁", "甲乙丙戊"))
    assert figure
    assert figure.value == pytest.approx(
        math.exp((math.log(3 / 4) + math.log(2 / 3) + math.log(1 / 2) + math.log(0.1)) / 4)
    )


def test_an_n_gram_counts_as_often_as_one_other_text_has_it():
    figure = self_bleu(texts("甲甲甲甲", "甲甲乙乙", "甲丙丁戊"))
    assert figure
    ones = [2 / 4, 2 / 4, 1 / 4]  # 甲: twice in the second; 甲甲 of the second; 甲 of the third
    twos = [1 / 3, 1 / 3, 0.1 / 3]
    rest = [(0.1 / 2, 0.1 / 1)] * 3
    expected = [
        math.exp((math.log(one) + math.log(two) + math.log(three) + math.log(four)) / 4)
        for one, two, (three, four) in zip(ones, twos, rest, strict=True)
    ]
    assert figure.value == pytest.approx(sum(expected) / 3)


def test_a_short_text_pays_for_being_short():
    short, long = "新年快", "新年快乐万事如意"
    figure = self_bleu(texts(short, long))
    assert figure
    kept = [math.log(1)] * 3 + [math.log(0.1)]
    of_short = math.exp(1 - len(long) / len(short)) * math.exp(sum(kept) / 4)
    of_long = math.exp((math.log(3 / 8) + math.log(2 / 7) + math.log(1 / 6) + math.log(0.1 / 5)) / 4)
    assert figure.value == pytest.approx((of_short + of_long) / 2)


def test_one_request_has_nobody_to_quote():
    assert self_bleu(texts("新年好")) is None
    empty = self_bleu(texts("", "新年好"))
    assert empty and empty.value == pytest.approx(0.0, abs=0.1)
