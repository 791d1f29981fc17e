"""A table of 2,000 rows of every bad kind, and what is to be said of each of its lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

TITLES = "姓名,关系,称呼,想提到的事"
ROWS = 2000
TEN_MEGABYTES = 10 << 20


@dataclass(frozen=True)
class Answer:
    """What becomes of the row that begins in a line: the name it is added under, and a word of what is said of it."""

    line: int
    name: str | None
    said: str = ""


Kind = Callable[[int], tuple[bytes, str | None, str]]


def _row(text: str, name: str | None, said: str = "") -> tuple[bytes, str | None, str]:
    return text.encode(), name, said


KINDS: tuple[Kind, ...] = (
    lambda n: _row(f"人{n},同事,称{n},刚搬了家", f"人{n}"),
    lambda n: _row(f'"人{n},同事,,', None, "引号没有成对"),
    lambda n: _row(f'"人{n}"x,同事,,', None, "引号没有成对"),
    lambda n: (f"赵强{n},老板,,".encode("gb18030"), None, "编码和别的行不一样"),
    lambda n: (f"José{n},friend,,".encode("latin-1"), None, "编码和别的行不一样"),
    lambda n: _row(f"=cmd|' /C calc'!A{n},客户,,=1+1", f"=cmd|' /C calc'!A{n}"),
    lambda n: _row(f"@SUM(A{n}),+1+1,-2,＝3", f"@SUM(A{n})", "关系“+1+1”对不上"),
    lambda n: _row(",同事,,", None, "没有姓名"),
    lambda n: _row("王芳,同事,,", None, "完全一样"),
    lambda n: _row(f"李雷,同事,称{n},", "李雷", "同名"),
    lambda n: _row(f"人{n},{'长' * 20_000},,", None, "特别长（20,000 个字）"),
    lambda n: _row(f"张\0\x07三{n}\u202e,同事,,", f"张三{n}"),
    lambda n: _row(f'"人{n}","同事","称""{n}""","升职\n搬家"', f"人{n}"),
    lambda n: _row(f"人{n}{',' * 300}", None, "301 格"),
    lambda n: _row(f"<b>人{n}</b><img src=x>,朋友,,", f"<b>人{n}</b><img src=x>"),
    lambda n: _row(f"人{n},外星人,,", f"人{n}", "关系“外星人”对不上"),
    lambda n: _row(f"人{n},同事,{'长' * 30},", f"人{n}", "称呼太长"),
    lambda n: _row(f"人{n},同事,,一；二；三；四", f"人{n}", "用了 2 件"),
    lambda n: _row(f"{'名' * 61},同事,,", None, "姓名太长"),
)


def hostile_table() -> tuple[bytes, list[Answer]]:
    """The file, mostly UTF-8, and the answers in the order of its lines."""
    contents, answers, line = [TITLES.encode()], [], 2
    for content, name, said in _rows():
        contents.append(content)
        answers.append(Answer(line, name, said))
        line += 1 + content.count(b"\n")
    return b"\n".join(contents), answers


def _rows() -> Iterator[tuple[bytes, str | None, str]]:
    yield _row("王芳,同事,,", "王芳")
    yield _row("李雷,同事,,", "李雷")
    yield b"x" * TEN_MEGABYTES + ",同事,,".encode(), None, "特别长（10,485,760 个字）"
    for number, kind in zip(range(ROWS - 3), cycle(KINDS), strict=False):
        yield kind(number)
