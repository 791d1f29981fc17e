"""The files beside the store's own: backups, files set aside, unfinished work. Names, copying and removal."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from app.whole_file import whole_file

BACKUP = ".backup"
ASIDE = ".aside"  # what lay in the store's place: damaged, or replaced by a backup
_PART = ".part"
_JOURNALS = ("-wal", "-shm", "-journal")  # SQLite's own, which belong to the file of the same name


def named_now(path: Path, mark: str, ending: str) -> Path:
    """A free name beside ``path`` that says when it was taken: ``people.sqlite3.v2.20270206T183000123456.backup``."""
    moment = datetime.now().strftime("%Y%m%dT%H%M%S%f")
    return path.with_name(f"{path.name}{mark}.{moment}{ending}")


def found_beside(path: Path, ending: str) -> tuple[Path, ...]:
    """The files beside ``path`` made with that ending, newest first by the moment in their names."""
    prefix = f"{path.name}."
    if not path.parent.is_dir():
        return ()
    found = [each for each in path.parent.iterdir() if each.name.startswith(prefix) and each.name.endswith(ending)]
    return tuple(sorted(found, key=lambda each: each.name.removesuffix(ending).rpartition(".")[2], reverse=True))


@contextmanager
def whole_database(path: Path) -> Iterator[Path]:
    """:func:`app.whole_file.whole_file`, for a database: it has no journals before and after.

    Raises:
        OSError: the folder or the disk does not allow it; ``path`` is as it was.
    """
    with whole_file(path) as part:
        drop_journals(part)  # of a run that was killed
        try:
            yield part
        finally:
            drop_journals(part)


def keep_copy(path: Path, copy: Path) -> None:
    """Copy a closed database and what its journal still holds, whole or not at all."""
    with whole_database(copy) as part:
        shutil.copyfile(path, part)
    wal = Path(f"{path}-wal")
    if wal.exists():
        with whole_file(Path(f"{copy}-wal")) as part:
            shutil.copyfile(wal, part)


def drop_journals(path: Path) -> None:
    """Remove SQLite's journals of ``path``: they must never meet another database under the same name."""
    for ending in _JOURNALS:
        Path(f"{path}{ending}").unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Remove a database and its journals, if there."""
    drop_journals(path)
    path.unlink(missing_ok=True)


def shred(path: Path) -> None:
    """Overwrite a file with zeros and remove it. A disk that writes elsewhere (an SSD) may still hold the old bytes."""
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 20)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def shred_all(path: Path) -> None:
    """Shred every backup, file set aside and unfinished file that lies beside ``path``."""
    for ending in (BACKUP, ASIDE, _PART):
        for journal in ("", *_JOURNALS):
            for each in found_beside(path, f"{ending}{journal}"):
                shred(each)
