"""From nothing to a model in its place: check, download, verify, merge, hash, trial; each goes on where it stopped.

Everything is made under a temporary name; the built file takes its own only after it has written a greeting, so that a
file of that name is always whole and tried. What an installation killed at any moment leaves behind:

* ``base/<file>.<hash>.part``: the beginning of the base; continued.
* ``base/<file>``: the base, whole; hashed again before it is used. Kept, so that a new adapter needs no download.
* ``<built>.new.gguf.part``: an unfinished merge; begun again.
* ``<built>.new.gguf`` with its sidecar: merged and hashed, not yet tried; tried next time.
* ``<built>.gguf`` with the sidecar still under the ``.new.gguf`` name: tried and in place; the sidecar follows.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from app.models import built
from app.models.built import InstalledModel, find_built
from app.models.errors import Cancelled, ModelError, megabytes, storage_error
from app.models.folders import base_path, free_space, models_folder, remove_files
from app.models.manifest import Manifest
from app.models.progress import STEPS, Progress, Report, report_of
from app.models.verify import sha256_of, verify_model
from app.models.vocabulary import read_vocabulary

# Imported where they are used, here and below: huggingface_hub, numpy and filelock take half a second together, which a
# start that only looks whether the model is there must not pay.

__all__ = ["STEPS", "InstalledModel", "Progress", "find_built", "install", "install_base", "models_folder"]

MARGIN = 64_000_000  # bytes left free on the disk at the peak, at least

_CHECKING = Sentence("正在检查已有的文件", "Checking what is already here")
_VERIFYING = Sentence("正在校验基础模型", "Verifying the base model")
_MERGING = Sentence("正在生成拜年模型（约一分钟）", "Building the greeting model (about a minute)")
_HASHING = Sentence("正在给生成的模型算校验和", "Computing the checksum of the built model")
_TRYING = Sentence("正在试写一条祝福", "Writing one greeting to try it")


@dataclass(frozen=True)
class _Job:
    """One installation: where, what, and who is told."""

    folder: Path
    manifest: Manifest
    source: str
    mirror: str
    progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    free_space: Callable[[Path], int]

    @property
    def base(self) -> Path:
        return base_path(self.folder, self.manifest.base)

    @property
    def final(self) -> Path:
        return self.folder / self.manifest.built.file

    @property
    def candidate(self) -> Path:
        return self.final.with_name(f"{self.final.stem}.new.gguf")

    def report(self, step: str) -> Report:
        """Tells ``progress`` about one step."""
        return report_of(step, self.progress)

    def hash_of(self, path: Path, step: str, sentence: Sentence) -> str:
        report = self.report(step)
        try:
            return sha256_of(path, lambda done, total: report(done, total, sentence), self.cancelled)
        except OSError as error:
            raise storage_error(error, path) from error


def install(
    folder: Path,
    manifest: Manifest,
    source: str = "auto",
    *,
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    trial: Callable[[Path], None],
    free_space: Callable[[Path], int] = free_space,
    mirror: str = "",
) -> InstalledModel:
    """Make sure that the model is in ``folder``, whole and tried; fetch and build what is missing.

    Unlike :func:`find_built` it reads a built file that is there to its end, and replaces one that is damaged.

    Args:
        source: where the base comes from: ``auto``, ``hub``, ``mirror``, ``index``, or the path of a file. Not looked
            at when the base is already there.
        trial: opens the file it is given, writes a greeting with it, and raises where that does not go well.
        free_space: bytes free on the disk of a folder.
        mirror: address of a mirror of the Hub, "" for none.

    Raises:
        ModelError: what is in the way; what is finished stays for the next time.
        Cancelled: ``cancelled()`` became true; likewise.
        ExplainedError: what ``trial`` raised; the file it was given is removed.
    """
    job = _Job(folder, manifest, source, mirror, progress, cancelled, free_space)
    ingredients = built.recipe(manifest)
    # Read now: what is unfit about it is said before anything is fetched.
    kept = None if manifest.vocabulary is None else read_vocabulary(manifest.vocabulary)
    with alone(folder):
        progress(Progress("check", 0, 0, _CHECKING))
        there = _already_there(job, ingredients)
        if there is not None:
            return there
        sha256 = _candidate_there(job, ingredients)
        if sha256 is None:
            _have_base(job, manifest.built.size)
            sha256 = _build(job, ingredients, kept)
        else:
            _check_room(job, 0)
        return _try_and_place(job, sha256, trial)


def install_base(
    folder: Path,
    manifest: Manifest,
    source: str = "auto",
    *,
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    free_space: Callable[[Path], int] = free_space,
    mirror: str = "",
) -> InstalledModel:
    """Make sure that the base alone is in ``folder``, whole: a model in its own right, and what ours is built from.

    Args and errors are those of :func:`install`.
    """
    job = _Job(folder, manifest, source, mirror, progress, cancelled, free_space)
    with alone(folder):
        progress(Progress("check", 0, 0, _CHECKING))
        _have_base(job, 0)
        return InstalledModel(job.base, manifest.base.sha256)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the models folder against a second installer; the system lets go of it however this process ends.

    Raises:
        ModelError: ``install_running``, or the disk's refusal.
    """
    from filelock import FileLock, Timeout

    lock_file = folder / "base" / "install.lock"
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise ModelError(
            "install_running",
            Sentence(
                "另一个窗口或命令正在安装模型。等它装完就能用；想在这里装，请先停掉那边的。",
                "Another window or command is installing the model. Wait until it has finished, or stop it first.",
            ),
            str(lock_file),
        ) from error
    except OSError as error:
        raise storage_error(error, lock_file) from error
    try:
        yield
    finally:
        lock.release()


