"""What readers wrote into their sheets. Whatever cannot be counted is a fault with its file and line; all faults of a
sheet are said at once, and then nothing is counted."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compose.schema import nearest
from app.compose.sentence import Sentence
from training.errors import TrainingError
from training.json_lines import numbered_lines, parse_object
from training.rating.sheet import DIMENSIONS, HIGHEST, LOWEST, Dimension

_LISTED = 40  # faults; who has more has mended none


@dataclass(frozen=True)
class Text:
    """A text of the sheet: its request's id, the systems that wrote it, and what it says."""

    request: str
    systems: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Rating:
    """What one reader said of one text: 1 to 5 by dimension, and whether it is the one they would send."""

    scores: Mapping[str, int]
    send: bool


Key = Mapping[str, Text]
Ratings = Mapping[str, Rating]


def read_key(path: Path) -> dict[str, Text]:
    """The key of a sheet, by the texts' ids.

    Raises:
        TrainingError: not what ``rating sheet`` wrote.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = {str(id): Text(one["request"], tuple(one["systems"]), one["text"]) for id, one in raw.items()}
        if found and all(isinstance(one.request, str) and one.systems for one in found.values()):
            return found
        detail = "no text in it"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        detail = f"{type(error).__name__}: {error}"
    raise TrainingError(
        Sentence(
            f"{path.name} 不是评分稿的答案（key）。请给出 `python -m training rating sheet --key` 写的那个文件。",
            f"{path.name} is not the key of a rating sheet. Give the file that `python -m training rating sheet --key` "
            "wrote.",
        ),
        f"{path}: {detail}",
    )


def read_ratings(path: Path, key: Key) -> dict[str, Rating]:
    """A reader's ratings of every text of the sheet, by its id.

    Raises:
        TrainingError: the file cannot be read, or has faults; its detail lists them, one a line.
    """
    form = _Form(path.name, key)
    for number, line in numbered_lines(path):
        form.take(number, line)
    form.close()
    if form.faults:
        faults = [*form.faults[:_LISTED], *(["…"] if len(form.faults) > _LISTED else [])]
        count = len(form.faults)
        raise TrainingError(
            Sentence(
                f"{path.name} 有 {count} 处没法计入，列在下面。改好再数一次；没改好之前什么也不计。",
                f"{path.name} cannot be counted for {count} fault{'s' * (count > 1)}, listed below. Mend and count "
                "again; until then nothing is counted.",
            ),
            "\n".join(faults),
        )
    return form.ratings


class _Form:
    """A sheet as it is gone through, line by line."""

    def __init__(self, name: str, key: Key) -> None:
        self._name = name
        self._key = key
        self._lines: dict[str, int] = {}  # where each text was rated first
        self.faults: list[str] = []
        self.ratings: dict[str, Rating] = {}

    def take(self, number: int, line: str) -> None:
        """Note what a line says, or what is wrong with it."""
        raw, fault = parse_object(line)
        if fault is not None:
            self._fault(number, fault)
        elif "instructions" not in raw:
            self._take_rating(number, raw)

    def _take_rating(self, number: int, raw: Mapping[str, Any]) -> None:
        id = raw.get("id")
        if not isinstance(id, str) or not id:
            self._fault(
                number, Sentence("没有 id，不知道评的是哪一条", "no id, so it is not known which text this rates")
            )
            return
        if id not in self._key:
            near = nearest(id, self._key)
            self._fault(
                number,
                Sentence(
                    f"稿子里没有 {id[:40]!r}，最接近的是 {near}", f"the sheet has no {id[:40]!r}; {near} is nearest"
                ),
            )
            return
        if id in self._lines:
            first = self._lines[id]
            self._fault(number, Sentence(f"{id} 在第 {first} 行已经评过", f"{id} was rated in line {first} already"))
            return
        self._lines[id] = number
        faults = [fault for each in DIMENSIONS if (fault := _score_fault(id, each, raw.get(each.id)))]
        if not (raw.get("send") is None or isinstance(raw["send"], bool)):
            faults.append(Sentence(f"{id} 的 send 应是 true 或 false", f"send of {id} must be true or false"))
        for fault in faults:
            self._fault(number, fault)
        if not faults:
            self.ratings[id] = Rating({each.id: raw[each.id] for each in DIMENSIONS}, raw.get("send") is True)

    def close(self) -> None:
        """What is missing, and requests without exactly one text to send; those with faulty lines are not gone into."""
        for id in self._key:
            if id not in self._lines:
                self._fault(None, Sentence(f"少了 {id} 这一条", f"{id} is missing"))
        for ids in by_request(self._key).values():
            sent = [id for id in ids if id in self.ratings and self.ratings[id].send]
            if len(sent) != 1 and all(id in self.ratings for id in ids):
                group = ids[0].partition("-")[0]
                self._fault(
                    None,
                    Sentence(
                        f"{group} 号要求有 {len(sent)} 条 send 是 true（{'、'.join(sent) or '无'}），应正好一条",
                        f"request {group} has {len(sent)} texts to send ({', '.join(sent) or 'none'}) and should have "
                        "one",
                    ),
                )

    def _fault(self, number: int | None, fault: Sentence) -> None:
        where = self._name if number is None else f"{self._name}:{number}"
        self.faults.append(f"{where}: {fault.zh} / {fault.en}")


def _score_fault(id: str, dimension: Dimension, value: Any) -> Sentence | None:
    name = dimension.name
    if value is None:
        return Sentence(f"{id} 的 {dimension.id}（{name.zh}）还没打分", f"{id} has no rating for {dimension.id}")
    if type(value) is not int or not LOWEST <= value <= HIGHEST:
        shown = json.dumps(value, ensure_ascii=False)[:40]
        return Sentence(
            f"{id} 的 {dimension.id}（{name.zh}）是 {shown}，应是 {LOWEST} 到 {HIGHEST} 的整数",
            f"{dimension.id} of {id} is {shown}; it should be a whole number from {LOWEST} to {HIGHEST}",
        )
    return None


def by_request(key: Key) -> dict[str, list[str]]:
    """The ids of the texts of every request, in the sheet's order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for id, text in key.items():
        found[text.request].append(id)
    return dict(found)


def chosen(ratings: Ratings, key: Key) -> dict[str, str]:
    """The id of the text a reader would send, by request."""
    return {key[id].request: id for id, rating in ratings.items() if rating.send}


def systems_of(key: Key) -> Sequence[str]:
    """Every system of the sheet, by name."""
    return sorted({system for text in key.values() for system in text.systems})
