"""The beginning of the base file, as far as it has been fetched, under a temporary name.

It is a plain prefix of the finished file whoever delivered it, so its length is all there is to remember: any source
goes on from there, a process killed at any moment included, and one source can finish what another began. What was
appended is hashed as it passes; what an earlier start left is hashed when it is opened.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, megabytes, storage_error
from app.models.manifest import BaseFile
from app.models.progress import Report

_CHUNK = 1 << 20


def part_path(base: BaseFile, folder: Path) -> Path:
    """Where the unfinished file lies."""
    return folder / base.part


class PartFile:
    """The unfinished base file, open for appending. One process at a time (the installer's lock sees to it)."""

    def __init__(self, base: BaseFile, folder: Path) -> None:
        self.base = base
        self.path = part_path(base, folder)
        self._hash = hashlib.sha256()
        try:
            self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115  closed by __exit__
        except OSError as error:
            raise storage_error(error, self.path) from error
        self.size = 0

    def resume(self, report: Report, cancelled: Callable[[], bool]) -> None:
        """Take up what an earlier start left.

        Raises:
            Cancelled: ``cancelled()`` became true.
            ModelError: the file cannot be read.
        """
        try:
            there = os.fstat(self._file.fileno()).st_size
            if there > self.base.size:
                self._file.truncate(0)
                there = 0
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                if cancelled():
                    raise Cancelled
                self._hash.update(chunk)
                self.size += len(chunk)
                done, total = megabytes(self.size), megabytes(there)
                report(
                    self.size,
                    self.base.size,
                    Sentence(
                        f"正在核对上次下载的部分：{done} / {total}", f"Checking what is already here: {done} of {total}"
                    ),
                )
        except OSError as error:
            raise storage_error(error, self.path) from error

    @property
    def missing(self) -> int:
        """Bytes still to come."""
        return self.base.size - self.size

    def append(self, data: bytes) -> None:
        """Add what comes next; more than is missing is cut off, and the hash will tell.

        Raises:
            ModelError: ``disk_full`` and its like.
        """
        data = data[: self.missing]
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._cut(self.size)
            raise storage_error(error, self.path) from error
        self._hash.update(data)
        self.size += len(data)

    def mark(self) -> tuple[int, Any]:
        """The present state, for :meth:`rollback`."""
        return self.size, self._hash.copy()

    def rollback(self, mark: tuple[int, Any]) -> None:
        """Forget everything appended since ``mark``."""
        self.size, self._hash = mark[0], mark[1].copy()
        self._cut(self.size)

    def _cut(self, size: int) -> None:
        # On a disk that fails even this, the surplus is found by the hash at the end.
        with contextlib.suppress(OSError):
            self._file.truncate(size)

    def finish(self, target: Path) -> None:
        """Give the whole file its name, if it is the right one; of a wrong one nothing is kept, so that it is never
        resumed.

        Raises:
            ModelError: ``download_wrong``, or the disk's refusal.
        """
        found = self._hash.hexdigest()
        right = self.missing == 0 and found == self.base.sha256
        try:
            # What was hashed is what passed; another program may have cut the file meanwhile.
            if right and os.fstat(self._file.fileno()).st_size == self.base.size:
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self.path, target)
                return
            self._file.truncate(0)
        except OSError as error:
            raise storage_error(error, self.path) from error
        size, self.size, self._hash = self.size, 0, hashlib.sha256()
        raise ModelError(
            "download_wrong",
            Sentence(
                f"下载完的文件不是我们要的 {self.base.file}：校验和对不上，可能是传输出错或镜像上的文件被换过。"
                "坏文件已删除，请重试；再不行就换一个来源。",
                f"What was downloaded is not {self.base.file}: its checksum differs, through a fault on the way or "
                "because the mirror holds another file. It has been removed; try again, or choose another source.",
            ),
            f"SHA-256 {found}, expected {self.base.sha256}; {size} of {self.base.size} bytes",
        )

    def __enter__(self) -> "PartFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file.closed:
            return
        # The file is asked, not `size`: who was stopped while reading what is there must not lose it.
        empty = os.fstat(self._file.fileno()).st_size == 0
        self._file.close()
        if empty:
            with contextlib.suppress(OSError):  # nobody is harmed by an empty file that stays
                self.path.unlink(missing_ok=True)
