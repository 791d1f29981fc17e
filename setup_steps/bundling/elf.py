"""What a Linux binary asks of the system, as ``objdump`` of binutils tells it, which comes with the compiler."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF"
_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)$", re.MULTILINE)
_GLIBC = re.compile(r"\sGLIBC_(\d+)\.(\d+)(?:\.\d+)?$", re.MULTILINE)


@dataclass(frozen=True)
class Needs:
    """What some binaries need together: the names of shared libraries, and the oldest C library that will do."""

    libraries: frozenset[str]
    glibc: tuple[int, int]


def binaries(folder: Path) -> Iterator[Path]:
    """Every executable and shared library in a folder, each file once, however many names it has."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(_MAGIC)) == _MAGIC:
                    yield path


def needs_of(paths: Iterable[Path]) -> Needs:
    """What these binaries need."""
    libraries: set[str] = set()
    glibc = (0, 0)
    for path in paths:
        text = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True, check=True).stdout
        libraries.update(_NEEDED.findall(text))
        glibc = max([glibc, *((int(major), int(minor)) for major, minor in _GLIBC.findall(text))])
    return Needs(frozenset(libraries), glibc)


def asked_of_system(folder: Path) -> Needs:
    """What a bundle needs of the system: what is not in it, and all that its executable is linked to, which only then
    tells the loader where the bundle's libraries are."""
    found = list(binaries(folder))
    needs = needs_of(found)
    here = {path.name for path in folder.rglob("*")}
    first = needs_of(path for path in found if path.parent == folder).libraries
    return Needs(frozenset((needs.libraries - here) | first), needs.glibc)
