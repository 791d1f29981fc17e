"""``publish`` as a person runs it, against a server on this machine that takes uploads as the Hub does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.adapter import WEIGHTS_FILE
from app.models.built import built_metadata, recipe, write_sidecar
from app.models.manifest import load_manifest
from app.models.merge import merge_model
from app.models.verify import sha256_of
from tests.hub_uploads import TOKEN, UploadServer
from tests.models.manifests import base_of, write_manifest
from tests.privacy.fence import run_fenced
from training.adapter_folder import FACTS_FILE
from training.errors import TrainingError
from training.merge import merge_and_quantize
from training.release import CARD, read_release

ROOT = Path(__file__).resolve().parents[2]
REPO = "someone/tiny"


@pytest.fixture(scope="module")
def built(tiny_base: Path, tiny_adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as ``python -m training merge`` makes it."""
    out = tmp_path_factory.mktemp("published") / "tiny.gguf"
    merge_and_quantize(tiny_base, tiny_adapter, out, vocabulary=None, seed=1, name="Tiny", type_name=None)
    return out


@pytest.fixture
def adapter(tmp_path: Path, tiny_adapter: Path, tiny_base: Path) -> Path:
    """The tiny adapter with its card and its facts, a figure, and what nobody should get."""
    folder = shutil.copytree(tiny_adapter, tmp_path / "adapter")
    hashes = {"base": {"sha256": sha256_of(tiny_base)}}
    (folder / FACTS_FILE).write_text(json.dumps(hashes), encoding="utf-8")
    named = f"{sha256_of(tiny_base)}\n{sha256_of(folder / WEIGHTS_FILE)}\n"
    (folder / CARD).write_text(f"---\nlicense: apache-2.0\n---\n# 拜年帖\n\n{named}", encoding="utf-8")
    (folder / "readings").mkdir()
    (folder / "readings" / "key.json").write_text("{}", encoding="utf-8")
    (folder / ".secret").write_text("not for anybody", encoding="utf-8")
    return folder


@pytest.fixture
def hub() -> Iterator[UploadServer]:
    with UploadServer() as server:
        yield server


