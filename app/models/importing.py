"""A GGUF file from the person's disk becomes one of the models: checked, tried, hashed, copied or used where it lies.

The person's own file is only ever read. A copy is made under a temporary name, on the disk whole before it takes its
own, and recorded last: what a kill at any moment leaves is a file no record names, which the next import removes.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, megabytes, storage_error
from app.models.folders import free_space, remove_files
from app.models.gguf_file import Header
from app.models.install import MARGIN, alone
from app.models.memory import Memory, machine_memory, needed_memory
from app.models.progress import Report
from app.models.registry import Imported, Registry, change_registry, read_registry
from app.models.verify import is_tuned, sha256_of, verify_model

FOLDER = "imported"
_CHUNK = 1 << 20
_TRYING = Sentence("正在试着打开它", "Trying to open it")


@dataclass(frozen=True)
class Facts:
    """What a file says of itself, and whether it fits; ``tight`` says that it does not just now."""

    title: str
    architecture: str
    license: str
    size: int  # bytes
    memory: int  # bytes the engine takes with it, about
    tuned: bool
    tight: Sentence | None = None


def inspect_model(path: Path, memory: Memory | None) -> Facts:
    """What can be told of a GGUF file from its header.

    Args:
        memory: the machine's; None where it is not known.

    Raises:
        ModelError: as :func:`~app.models.verify.verify_model` and :func:`~app.models.verify.is_tuned`;
            ``model_too_large`` for one that can never fit into this machine's memory.
    """
    header = verify_model(path, sha256=None)
    size = path.stat().st_size
    needed = needed_memory(header, size)
    if memory is not None and needed > memory.total:
        raise ModelError(
            "model_too_large",
            Sentence(
                f"{path.name} 太大，这台电脑用不了：它大约要 {megabytes(needed)} 内存，"
                f"这里一共 {megabytes(memory.total)}。请换一个小一些的，或量化得更狠的版本（如 Q4_K_M）。",
                f"{path.name} is too large for this computer: it takes about {megabytes(needed)} of memory, and there "
                f"are {megabytes(memory.total)}. Choose a smaller model, or one quantized further (such as Q4_K_M).",
            ),
        )
    tight = None
    if memory is not None and needed > memory.free:
        tight = Sentence(
            f"它大约要 {megabytes(needed)} 内存，现在空闲 {megabytes(memory.free)}：用之前先关掉一些程序。",
            f"It takes about {megabytes(needed)} of memory and {megabytes(memory.free)} are free now: close some "
            "programs before using it.",
        )
    return Facts(
        _text(header, "general.name") or path.stem,
        _text(header, "general.architecture"),
        _text(header, "general.license"),
        size,
        needed,
        is_tuned(path, header),
        tight,
    )


def import_model(
    folder: Path,
    path: Path,
    *,
    copy: bool,
    reserved: frozenset[str],
    report: Report,
    cancelled: Callable[[], bool],
    trial: Callable[[Path], None],
    memory: Callable[[], Memory | None] = machine_memory,
    free_space: Callable[[Path], int] = free_space,
) -> tuple[Imported, Sentence | None]:
    """Take in the GGUF file at ``path``.

    Args:
        folder: the models folder.
        copy: into the models folder; otherwise the file is used where it lies.
        reserved: ids that are taken besides those in the record.
        report: told how far hashing and copying have come, in bytes.
        trial: opens the file with the engine, evaluates something, and raises where that does not go well.

    Returns:
        The model, recorded; one of the same content that is already there is returned instead. And what the person
        should know before using it.

    Raises:
        ModelError: what is wrong with the file (as :func:`inspect_model`), the disk or the record; ``model_changed``
            when it became longer or shorter meanwhile.
        Cancelled: ``cancelled()`` became true; nothing is left behind.
        ExplainedError: what ``trial`` raised.
    """
    path = Path(path).expanduser().absolute()
    facts = inspect_model(path, memory())
    with alone(folder):
        temporary = folder / FOLDER / "new.part"
        read_registry(folder)  # one that cannot be read is said before anything is copied
        remove_files(temporary)  # of an import that was killed
        if copy:
            _check_room(folder, facts.size, free_space)
        report(0, 0, _TRYING)
        trial(path)
        if cancelled():
            raise Cancelled
        try:
            sha256 = _copy(path, temporary, facts.size, report, cancelled) if copy else _hash(path, report, cancelled)
            _check_size(path, (temporary if copy else path).stat().st_size, facts.size)
            return _record(folder, path, temporary if copy else None, facts, sha256, reserved), facts.tight
        except OSError as error:
            raise storage_error(error, path) from error
        finally:
            temporary.unlink(missing_ok=True)


def _record(
    folder: Path, path: Path, copy: Path | None, facts: Facts, sha256: str, reserved: frozenset[str]
) -> Imported:
    """Give a copy its name and the model its record; the one that is there already, if it is the same."""
    recorded: list[Imported] = []

    def change(registry: Registry) -> Registry:
        same = next((model for model in registry.imported if _is_there(model, sha256, folder)), None)
        if same is not None:
            if copy is not None and same.copied:
                os.replace(copy, same.path(folder))  # of the right size it was there, perhaps not of the right bytes
            recorded.append(same)
            return registry
        id = _free_id(path.stem, reserved | {model.id for model in registry.imported})
        file = str(path) if copy is None else f"{FOLDER}/{id}.gguf"
        if copy is not None:
            os.replace(copy, folder / file)
        recorded.append(
            Imported(
                id=id,
                title=facts.title,
                file=file,
                size=facts.size,
                sha256=sha256,
                license=facts.license,
                architecture=facts.architecture,
                memory=facts.memory,
                tuned=facts.tuned,
            )
        )
        return registry.with_model(recorded[0])

    change_registry(folder, change)
    return recorded[0]


def _is_there(model: Imported, sha256: str, folder: Path) -> bool:
    path = model.path(folder)
    return model.sha256 == sha256 and path.is_file() and path.stat().st_size == model.size


def _free_id(stem: str, taken: frozenset[str]) -> str:
    """An id made from a file's name: letters of any script, digits, dots, dashes; numbered where it is taken."""
    name = re.sub(r"[^\w.-]+", "-", stem.lower()).strip("-._")[:60] or "model"
    return next(id for id in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if id not in taken)


