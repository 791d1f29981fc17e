"""How long a search takes among 100,000 texts, and what SQL's own LIKE '%…%' takes for the same in the same run.

``python -m tests.people.bench_search [ENTRIES]``. Printed of each query are the medians of both, asked in turns, and
their ratio; the last column is the program's own search without its index, which reads every entry. The texts are those
of training/corpus, each cut at a clause and joined with the rest of another, so that words are as frequent as in
greetings and no two texts are the same.
"""

import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.people.history import Draft, insert_written
from app.people.moment import milliseconds
from app.people.search import PAGE, Filters, search
from app.people.store import Store, open_store
from app.people.text import words
from tests.people.conftest import request

CORPUS = Path(__file__).resolve().parents[2] / "training" / "corpus"
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
QUERIES = {
    "one character, everywhere": Filters("年"),
    "one character, rare": Filters("鳄"),
    "two characters, frequent": Filters("新年"),
    "two characters, rare": Filters("糖瓜"),
    "two characters, nowhere": Filters("鳄鱼"),
    "four characters": Filters("花灯满街"),
    "two words": Filters("元宵 阳台"),
    "frequent word in a year without any": Filters("年", year=2020),
    "frequent word on a rare occasion": Filters("新", occasion="lantern_festival"),
    "favourites": Filters("年", favourites=True),
    "no query": Filters(),
}


def corpus_texts() -> list[str]:
    """Every text of the corpus."""
    return [
        json.loads(line)["text"]
        for file in sorted(CORPUS.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def fill(store: Store, entries: int) -> None:
    """Put that many texts in, over three years."""
    drawn = random.Random(1)
    halves = [
        (text[: cut.end()], text[cut.end() :]) for text in corpus_texts() if (cut := re.search("[，。！？]", text))
    ]
    days = [request(occasion=occasion) for occasion in ("spring_festival",) * 19 + ("lantern_festival",)]
    with store.writing() as connection:
        for number in range(entries):
            text = drawn.choice(halves)[0] + drawn.choice(halves)[-1]
            at = milliseconds(BEGIN + timedelta(minutes=15 * number))
            draft = Draft(drawn.choice(days), text, "bainian-1.5b", number, favourite=drawn.random() < 0.01)
            insert_written(store, connection, draft, at)


def like(store: Store, filters: Filters) -> Sequence[object]:
    """What a program without an index would ask: the newest entries in which every word stands."""
    sought = words(filters.query)
    conditions = ["deletion IS NULL", *["searchable LIKE ?"] * len(sought)]
    values: list[object] = [f"%{word}%" for word in sought]
    for column, value in (("year", filters.year), ("occasion", filters.occasion), ("favourite", filters.favourites)):
        if value:
            conditions.append(f"{column} = ?")
            values.append(value)
    with store.reading() as connection:
        return connection.execute(
            f"SELECT * FROM written WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?", (*values, PAGE + 1)
        ).fetchall()


def in_turns(actions: Sequence[Callable[[], object]], times: int) -> list[float]:
    """The medians of the actions' wall times, in milliseconds, each done once in every turn."""
    spent: list[list[float]] = [[] for _ in actions]
    for _ in range(times):
        for action, times_of in zip(actions, spent, strict=True):
            begin = time.perf_counter()
            action()
            times_of.append((time.perf_counter() - begin) * 1000)
    return [statistics.median(each) for each in spent]


def main(entries: int) -> None:
    """Print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.sqlite3"
        store = open_store(path)
        begin = time.perf_counter()
        fill(store, entries)
        print(f"{entries:,} texts entered in {time.perf_counter() - begin:.1f} s, {path.stat().st_size / 1e6:.0f} MB")
        store.close()
        begin = time.perf_counter()
        store = open_store(path)
        print(f"opened, with integrity check and backup, in {time.perf_counter() - begin:.1f} s")
        unindexed = replace(store, full_text=False)
        print(f"{'':38}{'search':>11}{'LIKE':>11}{'ratio':>9}{'no index':>11}")
        ratios = []
        for name, filters in QUERIES.items():
            searches = (
                lambda f=filters: search(store, f),
                lambda f=filters: like(store, f),
                lambda f=filters: search(unindexed, f),
            )
            found, scanned, read = in_turns(searches, 7)
            ratios.append(scanned / found)
            print(f"{name:38}{found:8.2f} ms{scanned:8.2f} ms{ratios[-1]:9.1f}{read:8.2f} ms")
        print(f"LIKE / search, geometric mean of {len(ratios)} queries: {statistics.geometric_mean(ratios):.1f}")
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
