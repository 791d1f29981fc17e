"""Memory that is kept instead of given back: on a processor it makes training a good deal faster.

Every step allocates and frees the same tens of megabytes hundreds of times. The C library's allocator returns them to
the system, which has to find and clear them again, page by page. jemalloc (Evans 2006), told to keep what it has and to
ask for large pages, does not. It has to be there when the process begins.
"""

import ctypes
import ctypes.util
import os
import sys

_OPTIONS = "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0,thp:always,metadata_thp:auto,narenas:1"
_TRIED = "BAINIANTIE_ALLOCATOR"
_EVERY_ARENA = 4096  # MALLCTL_ARENAS_ALL of jemalloc's jemalloc_macros.h


def release_memory(*, above: float = 0.0) -> None:
    """Give back what is kept and not in use: after loading, which takes several times what training does, and when it
    has become too much, since batches of many shapes leave gaps that none of the next fills.

    Args:
        above: only where this process holds more than this share of the machine's memory.
    """
    if "jemalloc" not in os.environ.get("LD_PRELOAD", "") or _held() < above:
        return
    purge = getattr(ctypes.CDLL(None), "mallctl", None)
    if purge is not None:
        purge(f"arena.{_EVERY_ARENA}.purge".encode(), None, None, None, ctypes.c_size_t(0))


def _held() -> float:
    """The share of the machine's memory that is resident in this process (``/proc/self/statm``: pages)."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) / os.sysconf("SC_PHYS_PAGES")


def keep_memory() -> bool:
    """Begin this process again with jemalloc, where there is one; returns whether it is in use.

    Call it before torch is imported and before anything is open.
    """
    if os.environ.get(_TRIED):
        return "jemalloc" in os.environ.get("LD_PRELOAD", "")
    library = ctypes.util.find_library("jemalloc") if sys.platform.startswith("linux") else None
    if library is None:
        return False
    environment = os.environ | {_TRIED: "1", "MALLOC_CONF": os.environ.get("MALLOC_CONF", _OPTIONS)}
    environment["LD_PRELOAD"] = " ".join(filter(None, [library, os.environ.get("LD_PRELOAD")]))
    arguments = [sys.executable, *sys.orig_argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, arguments, environment)
