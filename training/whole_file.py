"""A file of the training is whole or absent; what an operating system's refusal to write it means, as a sentence."""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app import whole_file as files
from app.compose.sentence import Sentence
from training.errors import TrainingError

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """:func:`app.whole_file.whole_file`, in the training's words.

    Raises:
        TrainingError: the folder or the disk does not allow it.
    """
    try:
        with files.whole_file(out) as part:
            yield part
    except OSError as error:
        raise unwritten(error, out) from error


def write_text(path: Path, text: str) -> None:
    """A file of this text in UTF-8, whole or absent, the same bytes on every system.

    Raises:
        TrainingError: the folder or the disk does not allow it.
    """
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """A file of this value as JSON, indented; as :func:`write_text`."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


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
