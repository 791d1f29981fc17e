"""Two of everything at once: installers, engines, windows that change the record. Nothing is lost and nobody waits."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.client import EngineClient
from app.engine.protocol import Done, Failed, Finished, Ready
from app.models.built import find_built
from app.models.manifest import load_manifest
from app.models.registry import read_registry
from app.models.verify import sha256_of
from tests.engine.conftest import ENDLESS, PROMPT, Events
from tests.models.manifests import REPOSITORY, base_of, write_manifest
from tests.tally import Tally

ROUNDS = 4
WRITERS, CHANGES = 4, 15
ENDS = {"done": "installed, or found it installed", "install_running": "told to wait"}

# One of several processes that begin at the same moment: when their standard input is closed.
_INSTALLER = """
import json, sys
from pathlib import Path
from app.compose.sentence import ExplainedError
from app.models.install import install
from app.models.manifest import load_manifest
manifest, folder, source = sys.argv[1:]
loaded = load_manifest(Path(manifest))
print("here", flush=True)
sys.stdin.read()
try:
    install(Path(folder), loaded, source, progress=lambda now: None, cancelled=lambda: False, trial=lambda path: None)
    print(json.dumps(["done", ""]))
except ExplainedError as error:
    print(json.dumps([error.code, error.sentence.zh]))
"""
_WRITER = """
import sys
from pathlib import Path
from app.models.registry import Imported, change_registry
folder, name, times = sys.argv[1:]
print("here", flush=True)
sys.stdin.read()
for number in range(int(times)):
    model = Imported(f"{name}-{number}", name, "a.gguf", 1, "0" * 64, "", "qwen2", 1, False)
    change_registry(Path(folder), lambda registry: registry.with_model(model))
print("done")
"""

Make = Callable[..., tuple[EngineClient, Events]]

pytestmark = pytest.mark.timeout(600)


def at_once(code: str, arguments: list[list[object]]) -> list[str]:
    """Run a process for each list of arguments, all beginning at the same moment; the last line each says."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, *map(str, each)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for each in arguments
    ]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "here\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    said = []
    for process in started:
        assert process.stdout is not None
        said.append(process.stdout.read().strip())
        process.stdout.close()
        assert process.wait() == 0
    return said


def test_of_two_installers_one_installs_and_the_other_says_so(
    tiny_base: Path, tiny_adapter: Path, tmp_path: Path, tally: Tally
) -> None:
    path = write_manifest(tmp_path / "manifest.yaml", base_of(tiny_base.read_bytes()), tiny_adapter)
    manifest = load_manifest(path)
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        answers = [json.loads(said) for said in at_once(_INSTALLER, [[path, folder, tiny_base]] * 2)]
        codes = sorted(code for code, _ in answers)
        assert codes in (["done", "install_running"], ["done", "done"])
        assert all("正在安装模型" in sentence for code, sentence in answers if code == "install_running")
        installed = find_built(folder, manifest)
        assert installed is not None and sha256_of(installed.path) == installed.sha256
        assert not [*folder.rglob("*.part"), *folder.rglob("*.new.gguf*")]
        for code in codes:
            tally.count(
                "installers, two at once", {"done": "installed or found it installed"}.get(code, "told to wait")
            )


def test_what_several_windows_record_at_once_is_all_there(tmp_path: Path, tally: Tally) -> None:
    folder = tmp_path / "models"
    said = at_once(_WRITER, [[folder, f"writer{number}", CHANGES] for number in range(WRITERS)])
    assert said == ["done"] * WRITERS
    expected = {f"writer{writer}-{number}" for writer, number in itertools.product(range(WRITERS), range(CHANGES))}
    assert {model.id for model in read_registry(folder).imported} == expected
    tally.count("changes of the record, four at once", "all there", len(expected))


def test_two_engines_write_the_same_and_the_death_of_one_is_not_the_others(
    client: Make, tiny_model: Path, tally: Tally
) -> None:
    both = [client(tiny_model) for _ in range(2)]
    jobs = []
    for engine, _ in both:
        engine.start()
        jobs.append(engine.write(PROMPT, 3, 7, ENDLESS, 200))
    texts = []
    for (_, events), job in zip(both, jobs, strict=True):
        events.until(Done)
        texts.append({event.candidate: event.text for event in events.of(Finished) if event.job == job})
    assert texts[0] == texts[1]
    (first, _), (second, events) = both
    assert first.pid is not None and second.pid is not None and first.pid != second.pid
    again = second.write(PROMPT, 3, 7, ENDLESS, 200)
    first.close()
    events.until(Done)
    assert {event.candidate: event.text for event in events.of(Finished) if event.job == again} == texts[1]
    assert len(events.of(Ready)) == 1 and not events.of(Failed)
    tally.count("engines, two at once", "wrote the same", 2)
