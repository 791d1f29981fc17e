"""Only a plain, whole LoRA adapter is read; anything else is refused with a sentence and a reason."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from app.models.adapter import CONFIG_FILE, WEIGHTS_FILE, AdapterError, read_adapter
from app.models.quantization import from_bfloat16
from tests import tiny

MODULE = "model.layers.0.self_attn.q_proj"
PREFIX = f"base_model.model.{MODULE}"


def _one(rank: int = 2, rows: int = 3, columns: int = 4, prefix: str = PREFIX) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        f"{prefix}.lora_A.weight": rng.standard_normal((rank, columns)).astype(np.float32),
        f"{prefix}.lora_B.weight": rng.standard_normal((rows, rank)).astype(np.float32),
    }


def _refused(folder: Path, why: str) -> None:
    with pytest.raises(AdapterError, match=r"微调文件") as error:
        read_adapter(folder)
    assert error.value.code == "adapter_unfit"
    assert why in error.value.detail, error.value.detail
    assert "adapter" in error.value.sentence.en


def test_the_tiny_adapter_is_read_whole(tiny_adapter: Path):
    adapter = read_adapter(tiny_adapter)
    expected = tiny.adapter_tensors()
    assert len(adapter) == len(expected) // 2 == 7 * tiny.LAYERS
    for module, change in adapter.items():
        down = expected[f"base_model.model.{module}.lora_A.weight"]
        up = expected[f"base_model.model.{module}.lora_B.weight"]
        assert np.array_equal(change.down, from_bfloat16(tiny.to_bfloat16(down)))
        assert np.array_equal(change.up, from_bfloat16(tiny.to_bfloat16(up)))
        assert change.scale == tiny.ALPHA / tiny.RANK
        assert change.shape == (len(up), down.shape[1])


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_every_float_width_is_widened_to_float32(kind: str, tmp_path: Path):
    tiny.write_adapter(tmp_path, _one(), r=2)
    values = {name: from_bfloat16(tiny.to_bfloat16(value)) for name, value in _one().items()}
    tiny.write_safetensors(tmp_path / WEIGHTS_FILE, values, kind)
    change = read_adapter(tmp_path)[MODULE]
    assert change.down.dtype == change.up.dtype == np.float32
    if kind != "F16":
        assert np.array_equal(change.down, values[f"{PREFIX}.lora_A.weight"])
    assert np.allclose(change.up, values[f"{PREFIX}.lora_B.weight"], rtol=1e-3)


def test_the_scale_follows_rank_alpha_their_patterns_and_rslora(tmp_path: Path):
    def scale(**config: object) -> float:
        return read_adapter(tiny.write_adapter(tmp_path, _one(), **config))[MODULE].scale

    assert scale(r=2, lora_alpha=8) == 4
    assert scale(r=2, lora_alpha=8, use_rslora=True) == pytest.approx(8 / 2**0.5)
    assert scale(r=16, rank_pattern={"q_proj": 2}, lora_alpha=8) == 4
    assert scale(r=16, rank_pattern={r"layers\.\d+\.self_attn\.q_proj": 2, "q_proj": 16}, lora_alpha=8) == 4
    assert scale(r=2, lora_alpha=8, alpha_pattern={"model.layers.0.self_attn.q_proj": 1}) == 0.5
    assert scale(r=2, lora_alpha=8, alpha_pattern={"layers.1.self_attn.q_proj": 1, "_proj": 1}) == 4


def test_a_named_adapter_of_peft_is_read_too(tmp_path: Path):
    tensors = {name.replace(".weight", ".default.weight"): value for name, value in _one().items()}
    assert list(read_adapter(tiny.write_adapter(tmp_path, tensors, r=2))) == [MODULE]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"use_dora": True}, "use_dora is set"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is set"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out is set"),
        ({"lora_bias": True}, "lora_bias is set"),
        ({"layer_replication": [[0, 2]]}, "layer_replication is set"),
        ({"bias": "all"}, "bias is 'all'"),
        ({"init_lora_weights": "pissa"}, "'pissa' also changes the base"),
        ({"peft_type": "LOHA"}, "not the configuration of a LoRA adapter"),
        ({"r": 0}, "not a rank"),
        ({"r": True}, "not a rank"),
        ({"r": "2"}, "not a rank"),
        ({"lora_alpha": None}, "not a number"),
        ({"rank_pattern": {"q_proj": -1}}, "not a rank"),
        ({"rank_pattern": [2]}, "rank_pattern is not an object"),
        ({"alpha_pattern": {"(": 1}}, "alpha_pattern '('"),
        ({"r": 3}, "of rank 3"),
    ],
)
def test_another_kind_of_lora_is_refused_by_name(config: dict, why: str, tmp_path: Path):
    _refused(tiny.write_adapter(tmp_path, _one(), **({"r": 2} | config)), why)


@pytest.mark.parametrize("content", ["", "[]", "nonsense", "null", "[" * 100_000])
def test_a_configuration_that_is_not_one_is_refused(content: str, tmp_path: Path):
    tiny.write_adapter(tmp_path, _one(), r=2)
    (tmp_path / CONFIG_FILE).write_text(content, encoding="utf-8")
    _refused(tmp_path, CONFIG_FILE)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(name: str, tmp_path: Path):
    tiny.write_adapter(tmp_path, _one(), r=2)
    (tmp_path / name).unlink()
    _refused(tmp_path, name)


def test_tensors_that_are_no_linear_lora_are_refused(tmp_path: Path):
    for extra in (
        "base_model.model.lm_head.weight",
        "base_model.model.model.embed_tokens.lora_embedding_A",
        f"{PREFIX}.lora_magnitude_vector.weight",
        "model.layers.0.self_attn.q_proj.lora_A.weight",
    ):
        tensors = _one() | {extra: np.ones((2, 2), np.float32)}
        _refused(tiny.write_adapter(tmp_path, tensors, r=2), extra)


def test_halves_that_do_not_fit_are_refused(tmp_path: Path):
    whole = _one()
    only_down = {name: value for name, value in whole.items() if "lora_A" in name}
    _refused(tiny.write_adapter(tmp_path, only_down, r=2), f"{MODULE} has lora_A and not the other one")
    three = whole | {f"{PREFIX}.lora_B.weight": np.ones((3, 2, 1), np.float32)}
    _refused(tiny.write_adapter(tmp_path, three, r=2), MODULE)
    twice = whole | {f"{PREFIX}.lora_A.default.weight": np.ones((2, 4), np.float32)}
    _refused(tiny.write_adapter(tmp_path, twice, r=2), "two lora_A")
    endless = whole | {f"{PREFIX}.lora_A.weight": np.full((2, 4), np.inf, np.float32)}
    _refused(tiny.write_adapter(tmp_path, endless, r=2), "not a finite number")
    _refused(tiny.write_adapter(tmp_path, {}, r=2), "no tensor")


def test_damaged_safetensors_are_refused(tmp_path: Path):
    tiny.write_adapter(tmp_path, _one(), r=2)
    path = tmp_path / WEIGHTS_FILE
    whole = path.read_bytes()
    length = struct.unpack_from("<Q", whole)[0]
    for content in (b"", whole[:5], whole[:20], whole[:-1], whole + b"\0", struct.pack("<Q", 1 << 60) + whole[8:]):
        path.write_bytes(content)
        _refused(tmp_path, WEIGHTS_FILE)
    header = json.loads(whole[8 : 8 + length])
    key = next(name for name in header if name != "__metadata__")
    for change in (
        {"dtype": "I64"},
        {"shape": [2, 5]},
        {"shape": [-2, -4]},
        {"shape": 8},
        {"data_offsets": [2, 18]},
        {"data_offsets": [0, 1 << 40]},
        {"data_offsets": [0]},
    ):
        raw = json.dumps(header | {key: header[key] | change}).encode()
        path.write_bytes(struct.pack("<Q", len(raw)) + raw + whole[8 + length :])
        _refused(tmp_path, WEIGHTS_FILE)
    for raw in (b"[]", b"{", b'{"a": 1}', b"\xff\xfe"):
        path.write_bytes(struct.pack("<Q", len(raw)) + raw)
        _refused(tmp_path, WEIGHTS_FILE)
