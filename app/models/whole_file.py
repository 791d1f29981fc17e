"""A small file is written whole or not at all."""

import os
from pathlib import Path

from app.models.errors import storage_error


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) beside ``path``, flush it to the disk, and give it the name.

    Raises:
        ModelError: the disk's refusal; what was there is untouched.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise storage_error(error, path) from error
