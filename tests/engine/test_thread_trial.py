"""The number of threads: measured on a real model, chosen with sense, remembered, and never felt in a text."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.batch import Batch
from app.engine.opening import Opening
from app.engine.protocol import Finished, Write
from app.engine.runtime import Runtime
from app.engine.thread_record import VALID_SECONDS, record_file, record_threads, recorded_threads
from app.engine.thread_trial import ThreadTrial, fewest_of_the_fastest, needed_trial
from app.engine.threads import counts_worth_trying, usable_cores
from tests.engine.conftest import PROMPT, load, write


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


@pytest.fixture
def runtime(tiny_model: Path) -> Iterator[Runtime]:
    opened, *_ = Opening(load(tiny_model), lambda *_: None, lambda: False).run()
    yield opened
    opened.close()


def texts(runtime: Runtime, job: Write) -> list[Finished]:
    batch, found = Batch(runtime), []
    batch.begin(job)
    while batch.busy:
        found += [event for event in batch.step() if isinstance(event, Finished)]
    return sorted(found, key=lambda event: event.candidate)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({1: [2.0, 2.1, 2.0], 2: [1.0, 1.0, 1.1]}, 2),
        ({1: [1.01, 1.0, 1.0], 2: [1.0, 1.0, 1.0]}, 1),  # the second core is the window's
        ({4: [1.0, 1.0, 1.0], 7: [0.9, 0.9, 0.9], 8: [0.89, 0.9, 0.9], 16: [1.4, 1.4, 1.4]}, 7),
        ({1: [1.0, 1.0, 1.0], 2: [0.6, 1.3, 1.4]}, None),  # something else was running
    ],
)
def test_the_fewest_of_the_fastest_are_chosen(seconds: dict[int, list[float]], expected: int | None) -> None:
    assert fewest_of_the_fastest(seconds) == expected


def test_every_number_of_threads_writes_the_same_to_the_last_bit(runtime: Runtime) -> None:
    found = []
    for count in (1, 2, 3):
        runtime.use_threads(count)
        found.append(texts(runtime, write(draw=9, most_tokens=8)))
    assert found[0] == found[1] == found[2]


def test_a_trial_measures_each_number_and_leaves_the_runtime_as_it_was(runtime: Runtime) -> None:
    expected = texts(runtime, write(draw=3))
    trial = ThreadTrial(runtime, (1, 2), "tiny")
    steps = 0
    while not trial.over:
        trial.step()
        steps += 1
    trial.end()
    assert steps >= 6 and runtime.threads in (1, 2)
    assert recorded_threads("tiny", (1, 2)) in (None, runtime.threads)  # None where the times were not steady
    assert texts(runtime, write(draw=3)) == expected


def test_a_trial_given_up_remembers_nothing(runtime: Runtime) -> None:
    trial = ThreadTrial(runtime, (1, 2), "tiny")
    trial.step()
    trial.step()
    trial.give_up()
    assert trial.over
    trial.end()
    assert runtime.threads == 1 and recorded_threads("tiny", (1, 2)) is None
    assert len(texts(runtime, write(draw=3, prompt=PROMPT))) == 3


def test_a_number_that_was_found_is_used_from_the_next_start_on(tiny_model: Path) -> None:
    asked = load(tiny_model, threads=None, sha256=None)
    counts = counts_worth_trying()
    if len(counts) == 1:
        pytest.skip("one processor: there is no choice")
    for expected, choice in ((usable_cores(), None), (counts[0], counts[0]), (counts[-1], counts[-1])):
        if choice is not None:
            record_threads(str(tiny_model), counts, choice)
        opened, *_ = Opening(asked, lambda *_: None, lambda: False).run()
        assert opened.threads == expected
        assert (needed_trial(asked, opened) is None) == (choice is not None)
        assert needed_trial(load(tiny_model, threads=1), opened) is None
        opened.close()


def test_what_is_remembered_is_of_this_model_these_cores_and_not_for_ever() -> None:
    record_threads("one", (1, 2), 2)
    record_threads("other", (1, 2), 1)
    assert (recorded_threads("one", (1, 2)), recorded_threads("other", (1, 2))) == (2, 1)
    assert recorded_threads("one", (1, 2, 4)) is None and recorded_threads("third", (1, 2)) is None
    entries = json.loads(record_file().read_text(encoding="utf-8"))
    for entry in entries.values():
        entry["measured"] = time.time() - VALID_SECONDS - 1
    record_file().write_text(json.dumps(entries), encoding="utf-8")
    assert recorded_threads("one", (1, 2)) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"one": 3}', "null", "[" * 100_000, '{"a": {"threads": "many"}}'])
def test_a_damaged_record_is_as_good_as_none(content: str) -> None:
    record_file().parent.mkdir(parents=True, exist_ok=True)
    record_file().write_text(content, encoding="utf-8")
    assert recorded_threads("one", (1, 2)) is None
    record_threads("one", (1, 2), 2)
    assert recorded_threads("one", (1, 2)) == 2


def test_a_place_that_cannot_be_written_is_no_error(cache: Path) -> None:
    record_file().parent.parent.mkdir(parents=True, exist_ok=True)
    record_file().parent.write_text("a file where the folder should be", encoding="utf-8")
    record_threads("one", (1, 2), 2)
    assert recorded_threads("one", (1, 2)) is None


def test_the_record_stays_small() -> None:
    for number in range(50):
        record_threads(str(number), (1, 2), 1)
    assert len(json.loads(record_file().read_text(encoding="utf-8"))) == 20
    assert recorded_threads("49", (1, 2)) == 1 and recorded_threads("0", (1, 2)) is None
