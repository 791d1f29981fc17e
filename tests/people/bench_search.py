"""How long a search takes among 100,000 texts, with the index and reading every entry, and their ratio.

``python -m tests.people.bench_search [ENTRIES]``. The texts are those of training/corpus, each cut at a clause and
joined with the rest of another, so that words are as frequent as in greetings and no two texts are the same.
"""

import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.people.history import Draft, insert_written
from app.people.moment import milliseconds
from app.people.search import Filters, search
from app.people.store import Store, open_store
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


def median(action: Callable[[], object], times: int) -> float:
    """The median of an action's wall time, in milliseconds."""
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        action()
        spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent)


def main(entries: int) -> None:
    """Print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.sqlite3"
        store = open_store(path)
        begin = time.perf_counter()
        fill(store, entries)
        print(f"{entries:,} texts entered in {time.perf_counter() - begin:.1f} s, {path.stat().st_size / 1e6:.0f} MB")
        indexed = {name: median(lambda f=filters: search(store, f), 15) for name, filters in QUERIES.items()}
        store.close()
        begin = time.perf_counter()
        store = open_store(path)
        print(f"opened, with integrity check and backup, in {time.perf_counter() - begin:.1f} s")
        store.close()
        begin = time.perf_counter()
        store = open_store(path, full_text=False)
        print(f"opened without backup and index check in {time.perf_counter() - begin:.1f} s")
        for name, filters in QUERIES.items():
            scanned = median(lambda f=filters: search(store, f), 5)
            print(f"{name:38} {indexed[name]:8.2f} ms  scan {scanned:8.2f} ms  ratio {scanned / indexed[name]:7.1f}")
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
