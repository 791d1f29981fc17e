"""What a reader gets: every text beside what was asked, without who wrote it; and the key that says who did."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.compose.catalog import Catalog
from app.compose.prompt import user_message
from app.compose.sentence import Sentence
from training.reading import parse_request

LOWEST, HIGHEST = 1, 5


@dataclass(frozen=True)
class Dimension:
    """One thing a text is rated for, from 1 to 5: its key in a file, its name, and what the ends mean."""

    id: str
    name: Sentence
    meaning: Sentence


DIMENSIONS = (
    Dimension(
        "human",
        Sentence("像真人", "like a person"),
        Sentence(
            "读来是一个具体的人此刻写给另一个具体的人：1 像贺卡或机器，5 看不出不是真人写的。",
            "It reads as one particular person writing to another: 1 a card or a machine, 5 nobody would doubt it.",
        ),
    ),
    Dimension(
        "tact",
        Sentence("分寸", "tact"),
        Sentence(
            "亲疏、长幼、轻重合不合这层关系：1 冒犯、肉麻或生分，5 这层关系里谁也挑不出毛病。",
            "Nearness and respect fit the relationship: 1 offensive, fulsome or cold, 5 nobody could object.",
        ),
    ),
    Dimension(
        "tone",
        Sentence("语气", "tone"),
        Sentence(
            "要的那种语气听不听得出来，从头到尾稳不稳：1 没有语气或是另一种，5 不看要求也猜得到。",
            "The tone that was asked for is heard from end to end: 1 none or another, 5 one could name it unasked.",
        ),
    ),
    Dimension(
        "facts",
        Sentence("事实", "facts"),
        Sentence(
            "给的事是否都说到、安在对的人身上、没有多编：1 说错、漏掉或编造，5 全对；没给事时只看有没有编造。",
            "What was given is said, of the right person, and nothing is made up: 1 wrong, left out or invented, 5 all "
            "right; where nothing was given, only whether something is made up.",
        ),
    ),
)

_HOW = Sentence(
    "每一行是一条文字：asked 是要求，text 是写出来的。先只看要求和文字，四项各打 1 到 5 的整数分，写在同名的键里。"
    "编号里“-”前面相同的几条是同一个要求：都读完后，选一条你会原样发出去的，把它的 send 写成 true，别的不用动；"
    "都不想发，也选最接近能发的那条。why 可以写一句缘由。",
    "Every line is a text: asked is what was asked for, text what was written. Rate each of the four from 1 to 5, in "
    "whole numbers, under its key. Texts whose ids begin alike, up to the -, answer the same request: when all are "
    "read, let send be true for the one you would send as it is, or would come nearest to sending. why takes a reason.",
)


def instructions() -> dict[str, Any]:
    """The first line of a sheet, which tells the reader what to do."""
    return {
        "instructions": [_HOW.zh, _HOW.en],
        **{
            each.id: [f"{each.name.zh}：{each.meaning.zh}", f"{each.name.en}: {each.meaning.en}"] for each in DIMENSIONS
        },
    }


def mixed(
    requests: Sequence[Mapping[str, Any]],
    texts: Mapping[str, Mapping[str, str]],
    catalog: Catalog,
    seed: int,
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The lines of the sheet, and its key.

    Args:
        requests: as :func:`training.reading.read_requests` reads them.
        texts: the one text of each system for each request's id.

    Returns:
        Requests in an order of the seed's, under each its texts in another: lines of ``id``, ``asked``, ``text``, the
        dimensions, ``send`` and ``why``. And by id the request's id and the systems that wrote the text; one that two
        of them wrote is rated once.
    """
    generator = random.Random(f"{seed}:rating")
    order = list(requests)
    generator.shuffle(order)
    lines: list[dict[str, Any]] = []
    key: dict[str, dict[str, Any]] = {}
    for number, request in enumerate(order, 1):
        systems: dict[str, list[str]] = defaultdict(list)
        for system in sorted(texts):
            systems[texts[system][str(request["id"])]].append(system)
        shuffled = sorted(systems)
        generator.shuffle(shuffled)
        asked = user_message(parse_request(request, catalog), catalog)
        for letter, text in zip("abcdefghijklmnopqrstuvwxyz", shuffled, strict=False):
            name = f"{number}-{letter}"
            blank = {each.id: None for each in DIMENSIONS}
            lines.append({"id": name, "asked": asked, "text": text, **blank, "send": None, "why": ""})
            key[name] = {"request": str(request["id"]), "systems": systems[text], "text": text}
    return lines, key
