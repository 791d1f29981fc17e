"""An adapter's folder is what the app reads, the same bytes for the same weights, and whole or as it was before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from app.models.adapter import AdapterError, read_adapter
from tests import tiny
from training.adapter_folder import load_weights, read_facts, write_adapter
from training.errors import TrainingError
from training.network import attach_adapters, load_network
from training.recipe import Adapter

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


LORA = Adapter(rank=4, alpha=6.0, first_layer=1)
FACTS = {"identity": "abc", "标题": "拜年"}


def _network(base: Path, adapter: Adapter = LORA) -> Any:
    network = attach_adapters(load_network(base, torch.device("cpu")), adapter, seed=1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    return network


@pytest.fixture(scope="module")
def network(tiny_float_base: Path) -> Any:
    return _network(tiny_float_base)


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 0}\n')
    return path


@pytest.fixture
def folder(network: Any, curve: Path, tmp_path: Path) -> Path:
    write_adapter(tmp_path / "adapter", network, "base.gguf", FACTS, curve)
    return tmp_path / "adapter"


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_app_reads_what_was_trained(network: Any, folder: Path):
    adapter = read_adapter(folder)
    assert len(adapter) == 7 and all(module.startswith(f"model.layers.{tiny.LAYERS - 1}.") for module in adapter)
    weights = dict(network.named_parameters())
    for module, change in adapter.items():
        assert change.scale == 6 / 4
        for side, values in (("A", change.down), ("B", change.up)):
            expected = weights[f"base_model.model.{module}.lora_{side}.default.weight"]
            assert torch.equal(torch.from_numpy(values), expected.detach().float())
    assert read_facts(folder) == FACTS
    assert set(_bytes(folder)) == {"adapter_config.json", "adapter_model.safetensors", "metrics.jsonl", "training.json"}
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "base.gguf" and config["r"] == 4
    assert str(folder.parent) not in (folder / "adapter_config.json").read_text()


def test_the_same_weights_give_the_same_bytes(network: Any, folder: Path, curve: Path):
    first = _bytes(folder)
    (folder.parent / "adapter.part").mkdir()  # what a kill left
    (folder.parent / "adapter.part" / "junk").write_text("junk")
    write_adapter(folder, network, "base.gguf", FACTS, curve)
    assert _bytes(folder) == first
    assert sorted(path.name for path in folder.parent.iterdir()) == ["adapter", "metrics.jsonl"]


def test_peft_itself_loads_it(network: Any, folder: Path, tiny_float_base: Path):
    import peft

    theirs = peft.PeftModel.from_pretrained(load_network(tiny_float_base, torch.device("cpu")), str(folder))
    ids = torch.tensor([[1, 2, 3]])
    assert torch.allclose(theirs(input_ids=ids).logits, network(input_ids=ids).logits, atol=0.1)


def test_weights_come_back_into_a_network_of_the_same_shape_only(network: Any, folder: Path, tiny_float_base: Path):
    other = attach_adapters(load_network(tiny_float_base, torch.device("cpu")), LORA, seed=9)
    load_weights(folder, other)
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two) and one.dtype == two.dtype
    larger = attach_adapters(load_network(tiny_float_base, torch.device("cpu")), Adapter(rank=8, first_layer=1), 1)
    (folder.parent / "half").mkdir()
    (folder.parent / "half" / "adapter_model.safetensors").write_bytes(b"\x10")
    for wrong, into, why in (
        (folder, larger, "shape"),
        (folder.parent, other, "No such"),
        (folder.parent / "half", other, ""),
    ):
        with pytest.raises(TrainingError) as error:
            load_weights(wrong, into)
        assert str(wrong) in error.value.sentence.zh and why in error.value.detail


@contextmanager
def small_files() -> Iterator[None]:
    """For this process a disk that takes files of ten thousand bytes; the weights have more. Not as a fixture: pytest's
    own log may be such a file, and it writes to it before fixtures end."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_leaves_the_old_adapter(folder: Path, network: Any, curve: Path):
    before = _bytes(folder)
    with small_files(), pytest.raises(TrainingError) as error:
        write_adapter(folder, network, "base.gguf", {"identity": "new"}, curve)
    assert "adapter failed, the file is unfinished" in error.value.sentence.en
    assert _bytes(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["adapter", "metrics.jsonl"]


def test_weights_the_merge_would_refuse_are_refused_and_leave_the_old_adapter(
    folder: Path, curve: Path, tiny_float_base: Path
):
    before = _bytes(folder)
    broken = _network(tiny_float_base)
    with torch.no_grad():
        next(parameter for parameter in broken.parameters() if parameter.requires_grad).fill_(float("nan"))
    with pytest.raises(AdapterError):
        write_adapter(folder, broken, "base.gguf", FACTS, curve)
    assert _bytes(folder) == before


def test_facts_that_cannot_be_read_are_none(tmp_path: Path):
    assert read_facts(tmp_path) is None
    for text in ("{", "[1]", "\xff"):
        (tmp_path / "training.json").write_bytes(text.encode("latin-1"))
        assert read_facts(tmp_path) is None
