"""A file is whole or absent: written beside its place, flushed to the disk, then renamed. Standard library only.

What a refusal of the disk means to a person, each package says in its own words.
"""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The temporary path to write instead of ``path``: an empty file in the same folder, its name in ASCII.

    It takes the name ``path`` when the block ends well, and is removed when it does not.

    Raises:
        OSError: the folder or the disk does not allow it; what was at ``path`` is untouched.
    """
    # llama.cpp's quantizer opens no other names on Windows.
    name = path.name if path.name.isascii() else f"{zlib.crc32(path.name.encode('utf-8')):08x}"
    part = path.with_name(f"{name}.part")
    part.open("wb").close()  # what cannot be written is known before the work, not after it
    try:
        yield part
        sync(part)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync(path: Path) -> None:
    """Flush a file's bytes to the disk."""
    with path.open("rb+") as file:  # Windows flushes only what may be written
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
