"""What the order of candidates is worth is measured as it is defined, on marks of a reader."""

import json
import math
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.compose.request import make_request
from tests.training.small_corpus import run_step
from training.choice import Judged, at_random, by_request, judged, order, perfect
from training.marks import Mark

CATALOG = load_catalog()
BEST = Judged(True, -1.0, 16)
LONG = Judged(False, -0.9, 64)
UNLIKELY = Judged(False, -3.0, 16)
GROUPS = [[LONG, BEST, UNLIKELY], [UNLIKELY]]

FIELDS = {"relationship": "boss", "tone": "formal", "occasion": "spring_festival", "length": "short", "address": "王总"}
GOOD = "王总，给您拜年。去年多蒙您指点，祝您新年顺遂。"
OTHER = "王总，过年好。您交代的事我都记着，祝您阖家安康。"
FAULTY = "王总，祝你新年快乐，祝你万事如意，祝你身体健康。"


def test_an_order_is_judged_by_pairs_within_a_request_and_by_what_comes_first():
    by_mean = order(GROUPS, 1.0)
    assert (by_mean.auc, by_mean.first, by_mean.shown) == (0.5, 0.0, 0.5)
    by_root = order(GROUPS, 0.5)
    assert (by_root.auc, by_root.first, by_root.shown) == (1.0, 0.5, 0.5)


def test_between_chance_and_perfect():
    chance = at_random(GROUPS)
    assert chance.first == pytest.approx((1 / 3 + 0) / 2) and chance.shown == pytest.approx((1 + 0) / 2)
    four = [[BEST, LONG, LONG, LONG]]
    assert at_random(four).shown == pytest.approx(3 / 4)
    assert perfect(GROUPS).first == perfect(GROUPS).shown == 0.5


def test_two_as_likely_win_half_each():
    assert order([[BEST, Judged(False, -1.0, 16)]], 0.5).auc == 0.5


def test_without_a_pair_to_compare_there_is_no_auc():
    assert math.isnan(order([[BEST]], 0.5).auc)


def test_faulty_texts_take_no_part():
    request = make_request(CATALOG, FIELDS)
    marks = [Mark(request, GOOD, True), Mark(request, FAULTY, False)]
    assert by_request(marks, CATALOG) == {request: [marks[0]]}


def test_likelihood_is_the_model_s(tiny_model: Path):
    request = make_request(CATALOG, FIELDS)
    together = judged(tiny_model, [[Mark(request, GOOD, True)], [Mark(request, OTHER, False)]], CATALOG)
    alone = judged(tiny_model, [[Mark(request, OTHER, False)]], CATALOG)
    assert [[each.send for each in group] for group in together] == [[True], [False]]
    assert together[1][0].tokens == alone[0][0].tokens
    assert together[1][0].logprob == pytest.approx(alone[0][0].logprob, abs=0.01)
    assert together[1][0].logprob < 0


@pytest.mark.torch
def test_the_step_prints_a_table(tiny_model: Path, tmp_path: Path):
    marks = tmp_path / "marks.jsonl"
    lines = [{"request": FIELDS, "text": text, "send": send} for text, send in ((GOOD, True), (OTHER, False))]
    marks.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    done = run_step("choice", "--marks", marks, "--model", tiny_model)
    assert done.returncode == 0, done.stderr
    assert "1 requests, 2 texts without a fault, 1 would be sent" in done.stdout
    assert "| at random | 0.50 | 50% | 100% |" in done.stdout and "| the mean, as the window |" in done.stdout
    lines[0]["text"] = lines[1]["text"] = FAULTY
    marks.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    nothing = run_step("choice", "--marks", marks, "--model", tiny_model)
    assert nothing.returncode == 1 and "没有可排的" in nothing.stderr
