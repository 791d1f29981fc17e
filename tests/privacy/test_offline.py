"""With the model built, nothing needs a network and nothing asks for one; and the fence and the records are real."""

import json
import shutil
from pathlib import Path

import pytest

from tests.privacy.fence import fence, run_fenced

ASKING = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"


def test_a_greeting_is_written_without_a_network(tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["compose", "--model", str(tiny_model), "--relationship", "boss", "--tone", "warm", "--json"]
    ran = run_fenced(["-m", "app", *arguments], tmp_path)
    assert ran.finished.returncode == 0, ran.finished.stderr
    assert len(json.loads(ran.finished.stdout)["candidates"]) == 3
    assert not ran.attempts


def test_the_window_opens_without_a_network(tmp_path: Path) -> None:
    ran = run_fenced(["-m", "app", "--report-first-paint"], tmp_path, QT_QPA_PLATFORM="offscreen")
    assert ran.finished.stdout.strip() == "painted", ran.finished.stderr
    assert not ran.attempts


@pytest.mark.model
@pytest.mark.timeout(900)
def test_the_real_model_writes_without_a_network(tmp_path: Path) -> None:
    arguments = ["compose", "--relationship", "parents", "--tone", "warm", "--address", "妈", "--json"]
    ran = run_fenced(["-m", "app", *arguments], tmp_path, 800)
    assert ran.finished.returncode == 0, ran.finished.stderr
    assert all(candidate["text"] for candidate in json.loads(ran.finished.stdout)["candidates"])
    assert not ran.attempts


def test_the_records_would_show_a_connection_also_of_a_child(tmp_path: Path) -> None:
    ran = run_fenced(["-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASKING!r}])"], tmp_path)
    tracer_there = shutil.which("strace") is not None
    assert [attempt for attempt in ran.attempts if "192.0.2.1" in attempt.line and "socket.connect" in attempt.line]
    assert [attempt for attempt in ran.attempts if "AF_INET" in attempt.line] or not tracer_there


def test_the_fence_holds_a_connection_back(tmp_path: Path) -> None:
    if not fence():
        pytest.skip("no network namespace may be made here")
    ran = run_fenced(["-c", ASKING], tmp_path)
    assert ran.finished.returncode != 0 and "Network is unreachable" in ran.finished.stderr
