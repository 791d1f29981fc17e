"""What is wrong with one record of a corpus, by ``training/corpus/GUIDE.md``. Pure: parsed JSON in, faults out.

Stricter than the guard (``app/compose/guard.py``), which judges what a model wrote: lengths are exact, and half-width
punctuation or a 你 to somebody who is 您 is not excused by a name. What the guard alone can see is asked of the guard.
A record that is wrong in one key is still judged by the others.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from app.compose import guard, lexicon
from app.compose.catalog import Catalog
from app.compose.request import ZODIAC, GreetingRequest, RequestError, make_request
from app.compose.schema import nearest
from app.compose.sentence import Sentence
from training.records import REQUEST_KEYS, REQUIRED_KEYS, request_fields

MOST_DETAILS = 2
DETAIL_LENGTH = (3, 20)  # characters
MOST_WISHES = 2  # 愿

_KEYS = REQUEST_KEYS | {"text"}
_TEXTS = ("relationship", "tone", "occasion", "length", "address", "zodiac", "signature", "text")
_ORDERED_KEYS = (*_TEXTS[:-1], "details", "text")
_EMOJI = r"[\U0001F300-\U0001FAFF☀-➿]\ufe0f?"
_CLOSED = re.compile(rf"(?:[。！？…～）”’」』》]|{_EMOJI})$")
_HALF_WIDTH = re.compile(r"[,;:!?()](?!\d)|[\"']|(?<=[\u4e00-\u9fff])\.")
_HEAPED = re.compile("(?:{0})[，、](?:{0})".format("万事如意|身体健康|阖家幸福"))  # as the guide names them
_ZODIAC_YEAR = re.compile(f"[{ZODIAC}]年")
_QUOTED = re.compile(r"“[^”]*”")
_FAMILIAR = re.compile("(?<!迷)你")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_JOINERS = "\u200d\ufe0f"  # emoji are put together with them

# Rules of the guard that are not stated more strictly here. Those left out have false alarms among hand-written texts:
# a fact told in other words, another festival named in passing.
_ASKED_OF_THE_GUARD = frozenset({"echo", "garbled", "uninvited_signature", "zodiac", "subject", "pronoun"})
_TONES_THAT_PLAY = ("humorous", "playful")  # there somebody may be quoted as saying 您


def shown(value: object) -> str:
    """A value out of a corpus fit to be printed: one line, clipped, nothing invisible."""
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__


def record_faults(raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Sentence]:
    """Every fault of one record, as clauses without a full stop."""
    yield from _key_faults(raw)
    yield from _type_faults(raw)
    yield from _id_faults(raw, catalog)
    yield from _request_faults(raw)
    yield from _prompt_faults(raw, catalog)
    text = raw.get("text")
    if not isinstance(text, str) or not text.strip():
        return
    yield from _form_faults(text)
    yield from _length_faults(text, raw, catalog)
    yield from _name_faults(text, raw)
    yield from _zodiac_faults(text, raw)
    yield from _word_faults(text)
    yield from _pronoun_faults(text, raw, catalog)
    yield from _guard_faults(text, raw, catalog)


def ids_of(catalog: Catalog) -> dict[str, list[str]]:
    """The ids each of the four chosen keys may have, in menu order."""
    return {
        "relationship": [each.id for each in catalog.relationships],
        "tone": [each.id for each in catalog.tones],
        "occasion": [each.id for each in catalog.occasions],
        "length": [each.id for each in catalog.lengths],
    }


def _key_faults(raw: Mapping[str, Any]) -> Iterator[Sentence]:
    for key in raw:
        if key not in _KEYS:
            near = nearest(key[:40], _KEYS)
            yield Sentence(f"不认识的键 {shown(key)}，最接近的是 {near}", f"unknown key, the nearest is {near}")
    for key in _ORDERED_KEYS:
        if key in REQUIRED_KEYS and key not in raw:
            yield Sentence(f"缺少 {key}", f"{key} is missing")


def _type_faults(raw: Mapping[str, Any]) -> Iterator[Sentence]:
    for key in _TEXTS:
        value = raw.get(key, "absent")
        if not isinstance(value, str):
            yield Sentence(f"{key} 应是文字，却是 {shown(value)}", f"{key} must be text")
        elif not value.strip():
            yield Sentence(f"{key} 是空的", f"{key} is empty")


def _id_faults(raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Sentence]:
    for key, known in ids_of(catalog).items():
        value = raw.get(key)
        if isinstance(value, str) and value.strip() and value not in known:
            near = nearest(value[:40], known)
            yield Sentence(f"{key} 里没有 {shown(value)}，最接近的是 {near}", f"unknown {key}, the nearest is {near}")


def _request_faults(raw: Mapping[str, Any]) -> Iterator[Sentence]:
    """The zodiac and the facts that were asked for."""
    zodiac = raw.get("zodiac", ZODIAC[0])
    if isinstance(zodiac, str) and zodiac.strip() and (len(zodiac) != 1 or zodiac not in ZODIAC):
        yield Sentence(f"没有 {shown(zodiac)} 这个生肖，应是{ZODIAC}中的一个字", f"zodiac must be one of {ZODIAC}")
    details = raw.get("details", ["无可挑剔"])
    low, high = DETAIL_LENGTH
    if not isinstance(details, list) or not 1 <= len(details) <= MOST_DETAILS:
        given = f"{len(details)} 件" if isinstance(details, list) else shown(details)
        yield Sentence(
            f"details 应是 1 到 {MOST_DETAILS} 件事的列表，却是 {given}",
            f"details must be a list of 1 to {MOST_DETAILS} facts",
        )
        details = details[:MOST_DETAILS] if isinstance(details, list) else []
    for detail in details:
        if not isinstance(detail, str):
            yield Sentence(f"details 里应是文字，却有 {shown(detail)}", "a fact must be text")
        elif not low <= len(detail) <= high:
            yield Sentence(
                f"details 的 {shown(detail)} 有 {len(detail)} 个字，应是 {low}–{high}",
                f"a fact has {len(detail)} characters, not {low} to {high}",
            )


def _prompt_faults(raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Sentence]:
    """That the prompt will hold what was asked for, neither too long for it nor folded into something else."""
    details = raw.get("details")
    facts = [detail for detail in details if isinstance(detail, str)] if isinstance(details, list) else []
    typed = [(key, raw[key]) for key in ("address", "signature") if isinstance(raw.get(key), str)]
    typed += [("details", detail) for detail in facts[:MOST_DETAILS] if len(detail) <= DETAIL_LENGTH[1]]
    for key, value in typed:
        fields = {"relationship": catalog.relationships[0].id, "tone": catalog.tones[0].id}
        try:
            request = make_request(catalog, {**fields, key: [value] if key == "details" else value})
        except RequestError as error:
            yield Sentence(error.sentence.zh.rstrip("。"), error.sentence.en.rstrip("."))
            continue
        read = "".join(request.details) if key == "details" else getattr(request, key)
        if read != value and value.strip():
            yield Sentence(
                f"{key} 的 {shown(value)} 在提示词里会变成 {shown(read)}", f"{key} reads otherwise in the prompt"
            )


def _form_faults(text: str) -> Iterator[Sentence]:
    spaces = {character for character in text if character.isspace()} - {" "}
    if text != text.strip() or spaces or "  " in text:
        yield Sentence("有多余的空白或换行", "stray white space")
    for character in sorted(set(text) - spaces - set(_JOINERS)):
        if unicodedata.category(character) in _INVISIBLE:
            yield Sentence(f"有看不见的字符 {character!a}", "an invisible character")
    if unicodedata.normalize("NFC", text) != text:
        yield Sentence("有字符不是 NFC 形式", "a character is not in NFC")
    if found := _HALF_WIDTH.search(text):
        yield Sentence(f"用了半角标点 {found[0]}", "half-width punctuation")


def _length_faults(text: str, raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Sentence]:
    for length in catalog.lengths:
        if length.id == raw.get("length") and not length.low <= len(text) <= length.high:
            yield Sentence(
                f"{length.zh}篇有 {len(text)} 个字，应是 {length.low}–{length.high}",
                f"{length.id} text has {len(text)} characters, not {length.low} to {length.high}",
            )


def _name_faults(text: str, raw: Mapping[str, Any]) -> Iterator[Sentence]:
    address, signature = raw.get("address"), raw.get("signature")
    if isinstance(address, str) and address not in text:
        yield Sentence(f"没有叫 {shown(address)}", "the address is not in the text")
    if isinstance(signature, str) and signature.strip():
        if not text.endswith("——" + signature):
            yield Sentence(f"没有以“——”和 {shown(signature)} 收尾", "the signature does not close the text")
    elif not _CLOSED.search(text):
        yield Sentence(f"结尾缺标点：{shown(text[-6:])}", "no closing punctuation")


def _zodiac_faults(text: str, raw: Mapping[str, Any]) -> Iterator[Sentence]:
    zodiac = raw.get("zodiac")
    if isinstance(zodiac, str) and len(zodiac) == 1 and zodiac in ZODIAC:
        if zodiac not in text:
            yield Sentence(f"没有提到{zodiac}", f"the {zodiac} is not in the text")
    elif not zodiac and (found := _ZODIAC_YEAR.search(text)):
        yield Sentence(f"没给生肖，却写了{found[0]}", "names a zodiac year that was not given")


def _word_faults(text: str) -> Iterator[Sentence]:
    for phrase in lexicon.CLICHES:
        if phrase in text:
            yield Sentence(f"套话“{phrase}”", "a cliché")
    if found := _HEAPED.search(text):
        yield Sentence(f"套话连成了串“{found[0]}”", "a string of clichés")
    for word in lexicon.TABOO:
        if word in text:
            yield Sentence(f"不吉利的“{word}”", "a taboo word")
    wishes = text.count("愿")
    if wishes > MOST_WISHES:
        yield Sentence(f"“愿”用了 {wishes} 次，最多 {MOST_WISHES} 次", f"愿 {wishes} times, at most {MOST_WISHES}")


def _pronoun_faults(text: str, raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Sentence]:
    for relationship in catalog.relationships:
        if relationship.id != raw.get("relationship") or relationship.pronoun != "您":
            continue
        # One's mother's own words may be quoted to one's father; nobody quotes a client to himself.
        spoken = _QUOTED.sub("", text) if relationship.id == "parents" else text
        if _FAMILIAR.search(spoken):
            yield Sentence(f"对{relationship.zh}用了“你”", "你 to somebody who is 您")


def _guard_faults(text: str, raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Sentence]:
    """What the app would hold against the text, of the rules named above."""
    try:
        request = make_request(catalog, request_fields(raw))
    except (RequestError, RecursionError):
        return  # its faults are told above
    for fault in guard.check(text, request, catalog):
        if fault.code in _ASKED_OF_THE_GUARD and not _told_already(fault, text, request, catalog):
            yield Sentence(fault.sentence.zh.rstrip("。"), fault.sentence.en.rstrip("."))


def _told_already(fault: guard.Fault, text: str, request: GreetingRequest, catalog: Catalog) -> bool:
    """Whether a rule above says the same, or the tone excuses it."""
    if fault.code == "zodiac":
        return request.zodiac not in text if request.zodiac else bool(_ZODIAC_YEAR.search(text))
    if fault.code == "pronoun":
        return catalog.relationship(request.relationship).pronoun == "您" or request.tone in _TONES_THAT_PLAY
    return False
