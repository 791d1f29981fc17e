"""``python -m app models`` as it is run: list, fetch, import, verify, use, remove, on tiny models."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.models.folders import models_folder
from app.models.inventory import chosen_model
from app.models.manifest import load_manifest
from app.models.sources import part_path
from app.models.verify import sha256_of
from tests.hub_server import HubServer
from tests.models.manifests import REPOSITORY, base_of, write_manifest
from tests.proxy_server import ProxyServer

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def manifest(tmp_path: Path, tiny_base: Path, tiny_adapter: Path) -> Path:
    return write_manifest(tmp_path / "清单 manifest.yaml", base_of(tiny_base.read_bytes()), tiny_adapter)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "模型 文件夹"


def models(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-m", "app", "models", *map(str, arguments)],
        cwd=REPOSITORY,
        env=clean | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
    )


@pytest.fixture
def run(manifest: Path, folder: Path) -> Run:
    """Runs one action with JSON; its last line."""

    def run(action: str, *arguments: object, code: int = 0, **environment: str) -> dict[str, Any]:
        answer = models(action, *arguments, "--json", "--folder", folder, "--manifest", manifest, **environment)
        assert (answer.returncode, answer.stderr) == (code, "")
        last: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
        assert last["zh"] and last["en"]
        return last

    return run


@pytest.fixture
def hub(manifest: Path, tiny_base: Path) -> Iterator[HubServer]:
    base = load_manifest(manifest).base
    with HubServer(base.repo, base.file, tiny_base.read_bytes()) as server:
        yield server


def entries(run: Run) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in run("list")["models"]}


def test_with_nothing_here_it_lists_what_can_be_fetched(run: Run, tiny_base: Path) -> None:
    found = entries(run)
    assert list(found) == ["tiny", "base"]
    assert {entry["state"] for entry in found.values()} == {"absent"}
    ours = found["tiny"]
    assert ours["tuned"] and ours["in_use"] and ours["download"] == tiny_base.stat().st_size and ours["here"] == 0
    assert ours["license"] == "MIT" and ours["good_for"]["zh"] and ours["memory"] > 0
    assert not found["base"]["tuned"]


def test_a_person_reads_a_line_for_each(manifest: Path, folder: Path, tiny_base: Path) -> None:
    models("import", tiny_base, "--in-place", "--folder", folder, "--manifest", manifest)
    answer = models("list", "--folder", folder, "--manifest", manifest, LC_ALL="zh_CN.UTF-8")
    assert answer.returncode == 0
    first, second, third = answer.stdout.splitlines()
    assert first.startswith("* tiny  小模型  (没有下载, ") and "微调过" in first
    assert "底座" in second and "没有微调" in second
    assert "Tiny" in third and "许可证未注明" in third and "可以用" in third


def test_the_base_alone_is_fetched_used_and_removed(run: Run, hub: HubServer, folder: Path, manifest: Path) -> None:
    direct = {"HF_ENDPOINT": hub.endpoint}
    assert run("fetch", "base", "--source", "hub", **direct)["type"] == "installed"
    assert entries(run)["base"]["state"] == "ready"
    assert run("use", "base").items() >= {"type": "used", "id": "base"}.items()
    chosen = chosen_model(folder, load_manifest(manifest))
    assert chosen is not None and chosen.path == folder / "base" / "base-q4_k_m.gguf"
    assert run("remove", "base", code=1)["code"] == "model_in_use"
    assert chosen.path.is_file()


def test_a_begun_download_is_listed_continued_and_shared(
    run: Run, hub: HubServer, folder: Path, manifest: Path
) -> None:
    base = load_manifest(manifest).base
    part = part_path(base, folder / "base")
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.content[:100_000])
    found = entries(run)
    assert {name: (entry["state"], entry["here"]) for name, entry in found.items()} == {
        "tiny": ("begun", 100_000),
        "base": ("begun", 100_000),
    }
    run("fetch", "base", "--source", "hub", HF_ENDPOINT=hub.endpoint)
    assert hub.downloads[-1].range == "bytes=100000-"
    # What is built needs no second download of what it is built from.
    assert entries(run)["tiny"]["here"] == entries(run)["tiny"]["download"]


def test_somebody_at_a_terminal_is_told_what_helps_there(manifest: Path, folder: Path) -> None:
    answer = models(
        *("fetch", "base", "--source", "hub", "--folder", folder, "--manifest", manifest),
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    assert answer.returncode == 1
    assert "连不上" in answer.stderr and "HF_ENDPOINT" in answer.stderr and "--source" in answer.stderr


def test_a_mirror_is_asked_when_the_hub_does_not_give_it(run: Run, hub: HubServer) -> None:
    hub_that_refuses = "http://127.0.0.1:9"
    run("fetch", "base", "--mirror", hub.endpoint, HF_ENDPOINT=hub_that_refuses)
    assert len(hub.downloads) == 1
    assert entries(run)["base"]["state"] == "ready"


def test_what_was_set_is_honoured_and_what_is_no_address_refused(
    run: Run, hub: HubServer, folder: Path, tmp_path: Path
) -> None:
    with ProxyServer() as proxy:
        folder.mkdir()
        settings = f"source: mirror\nmirror: {hub.endpoint}\nproxy: {proxy.address}\n"
        (folder / "fetching.yaml").write_text(settings, encoding="utf-8")
        run("fetch", "base")
        assert any("/resolve/" in address for address in proxy.asked)
        assert any("/cdn/" in address for address in proxy.asked)
        before = len(proxy.asked)
        shutil.rmtree(folder / "base")
        run("fetch", "base", "--proxy", "none")
        assert len(proxy.asked) == before
    assert run("fetch", "base", "--proxy", "socks5://127.0.0.1:1", code=1)["code"] == "proxy_unfit"
    assert run("fetch", "base", "--mirror", "镜像", code=1)["code"] == "mirror_unfit"
    (folder / "fetching.yaml").write_text("sauce: hub\n", encoding="utf-8")
    broken = run("fetch", "base", code=1)
    assert broken["code"] == "settings_broken" and "source" in broken["en"]


def test_a_mirror_that_is_not_set_is_said(run: Run) -> None:
    assert run("fetch", "base", "--source", "mirror", code=1)["code"] == "mirror_missing"


def test_import_copies_tries_and_records(run: Run, folder: Path, tiny_base: Path) -> None:
    done = run("import", tiny_base)
    assert done["type"] == "imported" and done["tuned"] is False and "没有为写祝福微调" in done["zh"]
    entry = entries(run)[done["id"]]
    copy = Path(entry["path"])
    assert copy.parent == folder / "imported" and copy.read_bytes() == tiny_base.read_bytes()
    assert (entry["state"], entry["kind"], entry["sha256"]) == ("ready", "imported", sha256_of(tiny_base))
    assert run("import", tiny_base)["id"] == done["id"], "the same file once more is the same model"
    assert run("verify")["ids"] == [done["id"]]
    run("remove", done["id"])
    assert not copy.exists() and done["id"] not in entries(run)


def test_import_in_place_leaves_the_persons_file_alone(
    run: Run, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "我的 模型.gguf"
    shutil.copy(tiny_model, mine)
    done = run("import", mine, "--in-place")
    assert done["tuned"] is True
    assert not (folder / "imported").exists()
    run("use", done["id"])
    run("use", "base", code=1)
    mine.rename(tmp_path / "moved.gguf")
    broken = entries(run)[done["id"]]
    assert broken["state"] == "broken" and "找不到" in broken["fault"]["zh"] and broken["in_use"]
    (tmp_path / "moved.gguf").rename(mine)
    with mine.open("ab") as file:
        file.write(b"more")
    assert "不是原来那个" in entries(run)[done["id"]]["fault"]["zh"]


def test_verify_finds_one_flipped_bit(run: Run, tiny_base: Path) -> None:
    done = run("import", tiny_base)
    copy = Path(entries(run)[done["id"]]["path"])
    content = bytearray(copy.read_bytes())
    content[-100] ^= 1
    copy.write_bytes(content)
    assert entries(run)[done["id"]]["state"] == "ready"
    damaged = run("verify", done["id"], code=1)
    assert damaged["code"] == "model_damaged" and copy.name in damaged["zh"]


def test_verify_reads_a_model_that_is_out_of_date_too(run: Run, folder: Path, manifest: Path, tiny_base: Path) -> None:
    built = load_manifest(manifest).built
    content = bytearray(tiny_base.read_bytes())
    folder.mkdir()
    sidecar = {"sha256": sha256_of(tiny_base), "size": len(content)}
    (folder / f"{built.file}.json").write_text(json.dumps(sidecar))
    (folder / built.file).write_bytes(content)
    assert entries(run)[built.id]["state"] == "stale"
    run("verify", built.id)
    content[-100] ^= 1
    (folder / built.file).write_bytes(content)
    assert run("verify", built.id, code=1)["code"] == "model_damaged"


def test_a_file_that_is_set_as_the_source_is_found_from_anywhere(run: Run, folder: Path) -> None:
    folder.mkdir()
    run("set", "--source", "my base.gguf")
    assert f"source: {REPOSITORY / 'my base.gguf'}" in (folder / "fetching.yaml").read_text(encoding="utf-8")
    run("set", "--source", "index")
    assert "source: index" in (folder / "fetching.yaml").read_text(encoding="utf-8")


def test_a_wrong_file_is_refused_and_nothing_is_left_of_it(run: Run, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.gguf"
    page.write_text("<html>")
    assert run("import", page, code=1)["code"] == "model_foreign"
    assert run("import", tmp_path / "nothing.gguf", code=1)["code"] == "model_missing"
    assert run("use", "nobody", code=1)["code"] == "model_unknown"
    assert not (folder / "imported").exists()


def test_compose_uses_the_model_that_was_chosen(
    run: Run, tiny_model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("import", tiny_model)
    run("use", done["id"])
    monkeypatch.setenv("BAINIANTIE_MODELS", str(folder))
    chosen = chosen_model(models_folder(), load_manifest())
    assert chosen is not None and chosen.path == folder / "imported" / f"{done['id']}.gguf"
    command = [sys.executable, "-m", "app", "compose", "--relationship", "boss", "--tone", "warm", "--json"]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", timeout=240)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["model"] == "Tiny"
