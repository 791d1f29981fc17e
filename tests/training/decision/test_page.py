"""The page of a decision: what was measured stands in it, and nothing a model wrote can break it."""

import re
from html import unescape

from app.compose.sentence import Sentence
from tests.training.decision.test_evidence import CORPUS, TRIAL
from training.decision.evidence import findings
from training.decision.page import page_html
from training.decision.questions import QUESTIONS
from training.decision.result import Pair, Result
from training.decision.verdict import decide


def test_a_row_a_system_and_an_article_a_question() -> None:
    verdict = decide({}, findings(CORPUS, TRIAL), (Sentence("三天", "three days"),))
    page = page_html(Result(verdict, CORPUS, TRIAL, ()))
    for name in ("提示词", "检索", "训练后"):
        assert f'<th scope="row"><span class="what"><span class="zh" lang="zh">{name}</span>' in page
    assert '80%</span><span class="interval">70% – 90%' in page and "600" in page
    assert page.count('<article class="sheet question') == len(QUESTIONS)
    assert all(each.finding.because.en in unescape(page) for each in verdict.answered if each.finding)
    assert "three days" in page and verdict.headline.zh in page
    assert not re.search(r"(?:src|href)\s*=|@import|url\(", page) and page.count("<script") == 1


def test_what_was_not_measured_is_not_there() -> None:
    page = page_html(Result(decide({}, (), ()), None, None, ()))
    assert "<table>" not in page and "What it would cost" not in page and "Before" not in page


def test_what_a_model_wrote_cannot_break_the_page() -> None:
    pair = Pair("a", ("<b>",), "<script>alert(1)</script>", "{{ 7 * 7 }}", "")
    page = page_html(Result(decide({}, (), (Sentence("<i>", "<i>"),)), None, None, (pair,)))
    assert "<script>alert" not in page and "<b>" not in page and "<i>" not in page
    assert "{{ 7 * 7 }}" in page and "&lt;script&gt;alert(1)" in page
