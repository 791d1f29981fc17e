"""What a release of the model consists of: the adapter's folder with its card, and the GGUF file built from it.

Files that do not belong together are refused: a card that tells of other weights, a model made from another adapter or
another base. Only reads; nothing here touches the network.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from app.models.adapter import WEIGHTS_FILE, read_adapter
from app.models.built import read_sidecar, recipe, same_recipe
from app.models.manifest import Manifest
from app.models.verify import sha256_of, verify_model
from training.adapter_folder import FACTS_FILE, read_facts
from training.errors import TrainingError
from training.progress import percent

CARD = "README.md"


@dataclass(frozen=True)
class ReleaseFile:
    """One file: its name in the repository, where it lies, its size in bytes and its SHA-256 (hex)."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Release:
    """Everything that is published together, the card first and the model last."""

    files: tuple[ReleaseFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read_release(adapter: Path, model: Path, manifest: Manifest) -> Release:
    """The release of ``adapter`` and ``model``, whose parts fit each other.

    Args:
        adapter: a PEFT folder with its card and its facts; whatever else lies in it, hidden files aside, is published
            too.
        manifest: of this program, whose recipe a model built by the program has to follow.

    Raises:
        ModelError: the adapter or the model is damaged.
        TrainingError: a file is missing, or tells of another one than lies beside it.
    """
    card, base = _card(adapter), _base_sha256(adapter)
    read_adapter(adapter)
    weights = sha256_of(adapter / WEIGHTS_FILE)
    for what, sha256 in ((Sentence("权重", "the weights"), weights), (Sentence("底座", "the base"), base)):
        if sha256 not in card:
            raise _unfit(
                f"说明卡 {CARD} 里没有{what.zh}的 SHA-256，它说的可能是另一个 adapter。请改好它",
                f"The card {CARD} does not name the SHA-256 of {what.en}, so it may tell of another one. Correct it",
                f"{adapter / CARD}: {sha256}",
            )
    built = _built(adapter, weights, base, model, manifest)
    names = sorted(
        path.relative_to(adapter).as_posix()
        for path in adapter.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(adapter).parts)
    )
    names.sort(key=lambda name: name != CARD)
    files = [_file(name, adapter / name) for name in names]
    return Release((*files, ReleaseFile(model.name, model, model.stat().st_size, built)))


def _file(name: str, path: Path) -> ReleaseFile:
    return ReleaseFile(name, path, path.stat().st_size, sha256_of(path))


def _card(adapter: Path) -> str:
    try:
        return (adapter / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            Sentence(
                f"{adapter} 里没有读得出来的说明卡 {CARD}，没有它别人不知道这个模型是怎么来的。写好再发布。",
                f"{adapter} has no card {CARD} that can be read, and without one nobody knows how the model was made. "
                "Write it, then publish.",
            ),
            f"{type(error).__name__}: {error}",
        ) from error


def _base_sha256(adapter: Path) -> str:
    facts: Any = read_facts(adapter) or {}
    base = facts.get("base")
    sha256 = base.get("sha256") if isinstance(base, dict) else None
    if not isinstance(sha256, str):
        raise TrainingError(
            Sentence(
                f"{adapter / FACTS_FILE} 读不出来，不知道这个 adapter 是在哪个底座上训练的。"
                "请用 `python -m training all` 做出来的。",
                f"{adapter / FACTS_FILE} cannot be read, so it is not known which base this adapter was trained on. "
                "Use what `python -m training all` made.",
            )
        )
    return sha256


def _built(adapter: Path, weights: str, base: str, model: Path, manifest: Manifest) -> str:
    """The SHA-256 of the model, which was made from this adapter and this base."""
    metadata = verify_model(model, sha256=None).metadata
    if metadata.get("bainiantie.base_sha256") != base:
        raise _unfit(
            f"{model.name} 不是用这个 adapter 的底座做出来的。请用同一个底座重新生成",
            f"{model.name} was not made from the base of this adapter. Build it again from that base",
            f"base {base}, the model's {metadata.get('bainiantie.base_sha256')}",
        )
    found = sha256_of(model, percent(model.name))
    # `python -m training` writes the weights' hash into the file, the program what it built from beside it.
    named = metadata.get("bainiantie.adapter_sha256")
    sidecar = read_sidecar(model)
    if named is None and sidecar is not None:
        fits = same_recipe(sidecar, recipe(replace(manifest, adapter=adapter))) and sidecar["sha256"] == found
    else:
        fits = named == weights
    if not fits:
        raise _unfit(
            f"{model.name} 不是用这个 adapter 做出来的，或者做出来以后变过。请重新生成它",
            f"{model.name} was not made from this adapter, or has changed since. Build it again",
            f"{WEIGHTS_FILE} {weights}, the model's {named}; beside it: {sidecar}",
        )
    return found


def _unfit(zh: str, en: str, detail: str) -> TrainingError:
    return TrainingError(
        Sentence(f"{zh}，再发布。什么都没有上传。", f"{en}, then publish. Nothing was uploaded."), detail
    )
