"""A disk that is full, one that is read-only, a folder that is forbidden, a file system that takes no large file.

What was done is kept, nothing wrong has its final name, and the sentence says what to do; with room it goes on.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.models.manifests import REPOSITORY, base_of, write_manifest
from tests.tally import Tally

# A disk nobody else sees, mounted by whoever may; it is gone with the process.
DISK_OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--mount")
# What the superuser may do that permissions forbid.
OVERRIDES = "-dac_override,-dac_read_search"
# What of an unfinished installation is there to go on from, besides what is whole.
RESUMABLE = {"base/base-q4_k_m.gguf", "tiny-q4_k_m.new.gguf", "tiny-q4_k_m.new.gguf.json"}
WHOLE = {"base/base-q4_k_m.gguf", "tiny-q4_k_m.gguf", "tiny-q4_k_m.gguf.json"}

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="mounts and permissions as Linux has them"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def manifest(tmp_path: Path, tiny_base: Path, tiny_adapter: Path) -> Path:
    return write_manifest(tmp_path / "manifest.yaml", base_of(tiny_base.read_bytes()), tiny_adapter)


def attempts(mode: str, manifest: Path, base: Path, folder: Path, prefix: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What the child tells of every attempt; its standard output is a pipe, which no limit on files touches."""
    folder.mkdir(exist_ok=True)
    command = [*prefix, sys.executable, "-m", "tests.faults.disk_child", mode, manifest, base, folder]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", timeout=580, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def on_its_own_disk(mode: str, manifest: Path, base: Path, folder: Path) -> list[dict[str, Any]]:
    small = [*DISK_OF_ITS_OWN, "mount", "-t", "tmpfs", "tmpfs", str(folder.parent)]
    if not shutil.which("unshare") or subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    return attempts(mode, manifest, base, folder, DISK_OF_ITS_OWN)


def assert_refused(attempt: dict[str, Any], code: str, words: str) -> None:
    assert attempt["code"] == code, attempt
    assert words in attempt["zh"] and attempt["zh"].endswith("。") and attempt["en"].endswith(".")


def test_what_does_not_fit_is_said_kept_and_finished_with_more_room(
    manifest: Path, tiny_base: Path, tmp_path: Path, tally: Tally
) -> None:
    told = on_its_own_disk("full", manifest, tiny_base, tmp_path / "盘")
    refused = [pair["first"] for pair in told if pair["first"]["code"] != "done"]
    for attempt in refused:
        assert_refused(attempt, "disk_full", "磁盘写满了")
        rubbish = set(attempt["files"]) - WHOLE - RESUMABLE - {"models.yaml", "fetching.yaml"}
        assert not [name for name in rubbish if not name.startswith("base/base-q4_k_m.gguf.")], rubbish
    for pair in told:
        assert not pair["first"]["wrong"] and not pair["again"]["wrong"]
        assert pair["again"]["code"] == "done", pair
    assert all(set(pair["again"]["files"]) == WHOLE for pair in told if pair["first"]["act"] == "install")
    acts = {attempt["act"] for attempt in refused}
    assert {"install", "import", "use", "set"} <= acts, "the disk was never full"
    tally.count("attempts on a full disk", "explained, and done with more room", len(refused))
    tally.count("attempts on a full disk", "done in what was left", len(told) - len(refused))


def assert_all_forbidden(told: list[dict[str, Any]], tally: Tally, kind: str) -> None:
    *refused, last = told
    for attempt in refused:
        assert_refused(attempt, "folder_unwritable", "没有权限读写")
        assert not attempt["wrong"] and set(attempt["files"]) == WHOLE
    assert last["states"] == ["ready", "ready"]
    tally.count(kind, "explained, with all that was there still there", len(refused))


def test_a_read_only_disk_is_said_and_what_is_on_it_can_be_used(
    manifest: Path, tiny_base: Path, tmp_path: Path, tally: Tally
) -> None:
    told = on_its_own_disk("read-only", manifest, tiny_base, tmp_path / "盘")
    assert_all_forbidden(told, tally, "attempts on a read-only disk")


def test_a_forbidden_folder_is_said_and_what_is_in_it_can_be_used(
    manifest: Path, tiny_base: Path, tmp_path: Path, tally: Tally
) -> None:
    as_others: tuple[str, ...] = ()
    if os.geteuid() == 0:
        as_others = ("setpriv", f"--bounding-set={OVERRIDES}", f"--inh-caps={OVERRIDES}")
        if not shutil.which("setpriv"):
            pytest.skip("nothing is forbidden to root")
    folder = tmp_path / "文件夹"
    attempts("prepare", manifest, tiny_base, folder)
    places = [folder / "models", folder / "models" / "base"]
    for place in places:
        place.chmod(0o555)
    for lock in folder.rglob("*.lock"):
        lock.chmod(0o444)
    try:
        told = attempts("forbidden", manifest, tiny_base, folder, as_others)
    finally:
        for place in places:
            place.chmod(0o755)
    assert_all_forbidden(told, tally, "attempts in a forbidden folder")


def test_a_file_system_that_takes_no_such_large_file_is_said(
    manifest: Path, tiny_base: Path, tmp_path: Path, tally: Tally
) -> None:
    (attempt,) = attempts("limited", manifest, tiny_base, tmp_path / "盘")
    assert_refused(attempt, "storage_failed", "文件没有完成")
    assert not attempt["files"] and not attempt["wrong"]
    tally.count("attempts with a file too large for the disk", "explained")
