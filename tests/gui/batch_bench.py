"""A batch without a window: a real store behind a door that opens when told, and an engine that writes as told.

As a program, ``python -m tests.gui.batch_bench FILE SEED``, it writes the newest batch of FILE, and says of every row
what it was told, until it is killed or done.
"""

import os
import random
import re
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.compose.catalog import load_catalog
from app.compose.prompt import Segment
from app.compose.request import make_request
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Done, Finished, Sampling
from app.gui.batch_desk import Likes, News, Verdict
from app.gui.batch_session import BatchSession
from app.people.batch import RowFields, batches, rows_of
from app.people.store import Store, open_store

CATALOG = load_catalog()
# No pronoun, no animal, nothing that names a festival or a number.
_WORDS = (
    "山水云风花草木石桥灯茶饭汤面街巷院门窗帘书纸笔墨琴棋歌曲船帆河湖江海沙岸林叶枝果谷麦米豆糖盐布衣鞋帽伞钟琴鼓画"
)


def text_of(number: int, address: str = "") -> str:
    """A text without a fault, like no other of another number."""
    drawn = random.Random(number)
    body = "".join(drawn.choice(_WORDS) for _ in range(36))
    return f"{address or '老友'}，{body[:18]}，{body[18:]}。"


def rows(count: int, recipient: int | None = None, **fields: object) -> list[RowFields]:
    """Rows to write, for friends."""
    asked = {"relationship": "friend", "tone": "warm", **fields}
    return [RowFields(f"人{n}", make_request(CATALOG, {"address": f"友{n}"} | asked), recipient) for n in range(count)]


class SlowDoor:
    """Does what is asked of the store when :meth:`answer` is called: every order of events can be played."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._asked: deque[tuple[Any, ...]] = deque()

    def read(
        self,
        work: Callable[[Store], Any],
        answer: Callable[[Any], None],
        refuse: Callable[[ExplainedError], None] | None = None,
    ) -> None:
        self._asked.append((work, answer, refuse))

    def write(
        self,
        work: Callable[[Store], Any],
        answer: Callable[[Any], None] | None = None,
        refuse: Callable[[ExplainedError], None] | None = None,
    ) -> None:
        self._asked.append((work, answer, refuse))

    def answer(self) -> bool:
        """Everything asked so far, and by the answers; whether there was anything."""
        anything = bool(self._asked)
        while self._asked:
            self.answer_one()
        return anything

    def answer_one(self) -> None:
        """What was asked first."""
        work, answer, refuse = self._asked.popleft()
        try:
            value = work(self.store)
        except ExplainedError as error:
            assert refuse is not None
            refuse(error)
        else:
            if answer is not None:
                answer(value)


class Writer:
    """Takes orders for texts; :meth:`finish` delivers one."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, int, int]] = {}
        self.cancelled: list[int] = []
        self.count = 0

    def write(self, prompt: tuple[Segment, ...], draw: int, seed: int, sampling: Sampling, most_tokens: int) -> int:
        self.count += 1
        self.orders[self.count] = ("".join(segment.text for segment in prompt), draw, seed)
        return self.count

    def cancel(self, job: int) -> None:
        self.cancelled.append(job)
        self.orders.pop(job, None)

    def finish(self, session: BatchSession, job: int, texts: list[str]) -> None:
        """Deliver a whole job, the first text the likeliest."""
        del self.orders[job]
        for candidate, text in enumerate(texts):
            session.handle(Finished(job, candidate, text, len(text), -1.0 - candidate, "stop"))
        session.handle(Done(job, 1.0, 0.1, False))


def address_in(prompt: str) -> str:
    """The form of address a prompt asks for."""
    return re.split(r"\n|<\|", prompt.split("称呼：")[1])[0] if "称呼：" in prompt else ""


@dataclass
class Bench:
    """A session and everything around it."""

    store: Store
    door: SlowDoor
    writer: Writer
    session: BatchSession
    news: list[News] = field(default_factory=list)
    likes: dict[int, frozenset[int]] = field(default_factory=dict)
    faults: dict[int, tuple[Sentence, ...]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def begin(self, batch: int) -> None:
        self.session.open(batch, lambda rows: None)
        self.door.answer()
        self.session.start()
        self.door.answer()

    def write(self, job: int, *texts: str) -> None:
        """Deliver a job: these texts, or good ones."""
        prompt, draw, seed = self.writer.orders[job]
        given = list(texts) or [text_of(seed + n, address_in(prompt)) for n in range(draw)]
        self.writer.finish(self.session, job, given)
        self.door.answer()

    def write_all(self) -> None:
        while self.session.running:
            self.write(min(self.writer.orders))

    def states(self, batch: int) -> list[str]:
        return [row.state for row in rows_of(self.store, batch)]


def make_bench(store: Store) -> Bench:
    seeds = iter(range(1000, 1_000_000, 10))
    door, writer = SlowDoor(store), Writer()
    bench = Bench(store, door, writer, None)  # type: ignore[arg-type]

    def told(news: News | Likes | Verdict) -> None:
        if isinstance(news, News):
            bench.news.append(news)
        elif isinstance(news, Verdict):
            bench.faults[news.id] = news.faults
        else:
            bench.likes[news.id] = news.others

    bench.session = BatchSession(
        CATALOG,
        writer,
        door,
        sampling=Sampling(),
        seeds=lambda: next(seeds),
        told=told,
        moved=lambda: None,
        refused=lambda sentence, detail: bench.refusals.append(sentence.zh),
    )
    bench.session.set_drawing(Sampling(), "bainian")
    return bench


def main(path: Path, seed: int) -> None:
    """Write the newest batch; one line, in one write, for everything that was told."""
    store = open_store(path)
    door, writer = SlowDoor(store), Writer()
    drawn = random.Random(seed)

    def told(news: News | Likes | Verdict) -> None:
        if isinstance(news, News) and news.state == "written":
            os.write(1, f"{news.id} {news.written} {news.text}\n".encode())

    session = BatchSession(
        CATALOG,
        writer,
        door,
        sampling=Sampling(),
        seeds=lambda: drawn.randrange(1 << 31),
        told=told,
        moved=lambda: None,
        refused=lambda sentence, detail: sys.exit(str(sentence)),
    )
    os.write(1, b"open\n")
    session.open(batches(store)[0].id, lambda rows: None)
    session.start()
    door.answer()
    while session.running:
        job = drawn.choice(list(writer.orders))
        prompt, draw, of_job = writer.orders[job]
        writer.finish(session, job, [text_of(of_job + n, address_in(prompt)) for n in range(draw)])
        door.answer()
    store.close()
    os.write(1, b"done\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
