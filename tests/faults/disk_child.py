"""What test_disk.py runs on a disk of its own: a model installed, imported and chosen on whatever the disk allows.

``python -m tests.faults.disk_child MODE MANIFEST BASE FOLDER``. FOLDER is on that disk, MANIFEST and BASE are not. Each
line printed is the JSON of one attempt; what it leaves is checked here, since the disk is gone when this process is.
"""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.compose.sentence import ExplainedError
from app.models.built import find_built
from app.models.fetching import Fetching, read_fetching, write_fetching
from app.models.folders import base_path
from app.models.importing import import_model
from app.models.install import install
from app.models.inventory import list_entries, remove_entry, use_entry
from app.models.manifest import Manifest, load_manifest
from app.models.registry import read_registry
from app.models.verify import sha256_of

SEED = 20270206
ROUNDS = 12  # of each act that writes a large file; the others need a page or none
PAGE = 4096  # bytes in which a tmpfs counts


class Disk:
    """The acts of somebody with models, in one folder. What an act needs to be there is there: see :meth:`prepare`."""

    def __init__(self, manifest: Manifest, base: Path, folder: Path) -> None:
        self.manifest, self.base, self.folder = manifest, base, folder
        self.acts: dict[str, Callable[[], object]] = {
            "install": self.install,
            "import": self.take_in,
            "use": lambda: use_entry(folder, manifest, manifest.base.id),
            "set": lambda: write_fetching(folder, Fetching(mirror="https://example.invalid/" + "m" * 2 * PAGE)),
            "remove": lambda: remove_entry(folder, manifest, manifest.base.id),
        }

    def install(self) -> None:
        """Ours, from the base on the other disk: copied, merged, put in place."""
        install(
            self.folder,
            self.manifest,
            str(self.base),
            progress=lambda progress: None,
            cancelled=lambda: False,
            trial=lambda path: None,
            free_space=lambda folder: 1 << 40,  # it fills up when that has been looked at
        )

    def take_in(self) -> None:
        """A copy of the base as somebody's own model."""
        import_model(
            self.folder,
            self.base,
            copy=True,
            reserved=frozenset({self.manifest.base.id, self.manifest.built.id}),
            report=lambda *_: None,
            cancelled=lambda: False,
            trial=lambda path: None,
            free_space=lambda folder: 1 << 40,
        )

    def prepare(self, act: str) -> None:
        """An empty folder, or one with everything in it for the acts that need it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if act not in ("install", "import"):
            self.install()

    def attempt(self, act: str) -> dict[str, Any]:
        """Do it; what came of it, and what then lies there."""
        try:
            self.acts[act]()
            said = {"code": "done"}
        except ExplainedError as error:
            code = getattr(error, "code", "")
            said = {"code": code, "zh": error.sentence.zh, "en": error.sentence.en, "detail": error.detail}
        return {"act": act, **said, "wrong": self.wrong(), "files": self.files()}

    def files(self) -> list[str]:
        """Everything in the folder but locks."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return sorted(str(path.relative_to(self.folder)) for path in found)

    def wrong(self) -> list[str]:
        """What has its final name and is not what it should be; reading the records raises if they are not whole."""
        read_fetching(self.folder)
        found = []
        base = base_path(self.folder, self.manifest.base)
        if base.exists() and sha256_of(base) != self.manifest.base.sha256:
            found.append(str(base))
        built = find_built(self.folder, self.manifest)
        if built is not None and sha256_of(built.path) != built.sha256:
            found.append(str(built.path))
        for model in read_registry(self.folder).imported:
            if sha256_of(model.path(self.folder)) != model.sha256:
                found.append(model.file)
        return found


def leave(ballast: Path, room: int) -> None:
    """Fill the disk until so many bytes are left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE))
        except OSError as error:
            assert error.errno == errno.ENOSPC
        file.truncate(max(0, file.tell() - room))


def on_a_full_disk(disk: Disk) -> None:
    """Each act with little room left, more in each round; then again with room enough."""
    drawn = random.Random(SEED)
    ballast = disk.folder.parent / "ballast"
    size = disk.manifest.base.size
    most = {"install": 5 * size // 2, "import": size}  # bytes they write, about
    for act in disk.acts:
        share = most.get(act, 0) // ROUNDS
        for number in range(ROUNDS if share else 1):
            disk.prepare(act)
            leave(ballast, number * share + (drawn.randrange(share) if share else 0))
            first = disk.attempt(act)
            ballast.unlink()
            tell({"first": first, "again": disk.attempt(act)})


def where_nothing_may_be_written(disk: Disk) -> None:
    """Each act, and a look at what there is, which is allowed."""
    for act in disk.acts:
        tell(disk.attempt(act))
    tell({"states": [entry.state.value for entry in list_entries(disk.folder, disk.manifest)]})


def tell(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main(mode: str, manifest: Path, base: Path, folder: Path) -> None:
    """Mount the disk, where the mode needs one, and do everything on it."""
    disk = Disk(load_manifest(manifest), base, folder / "models")
    if mode == "full":
        mount(folder, "size=8m")
        on_a_full_disk(disk)
    elif mode == "read-only":
        mount(folder, "size=32m")
        disk.prepare("use")
        mount(folder, "remount,ro")
        where_nothing_may_be_written(disk)
    elif mode == "prepare":
        disk.prepare("use")
    elif mode == "forbidden":
        where_nothing_may_be_written(disk)
    elif mode == "limited":
        import resource

        disk.prepare("install")
        resource.setrlimit(resource.RLIMIT_FSIZE, (disk.manifest.base.size // 2, resource.RLIM_INFINITY))
        tell(disk.attempt("import"))
    else:
        raise ValueError(mode)


def mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


if __name__ == "__main__":
    os.umask(0o022)
    main(sys.argv[1], *map(Path, sys.argv[2:]))
