"""What a spreadsheet would run, made text, and text again what was made so.

A cell is live when its first character that shows is ``=``, ``+``, ``-`` or ``@``, in any width: OWASP, "CSV
Injection". A cell begins where the file says so, but also where a program takes another character for the separator
than the file does: what follows a comma, a semicolon, a tab or the end of a line is looked at too.
"""

import re

# What a program may drop before it looks at a cell: spaces of every kind and characters that do not show (categories Z
# and C of Unicode), but for the separators and the ends of lines; and quotes, where it has lost count of them.
_UNSEEN = (
    r"[\"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*"
)
# Excel reads the full-width forms as it does the others; the small forms are the same characters in NFKC.
_LIVE = r"[=+\-@＝＋－＠﹦﹢﹣﹫]"
_BEGINS = rf"(?:^(?={_UNSEEN}(?:{_LIVE}|[\t\r\n]))|(?<=[,;\t\r\n])(?={_UNSEEN}{_LIVE}))"
_DEFUSED = rf"(?:^'(?={_UNSEEN}(?:{_LIVE}|[\t\r\n]))|(?<=[,;\t\r\n])'(?={_UNSEEN}{_LIVE}))"
_IN_JSON = re.compile(f'(?<=[",;])({_UNSEEN})({_LIVE})')


def defused(cell: str) -> str:
    """``cell`` as no spreadsheet takes it for a formula: with an apostrophe before what would be one."""
    return re.sub(_BEGINS, "'", cell)


def restored(cell: str) -> str:
    """A cell as it was before :func:`defused`."""
    return re.sub(_DEFUSED, "", cell)


def defused_json(text: str) -> str:
    """JSON that says the same, with escapes for what would be live to a program that reads it as a table."""
    return _IN_JSON.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text)
