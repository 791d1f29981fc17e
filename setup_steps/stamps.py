"""What is already done: a stamp for each finished step, the choices made, and a lock against a second installation."""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from app.whole_file import whole_file
from setup_steps.terminal import SetupError, say


def digest(*parts: object) -> str:
    """A key for a stamp: the same for the same parts, texts, numbers or bytes, in the same order."""
    sha = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode("utf-8", "surrogatepass")
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()


def file_state(path: Path) -> tuple[str, int, int] | tuple[str]:
    """What tells cheaply whether a large file is still the same one: its size and its time."""
    try:
        status = path.stat()
    except OSError:
        return (path.name,)
    return (path.name, status.st_size, status.st_mtime_ns)


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """What a small JSON file holds; nothing when it is absent or unreadable, since all it saves is repeating a step."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


class Stamps:
    """The stamps of finished steps, one JSON file each, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, step: str) -> dict[str, Any]:
        """What was noted when the step was finished; empty when it was not."""
        return read_json(self._file(step))

    def mark(self, step: str, key: str, **notes: str | bool) -> None:
        """Note that the step is finished with this key."""
        write_whole(self._file(step), json.dumps({"key": key, **notes}, ensure_ascii=False))

    def clear(self, step: str) -> None:
        """Note that the step is about to be done again."""
        self._file(step).unlink(missing_ok=True)

    def _file(self, step: str) -> Path:
        return self.folder / f"{step}.json"


@contextlib.contextmanager
def alone(file: Path) -> Iterator[int]:
    """Hold the installation against a second one; waits, saying so, while another is at work.

    Yields the lock's descriptor. A command that inherits it keeps the lock when its parent is killed, so that two never
    write into one environment. (On Windows a lock ends with its process.)
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        told = False
        while not _try_lock(descriptor):
            if not told:
                told = True
                say(
                    Sentence(
                        "另一次安装还在进行（也可能是刚被打断的那次正在收尾）。等它结束就接着来；Ctrl+C 退出。",
                        "Another installation is at work, or one just killed is finishing its step. "
                        "This one goes on when it ends; Ctrl+C leaves.",
                    )
                )
            time.sleep(0.3)
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise SetupError(
            Sentence(
                "这个文件夹所在的磁盘不支持文件锁，没法安全地安装。请把拜年帖放到本机磁盘上再试。",
                "The disk this folder is on cannot lock files, so installing is not safe. Move it to a local disk.",
            ),
            str(error),
        ) from error
    return True
