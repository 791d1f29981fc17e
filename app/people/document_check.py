"""Reading a JSON document somebody hands us: every value is checked before any is used.

Errors name the place as a program would, ``written[3].text``.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from app.compose.request import GreetingRequest
from app.compose.schema import key_fault
from app.compose.sentence import Sentence
from app.people.errors import StoreError
from app.people.moment import LATEST, milliseconds
from app.people.text import storable

T = TypeVar("T")

MOST_ENTRIES = 1_000_000  # in one list
_LONGEST_FIELD = 300  # characters; what a request holds is shorter, a model may have a file's name


def unusable(zh: str, en: str, detail: str = "") -> StoreError:
    """The document cannot be taken over, and why."""
    return StoreError(
        "unusable_document",
        Sentence(
            f"这个文件不能导入：{zh}。什么都没有改动。请用拜年帖导出的 JSON 文件。",
            f"This file cannot be imported: {en}. Nothing was changed. Use a JSON file exported by this program.",
        ),
        detail,
    )


def newer(version: int) -> StoreError:
    """The document has a format that only later versions of the program know."""
    return StoreError(
        "unusable_document",
        Sentence(
            f"这个文件是更新版本的拜年帖导出的（格式 {version}），这一版读不了。什么都没有改动。请先更新程序，再导入。",
            f"A newer version of this program exported this file (format {version}), which this one cannot read. "
            "Nothing was changed. Update the program, then import it.",
        ),
    )


def mapping(value: Any, keys: set[str], where: str) -> dict[str, Any]:
    """``value`` as a mapping with exactly these keys."""
    fault = key_fault(value, keys, keys, Sentence(where, where))
    if fault is not None:
        raise unusable(fault.zh[:200], fault.en[:200])
    return dict(value)


def entries(value: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    """``value`` as a list, each entry read by ``read(entry, its place)``."""
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise unusable(
            f"{where} 应是一个列表，最多 {MOST_ENTRIES:,} 项", f"{where} must be a list of at most {MOST_ENTRIES:,}"
        )
    return tuple(read(entry, f"{where}[{number}]") for number, entry in enumerate(value))


def text(value: Any, where: str, most: int = _LONGEST_FIELD) -> str:
    """``value`` as text of at most ``most`` characters."""
    if not isinstance(value, str) or len(value) > most:
        raise unusable(f"{where} 应是文字，最多 {most:,} 个字", f"{where} must be text of at most {most:,} characters")
    return storable(value)


def uid(value: Any, where: str) -> str:
    """``value`` as a name of a row, which is not empty."""
    name = text(value, where, 64)
    if not name:
        raise unusable(f"{where} 不能是空的", f"{where} must not be empty")
    return name


def optional_uid(value: Any, where: str) -> str | None:
    """``value`` as a name of a row, or None."""
    return None if value is None else uid(value, where)


def integer(value: Any, where: str, low: int = 0, high: int = 2**63 - 1) -> int:
    """``value`` as a whole number in a range."""
    if type(value) is not int or not low <= value <= high:
        raise unusable(f"{where} 应是 {low} 到 {high} 的整数", f"{where} must be a whole number from {low} to {high}")
    return value


def truth(value: Any, where: str) -> bool:
    """``value`` as true or false."""
    if type(value) is not bool:
        raise unusable(f"{where} 应是 true 或 false", f"{where} must be true or false")
    return value


def moment(value: Any, where: str) -> int:
    """``value``, ISO 8601 with a zone, as Unix milliseconds."""
    try:
        at = datetime.fromisoformat(text(value, where))
        if at.tzinfo is None:
            raise ValueError("no time zone")
        found = milliseconds(at)
    except (ValueError, OverflowError) as error:
        raise unusable(f"{where} 应是带时区的时间", f"{where} must be a time with its zone", str(error)) from error
    return integer(found, where, 0, LATEST)


def one_of(value: Any, choices: tuple[str, ...], where: str) -> str:
    """``value`` as one of ``choices``."""
    if value not in choices:
        raise unusable(f"{where} 应是 {'、'.join(choices)} 之一", f"{where} must be one of {', '.join(choices)}")
    return str(value)


def facts(value: Any, where: str) -> tuple[str, ...]:
    """``value`` as a list of short texts."""
    return tuple(fact.replace("；", "，") for fact in entries(value, where, text))


def greeting_request(value: Any, where: str) -> GreetingRequest:
    """``value`` as a request. Its ids are not looked up: an entry of the history may be older than the catalogue."""
    fields = mapping(value, set(GreetingRequest.__dataclass_fields__), where)
    details = facts(fields.pop("details"), f"{where}.details")
    return GreetingRequest(**{name: text(field, f"{where}.{name}") for name, field in fields.items()}, details=details)


def references(uids: set[str], found: str | None, where: str) -> str | None:
    """``found``, which must be one of ``uids`` or None."""
    if found is not None and found not in uids:
        raise unusable(f"{where} 指向的条目不在文件里", f"{where} names an entry that is not in the file")
    return found


def all_different(uids: list[str], where: str) -> set[str]:
    """``uids`` as a set, none of them being there twice."""
    if len(set(uids)) < len(uids):
        raise unusable(f"{where} 里有重复的 uid", f"{where} repeats a uid")
    return set(uids)
