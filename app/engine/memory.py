"""What a process holds in memory, where the system tells."""

from pathlib import Path


def memory_of(pid: int | None) -> dict[str, int] | None:
    """Bytes a process holds ``now``, and the most it has held, ``peak``; None where the system does not tell, or there
    is no such process (proc(5))."""
    path = Path(f"/proc/{pid}/status")
    if pid is None or not path.exists():
        return None
    lines = dict(line.split(":", 1) for line in path.read_text(encoding="ascii", errors="replace").splitlines())
    return {name: int(lines[key].split()[0]) * 1024 for name, key in (("now", "VmRSS"), ("peak", "VmHWM"))}
