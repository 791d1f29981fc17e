"""The report's page: whole in itself, blind until it is opened, and no text can be more than text in it."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from app.compose.sentence import Sentence
from tests.training.evaluation import voices
from tests.training.evaluation.test_pictures import TABLE, figures
from training.evaluation.blind import SHOWN, side_by_side
from training.evaluation.bootstrap import Estimate
from training.evaluation.page import page_html
from training.evaluation.table import Table

pytestmark = pytest.mark.torch
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</span></li></ol><style>*{display:none}</style>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; & 'quoted' \u202e反",
)
VOID = {"meta", "path", "use", "rect", "br", "img"}


class Page(HTMLParser):
    """Elements as they are opened, whether every one is closed again, and what stands in some of them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if ("class", "text") in attrs:
            self.texts.append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "span" and self.texts and self.elements[-1][1].get("class") == "text":
            self.texts[-1] += data


def comparisons(texts=HOSTILE, seed=0):
    asked = {(record.id, ""): record.request for record in voices.records(held_out=True)}
    outputs = [
        voices.output(system, name, f"{system}：{texts[number % len(texts)]}", 0)
        for system in ("prompt", "rag", "lora")
        for number, (name, _) in enumerate(asked)
    ]
    author = {record.id: record.text for record in voices.records(held_out=True)}
    return side_by_side(outputs, asked, author, voices.CATALOG, seed)


@pytest.fixture(scope="module")
def html() -> str:
    svg = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><metadata>x</metadata><path id="a"/>'
        '<use href="#a" style="fill: #2b2521; clip-path: url(#a)"/></svg>'
    )
    return page_html(TABLE, comparisons(), {"style-consistency": svg, "data-size": svg})


def test_it_asks_for_nothing_outside_itself(html: str):
    page = Page(html)
    assert page.open == []
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "base", "form", "image"), tag
        for name in ("src", "href", "action", "xlink:href", "srcset"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in style and "@import" not in style and "@font-face" not in style
    assert "prefers-color-scheme: dark" in style


def test_its_policy_lets_its_own_script_run_and_no_other(html: str):
    policy = next(attributes["content"] for tag, attributes in Page(html).elements if "http-equiv" in attributes)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert policy and policy.startswith("default-src 'none'") and len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_no_text_is_more_than_text(html: str):
    page = Page(html)
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    for system in ("prompt", "rag", "lora"):
        for text in HOSTILE:
            assert f"{system}：{text}" in page.texts


def test_both_languages_are_there(html: str):
    page = Page(html)
    languages = [attributes.get("lang") for tag, attributes in page.elements if tag == "span"]
    assert languages.count("zh") == languages.count("en") > 40


def test_pictures_in_one_page_do_not_share_ids(html: str):
    ids = [attributes["id"] for _, attributes in Page(html).elements if "id" in attributes]
    assert ids == ["style-consistency-a", "data-size-a"]
    assert 'href="#data-size-a"' in html and "url(#data-size-a)" in html
    assert "#2b2521; clip" not in html and "<metadata>" not in html


def test_the_texts_stand_in_an_order_that_does_not_tell():
    orders = [tuple(text.system for text in one.texts) for one in comparisons()]
    assert all(sorted(order) == ["corpus", "lora", "prompt", "rag"] for order in orders)
    assert len(set(orders)) > 8
    assert [one.texts for one in comparisons(seed=0)] == [one.texts for one in comparisons(seed=0)]
    assert [one.texts for one in comparisons(seed=0)] != [one.texts for one in comparisons(seed=1)]
    assert [text.letter for text in comparisons()[0].texts] == list("ABCD")


def test_thirty_requests_are_shown_of_many_and_of_each_the_first_seed():
    asked = {(f"r{number}", ""): voices.records(held_out=True)[0].request for number in range(100)}
    outputs = [
        voices.output(system, name, f"{seed}", seed)
        for system in ("rag", "lora")
        for name, _ in asked
        for seed in (1, 0)
        if (system, name) != ("rag", "r0")
    ]
    found = side_by_side(outputs, asked, {}, voices.CATALOG)
    assert len(found) == SHOWN and "r0" not in {one.request for one in found}
    assert all([text.text for text in one.texts] == ["0", "0"] for one in found)
    assert found[0].asked[0] == "关系：领导"


def test_the_best_is_marked_only_where_no_interval_meets_another():
    def classes(table: Table) -> list[str]:
        cells = [(tag, attributes.get("class") or "") for tag, attributes in Page(page_html(table, [], {})).elements]
        row = [kind for tag, kind in cells if tag == "td"]
        return row[len(table.systems) : 2 * len(table.systems)]  # tone_recognised is the second row

    assert classes(TABLE) == ["", "", " best"]
    near = Table(1, 1, {}, (), {"rag": figures(0.57), "lora": figures(0.6), "corpus": figures(0.9)})
    assert classes(near) == ["", "", "author"]
    warm = Table(1, 1, {}, (), {**TABLE.systems, "lora-at-0.7": figures(0.58)})
    assert classes(warm) == ["", "", " best", ""]  # the same system at another temperature is no other one
    alone = Table(1, 1, {}, (), {"lora": figures(0.6), "lora-at-0.7": figures(0.3)})
    assert classes(alone) == ["", ""]


def test_an_empty_text_is_called_so():
    html = page_html(TABLE, comparisons(texts=("",)), {})
    assert "什么也没写" not in html  # the system's name stands before it
    assert side_by_side([], {}, {}, voices.CATALOG) == []
    asked = {("a", ""): voices.records(held_out=True)[0].request}
    one = side_by_side([voices.output("lora", "a", "")], asked, {}, voices.CATALOG)
    assert "什么也没写" in page_html(TABLE, one, {})


def test_notes_and_readers_are_told():
    table = Table(3, 9, {}, (Sentence("量不了<b>", "not <i>"),), {"lora": {"cliche": Estimate(0.5, 0.5, 0.5)}})
    html = page_html(table, [], {})
    assert "量不了&lt;b&gt;" in html and "not &lt;i&gt;" in html