def publish(
    hub: UploadServer, adapter: Path, model: Path, *more: str, token: str | None = TOKEN, repo: str = REPO
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = {name: value for name, value in environment.items() if not name.startswith("HF_")}
    environment |= {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(adapter.parent / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    environment |= {"HF_TOKEN": token} if token is not None else {}
    command = [sys.executable, "-m", "training", "publish", "--repo", repo, "--adapter", str(adapter)]
    command += ["--model", str(model), *more]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)


def refused(done: subprocess.CompletedProcess[str], hub: UploadServer, *words: str) -> None:
    """It ended with these words, without a traceback, and nothing was committed."""
    assert done.returncode == 1, done.stdout
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and TOKEN not in done.stdout + done.stderr
    assert not any(repository.commits for repository in hub.repositories.values())


def test_a_dry_run_says_what_would_go_and_asks_nobody(adapter: Path, built: Path, tmp_path: Path) -> None:
    files = ("--adapter", str(adapter), "--model", str(built))
    ran = run_fenced(["-m", "training", "publish", "--repo", REPO, *files], tmp_path, HF_TOKEN=TOKEN)
    done = ran.finished
    assert done.returncode == 0, done.stderr
    assert not ran.attempts
    for path in (adapter / WEIGHTS_FILE, adapter / CARD, built):
        line = next(line for line in done.stdout.splitlines() if line.endswith(f"  {path.name}"))
        assert sha256_of(path) in line and f"{path.stat().st_size:,}" in line
    assert "什么都没有上传" in done.stdout and "nothing was uploaded" in done.stdout and ".secret" not in done.stdout


def test_everything_arrives_in_one_commit(hub: UploadServer, adapter: Path, built: Path) -> None:
    done = publish(hub, adapter, built, "--yes")
    assert done.returncode == 0, done.stderr
    repository = hub.repositories[REPO]
    sent = {path.relative_to(adapter).as_posix(): path for path in adapter.rglob("*") if path.is_file()}
    del sent[".secret"]
    assert repository.files == {name: path.read_bytes() for name, path in {**sent, built.name: built}.items()}
    assert len(repository.commits) == 1 and sha256_of(adapter / WEIGHTS_FILE)[:12] in repository.commits[0]
    assert hub.asked["upload"] > 2, "the model went up in parts"
    assert f"{hub.address}/{REPO}/commit/" in done.stdout and "Published" in done.stdout

    uploads = hub.asked["upload"]
    (adapter / CARD).write_text((adapter / CARD).read_text(encoding="utf-8") + "\nmore\n", encoding="utf-8")
    assert publish(hub, adapter, built, "--yes").returncode == 0
    assert len(repository.commits) == 2 and repository.files[CARD].endswith(b"more\n")
    assert hub.asked["upload"] == uploads, "what is there is not sent again"


def test_a_line_cut_in_the_middle_of_a_file_is_taken_up(hub: UploadServer, adapter: Path, built: Path) -> None:
    hub.faults.cut_uploads = 1
    done = publish(hub, adapter, built, "--yes")
    assert done.returncode == 0, done.stderr
    assert hub.repositories[REPO].files[built.name] == built.read_bytes()


def test_a_line_that_stays_cut_changes_nothing_and_is_a_sentence(hub: UploadServer, adapter: Path, built: Path) -> None:
    hub.faults.cut_uploads = 1000
    refused(publish(hub, adapter, built, "--yes"), hub, "上传中断了", "never left half-changed")
    assert hub.repositories[REPO].files == {}
    hub.faults.cut_uploads = 0
    assert publish(hub, adapter, built, "--yes").returncode == 0


def test_without_a_token_nobody_is_asked(hub: UploadServer, adapter: Path, built: Path) -> None:
    refused(publish(hub, adapter, built, "--yes", token=None), hub, "没有找到 Hugging Face 的令牌", "hf auth login")
    assert not hub.asked


@pytest.mark.parametrize(
    ("token", "repo", "words"),
    [
        ("hf_" + "w" * 34, REPO, ("HTTP 401", "令牌不对或已过期", "the token is wrong")),
        (TOKEN, "somebody-else/tiny", ("HTTP 403", "不能写 somebody-else/tiny", "may not write")),
    ],
)
def test_a_token_that_will_not_do_is_a_sentence(
    hub: UploadServer, adapter: Path, built: Path, token: str, repo: str, words: tuple[str, ...]
) -> None:
    refused(publish(hub, adapter, built, "--yes", token=token, repo=repo), hub, *words)


def test_what_the_hub_will_not_have_is_said(hub: UploadServer, adapter: Path, built: Path) -> None:
    card = (adapter / CARD).read_text(encoding="utf-8")
    (adapter / CARD).write_text(card.replace("license: apache-2.0", "language: zh"), encoding="utf-8")
    refused(publish(hub, adapter, built, "--yes"), hub, "不肯收", '"license" is required')
    hub.faults.status = 404
    refused(publish(hub, adapter, built, "--yes"), hub, "HTTP 404", "请检查所有者的名字")
    hub.faults.says = b"<html>please log in</html>"
    refused(publish(hub, adapter, built, "--yes"), hub, "不像模型站", "HF_ENDPOINT may be wrong")


@pytest.mark.parametrize("repo", ["tiny", "a/b/c", "some one/tiny", ""])
def test_what_is_no_name_of_a_repository_is_said(hub: UploadServer, adapter: Path, built: Path, repo: str) -> None:
    refused(publish(hub, adapter, built, repo=repo), hub, "不是仓库名", "OWNER/NAME")


def test_a_missing_model_is_said_as_everywhere(hub: UploadServer, adapter: Path, tmp_path: Path) -> None:
    refused(publish(hub, adapter, tmp_path / "nothing.gguf", "--yes"), hub, "找不到模型文件")
    assert not hub.asked


def unfit(adapter: Path, model: Path) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        read_release(adapter, model, load_manifest())
    return caught.value


def test_a_card_of_another_adapter_is_refused(adapter: Path, built: Path) -> None:
    card = (adapter / CARD).read_text(encoding="utf-8")
    (adapter / CARD).write_text(card.replace(sha256_of(adapter / WEIGHTS_FILE), "0" * 64), encoding="utf-8")
    assert "没有权重的 SHA-256" in unfit(adapter, built).sentence.zh
    (adapter / CARD).unlink()
    assert "没有读得出来的说明卡" in unfit(adapter, built).sentence.zh


def test_facts_that_name_no_base_are_refused(adapter: Path, built: Path) -> None:
    for facts in ("{}", '{"base": 3}', '{"base": {"sha256": null}}', "["):
        (adapter / FACTS_FILE).write_text(facts, encoding="utf-8")
        assert "在哪个底座上训练的" in unfit(adapter, built).sentence.zh


def test_a_model_of_another_adapter_or_base_is_refused(
    adapter: Path, built: Path, tiny_base: Path, tiny_model: Path, tmp_path: Path
) -> None:
    assert "不是用这个 adapter 的底座" in unfit(adapter, tiny_model).sentence.zh, "nothing says what it is made of"
    other = tmp_path / "other.gguf"
    shutil.copy(adapter / WEIGHTS_FILE, tmp_path / "weights")
    with (adapter / WEIGHTS_FILE).open("r+b") as weights:
        weights.seek(-1, os.SEEK_END)
        weights.write(b"\x3f")
    merge_and_quantize(tiny_base, adapter, other, vocabulary=None, seed=1, name="Tiny", type_name=None)
    shutil.copy(tmp_path / "weights", adapter / WEIGHTS_FILE)
    assert "不是用这个 adapter 做出来的" in unfit(adapter, other).sentence.zh
    assert read_release(adapter, built, load_manifest()).files[-1].sha256 == sha256_of(built)


def test_a_model_the_program_built_fits_as_long_as_it_is_the_same(
    adapter: Path, tiny_base: Path, tmp_path: Path
) -> None:
    """The program records what it built from beside the file, not in it."""
    base = base_of(tiny_base.read_bytes())
    manifest = load_manifest(write_manifest(tmp_path / "manifest.yaml", base, adapter))
    model = tmp_path / manifest.built.file
    merge_model(tiny_base, adapter, model, vocabulary=None, seed=manifest.built.seed, metadata=built_metadata(manifest))
    write_sidecar(model, recipe(manifest), sha256_of(model))
    assert read_release(adapter, model, manifest).files[-1].name == model.name
    with model.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x7f")
    with pytest.raises(TrainingError, match="或者做出来以后变过"):
        read_release(adapter, model, manifest)
