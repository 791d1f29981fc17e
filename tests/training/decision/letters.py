"""A corpus that is none of greetings: notes of a shop, with labels of its own, in two manners counts can tell apart."""

import itertools
import json
from pathlib import Path
from typing import Any

_OPENINGS = {
    "gentle": ("请您慢点走", "天冷您加衣", "您的茶温着", "路上您小心", "您歇一会儿"),
    "brisk": ("货到了快来", "三点关门", "今天全卖完", "明早八点见", "排好队别挤"),
}
_SAID = {
    "guest": ("汤圆给您留了一份", "门口的灯一直亮着", "新茶都摆在桌上"),
    "supplier": ("账都在红包里", "下个月照今年的来", "车停在后门就好"),
}
_ENDS = {"gentle": ("，平安到家。", "，万事如意。"), "brisk": ("！", "，不等人！")}
REQUESTS: tuple[dict[str, Any], ...] = (
    {"id": "one", "audience": "guest", "manner": "gentle", "address": "王老师", "details": ["汤圆留了", "灯亮着"]},
    {"id": "two", "audience": "supplier", "manner": "brisk", "address": "阿哲"},
    {"id": "three", "audience": "guest", "manner": "brisk"},
)


def records() -> list[dict[str, Any]]:
    """Sixty notes, fifteen of each kind."""
    found = []
    for manner, audience in itertools.product(_OPENINGS, _SAID):
        parts = itertools.product(_OPENINGS[manner], _SAID[audience])
        for number, (opening, said) in enumerate(parts):
            end = _ENDS[manner][number % 2]
            found.append({"audience": audience, "manner": manner, "text": f"{opening}，{said}{end}"})
    return found


def write(path: Path, lines: list[dict[str, Any]] | tuple[dict[str, Any], ...]) -> Path:
    """A JSONL file of them."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path
