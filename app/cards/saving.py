"""Keeps a picture: whole at its place, or not there at all. Standard library only."""

import errno
from pathlib import Path

from app.cards.errors import SaveError
from app.compose.sentence import Sentence
from app.whole_file import whole_file

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


def save_whole(path: Path, content: bytes) -> None:
    """Make ``content`` what is at ``path``.

    Raises:
        SaveError: it could not be written; what was at ``path`` before is untouched, and nothing is left beside it.
    """
    try:
        with whole_file(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise SaveError(_why(path, error), f"{type(error).__name__}: {error}") from error


def _why(path: Path, error: OSError) -> Sentence:
    if error.errno in _NO_ROOM:
        return Sentence(
            f"磁盘满了，“{path.name}”没有保存。清出一些空间，或存到别的盘，再试一次。",
            f"The disk is full, and {path.name} was not saved. Free some space or save to another disk, and try again.",
        )
    if error.errno in _NOT_ALLOWED:
        return Sentence(
            f"“{path.parent}”不让写入，“{path.name}”没有保存。请换一个文件夹，比如“图片”或“桌面”。",
            f"{path.parent} may not be written to, and {path.name} was not saved. Choose another folder, such as "
            "Pictures or the desktop.",
        )
    if error.errno == errno.ENOENT:
        return Sentence(
            f"文件夹“{path.parent}”不在了，“{path.name}”没有保存。请换一个文件夹。",
            f"The folder {path.parent} is gone, and {path.name} was not saved. Choose another folder.",
        )
    return Sentence(
        f"“{path.name}”没有保存。请换一个文件夹再试，详情里写着原因。",
        f"{path.name} was not saved. Try another folder; the details say why.",
    )
