"""What models there are on this machine and what can be fetched: one list, for the window and the command line.

An entry is told from the files as they are now. Headers are read, which takes a moment for each; hashes are not: that
is :func:`verify_entry`'s work.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app import program
from app.compose.sentence import Sentence
from app.models import built
from app.models.errors import ModelError, megabytes, storage_error
from app.models.folders import base_path, remove_files
from app.models.install import alone
from app.models.manifest import Manifest
from app.models.registry import Imported, Registry, change_registry, read_registry
from app.models.verify import is_tuned, verify_model

_TUNED = Sentence(
    "写春节祝福：它带着我们的提示词，是照着语料微调过的。", "Spring Festival messages: it was tuned for them."
)
_GENERAL = Sentence(
    "通用模型，没有为写祝福微调过：用它自带的对话模板和一段通用的要求来写，难免稳妥、套话多。",
    "A general model, not tuned for greetings: it is asked through its own chat template, and tends to write stock "
    "phrases.",
)
_STALE = Sentence(
    "程序更新了，这个模型要重新生成一次；基础模型还在的话不用再下载。",
    "The program is newer than this model, which has to be built again; nothing is downloaded if the base is here.",
)


class State(Enum):
    """How it stands with a model."""

    READY = "ready"
    ABSENT = "absent"  # it can be fetched
    BEGUN = "begun"  # some of it has been fetched
    STALE = "stale"  # it is here and has to be built again
    BROKEN = "broken"  # it is here, or should be, and cannot be used: ``fault`` says why


class Kind(Enum):
    """Where a model comes from."""

    BUILT = "built"  # made here from base and adapter
    BASE = "base"  # fetched as it is
    IMPORTED = "imported"  # from the person's disk


@dataclass(frozen=True)
class Entry:
    """One model. Sizes in bytes: ``size`` of its file, about as long as it is not there; ``here`` of ``download`` have
    been fetched; ``memory`` is what the engine takes with it, about."""

    id: str
    kind: Kind
    title: Sentence
    good_for: Sentence
    path: Path
    state: State
    size: int
    memory: int
    license: str
    tuned: bool
    in_use: bool
    sha256: str | None = None  # hex, None where it is not known before it is there
    copied: bool = True  # whether the file is ours to delete
    here: int = 0
    download: int = 0
    fault: Sentence | None = None
    source: str = ""  # a repository on the Hub, or the name of a file that was imported


def list_entries(folder: Path, manifest: Manifest) -> tuple[Entry, ...]:
    """Every model there is or could be: ours first, then its base, then what was imported.

    Raises:
        ModelError: the record cannot be read, or what comes with the program is missing.
    """
    registry = read_registry(folder)
    base = _base_entry(folder, manifest, registry)
    ours = _built_entry(folder, manifest, registry, base)
    return (ours, base, *(_imported_entry(folder, model, registry) for model in registry.imported))


def find_entry(folder: Path, manifest: Manifest, id: str) -> Entry:
    """The model of that id.

    Raises:
        ModelError: ``model_unknown``; as :func:`list_entries`.
    """
    entries = list_entries(folder, manifest)
    for entry in entries:
        if entry.id == id:
            return entry
    known = "、".join(entry.id for entry in entries)
    raise ModelError(
        "model_unknown",
        Sentence(
            f"没有叫 {id[:80]} 的模型，这一步没有做。现有的是：{known}。",
            f"There is no model {id[:80]}, so nothing was done. There are: {known.replace('、', ', ')}.",
        ),
    )


def chosen_model(folder: Path, manifest: Manifest) -> built.InstalledModel | None:
    """The model in use, None when it is ours and not built. Quick: reads no header, hashes no large file.

    A chosen file that is missing is given out all the same: whoever opens it says so.

    Raises:
        ModelError: as :func:`list_entries`.
    """
    registry = read_registry(folder)
    if registry.in_use == manifest.base.id:
        return built.InstalledModel(base_path(folder, manifest.base), manifest.base.sha256)
    imported = registry.find(registry.in_use) if registry.in_use else None
    if imported is not None:
        return built.InstalledModel(imported.path(folder), imported.sha256)
    return _find_ours(folder, manifest)


def fetched_bytes(folder: Path, manifest: Manifest) -> int:
    """How much of the base is on the disk, begun or whole. Quick: no file is opened."""
    path = base_path(folder, manifest.base)
    if path.is_file():
        return manifest.base.size
    part = path.with_name(manifest.base.part)
    return min(part.stat().st_size, manifest.base.size) if part.is_file() else 0


def use_entry(folder: Path, manifest: Manifest, id: str) -> Entry:
    """Make a model the one in use.

    Raises:
        ModelError: ``model_unknown``, ``model_not_ready``; as :func:`list_entries`.
    """
    entry = find_entry(folder, manifest, id)
    if entry.state is not State.READY:
        why = entry.fault or Sentence("它还没有下载。", "It has not been fetched.")
        raise ModelError(
            "model_not_ready",
            Sentence(f"不能换成“{entry.title.zh}”：{why.zh}", f"{entry.title.en} cannot be used: {why.en}"),
        )

    def change(registry: Registry) -> Registry:
        return Registry(None if entry.kind is Kind.BUILT else id, registry.imported)

    change_registry(folder, change)
    return entry


def verify_entry(
    entry: Entry, progress: Callable[[int, int], None], cancelled: Callable[[], bool] = lambda: False
) -> None:
    """Read a model's file to its end.

    Raises:
        ModelError: what is wrong with it; ``model_not_ready`` when there is no file.
        Cancelled: ``cancelled()`` became true.
    """
    if entry.state in (State.ABSENT, State.BEGUN):
        raise ModelError(
            "model_not_ready",
            Sentence(
                f"“{entry.title.zh}”还没有下载完，没有可以校验的。请先下载。",
                f"{entry.title.en} has not been fetched, so there is nothing to check. Fetch it first.",
            ),
        )
    verify_model(entry.path, sha256=entry.sha256, progress=progress, cancelled=cancelled)


def remove_entry(folder: Path, manifest: Manifest, id: str) -> Entry:
    """Delete a model's file, and what was begun of it; a file used where it lies is only forgotten.

    Returns:
        The entry as it was.

    Raises:
        ModelError: ``model_unknown``, ``model_in_use``, ``model_shipped``, ``install_running``, or the disk's refusal.
    """
    entry = find_entry(folder, manifest, id)
    if entry.in_use and entry.state is not State.ABSENT:
        raise ModelError(
            "model_in_use",
            Sentence(
                f"“{entry.title.zh}”正在使用，没有删除。请先换用另一个模型，再来删它。",
                f"{entry.title.en} is in use and was not removed. Use another model first, then remove it.",
            ),
        )
    if entry.kind is Kind.BUILT and not entry.copied:
        raise ModelError(
            "model_shipped",
            Sentence(
                f"“{entry.title.zh}”是和程序一起装来的，没有单独删除。卸载程序时会一起删掉。",
                f"{entry.title.en} came with the program and was not removed by itself. It goes when the program is "
                "uninstalled.",
            ),
        )
    files = [entry.path] if entry.copied else []
    if entry.kind is Kind.BUILT:
        files.append(built.sidecar_path(entry.path))
    if entry.kind is Kind.BASE:
        files.append(entry.path.with_name(manifest.base.part))
    with contextlib.nullcontext() if entry.kind is Kind.IMPORTED else alone(folder):
        remove_files(*files)
    change_registry(folder, lambda registry: registry.without(id))
    return entry


def _find_ours(folder: Path, manifest: Manifest) -> built.InstalledModel | None:
    """Our model: the one built on this machine, else the one that came with the program."""
    found = built.find_built(folder, manifest)
    if found is None and program.SHIPPED_MODELS is not None:
        found = built.find_built(program.SHIPPED_MODELS, manifest)
    return found


def _built_entry(folder: Path, manifest: Manifest, registry: Registry, base: Entry) -> Entry:
    about, found = manifest.built, _find_ours(folder, manifest)
    path = found.path if found else folder / about.file
    state, fault = State.ABSENT, None
    if path.is_file():
        fault = _fault_of(path, None) or (None if found else _STALE)
        state = State.READY if fault is None else State.STALE if fault is _STALE else State.BROKEN
    elif base.state is State.BEGUN:
        state = State.BEGUN
    return Entry(
        id=about.id,
        kind=Kind.BUILT,
        title=about.title,
        good_for=about.good_for,
        path=path,
        state=state,
        size=path.stat().st_size if path.is_file() else about.size,
        memory=about.memory,
        license=about.license,
        tuned=True,
        in_use=registry.in_use is None,
        sha256=found.sha256 if found else built.recorded_hash(path),
        copied=path.parent == folder,
        here=base.here,
        download=base.download,
        fault=fault,
        source=base.source,
    )


def _base_entry(folder: Path, manifest: Manifest, registry: Registry) -> Entry:
    about, path = manifest.base, base_path(folder, manifest.base)
    here = fetched_bytes(folder, manifest)
    state, fault = State.BEGUN if here else State.ABSENT, None
    if path.is_file():
        fault = _fault_of(path, about.size)
        state = State.BROKEN if fault else State.READY
    return Entry(
        id=about.id,
        kind=Kind.BASE,
        title=about.title,
        good_for=about.good_for,
        path=path,
        state=state,
        size=about.size,
        memory=about.memory,
        license=about.license,
        tuned=False,
        in_use=registry.in_use == about.id,
        sha256=about.sha256,
        here=here,
        download=about.size,
        fault=fault,
        source=about.repo,
    )


def _imported_entry(folder: Path, model: Imported, registry: Registry) -> Entry:
    path = model.path(folder)
    fault = _fault_of(path, model.size)
    return Entry(
        id=model.id,
        kind=Kind.IMPORTED,
        title=Sentence(model.title, model.title),
        good_for=_TUNED if model.tuned else _GENERAL,
        path=path,
        state=State.BROKEN if fault else State.READY,
        size=model.size,
        memory=model.memory,
        license=model.license,
        tuned=model.tuned,
        in_use=registry.in_use == model.id,
        sha256=model.sha256,
        copied=model.copied,
        fault=fault,
        source=path.name,
    )


def _fault_of(path: Path, size: int | None) -> Sentence | None:
    """What is wrong with a file, as far as its header and its length tell."""
    try:
        is_tuned(path, verify_model(path, sha256=None))
        found = path.stat().st_size
    except ModelError as error:
        return error.sentence
    except OSError as error:
        return storage_error(error, path).sentence
    if size is None or found == size:
        return None
    return Sentence(
        f"模型文件 {path.name} 不是原来那个了：原来是 {megabytes(size)}，现在是 {megabytes(found)}。"
        "请移除后重新导入或下载。",
        f"{path.name} is no longer the file it was: it had {megabytes(size)} and has {megabytes(found)} now. Remove "
        "it, then import or fetch it again.",
    )
