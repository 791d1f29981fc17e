"""What can go wrong with the file of people and greetings, as sentences a person can act on."""

import errno
import shutil
import sqlite3
import stat
from pathlib import Path

from app.compose.sentence import ExplainedError, Sentence

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

_LITTLE = 1 << 16  # bytes


class StoreError(ExplainedError):
    """The file cannot be opened, read or written, or what was asked of it makes no sense.

    Args:
        code: one word for programs, such as ``disk_full`` or ``damaged``; the sentence is for people.
    """

    def __init__(self, code: str, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.code = code


def storage_error(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """What SQLite's or the operating system's refusal to read or write ``path`` means to the person."""
    if isinstance(error, OSError):
        return _of_system(error, path)
    # Errors the sqlite3 module raises by itself carry no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    detail = f"{path}: {getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    # Of a journal's shared memory that finds no room SQLite says no more than "disk I/O error".
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _free(path.parent) < _LITTLE):
        return _full(path, detail)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return in_use(path, detail)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return _forbidden(path, detail)
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(
            "unopened",
            Sentence(
                f"打不开 {path}：它所在的文件夹不存在，或者不让写。请检查文件夹和权限，再打开一次。",
                f"{path} cannot be opened: its folder is missing or may not be written. Check folder and "
                "permissions and open the program again.",
            ),
            detail,
        )
    if code == sqlite3.SQLITE_NOTADB:
        return not_sqlite(path, detail)
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(
            "damaged",
            Sentence(
                f"{path.name} 里有一处损坏，这一步没有做成，别的内容没有动。请重新打开程序，它会检查并修复。",
                f"A part of {path.name} is damaged; this step was not done and nothing else was touched. Start the "
                "program again: it checks the file and repairs it.",
            ),
            detail,
        )
    return _failed(path, detail)


def reading_error(error: OSError, path: Path) -> StoreError:
    """What the operating system's refusal to read a file of the person's choosing means to them."""
    if error.errno in _FORBIDDEN:
        return StoreError(
            "unreadable",
            Sentence(
                f"没有权限读 {path}，没有导入，别的都没有动。请检查它的权限，或把它复制到自己的文件夹里再导入。",
                f"{path} may not be read; nothing was imported or touched. Check its permissions, or copy it to a "
                "folder of your own and import that.",
            ),
            f"{type(error).__name__}: {error}",
        )
    return storage_error(error, path)


def refuse_special(path: Path) -> None:
    """Refuse what holds no text to read, and might be waited for without end, as a pipe.

    Raises:
        StoreError: ``no_file``.
        OSError: the path leads nowhere.
    """
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return
    zh, en = ("一个文件夹", "a folder") if stat.S_ISDIR(mode) else ("设备或管道", "a device or a pipe")
    raise StoreError(
        "no_file",
        Sentence(
            f"{path} 是{zh}，不是文件，没有导入。请选一个文件。",
            f"{path} is {en}, not a file; nothing was imported. Choose a file.",
        ),
    )


def in_use(path: Path, detail: str) -> StoreError:
    """Another process holds the file."""
    return StoreError(
        "in_use",
        Sentence(
            f"{path.name} 正被另一个程序使用，多半是拜年帖已经开着一份。请用已打开的那个窗口，或先把它关掉。",
            f"{path.name} is being used by another program; most likely this one is already running. Use the window "
            "that is open, or close it first.",
        ),
        detail,
    )


def not_sqlite(path: Path, detail: str = "") -> StoreError:
    """What lies at ``path`` is not a file of ours."""
    return StoreError(
        "not_sqlite",
        Sentence(
            f"{path} 不是拜年帖的数据文件，没有动它。请把它移到别处，再打开一次。",
            f"{path} is not a data file of this program; it was left as it is. Move it elsewhere and open the "
            "program again.",
        ),
        detail,
    )


def gone() -> StoreError:
    """A row that was asked for is no longer there."""
    return StoreError(
        "gone",
        Sentence(
            "这一条已经不在了，可能刚被删除。它已从列表里去掉。",
            "This entry is no longer there; it may just have been deleted. It has been taken off the list.",
        ),
    )


def too_long(name: Sentence, length: int, most: int) -> StoreError:
    """A text that is longer than anything anybody means to keep there."""
    return StoreError(
        "too_long",
        Sentence(
            f"{name.zh}太长了（{length:,} 个字，最多 {most:,} 个）。请缩短一点。",
            f"{name.en.capitalize()} is too long ({length:,} characters; at most {most:,}). Please shorten it.",
        ),
    )


def _of_system(error: OSError, path: Path) -> StoreError:
    detail = f"{type(error).__name__}: {error}"
    if error.errno in _FULL:
        return _full(path, detail)
    if error.errno in _FORBIDDEN:
        return _forbidden(path, detail)
    if isinstance(error, FileNotFoundError):
        return StoreError(
            "missing",
            Sentence(
                f"找不到 {path}，它可能被移走或改名了。请检查位置再试。",
                f"{path} is not there; it may have been moved or renamed. Check the place and try again.",
            ),
            detail,
        )
    return _failed(path, detail)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free if folder.is_dir() else _LITTLE


def _full(path: Path, detail: str) -> StoreError:
    return StoreError(
        "disk_full",
        Sentence(
            f"磁盘满了，这一步没有写进 {path.name}；此前存好的都在。腾出一些空间再试一次。",
            f"The disk is full: this step was not written to {path.name}; everything saved before is there. Free some "
            "space and try again.",
        ),
        detail,
    )


def _forbidden(path: Path, detail: str) -> StoreError:
    return StoreError(
        "unwritable",
        Sentence(
            f"没有权限写 {path}，这一步没有存下来。请检查文件夹的权限，再试一次。",
            f"{path} may not be written; this step was not saved. Check the folder's permissions and try again.",
        ),
        detail,
    )


def _failed(path: Path, detail: str) -> StoreError:
    return StoreError(
        "storage_failed",
        Sentence(
            f"读写 {path} 时出错，这一步没有做成；此前存好的都在。请检查磁盘是否正常、是否已断开，然后重试。",
            f"Reading or writing {path} failed and this step was not done; everything saved before is there. Check "
            "that the disk is well and connected, then try again.",
        ),
        detail,
    )
