"""Runs the bundle as a person's computer does: from an odd folder that may not be written to, without a network."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# What of this machine's environment may reach the program: nothing that knows a Python or where things are kept.
_KEPT = ("PATH", "LANG", "LC_ALL", "DISPLAY", "QT_QPA_PLATFORM")


def home_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a person whose home this is."""
    environment = {"LANG": "C.UTF-8"} | {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**environment, "HOME": str(home), **more}


def read_only(bundle: Path, place: Path, command: Sequence[str]) -> list[str]:
    """``command`` where the bundle lies at ``place``, on a mount that nobody may write to, and without a network.

    The mount and the network are those of a namespace, and gone with the command.
    """
    place.mkdir(parents=True, exist_ok=True)
    source, target = shlex.quote(str(bundle)), shlex.quote(str(place))
    script = f"mount --bind {source} {target} && mount -o remount,bind,ro {target} && exec {shlex.join(command)}"
    return ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c", script]


def may_make_namespaces() -> bool:
    """Whether :func:`read_only` works here."""
    if shutil.which("unshare") is None:
        return False
    trial = ["unshare", "--map-root-user", "--net", "--mount", "mount", "--bind", "/usr", "/mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def run(
    command: Sequence[str], environment: Mapping[str, str], seconds: float = 240
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end, outside the checkout."""
    return subprocess.run(
        command,
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )
