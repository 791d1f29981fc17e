"""The open file: its lock, its connection, its transactions.

A Store belongs to the thread that opened it, and every function of this package that takes one is called from there;
sqlite3 refuses any other thread with a ProgrammingError. One process holds a file at a time: a second one is told so.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.compose.sentence import Sentence
from app.people import beside, index, schema
from app.people.backup import back_up_daily, backups, make_backup, put_back
from app.people.checkup import examine, mend, refuse_foreign
from app.people.connection import PATIENCE, connect, connect_read_only
from app.people.errors import StoreError, in_use, storage_error

if TYPE_CHECKING:
    from filelock import AcquireReturnProxy, BaseFileLock


@dataclass(frozen=True)
class Store:
    """An open file of people and greetings.

    ``notices`` is what the person should be told about the opening: a repair, a backup that failed, why it is read
    only. ``full_text`` is whether searching has an index; without one it reads every entry.
    """

    path: Path
    read_only: bool
    full_text: bool
    notices: tuple[Sentence, ...]
    _connection: sqlite3.Connection
    _lock: "BaseFileLock | None"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for queries.

        Raises:
            StoreError: what SQLite met, as a sentence.
        """
        with _explained(self.path):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection inside a transaction: when the block has ended, what it wrote is on the disk, or none of it.

        Raises:
            StoreError: it could not be written, or the file is open read-only.
        """
        if self.read_only:
            raise StoreError("read_only", self.notices[0])
        with _explained(self.path), schema.whole(self._connection):
            yield self._connection

    def close(self) -> None:
        """Fold the journal into the file and let go of it. A second call does nothing."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()


def open_store(path: Path, *, full_text: bool = True) -> Store:
    """Open the file: made new where there is none, checked, mended where it is damaged, brought up to date.

    Args:
        full_text: False searches without an index even where SQLite has FTS5.

    Raises:
        StoreError: ``in_use``, ``folder``, ``not_sqlite``, ``lost`` or ``damaged`` (both may be answered with
            :func:`restore` or :func:`start_anew`), ``unwritable``, ``disk_full`` and others of
            :mod:`app.people.errors`. The file is as it was.
    """
    path = Path(path).absolute()
    if path.is_dir():
        raise StoreError(
            "folder",
            Sentence(
                f"{path} 是一个文件夹，数据要存成文件。请把这个文件夹移到别处或改个名字，再打开一次。",
                f"{path} is a folder, where a file is needed. Move or rename it and open the program again.",
            ),
        )
    with _explained(path):
        try:
            lock = _locked(path).lock
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                return _open_unwritable(path, error)
            raise
        try:
            return _open(path, lock, full_text)
        except BaseException:
            lock.release()
            raise


def restore(path: Path, backup: Path) -> Path | None:
    """Put a backup in the place of the file, which must not be open; what was there is kept beside it.

    Returns:
        Where the replaced file lies now; None when there was none.

    Raises:
        StoreError: the backup is not sound, the file is in use, or the disk does not allow it.
    """
    path = Path(path).absolute()
    with _explained(path), _locked(path):
        return put_back(path, backup)


def start_anew(path: Path) -> tuple[Path, ...]:
    """Set the file, which must not be open, and its backups aside, so that opening makes a new one.

    Returns:
        Where they lie now.

    Raises:
        StoreError: the file is in use, or the disk does not allow it.
    """
    path = Path(path).absolute()
    with _explained(path), _locked(path):
        # The file last: while it or a backup is in its place, opening does not make an empty one in silence.
        moves = [(backup, backup.with_name(f"{backup.name}{beside.ASIDE}")) for backup in backups(path)]
        if path.exists():
            moves.append((path, beside.named_now(path, "", beside.ASIDE)))
        for source, target in moves:
            os.replace(source, target)
        beside.drop_journals(path)
        return tuple(target for _, target in moves)


def _locked(path: Path) -> "AcquireReturnProxy":
    # Imported here, because it takes time that starting the program need not wait for.
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock", timeout=PATIENCE)
    try:
        return lock.acquire()
    except Timeout as error:
        raise in_use(path, str(error)) from error


def _open(path: Path, lock: "BaseFileLock", full_text: bool) -> Store:
    refuse_foreign(path)
    version, problem = examine(path)
    if version > schema.VERSION and not problem:
        return Store(path, True, False, (_newer(path, version),), connect_read_only(path), lock)
    notices = [mend(path, problem)] if problem else []
    connection = connect(path)
    try:
        new = not schema.version_of(connection)
        schema.migrate(connection, lambda: make_backup(connection, path))
        full_text = full_text and index.has_full_text(connection)
        if full_text:
            index.ensure_index(connection)
        else:
            # It will not agree with what is written from now on.
            connection.execute("DELETE FROM index_state")
        # Nobody writes in a file that has just been opened: the last run ended while these rows were being written.
        connection.execute("UPDATE batch_rows SET state = 'waiting' WHERE state = 'writing'")
        try:
            if not new:
                back_up_daily(connection, path)
        except (sqlite3.Error, OSError) as error:
            notices.append(_no_backup(storage_error(error, path)))
    except BaseException:
        connection.close()
        raise
    return Store(path, False, full_text, tuple(notices), connection, lock)


def _open_unwritable(path: Path, error: OSError) -> Store:
    """A file in a folder we may not write: still to be read, if it is of our version and its last writer closed it."""
    wal = Path(f"{path}-wal")
    if not path.exists() or (wal.exists() and wal.stat().st_size):
        raise error
    refuse_foreign(path)
    connection = connect_read_only(path, immutable=True)
    if schema.version_of(connection) != schema.VERSION:
        connection.close()
        raise error
    notice = Sentence(
        f"没有权限写 {path.parent}，所以只能查看，新写的不会保存。请检查权限，再打开一次。",
        f"{path.parent} may not be written, so this can only be looked at and nothing new is saved. Check the "
        "permissions and open the program again.",
    )
    return Store(path, True, False, (notice,), connection, None)


def _newer(path: Path, version: int) -> Sentence:
    return Sentence(
        f"{path.name} 是更新版本的拜年帖存下的（格式 {version}，这一版认识到 {schema.VERSION}）。"
        "为免弄坏它，现在只能查看，不能保存。请更新程序。",
        f"{path.name} was saved by a newer version of this program (format {version}; this one knows "
        f"{schema.VERSION}). So as not to harm it, it can only be looked at and nothing is saved. Update the program.",
    )


def _no_backup(error: StoreError) -> Sentence:
    return Sentence(
        f"今天的备份没有做成：{error.sentence.zh}数据本身没有问题，可以照常使用。",
        f"Today's backup was not made: {error.sentence.en} The data itself is well and can be used.",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the system as sentences. A mistake of ours stays what it is."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.IntegrityError):
        raise
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, path) from error
