"""From nothing to a model in its place, on the tiny base: whole, tried, and continued wherever it was stopped."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.prompt import CHAT_TEMPLATE
from app.compose.sentence import ExplainedError, Sentence
from app.models.errors import Cancelled, ModelError
from app.models.folders import free_space
from app.models.gguf_file import read_header
from app.models.install import STEPS, InstalledModel, Progress, find_built, install
from app.models.manifest import Manifest, load_manifest
from app.models.sources import part_path
from app.models.verify import sha256_of, verify_model
from tests.index_server import IndexServer, write_index
from tests.models.manifests import REPOSITORY, base_of, write_manifest

# An installer of its own that says which step it has reached, and stays there to be killed.
_INSTALLER = """
import sys, threading
from pathlib import Path
from app.models.install import install
from app.models.manifest import load_manifest
manifest, folder, source, last = sys.argv[1:]
def stay():
    print("reached", flush=True)
    threading.Event().wait()
def progress(now):
    if now.step == last and now.step != "trial" and now.done:
        stay()
def trial(model):
    if last == "trial":
        stay()
install(Path(folder), load_manifest(Path(manifest)), source, progress=progress, cancelled=lambda: False, trial=trial)
"""


@pytest.fixture
def manifest(tmp_path: Path, tiny_base: Path, tiny_adapter: Path) -> Manifest:
    adapter = tmp_path / "微调 文件"
    shutil.copytree(tiny_adapter, adapter)
    return load_manifest(write_manifest(tmp_path / "manifest.yaml", base_of(tiny_base.read_bytes()), adapter))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "模型 文件夹" / "里面"


class Watched:
    """An installation that remembers what it was told and what it tried."""

    def __init__(self, folder: Path, manifest: Manifest, source: Path | str) -> None:
        self.folder, self.manifest, self.source = folder, manifest, str(source)
        self.told: list[Progress] = []
        self.tried: list[Path] = []

    @property
    def steps(self) -> list[str]:
        """The steps in the order they began."""
        return list(dict.fromkeys(progress.step for progress in self.told))

    def run(
        self,
        cancelled: Callable[[], bool] = lambda: False,
        free: Callable[[Path], int] = free_space,
        trial: Callable[[Path], None] = lambda model: None,
    ) -> InstalledModel:
        def tried(model: Path) -> None:
            self.tried.append(model)
            trial(model)

        return install(
            self.folder,
            self.manifest,
            self.source,
            progress=self.told.append,
            cancelled=cancelled,
            trial=tried,
            free_space=free,
        )


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"base/install.lock"}


WHOLE = {"base/base-q4_k_m.gguf", "tiny-q4_k_m.gguf", "tiny-q4_k_m.gguf.json"}


def test_from_a_file_to_a_model_in_its_place(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    watched = Watched(folder, manifest, tiny_base)
    final = folder / "tiny-q4_k_m.gguf"
    seen: list[bool] = []
    model = watched.run(trial=lambda candidate: seen.append(final.exists() or not candidate.exists()))
    assert seen == [False]  # tried before it had its name
    assert model == InstalledModel(final, sha256_of(final)) == find_built(folder, manifest)
    assert files(folder) == WHOLE
    assert watched.steps == list(STEPS)
    assert all(progress.sentence.zh and progress.sentence.en for progress in watched.told)
    header = verify_model(final, sha256=model.sha256)
    assert header.metadata["general.name"] == "小模型"
    assert header.metadata["tokenizer.chat_template"] == CHAT_TEMPLATE
    sidecar = json.loads((folder / "tiny-q4_k_m.gguf.json").read_text(encoding="utf-8"))
    assert sidecar["base_sha256"] == manifest.base.sha256 and sidecar["seed"] == 7
    assert sidecar["sha256"] == model.sha256 and sidecar["size"] == final.stat().st_size


def test_what_is_there_is_only_checked(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    first = Watched(folder, manifest, tiny_base).run()
    again = Watched(folder, manifest, "index")
    assert again.run() == first
    assert again.steps == ["check"] and again.tried == []


def test_a_step_is_not_told_more_often_than_anybody_sees(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    watched = Watched(folder, manifest, tiny_base)
    watched.run()
    assert len(watched.told) < 60


def test_from_the_package_index(
    tmp_path: Path, folder: Path, manifest: Manifest, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_index(tmp_path / "index", manifest.base, tiny_base.read_bytes())
    with IndexServer(tmp_path / "index") as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        model = Watched(folder, manifest, "index").run()
    assert verify_model(model.path, sha256=model.sha256)
    assert files(folder) == WHOLE


def test_the_vocabulary_is_trimmed_to_the_list(
    tmp_path: Path, folder: Path, manifest: Manifest, tiny_base: Path
) -> None:
    count = len(read_header(tiny_base).metadata["tokenizer.ggml.tokens"])
    listed = tmp_path / "vocabulary.txt"
    listed.write_text(f"# all but the padding\n0-{count - 65}\n", encoding="utf-8")
    model = Watched(folder, replace(manifest, vocabulary=listed), tiny_base).run()
    assert len(read_header(model.path).metadata["tokenizer.ggml.tokens"]) == count - 64


@pytest.mark.parametrize("ingredient", ["adapter", "config", "base", "seed", "metadata", "vocabulary", "sidecar"])
def test_a_model_of_other_ingredients_is_stale_and_built_again(
    tmp_path: Path, folder: Path, manifest: Manifest, tiny_base: Path, ingredient: str
) -> None:
    first = Watched(folder, manifest, tiny_base).run()
    source = tiny_base
    if ingredient == "adapter":
        path = manifest.adapter / "adapter_model.safetensors"
        content = bytearray(path.read_bytes())
        content[-2] ^= 1
        path.write_bytes(content)
    elif ingredient == "config":
        path = manifest.adapter / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"lora_alpha": 16}))
    elif ingredient == "base":
        source = tmp_path / "other.gguf"
        content = bytearray(tiny_base.read_bytes())
        content[-5] ^= 1
        source.write_bytes(content)
        manifest = replace(manifest, base=base_of(bytes(content)))
    elif ingredient == "seed":
        manifest = replace(manifest, built=replace(manifest.built, seed=8))
    elif ingredient == "metadata":
        manifest = replace(manifest, built=replace(manifest.built, metadata={"general.name": "新名字"}))
    elif ingredient == "vocabulary":
        listed = tmp_path / "vocabulary.txt"
        listed.write_text(f"0-{len(read_header(tiny_base).metadata['tokenizer.ggml.tokens']) - 1}\n", encoding="utf-8")
        manifest = replace(manifest, vocabulary=listed)
    else:
        (folder / "tiny-q4_k_m.gguf.json").write_text("{broken", encoding="utf-8")
    assert find_built(folder, manifest) is None
    watched = Watched(folder, manifest, source)
    there: list[bool] = []
    second = watched.run(trial=lambda model: there.append(first.path.exists()))
    assert there == [True]  # the old one stays until the new one takes its name
    assert second == find_built(folder, manifest)
    assert sha256_of(second.path) == second.sha256
    assert files(folder) == WHOLE


def test_a_damaged_model_is_built_again(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    model = Watched(folder, manifest, tiny_base).run()
    content = bytearray(model.path.read_bytes())
    content[-1] ^= 1
    model.path.write_bytes(content)
    watched = Watched(folder, manifest, "hub")  # nobody is asked: the base is still there
    assert watched.run() == model
    assert sha256_of(model.path) == model.sha256
    assert "download" not in watched.steps


def test_a_damaged_base_is_fetched_again(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    base = folder / "base" / manifest.base.file
    base.parent.mkdir(parents=True)
    base.write_bytes(tiny_base.read_bytes()[:-1] + b"\x99")
    Watched(folder, manifest, tiny_base).run()
    assert base.read_bytes() == tiny_base.read_bytes()


def test_a_wrong_file_stops_it_before_anything_is_built(folder: Path, manifest: Manifest, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.gguf"
    wrong.write_text("<html>")
    with pytest.raises(ModelError) as caught:
        Watched(folder, manifest, wrong).run()
    assert caught.value.code == "model_foreign"
    assert files(folder) == set()


@pytest.mark.parametrize("step", STEPS)
def test_stopped_in_any_step_it_goes_on_from_there(
    folder: Path, manifest: Manifest, tiny_base: Path, step: str
) -> None:
    stopped = Watched(folder, manifest, tiny_base)
    with pytest.raises(Cancelled):
        stopped.run(cancelled=lambda: step in stopped.steps)
    assert not (folder / manifest.built.file).exists()
    again = Watched(folder, manifest, tiny_base)
    model = again.run()
    assert sha256_of(model.path) == model.sha256
    assert files(folder) == WHOLE
    assert step != "trial" or "merge" not in again.steps


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("step", STEPS[1:])
def test_killed_in_any_step_it_goes_on_from_there(
    tmp_path: Path, folder: Path, manifest: Manifest, tiny_base: Path, step: str
) -> None:
    command = [sys.executable, "-c", _INSTALLER, str(tmp_path / "manifest.yaml"), str(folder), str(tiny_base), step]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == b"reached"
    child.kill()
    child.wait()
    child.stdout.close()
    assert not (folder / manifest.built.file).exists()
    assert find_built(folder, manifest) is None
    again = Watched(folder, manifest, tiny_base)
    model = again.run()
    assert sha256_of(model.path) == model.sha256
    assert files(folder) == WHOLE
    # What was finished is not done again.
    assert ("download" in again.steps) == (step == "download")
    assert ("merge" in again.steps) == (step != "trial")


def test_killed_between_the_two_names_it_is_only_checked(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    model = Watched(folder, manifest, tiny_base).run()
    (folder / "tiny-q4_k_m.gguf.json").rename(folder / "tiny-q4_k_m.new.gguf.json")
    assert find_built(folder, manifest) is None
    again = Watched(folder, manifest, tiny_base)
    assert again.run() == model == find_built(folder, manifest)
    assert again.steps == ["check"]
    assert files(folder) == WHOLE


def test_a_trial_that_fails_leaves_no_model(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    def refuse(model: Path) -> None:
        raise ExplainedError(Sentence("写不出来", "It does not write"))

    with pytest.raises(ExplainedError, match="写不出来"):
        Watched(folder, manifest, tiny_base).run(trial=refuse)
    assert files(folder) == {"base/base-q4_k_m.gguf"}
    assert find_built(folder, manifest) is None


def test_a_second_installer_is_told_about_the_first(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    trying, enough = threading.Event(), threading.Event()

    def slowly(model: Path) -> None:
        trying.set()
        enough.wait()

    first = threading.Thread(target=lambda: Watched(folder, manifest, tiny_base).run(trial=slowly))
    first.start()
    try:
        assert trying.wait(120)
        with pytest.raises(ModelError) as caught:
            Watched(folder, manifest, tiny_base).run()
        assert caught.value.code == "install_running"
        assert "正在安装" in caught.value.sentence.zh
    finally:
        enough.set()
        first.join()
    assert find_built(folder, manifest) is not None


def test_a_killed_installer_holds_nobody_up(tmp_path: Path, folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    command = [sys.executable, "-c", _INSTALLER, str(tmp_path / "manifest.yaml"), str(folder), str(tiny_base), "trial"]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline()
    with pytest.raises(ModelError) as caught:
        Watched(folder, manifest, tiny_base).run()
    assert caught.value.code == "install_running"
    child.kill()
    child.wait()
    child.stdout.close()
    Watched(folder, manifest, tiny_base).run()


def test_a_disk_too_small_is_said_before_anything_is_fetched(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    watched = Watched(folder, manifest, tiny_base)
    with pytest.raises(ModelError) as caught:
        watched.run(free=lambda where: 1_234_567)
    assert caught.value.code == "disk_full"
    assert "只剩 1 MB" in caught.value.sentence.zh and "1 MB left" in caught.value.sentence.en
    assert watched.steps == ["check"] and files(folder) == set()


def test_only_what_is_missing_has_to_fit(
    folder: Path, manifest: Manifest, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the first thing after the check, and it fails

    def needed(source: Path | str = "hub") -> int:
        """The least free space that does, found by what the sentence would say of none."""
        low, high = 0, 1 << 40
        while low < high:
            middle = (low + high) // 2
            try:
                Watched(folder, manifest, source).run(free=lambda where, size=middle: size)  # type: ignore[misc]
            except ModelError as error:
                if error.code == "disk_full":
                    low = middle + 1
                    continue
            high = middle
        return low

    base = folder / "base"
    nothing_there = needed()
    wrong = folder / "wrong.gguf"
    wrong.touch()
    assert needed(wrong) == manifest.base.size + 64_000_000  # a link to it takes no room
    part = part_path(manifest.base, base)
    part.write_bytes(tiny_base.read_bytes()[:100_000])
    assert nothing_there - needed() == 100_000
    assert nothing_there == 2 * manifest.base.size + 2 * manifest.base.pieces.size + 64_000_000  # type: ignore[union-attr]


def test_our_model_fits_into_three_gigabytes() -> None:
    manifest = load_manifest()
    assert manifest.base.pieces is not None
    # Base, wheel and its copy, the old model that is replaced, the new one.
    peak = manifest.base.size + 2 * manifest.base.pieces.size + 2 * manifest.built.size
    assert peak + 64_000_000 < 3_000_000_000


@pytest.mark.parametrize("missing", ["adapter_model.safetensors", "adapter_config.json"])
def test_an_adapter_that_is_not_there_is_said_at_once(
    folder: Path, manifest: Manifest, tiny_base: Path, missing: str
) -> None:
    (manifest.adapter / missing).unlink()
    watched = Watched(folder, manifest, tiny_base)
    with pytest.raises(ModelError) as caught:
        watched.run()
    assert caught.value.code == "adapter_missing" and missing in caught.value.sentence.zh
    assert watched.told == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, manifest: Manifest, tiny_base: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError) as caught:
        Watched(tmp_path / "file" / "models", manifest, tiny_base).run()
    assert caught.value.code in ("storage_failed", "folder_unwritable")


def test_other_unfinished_downloads_do_not_pile_up(folder: Path, manifest: Manifest, tiny_base: Path) -> None:
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "old-base.gguf.01234567.part").write_bytes(b"GGUF" * 100)
    part_path(manifest.base, folder / "base").write_bytes(b"GGUF" * 100)
    (folder / "base" / ".wheels" / "tmp1").mkdir(parents=True)
    (folder / "base" / ".wheels" / "tmp1" / "a.whl").write_bytes(b"PK")
    Watched(folder, manifest, tiny_base).run()
    assert files(folder) == WHOLE


def test_looking_whether_the_model_is_there_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom app.models.install import find_built, models_folder\n"
        "from app.models.manifest import load_manifest\nfind_built(models_folder(), load_manifest())\n"
        "print(*(name for name in ('numpy', 'gguf', 'huggingface_hub', 'filelock') if name in sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""
