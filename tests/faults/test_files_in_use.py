"""A model file that is removed, replaced or cut short while it is opened, used, fetched or taken in.

An engine that has opened it goes on with what it has. Nothing else is ever opened in its place, and what is kept under
a final name is what its record says.
"""

import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Failed, Finished, Loading, Piece
from app.models.errors import ModelError
from app.models.importing import import_model
from app.models.registry import read_registry
from app.models.sources import fetch_base, part_path
from app.models.verify import sha256_of
from tests.engine.conftest import ENDLESS, PROMPT, Events
from tests.hub_server import HubServer
from tests.models.manifests import HASTY, base_of
from tests.models.test_sources_hub import direct_line  # noqa: F401  a fixture for all tests here
from tests.tally import Tally

SEED = 20270206
OPENINGS = 24
MOST_DELAY = 0.005  # seconds between the first sign of loading and what happens to the file
LONG = 400  # tokens: a job that is not done when the file goes

Make = Callable[..., tuple[EngineClient, Events]]
Act = Callable[[Path], None]

pytestmark = pytest.mark.timeout(600)


def remove(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    """What another program does that writes it anew: the same file, shorter."""
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    """Another file of the same length takes its name."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    other = path.with_name("other")
    other.write_bytes(content)
    os.replace(other, path)


def remove_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


ACTS: tuple[Act, ...] = (remove, cut, replace)
# What the next start says of the file then.
FOUND = {remove: "model_missing", cut: "model_truncated", replace: "model_damaged"}


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A model file of this test's own."""
    path = tmp_path / "模型.gguf"
    path.write_bytes(tiny_model.read_bytes())
    return path


def ask(engine: EngineClient, most_tokens: int = 40) -> int:
    return engine.write(PROMPT, 2, 7, ENDLESS, most_tokens)


def texts(events: Events, job: int) -> dict[int, str]:
    return {event.candidate: event.text for event in events.of(Finished) if event.job == job}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_engine_goes_on_with_what_it_has_and_the_next_one_says_what_is_wrong(
    client: Make, model: Path, act: Act, tally: Tally
) -> None:
    sha256, whole = sha256_of(model), model.read_bytes()
    engine, events = client(model, sha256=sha256)
    engine.start()
    first = ask(engine, LONG)
    events.until(Done)
    expected = texts(events, first)
    second = ask(engine, LONG)
    events.until(Piece, lambda piece: piece.job == second)
    act(model)
    events.until(Done)
    assert texts(events, second) == expected
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    events.until(Died)
    waiting = ask(engine)
    failed = events.until(Failed)
    assert (failed.job, failed.code) == (None, FOUND[act]) and failed.sentence.zh.endswith("。")
    answered = events.until(Failed)
    assert (answered.job, answered.sentence) == (waiting, failed.sentence)
    model.unlink(missing_ok=True)
    model.write_bytes(whole)
    engine.start()
    third = ask(engine, LONG)
    events.until(Done)
    assert texts(events, third) == expected
    tally.count("files changed under an engine", "used to the end, found out at the next start, used again when whole")


def test_changed_at_any_moment_of_opening_it_is_opened_as_it_was_or_not_at_all(
    client: Make, model: Path, tally: Tally
) -> None:
    drawn = random.Random(SEED)
    sha256, whole = sha256_of(model), model.read_bytes()
    engine, events = client(model, sha256=sha256)
    engine.start()
    expected = texts(events, events.until(Done).job) if ask(engine) else {}
    engine.close()
    for number in range(OPENINGS):
        engine, events = client(model, sha256=sha256)
        job = ask(engine)
        engine.start()
        events.until(Loading)
        threading.Event().wait(drawn.random() * MOST_DELAY)
        ACTS[number % len(ACTS)](model)
        answer = events.until(Done | Failed | Died)
        engine.close()
        if isinstance(answer, Done):
            assert texts(events, job) == expected
            tally.count("files changed while they were opened", "opened as they had been")
        else:
            assert answer.sentence.zh.endswith("。")
            assert not isinstance(answer, Died), "the engine died of it"
            tally.count("files changed while they were opened", "refused")
        model.unlink(missing_ok=True)
        model.write_bytes(whole)


def reporting(act: Callable[[], None], at: int) -> Callable[[int, int, Sentence], None]:
    """Reports of progress, of which the first at so many bytes or more has something happen."""
    happened: list[int] = []

    def report(done: int, total: int, sentence: Sentence) -> None:
        if done >= at and not happened:
            happened.append(done)
            act()

    return report


@pytest.mark.parametrize("act", [remove, cut, remove_folder], ids=lambda act: act.__name__)
def test_what_happens_to_a_download_in_the_middle_never_makes_a_wrong_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Act, tally: Tally
) -> None:
    content = b"GGUF" + random.Random(SEED).randbytes(900_000)
    base, folder = base_of(content), tmp_path / "models"
    folder.mkdir()
    part = part_path(base, folder)

    with HubServer(base.repo, base.file, content) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        with pytest.raises(ModelError) as caught:
            fetch_base(base, folder, "hub", reporting(lambda: act(part), 300_000), lambda: False, HASTY)
        assert caught.value.sentence.zh.endswith("。")
        assert not (folder / base.file).exists()
        folder.mkdir(exist_ok=True)
        assert fetch_base(base, folder, "hub", lambda *_: None, lambda: False, HASTY).read_bytes() == content
    assert [path.name for path in folder.iterdir()] == [base.file]
    tally.count("downloads touched by another program", "explained, and whole at the next attempt")


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("copy", [True, False], ids=["copied", "in place"])
def test_what_happens_to_a_file_that_is_taken_in_is_told_or_does_no_harm(
    tiny_base: Path, tmp_path: Path, act: Act, copy: bool, tally: Tally
) -> None:
    theirs, folder = tmp_path / "theirs.gguf", tmp_path / "models"
    whole = tiny_base.read_bytes()
    # Weights nobody looks at, so that what happens comes in the middle.
    theirs.write_bytes(whole + bytes(4_000_000))

    def take_in(report: Callable[[int, int, Sentence], None] = lambda *_: None) -> None:
        import_model(
            folder,
            theirs,
            copy=copy,
            reserved=frozenset(),
            report=report,
            cancelled=lambda: False,
            trial=lambda path: None,
        )

    try:
        take_in(reporting(lambda: act(theirs), 2_000_000))
        outcome = "taken in as they had been"
    except ModelError as error:
        assert error.sentence.zh.endswith("。")
        outcome = "explained"
    for model in read_registry(folder).imported:
        path = model.path(folder)
        assert not copy or (path.stat().st_size, sha256_of(path)) == (model.size, model.sha256)
    tally.count("files changed while they were taken in", outcome)
    theirs.unlink(missing_ok=True)
    theirs.write_bytes(whole + bytes(4_000_000))
    take_in()
    (model,) = read_registry(folder).imported
    assert sha256_of(model.path(folder)) == model.sha256


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_not_waited_for(client: Make, model: Path, tmp_path: Path) -> None:
    model.unlink()
    os.mkfifo(model)
    engine, events = client(model)
    engine.start()
    assert events.until(Failed).code == "model_foreign"
    with pytest.raises(ModelError) as caught:
        import_model(
            tmp_path / "models",
            model,
            copy=False,
            reserved=frozenset(),
            report=lambda *_: None,
            cancelled=lambda: False,
            trial=lambda path: None,
        )
    assert caught.value.code == "model_foreign" and "不是" in caught.value.sentence.zh
