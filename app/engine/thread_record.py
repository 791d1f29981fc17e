"""What :mod:`app.engine.thread_trial` found, kept from one start to the next in a small file of the user's cache.

It is only a cache: a file that is not there, not readable or not whole is as good as an empty one.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.engine.protocol import Load
from app.whole_file import whole_file

MOST_ENTRIES = 20
# Then it is measured again: the machine may have been busy, or has become another one.
VALID_SECONDS = 30 * 24 * 3600


def record_file(environment: Mapping[str, str] = os.environ) -> Path:
    """``$XDG_CACHE_HOME/bainiantie/threads.json`` (``~/.cache`` without it), ``~/Library/Caches/Bainiantie`` on macOS,
    ``%LOCALAPPDATA%\\Bainiantie\\Cache`` on Windows."""
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA")
        folder = (Path(local) if local else Path.home() / "AppData" / "Local") / "Bainiantie" / "Cache"
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Caches" / "Bainiantie"
    else:
        # A relative path is invalid by the XDG Base Directory Specification and to be ignored.
        cache = Path(environment.get("XDG_CACHE_HOME", ""))
        folder = (cache if cache.is_absolute() else Path.home() / ".cache") / "bainiantie"
    return folder / "threads.json"


def name_of(load: Load) -> str:
    """What a model is remembered by: its hash where that is known, else its place."""
    return load.sha256 or load.path


def recorded_threads(model: str, choices: tuple[int, ...]) -> int | None:
    """The number of threads found for a model on this machine, one of ``choices``; None when there is none or it is too
    old."""
    entry = _entries(record_file()).get(_key(model, choices), {})
    threads, measured = entry.get("threads"), entry.get("measured")
    fresh = isinstance(measured, int | float) and abs(time.time() - measured) < VALID_SECONDS
    return threads if fresh and threads in choices else None


def record_threads(model: str, choices: tuple[int, ...], threads: int) -> None:
    """Remember it. What cannot be written is measured again next time."""
    path = record_file()
    entries = _entries(path)
    entries.pop(_key(model, choices), None)
    entries[_key(model, choices)] = {"threads": threads, "measured": time.time()}
    latest = dict(list(entries.items())[-MOST_ENTRIES:])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(json.dumps(latest, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError:
        return


def _entries(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: entry for key, entry in found.items() if isinstance(entry, dict)} if isinstance(found, dict) else {}


def _key(model: str, choices: tuple[int, ...]) -> str:
    """A model on a machine: the same processor with as many cores to use."""
    return " | ".join((model, _processor(), ",".join(map(str, choices))))


def _processor() -> str:
    if sys.platform.startswith("linux"):
        try:
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