def _already_there(job: _Job, ingredients: dict[str, Any]) -> InstalledModel | None:
    """The built file, if it is in place, current and undamaged; a damaged one is removed."""
    found = find_built(job.folder, job.manifest)
    if found is None and job.final.is_file() and not job.candidate.exists():
        # Killed between giving the tried file its name and its sidecar?
        sidecar = built.read_sidecar(job.candidate)
        if sidecar is not None and built.same_recipe(sidecar, ingredients):
            found = InstalledModel(job.final, sidecar["sha256"])
    if found is None:
        return None
    if job.hash_of(found.path, "check", _CHECKING) != found.sha256:
        remove_files(found.path, built.sidecar_path(found.path), built.sidecar_path(job.candidate))
        return None
    with _storage(job.final):
        if built.sidecar_path(job.candidate).exists():
            os.replace(built.sidecar_path(job.candidate), built.sidecar_path(job.final))
    return found


def _candidate_there(job: _Job, ingredients: dict[str, Any]) -> str | None:
    """The hash of a file merged by an earlier start that only has to be tried; anything else of that name goes."""
    sidecar = built.read_sidecar(job.candidate) if job.candidate.is_file() else None
    if (
        sidecar is not None
        and built.same_recipe(sidecar, ingredients)
        and job.hash_of(job.candidate, "check", _CHECKING) == sidecar["sha256"]
    ):
        return str(sidecar["sha256"])
    _remove_candidate(job)
    return None


def _check_room(job: _Job, size: int) -> None:
    """Say that the disk is too small for ``size`` bytes more before anything is fetched or built."""
    needed = MARGIN + size
    available = job.free_space(job.folder)
    if available >= needed:
        return
    short = megabytes(needed - available)
    raise ModelError(
        "disk_full",
        Sentence(
            f"磁盘空间不够：装模型还需要 {megabytes(needed)}，{job.folder} 所在的磁盘只剩 {megabytes(available)}。"
            f"请再腾出 {short} 后继续；已下载的部分不会丢。",
            f"The disk is too small: {megabytes(needed)} more are needed to install the model, and the disk of "
            f"{job.folder} has {megabytes(available)} left. Free another {short} and continue; nothing fetched is "
            "lost.",
        ),
    )


def _room_for_base(job: _Job) -> int:
    from app.models.sources import NAMED, part_path

    base = job.manifest.base
    if job.source not in NAMED:
        file = Path(job.source).expanduser()
        linkable = file.exists() and file.stat().st_dev == job.base.parent.stat().st_dev
        return 0 if linkable else base.size
    part = part_path(base, job.base.parent)
    missing = base.size - (min(part.stat().st_size, base.size) if part.exists() else 0)
    # The wheel in hand, and pip's own copy of it.
    return missing + (2 * base.pieces.size if base.pieces is not None else 0)


def _have_base(job: _Job, after: int) -> None:
    """The base in its folder, with the right hash; ``after`` bytes are needed on the disk once it is there."""
    from app.models.sources import fetch_base, tidy

    base = job.manifest.base
    if job.base.is_file():
        _check_room(job, after)
        if job.hash_of(job.base, "verify", _VERIFYING) == base.sha256:
            verify_model(job.base, sha256=None)
            tidy(base, job.base.parent)
            return
        remove_files(job.base)
    _check_room(job, after + _room_for_base(job))
    tidy(base, job.base.parent)
    fetch_base(
        base,
        job.base.parent,
        job.source,
        job.report("download"),
        job.cancelled,
        checking=job.report("check"),
        mirror=job.mirror,
    )
    tidy(base, job.base.parent)
    job.report("verify")(1, 1, _VERIFYING)
    verify_model(job.base, sha256=None)


def _build(job: _Job, ingredients: dict[str, Any], kept: tuple[int, ...] | None) -> str:
    """Merge into the candidate and record it; its hash."""
    from app.models.merge import merge_model

    manifest, report = job.manifest, job.report("merge")
    report(0, 0, _MERGING)
    merge_model(
        job.base,
        manifest.adapter,
        job.candidate,
        vocabulary=kept,
        seed=manifest.built.seed,
        metadata=built.built_metadata(manifest),
        progress=lambda done, total: report(done, total, _MERGING),
        cancelled=job.cancelled,
    )
    sha256 = job.hash_of(job.candidate, "hash", _HASHING)
    verify_model(job.candidate, sha256=None)
    built.write_sidecar(job.candidate, ingredients, sha256)
    return sha256


def _try_and_place(job: _Job, sha256: str, trial: Callable[[Path], None]) -> InstalledModel:
    if job.cancelled():
        raise Cancelled
    job.progress(Progress("trial", 0, 1, _TRYING))
    try:
        trial(job.candidate)
    except Cancelled:
        raise
    except Exception:
        if job.cancelled():
            raise Cancelled from None  # the engine may have been stopped by the same key
        _remove_candidate(job)
        raise
    if job.cancelled():
        raise Cancelled
    with _storage(job.final):
        # In this order: a file under the final name is always a tried one, and a sidecar never speaks of another file.
        os.replace(job.candidate, job.final)
        os.replace(built.sidecar_path(job.candidate), built.sidecar_path(job.final))
    job.progress(Progress("trial", 1, 1, _TRYING))
    return InstalledModel(job.final, sha256)


def _remove_candidate(job: _Job) -> None:
    remove_files(
        job.candidate,
        built.sidecar_path(job.candidate),
        job.candidate.with_name(job.candidate.name + ".part"),
    )


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error
