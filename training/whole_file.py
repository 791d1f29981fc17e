"""A file of the training is whole or absent: written beside its place, flushed to the disk, then renamed.

And what an operating system's refusal to write means, as a sentence.
"""

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.merge import sync_folder
from training.errors import TrainingError

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """The temporary path to write instead of ``out``, in the same folder and with a name in ASCII.

    It takes the name ``out`` when the block ends well, and is removed when it does not.

    Raises:
        TrainingError: the folder or the disk does not allow it.
    """
    name = out.name if out.name.isascii() else f"{zlib.crc32(out.name.encode('utf-8')):08x}"
    part = out.with_name(f"{name}.part")
    try:
        part.open("wb").close()  # what cannot be written is known before the work, not after it
        try:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(part, out)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(out.parent)
    except OSError as error:
        raise unwritten(error, out) from error


def unwritten(error: OSError, out: Path) -> TrainingError:
    """Why ``out`` is not there, and what to do about it."""
    folder = out.parent
    if error.errno in _FULL:
        sentence = Sentence(
            f"磁盘写满了，{out.name} 没写完，半截文件已删掉。腾出空间后再运行一次。",
            f"The disk is full; {out.name} was not finished, and what there was of it is removed. Free some space and "
            "run again.",
        )
    elif error.errno in _FORBIDDEN:
        sentence = Sentence(
            f"没有权限写 {out}，或者它正被别的程序占用。请换一个 --out，或关掉正在用它的程序。",
            f"{out} may not be written, or another program holds it. Choose another --out, or close that program.",
        )
    elif not folder.is_dir():
        sentence = Sentence(
            f"没有 {folder} 这个文件夹，{out.name} 没处写。请先建好它，或换一个 --out。",
            f"There is no folder {folder} to write {out.name} in. Make it first, or choose another --out.",
        )
    else:
        sentence = Sentence(
            f"写 {out} 时出错，文件没有完成。请检查磁盘是否正常、是否已断开，然后重试。",
            f"Writing {out} failed, the file is unfinished. Check that the disk is well and connected, then try again.",
        )
    return TrainingError(sentence, f"{type(error).__name__}: {error}")
