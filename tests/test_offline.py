"""With the model built, nothing needs a network and nothing asks for one.

The program runs in a network namespace that has no route, with every ``connect`` of every process recorded.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FENCE = ["unshare", "--map-root-user", "--net"]


def _fence_works() -> bool:
    return bool(shutil.which("unshare")) and subprocess.run([*FENCE, "true"], capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces are Linux's"),
    pytest.mark.skipif(not _fence_works(), reason="no network namespace may be made here"),
]


def run_fenced(arguments: list[str], record: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m app …`` without a network; the connects it tried are in ``record`` where strace is installed."""
    recorder = ["strace", "-f", "-qq", "-e", "trace=connect", "-o", str(record)] if shutil.which("strace") else []
    return subprocess.run(
        [*FENCE, *recorder, sys.executable, "-m", "app", *arguments],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
    )


def assert_no_connection(record: Path) -> None:
    """Sockets of this machine's own (X11, D-Bus) may be asked for; addresses of a network may not."""
    if record.exists():
        tried = record.read_text(encoding="utf-8", errors="replace").splitlines()
        assert not [line for line in tried if "AF_INET" in line]


def test_a_greeting_is_written_without_a_network(tiny_model: Path, tmp_path: Path):
    arguments = ["compose", "--model", str(tiny_model), "--relationship", "boss", "--tone", "warm", "--json"]
    finished = run_fenced(arguments, tmp_path / "connects")
    assert finished.returncode == 0, finished.stderr
    assert len(json.loads(finished.stdout)["candidates"]) == 3
    assert_no_connection(tmp_path / "connects")


def test_the_window_opens_without_a_network(tmp_path: Path):
    finished = run_fenced(["--report-first-paint"], tmp_path / "connects", QT_QPA_PLATFORM="offscreen")
    assert finished.stdout.strip() == "painted", finished.stderr
    assert_no_connection(tmp_path / "connects")


@pytest.mark.model
def test_the_real_model_writes_without_a_network(tmp_path: Path):
    arguments = ["compose", "--relationship", "parents", "--tone", "warm", "--address", "妈", "--json"]
    finished = run_fenced(arguments, tmp_path / "connects")
    assert finished.returncode == 0, finished.stderr
    assert all(candidate["text"] for candidate in json.loads(finished.stdout)["candidates"])
    assert_no_connection(tmp_path / "connects")


def test_the_record_would_show_a_connection(tmp_path: Path):
    """The fence and the record are real: a program that does ask is refused, and seen."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    record = tmp_path / "connects"
    asking = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    finished = subprocess.run(
        [*FENCE, "strace", "-f", "-qq", "-e", "trace=connect", "-o", str(record), sys.executable, "-c", asking],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode != 0
    assert "AF_INET" in record.read_text(encoding="utf-8")