def _hash(path: Path, report: Report, cancelled: Callable[[], bool]) -> str:
    def tell(done: int, total: int) -> None:
        report(done, total, _progress("核对", "Checking", done, total))

    return sha256_of(path, tell, cancelled)


def _copy(path: Path, target: Path, size: int, report: Report, cancelled: Callable[[], bool]) -> str:
    """Copy and hash in one pass; the SHA-256 of what was read, and written to the disk."""
    digest = hashlib.sha256()
    done = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as source, target.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            if cancelled():
                raise Cancelled
            digest.update(chunk)
            copy.write(chunk)
            done += len(chunk)
            report(done, size, _progress("复制", "Copying", done, size))
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest()


def _check_size(path: Path, size: int, expected: int) -> None:
    """Refuse a file that has become longer or shorter since its header was read."""
    if size != expected:
        raise ModelError(
            "model_changed",
            Sentence(
                f"{path.name} 在导入途中变了：开始时是 {megabytes(expected)}，读完是 {megabytes(size)}，没有导入。"
                "多半是别的程序还在写它；等那边写完，再导入一次。",
                f"{path.name} changed while it was imported: it had {megabytes(expected)} and then {megabytes(size)}. "
                "It was not imported. Most likely another program is still writing it; import it again afterwards.",
            ),
        )


def _check_room(folder: Path, size: int, free: Callable[[Path], int]) -> None:
    available = free(folder)
    if available >= size + MARGIN:
        return
    short = megabytes(size + MARGIN - available)
    raise ModelError(
        "disk_full",
        Sentence(
            f"磁盘空间不够：复制这个模型要 {megabytes(size)}，只剩 {megabytes(available)}。请腾出 {short} 再导入，"
            "或选择不复制、就地使用。",
            f"The disk is too small: a copy of this model takes {megabytes(size)}, and {megabytes(available)} are "
            f"left. Free {short} and import it again, or use the file where it lies.",
        ),
    )


def _text(header: Header, key: str) -> str:
    value = header.metadata.get(key)
    return value.strip()[:200] if isinstance(value, str) else ""


def _progress(zh: str, en: str, done: int, total: int) -> Sentence:
    shown, whole = megabytes(done), megabytes(total)
    return Sentence(f"正在{zh}你选的模型：{shown} / {whole}", f"{en} the model you chose: {shown} of {whole}")
