"""vCard files, as phones and address books export them, as a table of people.

Versions 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350): folded lines, groups, quoted parameters, QUOTED-PRINTABLE in any
encoding, photos of megabytes, a card that is cut off. Read are FN, N, NICKNAME, CATEGORIES, NOTE, ORG and TITLE.
RELATED is not: it says who is related to the person on the card, not how that person is related to the reader.

Ours, because the libraries tried would not do: vcard is AGPL; vobject 0.9.9 reads all of the above but for a card
that is cut off, which makes it give up every card after it, and takes time by the square of the lines a photo is
folded into: 11 seconds for one of 4.4 MB. To spare it both, one cuts, unfolds and filters the file first, and little
is left to read.
"""

import quopri
import re
from collections.abc import Iterator

from app.compose.sentence import Sentence
from app.people.table_text import LONGEST_CELL, MOST_ROWS, Line, Problem, Sheet

TITLES = ("姓名", "分组", "称呼", "备注")
_READ = ("FN", "N", "NICKNAME", "CATEGORIES", "NOTE", "ORG", "TITLE")
_HEAD = re.compile(r'(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"\n]*"|[^":\n])*)?):')
_NAME = re.compile(r"^(?:[A-Za-z0-9-]{1,40}\.)?([A-Za-z-]{1,40})[;:]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def looks_like_vcard(text: str) -> bool:
    """Whether a file's text begins as cards do."""
    return re.match(r"\s*BEGIN:VCARD\s", text, re.IGNORECASE) is not None


def read_cards(text: str, encoding: str) -> Sheet:
    """Every card as a row under :data:`TITLES`; what is wrong with a card is said with the line it begins in."""
    lines = [Line(0, TITLES)]
    problems: list[Problem] = []
    versions: set[str] = set()
    for number, card, ended in _cards(text):
        if len(lines) > MOST_ROWS:
            problems.append(_problem(number, f"最多导入 {MOST_ROWS:,} 张，从这里起没有加入。", "too many cards"))
            break
        properties = _properties(card)
        versions.update(properties.get("VERSION", ()))
        cells = _row(properties)
        if not cells[0]:
            problems.append(
                _problem(number, "名片没有姓名，没有加入。请补上再导出。", "this card has no name and was left out")
            )
        elif any(len(cell) > LONGEST_CELL or "\ufffd" in cell for cell in cells):
            problems.append(
                _problem(number, "名片有认不出或过长的内容，没有加入。请手工填。", "this card cannot be read; type it")
            )
        else:
            lines.append(Line(number, cells))
            if not ended:
                problems.append(
                    _problem(
                        number,
                        "名片没有写完，用了读到的部分，请看一眼。",
                        "it is cut off; what is there was used",
                    )
                )
    kind = "vCard " + "、".join(sorted(versions)[:3]) if versions else "vCard"
    return Sheet(Sentence(f"{kind}，{encoding}", f"{kind}, {encoding}"), tuple(lines), tuple(problems))


def _cards(text: str) -> Iterator[tuple[int, list[str], bool]]:
    """Line number, logical lines of the properties we read, and whether the card was ended."""
    card: list[str] | None = None
    start = 0
    keep = False  # whether the property the next folded line belongs to is one we read
    quoted = False  # whether it is QUOTED-PRINTABLE, and goes on after a "=" at the end of a line
    size = 0
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        upper = line[:12].strip().upper()
        if upper == "BEGIN:VCARD":
            if card is not None:
                yield start, card, False
            card, start, keep = [], number, False
        elif upper == "END:VCARD" and card is not None:
            yield start, card, True
            card = None
        elif card is None or (not keep and line[:1] in (" ", "\t")):
            continue
        elif keep and quoted and card[-1].endswith("="):
            size += len(line)
            if size <= 4 * LONGEST_CELL:
                card[-1] = card[-1][:-1] + line.lstrip(" \t")
        elif keep and line[:1] in (" ", "\t"):
            size += len(line)
            if size <= 4 * LONGEST_CELL:
                card[-1] += line[1:]
        else:
            name = _NAME.match(line)
            keep = name is not None and name[1].upper() in (*_READ, "VERSION")
            quoted = "QUOTED-PRINTABLE" in line[:200].upper()
            size = len(line)
            if keep:
                card.append(line[: 4 * LONGEST_CELL])
    if card is not None:
        yield start, card, False


def _properties(card: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in card:
        head = _HEAD.match(line)
        if head is None:
            continue
        parameters, value = head[2].upper(), line[head.end() :]
        if "QUOTED-PRINTABLE" in parameters:
            charset = re.search(r"CHARSET=\"?([\w-]+)", parameters)
            value = _decoded(quopri.decodestring(value.encode("utf-8", "replace")), charset[1] if charset else "UTF-8")
        found.setdefault(head[1].upper(), []).append(value)
    return found


def _decoded(value: bytes, charset: str) -> str:
    # GB2312 and GBK are parts of GB18030, and phones say the one when they mean another.
    name = "gb18030" if charset.startswith("GB") else charset
    try:
        return value.decode(name, "replace")
    except (LookupError, UnicodeError):  # no encoding, or one that is not for texts
        return value.decode("utf-8", "replace")


def _row(properties: dict[str, list[str]]) -> tuple[str, ...]:
    def first(name: str) -> str:
        return next((text for value in properties.get(name, ()) if (text := _plain(value))), "")

    work = " ".join(filter(None, (_plain(value).replace(";", " ") for value in properties.get("ORG", ())[:1])))
    notes = " · ".join(filter(None, (first("NOTE"), work.strip(), first("TITLE"))))
    categories = ",".join(map(_plain, properties.get("CATEGORIES", ())))
    nickname = re.split(r"(?<!\\),", next(iter(properties.get("NICKNAME", ())), ""))[0]
    return (first("FN") or _name(next(iter(properties.get("N", ())), "")), categories, _plain(nickname), notes)


def _name(value: str) -> str:
    """N is family; given; further; before; after. A Chinese name is written together, family first."""
    parts = [_plain(part) for part in re.split(r"(?<!\\);", value)] + [""] * 3
    family, given, further = parts[:3]
    if _CHINESE.search(family + given):
        return family + further + given
    return " ".join(filter(None, (given, further, family)))


def _plain(value: str) -> str:
    escapes = {"n": "\n", "N": "\n"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), value).strip()


def _problem(number: int, zh: str, en: str) -> Problem:
    return Problem(number, Sentence(f"第 {number} 行：{zh}", f"Line {number}: {en}."))
