"""A model that came with the program: used where it lies, never removed, and second to one built on this machine."""

import shutil
from pathlib import Path

import pytest

from app import program
from app.models.built import recipe, write_sidecar
from app.models.errors import ModelError
from app.models.inventory import Kind, State, chosen_model, list_entries, remove_entry, use_entry
from app.models.manifest import Manifest, load_manifest
from app.models.verify import sha256_of
from tests.models.manifests import base_of, write_manifest


@pytest.fixture
def manifest(tmp_path: Path, tiny_base: Path, tiny_adapter: Path) -> Manifest:
    return load_manifest(write_manifest(tmp_path / "manifest.yaml", base_of(tiny_base.read_bytes()), tiny_adapter))


def put(model: Path, folder: Path, manifest: Manifest) -> Path:
    """Our model in a folder, as an installation leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / manifest.built.file
    shutil.copyfile(model, path)
    write_sidecar(path, recipe(manifest), sha256_of(path))
    return path


@pytest.fixture
def shipped(tmp_path: Path, tiny_model: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(program, "SHIPPED_MODELS", tmp_path / "程序 program" / "models")
    return put(tiny_model, tmp_path / "程序 program" / "models", manifest)


def test_it_is_used_without_anything_being_fetched(shipped: Path, manifest: Manifest, tmp_path: Path) -> None:
    chosen = chosen_model(tmp_path / "own", manifest)
    assert chosen is not None and chosen.path == shipped and chosen.sha256 == sha256_of(shipped)
    ours = list_entries(tmp_path / "own", manifest)[0]
    assert (ours.kind, ours.state, ours.in_use, ours.copied) == (Kind.BUILT, State.READY, True, False)
    assert ours.path == shipped and not (tmp_path / "own").exists()


def test_one_built_here_comes_first_and_can_be_removed(
    shipped: Path, manifest: Manifest, tmp_path: Path, tiny_model: Path, tiny_base: Path
) -> None:
    folder = tmp_path / "own"
    own = put(tiny_model, folder, manifest)
    chosen = chosen_model(folder, manifest)
    assert chosen is not None and chosen.path == own and list_entries(folder, manifest)[0].copied
    (folder / "base").mkdir()
    shutil.copyfile(tiny_base, folder / "base" / manifest.base.file)
    use_entry(folder, manifest, manifest.base.id)
    remove_entry(folder, manifest, manifest.built.id)
    assert not own.exists() and shipped.exists()
    with pytest.raises(ModelError) as refused:
        remove_entry(folder, manifest, manifest.built.id)
    assert refused.value.code == "model_shipped" and shipped.exists()


def test_one_that_is_older_than_the_program_counts_as_not_there(
    shipped: Path, manifest: Manifest, tmp_path: Path
) -> None:
    write_sidecar(shipped, recipe(manifest) | {"seed": 0}, sha256_of(shipped))
    assert chosen_model(tmp_path / "own", manifest) is None
