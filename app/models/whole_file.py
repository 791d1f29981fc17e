"""A small file is written whole or not at all."""

from pathlib import Path

from app.models.errors import storage_error
from app.whole_file import whole_file


def write_whole(path: Path, text: str) -> None:
    """Make ``text`` (UTF-8) the content of ``path``, whose folder need not exist yet.

    Raises:
        ModelError: the disk's refusal; what was there is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise storage_error(error, path) from error
