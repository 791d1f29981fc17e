"""The report as one HTML file that needs nothing else: no network, no font of its own, no script but its own.

What the systems wrote is strangers' text: it is escaped wherever it stands, and the page's own policy lets no other
script run and nothing be fetched.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from training.evaluation import pictures
from training.evaluation.blind import Comparison
from training.evaluation.bootstrap import Estimate
from training.evaluation.measures import MEASURES, Measure
from training.evaluation.names import parts_of, title_of
from training.evaluation.outputs import AUTHOR
from training.evaluation.reference import RELATIONSHIP, TONE
from training.evaluation.table import Table, shown, shown_interval

_HERE = Path(__file__).resolve().parent
_CAPTIONS = {
    pictures.CONSISTENCY: Sentence(
        "写法稳不稳：左边是同一个请求再写一次，右边是只改了名字、年份或次序。越靠右越稳，横线是 95 % 区间。",
        "Is the voice steady? Left: the same request written again. Right: only the name, the year or the order "
        "changed. Further right is steadier; lines are 95 % intervals.",
    ),
    pictures.QUALITY: Sentence(
        "数据质量和效果：同样的步数，混进多少差数据，各项变成多少。",
        "Quality of data against effect: the same number of steps, with more and more poor records.",
    ),
    pictures.SIZE: Sentence(
        "数据多少和效果：同样的步数，用全部、一半、四分之一、八分之一的语料。",
        "Size of data against effect: the same number of steps on all, half, a quarter and an eighth of the corpus.",
    ),
}


def page_html(table: Table, comparisons: Sequence[Comparison], drawn: Mapping[str, str]) -> str:
    """The report, whole.

    Args:
        drawn: SVG files by name, as :func:`training.evaluation.pictures.draw_all` makes them.
    """
    from markupsafe import Markup

    return rendered(
        _HERE / "report.html.jinja",
        table=table,
        columns=[{"title": title_of(system), "made": table.made.get(system)} for system in table.systems],
        rows=[_row(measure, table) for measure in MEASURES],
        readers=list(_reader_sentences(table)),
        pictures=[{"title": _CAPTIONS[name], "svg": Markup(_inline(svg, name))} for name, svg in drawn.items()],
        comparisons=comparisons,
        names={text.system: table.title(text.system) for one in comparisons for text in one.texts},
    )


def rendered(template: Path, **values: Any) -> str:
    """A page of ours: what is put into it is escaped, style, words and script are those that all of them share.

    Args:
        template: a Jinja template, which takes ``script`` and ``script_hash`` beside the values.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader([template.parent, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page: str = environment.get_template(template.name).render(
        **values, script=Markup(script), script_hash=f"sha256-{digest}"
    )
    return page


def _row(measure: Measure, table: Table) -> dict[str, Any]:
    figures = {system: figures.get(measure.name) for system, figures in table.systems.items()}
    best = _best(measure, {system: figure for system, figure in figures.items() if system != AUTHOR})
    cells = [
        {
            "value": shown(measure, figure.value) if figure else "",
            "interval": shown_interval(measure, figure) if figure else "",
            "author": system == AUTHOR,
            "best": system == best,
        }
        for system, figure in figures.items()
    ]
    return {"measure": measure, "cells": cells}


def _best(measure: Measure, figures: Mapping[str, Estimate | None]) -> str:
    """The system that is better than all of other kinds, its interval meeting none of theirs; "" where there is no
    such. The same system at another temperature is no other one."""
    known = {system: figure for system, figure in figures.items() if figure}
    if not measure.better or measure.of_machine or not known:
        return ""
    sign = 1 if measure.better == "higher" else -1
    first, *rest = sorted(known, key=lambda system: -sign * known[system].value)
    own, others = known[first], [system for system in rest if parts_of(system)[0] != parts_of(first)[0]]
    apart = all(own.low > known[other].high if sign > 0 else own.high < known[other].low for other in others)
    return first if others and apart else ""


def _reader_sentences(table: Table) -> list[Sentence]:
    """How well each reader reads, so that one knows what its verdicts are worth."""
    found = []
    for name, what in (("tone", TONE), ("relationship", RELATIONSHIP)):
        facts = table.readers.get(name)
        if facts is None:
            continue
        crossed = "—" if facts.cross_validated is None else f"{facts.cross_validated:.0%}"
        held_out = "—" if facts.held_out is None else f"{facts.held_out:.0%}"
        found.append(
            Sentence(
                f"猜{what.zh}的读者：{facts.labels} 种里瞎猜能中 {facts.chance:.0%}，交叉验证猜中 {crossed}，"
                f"没见过的语料原文猜中 {held_out}。",
                f"The reader of {what.en}: by chance it would be right {facts.chance:.0%} of the time among "
                f"{facts.labels}; cross-validated it is right {crossed}, on texts held out of the corpus {held_out}.",
            )
        )
    return found


def _inline(svg: str, name: str) -> str:
    """An SVG file as part of a page: ids of its own, and the page's colours."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    for colour, variable in ((pictures.INK, "--ink"), (pictures.PAPER, "--card"), (pictures.RULE, "--rule")):
        svg = svg.replace(colour, f"var({variable})")
    return svg
