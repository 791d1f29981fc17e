"""The type metrics of the tests, and real greetings."""

import json
import unicodedata
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "training" / "corpus"


class Squares:
    """A face whose Chinese characters are square and whose Latin ones are half as wide."""

    def advance(self, cluster: str) -> float:
        return 1.0 if unicodedata.east_asian_width(cluster[0]) in "WFA" else 0.5


@pytest.fixture(scope="session")
def metrics() -> Squares:
    return Squares()


@pytest.fixture(scope="session")
def greetings() -> list[str]:
    """Every greeting of the corpus."""
    lines = (line for path in sorted(CORPUS.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines())
    return [json.loads(line)["text"] for line in lines if line.strip()]


@pytest.fixture(scope="session")
def some_greetings(greetings: list[str]) -> list[str]:
    """One in sixteen of them, of every length and relationship."""
    return greetings[::16]
