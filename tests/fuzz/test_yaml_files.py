"""The catalogue, the manifest and the record of models, with anything about them changed: read, or refused with a
sentence that names the file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from app.compose.catalog import CATALOG_FILE, CatalogError, load_catalog
from app.compose.sentence import ExplainedError
from app.models.errors import ModelError
from app.models.manifest import MANIFEST_FILE, ManifestError, load_manifest
from app.models.registry import FILE as REGISTRY_FILE
from app.models.registry import read_registry
from tests.fuzz.hostile import changed_bytes, changed_trees, keys_of
from tests.tally import Tally

# What YAML reads as something else than it looks like, or chokes on.
NASTY = (
    b"2026-02-30",
    b"0x_",
    b"0b_",
    b"1:99",
    b"9" * 5000,
    b"[" * 3000,
    b"&a [*a]",
    b"*nobody",
    b"!!python/object:os.system {}",
    b"!!binary x",
    b"!!timestamp x",
    b"? [1, 2]\n: 3\n",
    b"<<: 3",
    b"\t",
    b"\x00",
    b"\xff",
    b'"\\0"',
    b".nan",
    b"---\n",
    b"=",
)

REGISTRY = {
    "in_use": "mine",
    "imported": [
        {
            "id": "mine",
            "title": "小模型",
            "file": "imported/mine.gguf",
            "size": 1000,
            "sha256": "0" * 64,
            "license": "",
            "architecture": "qwen2",
            "memory": 2000,
            "tuned": False,
        }
    ],
}


def outcome(path: Path, content: bytes, load: Callable[[Path], Any], error: type[ExplainedError]) -> str:
    """What came of a file; anything but a value or its own error is raised."""
    path.write_bytes(content)
    try:
        load(path)
    except error as refusal:
        assert path.name in refusal.sentence.zh and path.name in refusal.sentence.en
        assert len(refusal.sentence.zh) < 1000, "a sentence stays one that can be read"
        return "refused with a sentence"
    return "taken"


def dumped(tree: Any) -> bytes:
    return str(yaml.safe_dump(tree, allow_unicode=True)).encode("utf-8", "replace")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yaml")


catalog = yaml.safe_load(CATALOG_FILE.read_text(encoding="utf-8"))
# A few of everything: what is wrong in one entry is wrong in any, and the whole takes long to read.
catalog = {key: entries[:3] if key == "relationships" else entries[:2] for key, entries in catalog.items()}
manifest = yaml.safe_load(MANIFEST_FILE.read_text(encoding="utf-8"))


@settings(max_examples=200)
@given(changed_bytes(dumped(catalog), NASTY))
def test_a_catalogue_with_changed_bytes(tally: Tally, folder: Path, content: bytes) -> None:
    tally.count("changed catalogues", outcome(folder / "catalog.yaml", content, load_catalog, CatalogError))


@settings(max_examples=200)
@given(changed_trees(catalog, keys_of(catalog)))
def test_a_catalogue_with_changed_entries(tally: Tally, folder: Path, tree: Any) -> None:
    tally.count("changed catalogues", outcome(folder / "catalog.yaml", dumped(tree), load_catalog, CatalogError))


@settings(max_examples=200)
@given(changed_bytes(MANIFEST_FILE.read_bytes(), NASTY))
def test_a_manifest_with_changed_bytes(tally: Tally, folder: Path, content: bytes) -> None:
    tally.count("changed manifests", outcome(folder / "manifest.yaml", content, load_manifest, ManifestError))


@settings(max_examples=200)
@given(changed_trees(manifest, keys_of(manifest)))
def test_a_manifest_with_changed_entries(tally: Tally, folder: Path, tree: Any) -> None:
    tally.count("changed manifests", outcome(folder / "manifest.yaml", dumped(tree), load_manifest, ManifestError))


@settings(max_examples=150)
@given(changed_bytes(dumped(REGISTRY), NASTY))
def test_a_record_of_models_with_changed_bytes(tally: Tally, folder: Path, content: bytes) -> None:
    def load(path: Path) -> object:
        return read_registry(path.parent)

    tally.count("changed records of models", outcome(folder / REGISTRY_FILE, content, load, ModelError))


@settings(max_examples=150)
@given(changed_trees(REGISTRY, keys_of(REGISTRY)))
def test_a_record_of_models_with_changed_entries(tally: Tally, folder: Path, tree: Any) -> None:
    def load(path: Path) -> object:
        return read_registry(path.parent)

    tally.count("changed records of models", outcome(folder / REGISTRY_FILE, dumped(tree), load, ModelError))
