"""The built model in its place, and the sidecar that says what it was built from.

A built file whose sidecar names another base, adapter, vocabulary, seed, metadata or way of merging is stale and counts
as not there: what runs is always what this version of the program would build. It stays on the disk until the
new one takes its name. Everything here is quick and hashes no large file; imports stay light for the same reason.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compose.prompt import CHAT_TEMPLATE
from app.compose.sentence import Sentence
from app.models.errors import ModelError
from app.models.manifest import Manifest
from app.models.whole_file import write_whole

RECIPE = 1  # raised whenever the merge makes another file of the same ingredients
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True)
class InstalledModel:
    """A model file the engine may open; ``sha256`` (hex) is what it was when it was built and tried."""

    path: Path
    sha256: str


def find_built(folder: Path, manifest: Manifest) -> InstalledModel | None:
    """The built model in ``folder``, if it is there and not stale. Looks at the sidecar, not into the file: whoever
    opens it checks the hash.

    The small ingredients are hashed anew each time (30 ms for an adapter of 37 MB).

    Raises:
        ModelError: ``adapter_missing`` or ``vocabulary_missing``.
    """
    path = folder / manifest.built.file
    if not path.is_file():
        return None
    sidecar = read_sidecar(path)
    if sidecar is None or not same_recipe(sidecar, recipe(manifest)):
        return None
    return InstalledModel(path, sidecar["sha256"])


def recipe(manifest: Manifest) -> dict[str, Any]:
    """Everything the built file's bytes depend on.

    Raises:
        ModelError: ``adapter_missing`` or ``vocabulary_missing``.
    """
    adapter = _hash_of([manifest.adapter / name for name in _ADAPTER_FILES], "adapter_missing")
    vocabulary = None
    if manifest.vocabulary is not None:
        vocabulary = _hash_of([manifest.vocabulary], "vocabulary_missing")
    metadata = json.dumps(built_metadata(manifest), sort_keys=True, ensure_ascii=False)
    return {
        "recipe": RECIPE,
        "base_sha256": manifest.base.sha256,
        "adapter_sha256": adapter,
        "vocabulary_sha256": vocabulary,
        "seed": manifest.built.seed,
        "metadata_sha256": hashlib.sha256(metadata.encode("utf-8")).hexdigest(),
    }


def built_metadata(manifest: Manifest) -> dict[str, Any]:
    """The GGUF metadata the built file gets: the manifest's, our chat template, and what it came from."""
    return {
        **manifest.built.metadata,
        "tokenizer.chat_template": CHAT_TEMPLATE,
        "bainiantie.base_sha256": manifest.base.sha256,
        "bainiantie.seed": manifest.built.seed,
    }


def same_recipe(sidecar: dict[str, Any], ingredients: dict[str, Any]) -> bool:
    """Whether a sidecar names exactly these ingredients."""
    return {key: sidecar.get(key) for key in ingredients} == ingredients


def sidecar_path(model: Path) -> Path:
    """Where the sidecar of a built file lies: beside it."""
    return model.with_name(model.name + ".json")


def read_sidecar(model: Path) -> dict[str, Any] | None:
    """The sidecar of a built file; None where there is none that can be understood."""
    try:
        sidecar = json.loads(sidecar_path(model).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(sidecar, dict) and isinstance(sidecar.get("sha256"), str) and type(sidecar.get("size")) is int
    return sidecar if known else None


def recorded_hash(model: Path) -> str | None:
    """The SHA-256 (hex) the sidecar of a model file records; None for a file that was not built here."""
    sidecar = read_sidecar(model)
    return sidecar["sha256"] if sidecar else None


def write_sidecar(model: Path, ingredients: dict[str, Any], sha256: str) -> None:
    """Record what ``model`` was built from: whole or not at all.

    Raises:
        ModelError: the disk's refusal.
    """
    text = json.dumps({"sha256": sha256, "size": model.stat().st_size, **ingredients}, indent=1) + "\n"
    write_whole(sidecar_path(model), text)


def _hash_of(files: list[Path], code: str) -> str:
    """One SHA-256 over several files, each preceded by its length."""
    digest = hashlib.sha256()
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                code,
                Sentence(
                    f"程序自带的 {path.parent.name}/{path.name} 读不到，没法生成模型。请重新安装程序或恢复这个文件。",
                    f"{path.parent.name}/{path.name}, which comes with the program, cannot be read; without it the "
                    "model cannot be built. Reinstall the program or restore the file.",
                ),
                f"{type(error).__name__}: {error}",
            ) from error
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()
