"""How much memory this machine has, and how much a model takes: enough to say beforehand that one will not fit."""

import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.models.gguf_file import Header

CONTEXT = 4096  # tokens the engine keeps: app.engine.protocol.CONTEXT, which is not imported from here
_BESIDES = 150_000_000  # bytes of the engine process besides weights and cache: Python, buffers
_HALF = 2  # bytes of a number in the cache: F16


@dataclass(frozen=True)
class Memory:
    """Bytes of this machine, or of the container this runs in: all there is, and what is free now."""

    total: int
    free: int


def machine_memory() -> Memory | None:
    """What there is; None where the system does not tell."""
    try:
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            return _macos()
        return _linux()
    except (OSError, ValueError, KeyError, subprocess.SubprocessError):
        return None


def needed_memory(header: Header, size: int) -> int:
    """Bytes the engine takes to write with a model, about: its weights, the cache of a context, and itself.

    Args:
        size: of the file, in bytes.
    """
    return size + _cache(header) + _BESIDES


def _cache(header: Header) -> int:
    """Bytes of keys and values of a whole context; 0 where the header does not say how large they are."""
    family = header.metadata.get("general.architecture")

    def number(key: str) -> int:
        value = header.metadata.get(f"{family}.{key}")
        values = value if isinstance(value, list) else [value]  # a list has a number for each layer
        return max((one for one in values if isinstance(one, int)), default=0)

    heads = number("attention.head_count")
    kept = number("attention.head_count_kv") or heads
    width = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    return number("block_count") * CONTEXT * kept * width * 2 * _HALF


def _linux() -> Memory:
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    found = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    total, free = found["MemTotal"], found["MemAvailable"]
    limit = _number(Path("/sys/fs/cgroup/memory.max"))
    if limit is not None and limit < total:
        used = _number(Path("/sys/fs/cgroup/memory.current")) or 0
        total, free = limit, min(free, max(0, limit - used))
    return Memory(total, free)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not there, or "max"
        return None


def _macos() -> Memory:
    def ask(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout

    total = int(ask("sysctl", "-n", "hw.memsize"))
    pages = {name: rest for name, _, rest in (line.partition(":") for line in ask("vm_stat").splitlines())}
    free = sum(int(pages[name].strip(" .")) for name in ("Pages free", "Pages inactive", "Pages speculative"))
    return Memory(total, free * os.sysconf("SC_PAGE_SIZE"))


def _windows() -> Memory:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of sysinfoapi.h."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        raise OSError("GlobalMemoryStatusEx failed")
    return Memory(status.total, status.free)
