"""A small corpus of two tones and three relationships that counts of characters can tell apart, and outputs of it.

A text is an opening of its tone, something said to its relationship, and an end of its tone, each one of several.
"""

import itertools
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from app.compose.catalog import load_catalog
from app.compose.request import GreetingRequest
from training.evaluation.outputs import Output
from training.evaluation.reference import Reference
from training.evaluation.written import Written
from training.records import Record

CATALOG = load_catalog()
OPENINGS = {
    "formal": ("谨贺新春", "恭贺新禧", "岁序更新", "敬颂春祺", "欣逢佳岁"),
    "playful": ("嘿嘿过年啦", "新年到咯", "哇又长一岁", "报告，过年啦", "叮咚，年来啦"),
}
SAID = {
    "boss": ("这一年多承您指点", "项目幸有您把关", "跟着您做事踏实", "您批过的稿子还留着"),
    "parents": ("家里的饺子最香", "爸炖的鱼想了一年", "灯给家里留着", "妈种的蒜苗该绿了"),
    "close_friend": ("火锅和游戏都约好", "咱俩那顿酒没喝完", "球场上等着一战", "老地方的烤串管够"),
}
ENDS = {"formal": ("顺颂时绥。", "谨此致意。", "敬祝安康。"), "playful": ("冲呀～！", "走起哈哈！", "不许赖账哦～！")}
CELLS = tuple(itertools.product(SAID, OPENINGS))
_HELD_OUT_EACH = 4


def texts_of(relationship: str, tone: str) -> list[str]:
    """Every text of a cell, in an order of its own."""
    parts = itertools.product(OPENINGS[tone], SAID[relationship], ENDS[tone])
    texts = [f"{opening}，{said}，{end}" for opening, said, end in parts]
    random.Random(f"{relationship}:{tone}").shuffle(texts)
    return texts


def records(held_out: bool) -> list[Record]:
    """Of every cell four texts that are held out, or all the others; the number in an id is that in the cell."""
    found = []
    for relationship, tone in CELLS:
        request = GreetingRequest(relationship, tone, length="short")
        for number, text in enumerate(texts_of(relationship, tone), 1):
            if (number <= _HELD_OUT_EACH) == held_out:
                found.append(Record(f"{relationship}-{tone}:{number}", request, text))
    return found


def reference() -> Reference:
    """The training part as the yardstick."""
    return Reference.of(records(held_out=False))


def write_corpus(folder: Path) -> Path:
    """All of them as a corpus with its split: of the held-out half validates, half tests."""
    folder.mkdir(parents=True)
    split: dict[str, list[str]] = {"validation": [], "test": []}
    for relationship, tone in CELLS:
        request = {"relationship": relationship, "tone": tone, "occasion": "spring_festival", "length": "short"}
        lines = [json.dumps({**request, "text": text}, ensure_ascii=False) for text in texts_of(relationship, tone)]
        (folder / f"{relationship}-{tone}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for number in range(1, _HELD_OUT_EACH + 1):
            split["test" if number % 2 else "validation"].append(f"{relationship}-{tone}:{number}")
    (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
    return folder


def output(system: str, request: str, text: str, seed: int = 0, variation: str = "") -> Output:
    """A text that took 20 tokens, 100 of the prompt and half a second, and passed the guard."""
    return Output(system, request, variation, seed, text, (), 20, 100, 0.5)


def written(request: str, text: str, asked: GreetingRequest, seed: int = 0, variation: str = "") -> Written:
    """The same as the measures see it."""
    return Written(output("lora", request, text, seed, variation), asked, text)


def well_voiced(seeds: int = 3, variations: Sequence[str] = ()) -> list[Written]:
    """A system that writes in the voice asked for, other words every time: texts of the request's own cell."""
    return _drawn(seeds, variations, lambda record: record.cell)


def mixed_up(seeds: int = 3, variations: Sequence[str] = ()) -> list[Written]:
    """A system that writes in any voice: texts of some cell or other."""
    generator = random.Random(0)
    return _drawn(seeds, variations, lambda record: generator.choice(CELLS))


def same_for_all(seeds: int = 3) -> list[Written]:
    """A system that has a few sentences for everybody."""
    texts = texts_of("boss", "formal")[-3:]
    return [
        written(record.id, texts[seed % len(texts)], record.request, seed)
        for record in records(held_out=True)
        for seed in range(seeds)
    ]


def _drawn(seeds, variations, cell_of) -> list[Written]:
    generator = random.Random(1)
    return [
        written(record.id, generator.choice(texts_of(*cell_of(record))), record.request, seed, variation)
        for record in records(held_out=True)
        for variation in ("", *variations)
        for seed in range(seeds)
    ]


def shuffled(texts: Iterable[Written]) -> list[Written]:
    """The same texts for requests they were not written for."""
    kept = list(texts)
    bodies = [each.body for each in kept]
    random.Random(2).shuffle(bodies)
    return [replace(each, body=body) for each, body in zip(kept, bodies, strict=True)]
