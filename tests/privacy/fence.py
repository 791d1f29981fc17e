"""Runs the program where no network can be reached, and tells whom it, or a child of it, tried to reach.

The fence is a network namespace without a route; where none may be made, what is tried still shows in the records. Of
those there are two: every ``connect`` of every process, where strace is installed, and everywhere what any Python of it
asks for.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RECORDER = Path(__file__).resolve().parent / "recorder"
_NAMESPACE = ("unshare", "--map-root-user", "--net")
_STRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-e", "trace=connect,sendto,sendmsg")
_NETWORK = re.compile(r"sa_family=AF_INET6?\b")


@dataclass(frozen=True)
class Attempt:
    """Somebody was asked for over a network: when (Unix seconds), and what the record says of it."""

    at: float
    line: str


@dataclass(frozen=True)
class Fenced:
    """A program that has run behind the fence."""

    finished: "subprocess.CompletedProcess[str]"
    attempts: tuple[Attempt, ...]


def fence() -> tuple[str, ...]:
    """What a command is put after to have no network; nothing where that is not allowed."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return ()
    return _NAMESPACE if subprocess.run([*_NAMESPACE, "true"], capture_output=True).returncode == 0 else ()


def tracer(record: Path) -> tuple[str, ...]:
    """What a command is put after to have its connections recorded by the system; nothing where strace is missing."""
    return (*_STRACE, "-o", str(record)) if shutil.which("strace") else ()


def run_fenced(arguments: Sequence[str], folder: Path, seconds: float = 240, **environment: str) -> Fenced:
    """Run Python with ``arguments`` behind the fence, both records kept in ``folder``."""
    traced, asked = folder / "connects.strace", folder / "connects.python"
    settings = {"CONNECTION_RECORD": str(asked), "PYTHONPATH": str(RECORDER)}
    finished = subprocess.run(
        [*fence(), *tracer(traced), sys.executable, *arguments],
        cwd=REPOSITORY,
        env=os.environ | settings | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
    )
    return Fenced(finished, (*_traced(traced), *_asked(asked)))


def _traced(record: Path) -> list[Attempt]:
    """Each line: the process, the time, the call."""
    if not record.exists():
        return []
    lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    return [Attempt(float(line.split()[1]), line) for line in lines if _NETWORK.search(line)]


def _asked(record: Path) -> list[Attempt]:
    if not record.exists():
        return []
    return [Attempt(float(line.split()[0]), line) for line in record.read_text(encoding="utf-8").splitlines()]
