"""What a person asks for: one greeting, validated.

Everything typed becomes plain single-line text here, so that nothing after this module has to think about control
characters, newlines or lengths again.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.compose.catalog import Catalog, Choice
from app.compose.schema import nearest
from app.compose.sentence import ExplainedError, Sentence

ZODIAC = "鼠牛虎兔龙蛇马羊猴鸡狗猪"
MOST_DETAILS = 2
LONGEST = {"address": 20, "detail": 40, "signature": 20}  # characters after folding

_NAMES = {
    "relationship": ("关系", "relationship"),
    "tone": ("语气", "tone"),
    "occasion": ("场合", "occasion"),
    "length": ("篇幅", "length"),
    "address": ("称呼", "the name"),
    "zodiac": ("生肖", "zodiac"),
    "detail": ("想提到的事", "the fact"),
    "details": ("想提到的事", "facts"),
    "signature": ("落款", "the signature"),
}


class RequestError(ExplainedError):
    """A field of a request cannot be used; ``field`` is its name."""

    def __init__(self, field: str, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class GreetingRequest:
    """One greeting to write. Made by :func:`make_request`, which checks it; the fields are ids and folded text."""

    relationship: str
    tone: str
    occasion: str = "spring_festival"
    length: str = "medium"
    address: str = ""
    zodiac: str = ""
    details: tuple[str, ...] = ()
    signature: str = ""


def make_request(catalog: Catalog, fields: Mapping[str, Any]) -> GreetingRequest:
    """A request from loose fields, as a form, a command line or a JSON line gives them.

    Args:
        fields: ``relationship`` and ``tone`` are needed; ``occasion``, ``length``, ``address``, ``zodiac``, ``details``
            (a list of at most two facts) and ``signature`` may be absent, None or empty.

    Raises:
        RequestError: an unknown key or id, a wrong type, a text too long, or too many facts.
    """
    known = set(GreetingRequest.__dataclass_fields__)
    for key in fields:
        if key not in known:
            near = nearest(key, known)
            raise RequestError(
                str(key)[:40],
                Sentence(
                    f"不认识的字段 {str(key)[:40]!r}，最接近的是 {near}。",
                    f"Unknown field {str(key)[:40]!r}; the nearest known one is {near}.",
                ),
            )
    return GreetingRequest(
        relationship=_id("relationship", fields.get("relationship"), catalog.relationships, None),
        tone=_id("tone", fields.get("tone"), catalog.tones, None),
        occasion=_id("occasion", fields.get("occasion"), catalog.occasions, "spring_festival"),
        length=_id("length", fields.get("length"), catalog.lengths, "medium"),
        address=_text("address", fields.get("address")),
        zodiac=_zodiac(fields.get("zodiac")),
        details=_details(fields.get("details")),
        signature=_text("signature", fields.get("signature")).lstrip("—-– "),
    )


def fold(text: str) -> str:
    """Typed text as one plain line.

    NFC; control, format and private characters (but the joiners emoji are built with) and lone surrogates go; any run
    of white space, newlines and U+2028 included, becomes one space; the prompt's own separator ；(and ;) becomes ，.
    """
    text = unicodedata.normalize("NFC", text)
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if character.isspace() or category in ("Zl", "Zp"):
            kept.append(" ")
        elif character in "\u200d\ufe0f" or category not in ("Cc", "Cf", "Cs", "Co", "Cn"):
            kept.append("，" if character in "；;" else character)
    # What was taken out may have kept a letter and its accent apart.
    return unicodedata.normalize("NFC", re.sub(" +", " ", "".join(kept)).strip())


def _id(field: str, value: Any, choices: Iterable[Choice], default: str | None) -> str:
    if value in (None, "") and default is not None:
        return default
    ids = [choice.id for choice in choices]
    zh, en = _NAMES[field]
    if value in (None, ""):
        raise RequestError(field, Sentence(f"还没有选{zh}，选一个再写。", f"Choose a {en} first."))
    if not isinstance(value, str) or value not in ids:
        shown = str(value)[:40]
        near = nearest(shown, ids)
        raise RequestError(
            field,
            Sentence(
                f"{zh}里没有 {shown!r}，最接近的是 {near}。可用的有：{'、'.join(ids)}。",
                f"There is no {en} {shown!r}; the nearest is {near}. Known: {', '.join(ids)}.",
            ),
        )
    return value


def _text(field: str, value: Any) -> str:
    if value is None:
        return ""
    zh, en = _NAMES[field]
    if not isinstance(value, str):
        raise RequestError(field, Sentence(f"{zh}应是文字。", f"{en.capitalize()} must be text."))
    limit = LONGEST[field]
    # Folding is linear in the length, but nothing anybody means to send is this long.
    folded = fold(value[: 100 * limit])
    if len(folded) > limit or len(value) > 100 * limit:
        raise RequestError(
            field,
            Sentence(
                f"{zh}太长了（{len(value)} 个字，最多 {limit} 个）。请缩短一点。",
                f"{en.capitalize()} is too long ({len(value)} characters; at most {limit}). Please shorten it.",
            ),
        )
    return folded


def _zodiac(value: Any) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) != 1 or value not in ZODIAC:
        raise RequestError(
            "zodiac",
            Sentence(
                f"没有“{str(value)[:10]}”这个生肖，请用{'、'.join(ZODIAC)}中的一个字。",
                f"{str(value)[:10]!r} is not a zodiac animal; use one character of {ZODIAC}.",
            ),
        )
    return value


def _details(value: Any) -> tuple[str, ...]:
    if value in (None, ""):
        return ()
    if not isinstance(value, (list, tuple)):
        raise RequestError("details", Sentence("想提到的事应是一个列表。", "Facts must be a list."))
    # Empty fields of a form are no facts; a list of thousands is refused without folding every one.
    folded = tuple(text for text in (_text("detail", item) for item in value[:100]) if text)
    given = max(len(folded), len(value))
    if len(folded) > MOST_DETAILS or len(value) > 100:
        raise RequestError(
            "details",
            Sentence(
                f"想提到的事最多 {MOST_DETAILS} 件，现在有 {given} 件。挑最要紧的留下。",
                f"At most {MOST_DETAILS} facts; there are {given}. Keep the ones that matter most.",
            ),
        )
    return folded
