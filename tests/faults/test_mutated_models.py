"""Two hundred model files with something wrong with them: each is refused with a sentence or found out by its hash.

None takes down the process that looks at it first, the one that lists and imports models, nor makes it take memory the
file does not have. The engine opens them in limited memory. It may die of one whose hash nobody knows, and says so.
"""

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from app.compose.sentence import Sentence
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Failed, Ready
from app.models.errors import ModelError
from app.models.importing import inspect_model
from app.models.memory import Memory
from app.models.verify import sha256_of
from tests.engine.conftest import ENDLESS, PROMPT, Events, load
from tests.faults.limits import MortalEngine, engine_with
from tests.faults.mutations import MUTATIONS, Mutation, Whole
from tests.tally import Tally

KIND = "mutated files"
KIND_DEADLY = "engines that died of a mutated file while its hash was read"
KIND_WITHOUT_HASH = "mutated files that look whole, opened without their hash"
ENOUGH = 1 << 30  # bytes of address space for the engine: the tiny model needs a fraction
MOST_LOOKED_AT = 32 << 20  # bytes the process that looks at a file of two megabytes may take
ROOMY = Memory(1 << 40, 1 << 40)

Make = Callable[..., tuple[EngineClient, Events]]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def whole(tiny_model: Path) -> Whole:
    return Whole.of(tiny_model)


def mutated(mutation: Mutation, whole: Whole, folder: Path) -> Iterator[Path]:
    """Every file of a kind, one after the other under the same name; the same ones in each test."""
    path = folder / "模型.gguf"
    for number in range(MUTATIONS[mutation]):
        content = mutation(whole, Random(f"{mutation.__name__} {number}"), number)
        assert content != whole.content
        path.write_bytes(content)
        yield path


def assert_explained(sentence: Sentence) -> None:
    """Something a person can read, in both languages."""
    assert sentence.zh.endswith("。") and sentence.en.endswith(".")
    assert "Traceback" not in sentence.zh and "Error" not in sentence.en


def test_there_are_two_hundred() -> None:
    assert sum(MUTATIONS.values()) == 200


@pytest.fixture
def engines() -> Iterator[Callable[[], MortalEngine]]:
    """Starts engine processes in limited memory; each is killed at the end."""
    started: list[MortalEngine] = []

    def start() -> MortalEngine:
        started.append(MortalEngine(engine_with(ENOUGH)))
        return started[-1]

    yield start
    for engine in started:
        engine.process.kill()
        engine.process.wait()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_one_whose_hash_is_known_is_never_opened(
    engines: Callable[[], MortalEngine],
    client: Make,
    mutation: Mutation,
    whole: Whole,
    tmp_path: Path,
    tally: Tally,
) -> None:
    sha256 = sha256_of(whole.path)
    tally.count(KIND, "refused", 0)
    tally.count(KIND, "found out by their hash", 0)
    engine = engines()
    for path in mutated(mutation, whole, tmp_path):
        engine.send(load(path, sha256=sha256))
        answer = engine.events.until(Failed | Ready | Died)
        if isinstance(answer, Died):
            answer, engine = found_out_after_a_death(client, path, sha256), engines()
            tally.count(KIND_DEADLY, "found out by the next")
        assert isinstance(answer, Failed) and answer.job is None, answer
        assert_explained(answer.sentence)
        tally.count(KIND, "found out by their hash" if "SHA-256" in answer.detail else "refused")
    engine.send(load(whole.path, sha256=sha256))  # the process is none the worse for it
    engine.events.until(Ready)


def found_out_after_a_death(make: Make, path: Path, sha256: str) -> Failed:
    """What the client of an engine that dies of a file is told by the next one, which reads the file first."""
    engine, events = make(path, sha256=sha256, command=engine_with(ENOUGH))
    engine.start()
    died = events.until(Died)
    assert died.restarting
    failed = events.until(Failed)
    engine.close()
    assert "SHA-256" in failed.detail
    return failed


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_one_whose_hash_nobody_knows_takes_down_nothing_but_the_engine(
    client: Make, mutation: Mutation, whole: Whole, tmp_path: Path, tally: Tally
) -> None:
    for path in mutated(mutation, whole, tmp_path):
        if looks_whole(path):
            tally.count(KIND_WITHOUT_HASH, opened(client, path))
    tally.count(KIND, "crashes of the process that looks at them", 0)


def looks_whole(path: Path) -> bool:
    """Whether a file passes for a model, as far as its header tells; what is wrong is a sentence, and takes no memory
    to find out."""
    tracemalloc.start()
    try:
        inspect_model(path, ROOMY)
    except ModelError as error:
        assert_explained(error.sentence)
        return False
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < MOST_LOOKED_AT
    return True


def opened(client: Make, path: Path) -> str:
    """What comes of having something written with a file, as when it is imported."""
    engine, events = client(path, command=engine_with(ENOUGH))
    job = engine.write(PROMPT, 2, 7, ENDLESS, 8)
    engine.start()
    answer = events.until(Failed | Done | Died)
    engine.close()
    if isinstance(answer, Done):
        assert answer.job == job
        return "written with all the same"
    assert_explained(answer.sentence)
    died = isinstance(answer, Died) or answer.code == "engine_died"
    return "took the engine down, which was told" if died else "refused by the engine"
