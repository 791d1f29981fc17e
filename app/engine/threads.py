"""How many threads may decode: what the processor is, not what is fastest on it (:mod:`app.engine.thread_trial`)."""

import os
import subprocess
import sys
from pathlib import Path

MOST = 16  # more threads than this only wait for each other with a model this small


def usable_cores() -> int:
    """Physical cores open to this process, at least 1, at most :data:`MOST`.

    Decoding waits for memory and for the slowest thread: as a rule a second thread on the same core only gets in the
    way. It is the number to begin with, until it has been measured.
    """
    return max(1, min(_physical_cores() or MOST, usable_processors()))


def usable_processors() -> int:
    """Processors open to this process as the system counts them, at most :data:`MOST`; more than cores where a core
    runs two threads."""
    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(logical, _container_limit() or logical, MOST))


def counts_worth_trying() -> tuple[int, ...]:
    """Numbers of threads of which one may be the fastest: a thread a processor, a thread a core, one core left to
    others, and half of the cores, which is all that slow memory can feed. Fewest first."""
    cores = usable_cores()
    return tuple(sorted({max(1, cores // 2), max(1, cores - 1), cores, usable_processors()}))


def _physical_cores() -> int | None:
    if sys.platform.startswith("linux"):
        siblings = set()
        for cpu in os.sched_getaffinity(0):
            path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            try:
                siblings.add(path.read_text(encoding="ascii").strip())
            except OSError:
                return None
        return len(siblings)
    if sys.platform == "darwin":
        # The efficiency cores of an Apple chip would hold the others up.
        for name in ("hw.perflevel0.physicalcpu", "hw.physicalcpu"):
            try:
                found = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=True)
                return int(found.stdout)
            except (OSError, ValueError, subprocess.SubprocessError):
                continue
        return None
    # Windows: nearly every PC processor runs two threads a core.
    return max(1, (os.cpu_count() or 2) // 2)


def _container_limit() -> int | None:
    """Whole processors' worth of time a Linux control group grants, when it limits that."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None
