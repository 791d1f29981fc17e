"""The engine of the bundle on the oldest processor that is promised, which QEMU plays."""

import queue
import shutil
from pathlib import Path
from typing import TypeVar

import pytest

from app.compose.catalog import load_catalog
from app.compose.prompt import prompt_segments
from app.compose.request import make_request
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Event, Failed, Finished, Ready, Sampling

E = TypeVar("E")

OLDEST = "Nehalem"  # x86-64-v2 and nothing more: docs/bundles.md
SECONDS = 600.0  # a processor that is played is some twenty times slower
# What PyInstaller's bootloader leaves for itself before it starts itself anew with its libraries on the path. Told that
# this has been done, it goes on in the same process: the new one would not be QEMU's.
_RESTARTED = "-1"


def test_it_writes_there(bundle: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
    if qemu is None:
        pytest.skip("QEMU is not installed (qemu-user-static)")
    executable = bundle / "bainiantie"
    monkeypatch.setenv("_PYI_ARCHIVE_FILE", str(executable))
    monkeypatch.setenv("_PYI_PARENT_PROCESS_LEVEL", _RESTARTED)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(bundle / "_internal"))
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    command = (qemu, "-cpu", OLDEST, str(executable), "--engine-child")
    client = EngineClient(tiny_model, device="cpu", threads=1, on_event=events.put, command=command)
    client.start()
    try:
        ready = next_of(events, Ready)
        print(ready.found)
        used = next(line for line in ready.found if line.startswith("CPU"))
        assert "AVX" not in used and "SSE3 = 1" in used
        catalog = load_catalog()
        request = make_request(catalog, {"relationship": "friend", "tone": "warm"})
        client.write(prompt_segments(request, catalog), 1, 1, Sampling(), 20)
        assert next_of(events, Finished).text
        next_of(events, Done)
    finally:
        client.close()


def next_of(events: "queue.SimpleQueue[Event]", kind: type[E]) -> E:
    """The next event of a kind; what means that there will be none fails the test."""
    while True:
        event = events.get(timeout=SECONDS)
        assert not isinstance(event, Died | Failed), event
        if isinstance(event, kind):
            return event
