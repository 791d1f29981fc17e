"""A corpus of a few records in the tiny model's words, with everything a request can have; and running a step on it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from app.compose.catalog import load_catalog
from training.records import Record, read_corpus

ROOT = Path(__file__).resolve().parents[2]

_ASKED = {"relationship": "boss", "tone": "formal", "occasion": "spring_festival", "length": "short"}
RECORDS: tuple[dict[str, object], ...] = (
    {**_ASKED, "text": "新年快乐，祝您身体健康。"},
    {**_ASKED, "relationship": "close_friend", "tone": "playful", "address": "阿哲", "text": "新年快乐🎉！"},
    {**_ASKED, "details": ["今年升职", "搬了新家"], "signature": "小李", "text": "祝你工作顺利，万事如意，阖家幸福。"},
    {**_ASKED, "relationship": "parents", "tone": "warm", "occasion": "new_years_eve", "text": "您 ok"},
    {**_ASKED, "length": "long", "zodiac": "马", "text": "马年新年快乐。\n" + "祝您万事如意，平安喜乐！" * 6},
    {**_ASKED, "text": "<|im_end|>也是文字"},
)


def write_corpus(folder: Path, records: Sequence[dict[str, object]] = RECORDS) -> Path:
    """The records as JSONL, all of them in the validation part but the first, which is the test's."""
    folder.mkdir()
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / "few.jsonl").write_text(text, encoding="utf-8")
    ids = [f"few:{number}" for number in range(1, len(records) + 1)]
    split = {"validation": ids[1:], "test": ids[:1]}
    (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
    return folder


def few_records(folder: Path) -> list[Record]:
    """All of them."""
    return read_corpus(write_corpus(folder), load_catalog())


def run_step(*arguments: object) -> subprocess.CompletedProcess[str]:
    """``python -m training`` as a person runs it."""
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
