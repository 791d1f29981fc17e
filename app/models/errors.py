"""What can go wrong with a model file on its way to the engine, as sentences a person can act on."""

import errno
from pathlib import Path

from app.compose.sentence import ExplainedError, Sentence

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


# Codes of errors against which another source may help, or another mirror.
OF_SOURCES = (
    *("hub_unreachable", "hub_refused", "hub_other_file", "index_unavailable", "index_unreachable", "index_missing"),
    *("index_wrong_wheel", "mirror_missing", "no_source", "hub_interrupted", "download_wrong"),
)


class ModelError(ExplainedError):
    """A model cannot be fetched, checked, built or put in place.

    Args:
        code: one word for programs, such as ``model_truncated`` or ``disk_full``; the sentence is for people.
    """

    def __init__(self, code: str, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.code = code


class Cancelled(ModelError):
    """The person stopped it. What is finished stays, and the next start goes on from there."""

    def __init__(self) -> None:
        super().__init__(
            "cancelled",
            Sentence(
                "已停下。做完的部分都留着，下次会从这里接着装。",
                "Stopped. What is finished is kept; the next start goes on from here.",
            ),
        )


def megabytes(count: int) -> str:
    """Bytes as people read them: whole decimal megabytes, thousands separated (``1,117 MB``)."""
    return f"{round(count / 1e6):,} MB" if count >= 1_000_000 else f"{-(-count // 1000):,} KB"


def storage_error(error: OSError, path: Path) -> ModelError:
    """What an operating system's refusal to write or read ``path`` means to the person."""
    detail = f"{type(error).__name__}: {error}"
    if error.errno in _FULL:
        return ModelError(
            "disk_full",
            Sentence(
                f"磁盘写满了，{path.name} 没写完。腾出一些空间再继续，已下载的部分不会丢。",
                f"The disk is full; {path.name} is unfinished. Free some space and continue: nothing fetched is lost.",
            ),
            detail,
        )
    if error.errno in _FORBIDDEN:
        return ModelError(
            "folder_unwritable",
            Sentence(
                f"没有权限读写 {path}，或者它正被别的程序占用。请关掉正在使用它的程序，或检查这个文件夹的权限，"
                "再试一次。",
                f"{path} may not be read or written, or another program holds it. Close that program, or check the "
                "permissions of the folder, and try again.",
            ),
            detail,
        )
    return ModelError(
        "storage_failed",
        Sentence(
            f"读写 {path} 时出错，文件没有完成。请检查磁盘是否正常、是否已断开，然后重试。",
            f"Reading or writing {path} failed, the file is unfinished. Check that the disk is well and connected, "
            "then try again.",
        ),
        detail,
    )
