"""The log: bounded, without a word of a person, and the place where a crash of the last time is found."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.engine.protocol import Died, Failed, Piece, Ready
from app.gui.log import CRASH_FILE, FILE, KEPT, LARGEST, TAIL, Log, log_engine, log_failed, log_unforeseen
from app.gui.models_process import Job, Refusal
from app.program import ROOT
from tests.gui.waiting import wait

SECRET = "王总的秘密"

CRASHING = """
import faulthandler, sys
from pathlib import Path
from app.gui.log import Log
Log(Path(sys.argv[1])).catch_crashes()
while not faulthandler.is_enabled():
    pass
faulthandler._sigsegv()
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(tmp_path / "data")
    opened.open()
    yield opened
    opened.close()


def text(log: Log, last: str) -> str:
    """What is in the file, once its last line is."""
    wait(lambda: last in log.tail(), f"{last} is written down")
    return log.tail()


def test_events_are_taken_down_without_what_they_quote(log: Log) -> None:
    told = Sentence(SECRET, SECRET)
    log_engine(Piece(1, 0, SECRET))
    log_engine(Failed(1, "internal", told, SECRET))
    log_engine(Failed(None, "model_damaged", told, SECRET))
    log_engine(Ready("CPU", Sentence("没有显卡", "no GPU"), "Tiny", 1_000, 0, 2, 4096, 0.5))
    log_engine(Died(-9, told, True))
    log_failed(Job("fetch", "base"), Refusal("hub_unreachable", told, SECRET))
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        log_unforeseen(ValueError, error, error.__traceback__)
    said = text(log, "ValueError")
    assert SECRET not in said
    for line in (
        "a text failed: internal",
        "the model is not opened: model_damaged",
        "engine ready: no GPU; 1000 parameters",
        "engine died (-9), restarting",
        "models fetch: hub_unreachable",
        "test_events_are_taken_down_without_what_they_quote",
    ):
        assert line in said, said


def test_an_exception_another_handler_has_told_in_full_is_still_without_its_message(log: Log) -> None:
    record = logging.LogRecord("app.any", logging.ERROR, __file__, 1, "it failed", None, None)
    try:
        raise ValueError(SECRET)
    except ValueError:
        record.exc_info = sys.exc_info()
    assert SECRET in logging.Formatter().format(record)
    logging.getLogger("app.any").handle(record)
    assert SECRET not in text(log, "ValueError")


def test_files_stay_bounded_and_few(log: Log, tmp_path: Path) -> None:
    lines = (KEPT + 3) * LARGEST // 1000
    for number in range(lines):
        logging.getLogger("app.any").info("line %d %s", number, "x" * 1000)
    text(log, f"line {lines - 1} ")
    log.close()
    files = sorted((tmp_path / "data").iterdir())
    assert [path.name for path in files] == [FILE, *(f"{FILE}.{number}" for number in range(1, KEPT + 1))]
    assert all(path.stat().st_size <= LARGEST for path in files)
    assert len(log.tail()) <= TAIL


def test_a_crash_is_found_by_the_next_start_and_told_once(log: Log, tmp_path: Path) -> None:
    log.close()
    folder = tmp_path / "crashed"
    died = subprocess.run([sys.executable, "-c", CRASHING, str(folder)], cwd=ROOT, capture_output=True)
    assert died.returncode != 0 and b"Fatal" not in died.stderr
    for _ in range(2):
        again = Log(folder)
        again.open()
        again.close()
    said = again.tail()
    assert said.count("the program crashed the last time") == 1 and "Segmentation fault" in said
    assert (folder / CRASH_FILE).read_text(encoding="utf-8") == ""


def test_a_folder_that_takes_no_log_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder would be", encoding="utf-8")
    log = Log(tmp_path / "data")
    log.open()
    logging.getLogger("app.any").error("nobody hears this")
    log.close()
    assert log.tail() == ""
