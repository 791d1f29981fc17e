"""The merged file is base plus adapter, the same bytes each time, and whole or absent."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from app.models.adapter import AdapterError, LowRank, read_adapter
from app.models.errors import Cancelled, ModelError
from app.models.gguf_file import Kind, read_header
from app.models.gguf_header import inferred_kinds, write_header
from app.models.merge import WEIGHTS_AT_ONCE, merge_model
from app.models.quantization import LAYOUTS, add_in_grid, dequantize, uniform
from tests import tiny
from tests.reference import divergence, log_probabilities, open_model, write_float_merge, write_lora

ROOT = Path(__file__).resolve().parents[2]
Q_PROJ = "base_model.model.model.layers.0.self_attn.q_proj"


def _tokens(count: int = 300) -> list[int]:
    """Ordinary tokens of the tiny model in no order, so that many states of it are seen."""
    return np.random.default_rng(5).integers(256, 600, count).tolist()


def _distribution(path: Path, lora: Path | None = None, tokens: list[int] | None = None) -> np.ndarray:
    model = open_model(path, lora)
    try:
        return log_probabilities(model, tokens or _tokens())
    finally:
        model.close()


def _merged(base: Path, adapter: Path, out: Path, **options) -> bytes:
    merge_model(base, adapter, out, **({"vocabulary": None, "seed": 1, "metadata": {}} | options))
    return out.read_bytes()


def _weights(path: Path, name: str) -> np.ndarray:
    """A tensor's values, (rows, row length)."""
    tensor = next(tensor for tensor in gguf.GGUFReader(path).tensors if tensor.name == name)
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)


@pytest.fixture(scope="module")
def run_time(tiny_base: Path, tiny_adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The distribution of base plus adapter, the adapter added by llama.cpp at run time: what merging must preserve."""
    lora = write_lora(tmp_path_factory.mktemp("lora") / "lora.gguf", read_adapter(tiny_adapter))
    return _distribution(tiny_base, lora)


def test_the_adapter_of_these_tests_is_smaller_than_the_grid(tiny_base: Path, tiny_adapter: Path):
    """Otherwise they would prove nothing: nine in ten deltas would be lost by rounding to nearest, as in reality."""
    name = "blk.0.attn_q.weight"
    tensor = read_header(tiny_base).tensor(name)
    raw = np.fromfile(tiny_base, np.uint8, tensor.nbytes, offset=tensor.offset).reshape(-1, LAYOUTS["Q4_K"].bytes)
    change = read_adapter(tiny_adapter)["model.layers.0.self_attn.q_proj"]
    delta = change.scale * change.up @ change.down
    steps = np.repeat(LAYOUTS["Q4_K"].steps(raw), 32, axis=1).reshape(delta.shape)
    assert tensor.type == "Q4_K" and np.mean(np.abs(delta) < steps / 2) > 0.9


def test_merging_in_the_grid_keeps_what_requantizing_loses(
    tiny_base: Path, tiny_adapter: Path, run_time: np.ndarray, tmp_path: Path
):
    floats = write_float_merge(tiny_base, read_adapter(tiny_adapter), tmp_path / "f32.gguf")
    tiny.quantize(floats, tmp_path / "requantized.gguf")
    nothing_learned = divergence(run_time, _distribution(tiny_base))
    requantized = divergence(run_time, _distribution(tmp_path / "requantized.gguf"))
    merged = []
    for seed in range(3):
        _merged(tiny_base, tiny_adapter, tmp_path / "merged.gguf", seed=seed)
        merged.append(divergence(run_time, _distribution(tmp_path / "merged.gguf")))
    # The yardstick itself: before anything is rounded, both ways of adding the adapter agree.
    assert divergence(run_time, _distribution(floats)) < 0.02 * nothing_learned
    assert max(merged) < 0.75 * requantized, (merged, requantized)
    assert max(merged) < 0.5 * nothing_learned, (merged, nothing_learned)


def test_a_merge_moves_codes_only_and_by_the_delta_on_average(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    """Scales and minima keep their bytes; the mean over seeds approaches base plus delta as 1 / sqrt(seeds)."""
    seeds = 24
    adapter = read_adapter(tiny_adapter)
    for name, module in (
        ("blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj"),  # Q4_K
        ("blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj"),  # Q6_K
    ):
        tensor = read_header(tiny_base).tensor(name)
        layout = LAYOUTS[tensor.type]
        base = np.fromfile(tiny_base, np.uint8, tensor.nbytes, offset=tensor.offset).reshape(-1, layout.bytes)
        steps = np.repeat(np.abs(layout.steps(base)), layout.group, axis=1)
        codes = layout.read_codes(base)
        change = adapter[module]
        delta = (change.scale * change.up @ change.down).reshape(codes.shape)
        total = np.zeros(codes.shape)
        for seed in range(seeds):
            out = tmp_path / "merged.gguf"
            _merged(tiny_base, tiny_adapter, out, seed=seed)
            raw = np.fromfile(out, np.uint8, tensor.nbytes, offset=read_header(out).tensor(name).offset)
            raw = raw.reshape(-1, layout.bytes)
            assert np.array_equal(layout.steps(raw), layout.steps(base))
            total += dequantize(tensor.type, raw) - dequantize(tensor.type, base)
        inside = (codes > 2) & (codes < layout.codes - 3) & (steps > 0)  # not clipped
        error = ((total / seeds - delta) / np.where(steps > 0, steps, 1))[inside]
        # One draw's variance is at most a quarter of a squared step; see test_quantization for the bound.
        assert abs(error.mean()) < 6 / (2 * np.sqrt(seeds * error.size))
        assert np.sqrt(np.mean(error**2)) < 1.1 / (2 * np.sqrt(seeds))


def test_a_float_base_is_merged_in_its_own_precision(tiny_float_base: Path, tiny_adapter: Path, tmp_path: Path):
    adapter = read_adapter(tiny_adapter)
    lora = write_lora(tmp_path / "lora.gguf", adapter)
    _merged(tiny_float_base, tiny_adapter, tmp_path / "merged.gguf")
    assert divergence(_distribution(tiny_float_base, lora), _distribution(tmp_path / "merged.gguf")) < 1e-3
    change = adapter["model.layers.1.mlp.up_proj"]
    expected = _weights(tiny_float_base, "blk.1.ffn_up.weight") + (change.scale * change.up @ change.down)
    found = _weights(tmp_path / "merged.gguf", "blk.1.ffn_up.weight")
    assert np.allclose(found, expected, rtol=2**-10, atol=1e-7)
    assert np.array_equal(
        _weights(tmp_path / "merged.gguf", "token_embd.weight"), _weights(tiny_float_base, "token_embd.weight")
    )


def test_trimming_changes_no_probability(
    tiny_base: Path, tiny_adapter: Path, tiny_model: Path, tiny_vocabulary: tuple[int, ...], tmp_path: Path
):
    """Logits of kept tokens are those of the whole model, so what is chosen greedily is the same."""
    _merged(tiny_base, tiny_adapter, tmp_path / "whole.gguf")
    new_ids = {old: new for new, old in enumerate(tiny_vocabulary)}
    tokens = [token for token in _tokens() if token in new_ids]
    assert len(tokens) > 100 and len(tiny_vocabulary) < 768
    whole = _distribution(tmp_path / "whole.gguf", tokens=tokens)[:, list(tiny_vocabulary)]
    trimmed = _distribution(tiny_model, tokens=[new_ids[token] for token in tokens])
    whole -= np.log(np.exp(whole).sum(axis=1, keepdims=True))
    assert np.allclose(trimmed, whole, atol=1e-4)
    assert np.array_equal(trimmed.argmax(axis=1), whole.argmax(axis=1))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    tiny_base: Path, tiny_adapter: Path, tiny_vocabulary: tuple[int, ...], tmp_path: Path
):
    first = _merged(tiny_base, tiny_adapter, tmp_path / "1.gguf", seed=7, threads=1, vocabulary=tiny_vocabulary)
    again = _merged(tiny_base, tiny_adapter, tmp_path / "2.gguf", seed=7, threads=3, vocabulary=tiny_vocabulary)
    other = _merged(tiny_base, tiny_adapter, tmp_path / "3.gguf", seed=8, threads=1, vocabulary=tiny_vocabulary)
    assert first == again
    assert first != other and len(first) == len(other)


def test_what_the_file_says_of_itself(tiny_base: Path, tiny_adapter: Path, tiny_vocabulary, tmp_path: Path):
    given = {
        "general.name": "拜年",
        "general.languages": ["zh"],
        "bainiantie.seed": 3,
        "tokenizer.chat_template": "{{ messages }}",
    }
    _merged(tiny_base, tiny_adapter, tmp_path / "m.gguf", vocabulary=tiny_vocabulary, metadata=given)
    header, base = read_header(tmp_path / "m.gguf"), read_header(tiny_base)
    assert given.items() <= header.metadata.items()
    assert header.kinds["general.languages"] == (Kind.ARRAY, Kind.STRING)
    general = {key for key in header.metadata if key.startswith("general.")}
    assert general <= {
        "general.architecture",
        "general.name",
        "general.languages",
        "general.file_type",
        "general.quantization_version",
        "general.type",
    }
    hyperparameters = {key: value for key, value in base.metadata.items() if key.startswith("qwen2.")}
    assert hyperparameters.items() <= header.metadata.items()
    tokens = header.metadata["tokenizer.ggml.tokens"]
    assert len(tokens) == len(tiny_vocabulary)
    for key, token in (("eos", "<|im_end|>"), ("padding", "<|endoftext|>"), ("bos", "<|endoftext|>")):
        assert tokens[header.metadata[f"tokenizer.ggml.{key}_token_id"]] == token
    untouched = _merged(tiny_base, tiny_adapter, tmp_path / "n.gguf")
    assert read_header(tmp_path / "n.gguf").metadata["tokenizer.chat_template"] in untouched.decode("latin-1")


def test_progress_goes_forward_to_the_end(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    _merged(tiny_base, tiny_adapter, tmp_path / "m.gguf", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {seen[-1][0]} and len(seen) > 20
    assert not list(tmp_path.glob("*.part"))


def test_a_cancelled_merge_leaves_things_as_they_were(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    out = tmp_path / "m.gguf"
    reports: list[int] = []
    options = {"progress": lambda done, total: reports.append(done), "cancelled": lambda: len(reports) >= 5}
    with pytest.raises(Cancelled):
        _merged(tiny_base, tiny_adapter, out, **options)
    assert list(tmp_path.iterdir()) == [] and len(reports) == 5
    out.write_bytes(b"the old one")
    with pytest.raises(Cancelled):
        _merged(tiny_base, tiny_adapter, out, **options)
    assert out.read_bytes() == b"the old one" and list(tmp_path.iterdir()) == [out]


_MERGE_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from app.models.merge import merge_model

def stall(done, total):
    if done > total // 2:
        print("half", flush=True)
        time.sleep(600)

base, adapter, out = map(Path, sys.argv[1:])
merge_model(base, adapter, out, vocabulary=None, seed=1, metadata={}, progress=stall)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_killed_merge_leaves_nothing_under_the_final_name(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    out = tmp_path / "m.gguf"
    child = subprocess.Popen(
        [sys.executable, "-c", _MERGE_UNTIL_KILLED, tiny_base, tiny_adapter, out], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline().strip() == b"half"
        child.kill()
    assert child.wait() == -signal.SIGKILL
    assert not out.exists()
    # And what it left behind is in nobody's way.
    whole = _merged(tiny_base, tiny_adapter, out)
    assert whole == _merged(tiny_base, tiny_adapter, tmp_path / "again.gguf")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({f"{Q_PROJ}.lora_B.weight": np.ones((8, tiny.RANK), np.float32)}, "(8, 256) in the adapter, (256, 256) in"),
        ({f"{Q_PROJ}.lora_A.weight": np.ones((tiny.RANK, 8), np.float32)}, "(256, 8) in the adapter"),
    ],
)
def test_an_adapter_of_other_shapes_is_refused(change: dict, why: str, tiny_base: Path, tmp_path: Path):
    adapter = tiny.write_adapter(tmp_path / "adapter", tiny.adapter_tensors() | change)
    with pytest.raises(AdapterError) as error:
        _merged(tiny_base, adapter, tmp_path / "m.gguf")
    assert why in error.value.detail and error.value.code == "adapter_unfit"
    assert not (tmp_path / "m.gguf").exists()


@pytest.mark.parametrize("module", ["model.layers.2.self_attn.q_proj", "model.layers.0.self_attn.qkv", "visual.proj"])
def test_an_adapter_of_modules_the_base_lacks_is_refused(module: str, tiny_base: Path, tmp_path: Path):
    pair = {
        f"base_model.model.{module}.lora_A.weight": np.ones((tiny.RANK, 256), np.float32),
        f"base_model.model.{module}.lora_B.weight": np.ones((256, tiny.RANK), np.float32),
    }
    adapter = tiny.write_adapter(tmp_path / "adapter", tiny.adapter_tensors() | pair)
    with pytest.raises(AdapterError) as error:
        _merged(tiny_base, adapter, tmp_path / "m.gguf")
    assert module in error.value.detail


def test_a_base_that_cannot_be_merged_is_refused_by_name(tiny_float_base: Path, tiny_adapter: Path, tmp_path: Path):
    coarse = tmp_path / "coarse.gguf"
    tiny.quantize(tiny_float_base, coarse, "Q3_K_M")
    with pytest.raises(ModelError) as error:
        _merged(coarse, tiny_adapter, tmp_path / "m.gguf")
    assert error.value.code == "merge_unsupported" and "Q3_K" in error.value.detail
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(tiny_float_base.read_bytes()[:-1000])
    for base, code in ((broken, "model_truncated"), (tmp_path / "none.gguf", "model_missing")):
        with pytest.raises(ModelError) as error:
            _merged(base, tiny_adapter, tmp_path / "m.gguf")
        assert error.value.code == code


@pytest.mark.parametrize("type_name", ["Q5_K_M", "Q6_K", "Q8_0"])
def test_other_block_types_are_merged_in_their_grid_too(
    type_name: str, tiny_float_base: Path, tiny_adapter: Path, tmp_path: Path
):
    base = tmp_path / "base.gguf"
    tiny.quantize(tiny_float_base, base, type_name)
    lora = write_lora(tmp_path / "lora.gguf", read_adapter(tiny_adapter))
    _merged(base, tiny_adapter, tmp_path / "m.gguf")
    together = _distribution(base, lora)
    assert divergence(together, _distribution(tmp_path / "m.gguf")) < 0.3 * divergence(together, _distribution(base))


def test_a_place_that_cannot_be_written_is_said_so(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    with pytest.raises(ModelError) as error:
        _merged(tiny_base, tiny_adapter, tmp_path / "no such folder" / "m.gguf")
    assert error.value.code == "storage_failed" and "m.gguf" in error.value.sentence.zh


def test_a_change_of_the_output_follows_its_tokens(tiny_float_base: Path, tmp_path: Path):
    """An adapter on lm_head: rows are picked before the change is added, each gets its own."""
    rng = np.random.default_rng(6)
    change = LowRank(
        rng.standard_normal((2, tiny.HIDDEN)).astype(np.float32), rng.standard_normal((768, 2)).astype(np.float32), 1.0
    )
    pair = {"base_model.model.lm_head.lora_A.weight": change.down, "base_model.model.lm_head.lora_B.weight": change.up}
    adapter = tiny.write_adapter(tmp_path / "adapter", pair, r=2, lora_alpha=2)
    eos = read_header(tiny_float_base).metadata["tokenizer.ggml.eos_token_id"]
    kept = [*range(0, 512, 2), *range(512, 640), eos]
    _merged(tiny_float_base, adapter, tmp_path / "m.gguf", vocabulary=kept)
    read = read_adapter(adapter)["lm_head"]
    expected = (_weights(tiny_float_base, "output.weight") + read.up @ read.down)[kept]
    assert np.allclose(_weights(tmp_path / "m.gguf", "output.weight"), expected, rtol=2**-10, atol=1e-5)
    embedding = _weights(tiny_float_base, "token_embd.weight")[kept]
    assert np.array_equal(_weights(tmp_path / "m.gguf", "token_embd.weight"), embedding)


def test_the_rounding_of_a_weight_depends_on_its_place_alone(tmp_path: Path):
    """A tensor of several pieces, whole and trimmed: every row is rounded as if the tensor were computed at once."""
    rows, columns, rng = 5000, 256, np.random.default_rng(8)
    assert rows * columns > 2 * WEIGHTS_AT_ONCE
    blocks = rng.integers(0, 256, (rows * columns // 32, 34), dtype=np.uint8)
    blocks[:, :2] = np.float16(0.01).reshape(1).view(np.uint8)
    values = {
        "general.architecture": "qwen2",
        "qwen2.block_count": 1,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": [str(index) for index in range(rows)],
        "tokenizer.ggml.merges": ["1 2"],
    }
    base = tmp_path / "base.gguf"
    with base.open("wb") as file:
        kinds = {key: inferred_kinds(value) for key, value in values.items()}
        write_header(file, values, kinds, [("output.weight", "Q8_0", (columns, rows))])
        file.write(blocks.tobytes())
    down, up = (rng.standard_normal(shape).astype(np.float32) * 0.05 for shape in ((2, columns), (rows, 2)))
    pair = {"base_model.model.lm_head.lora_A.weight": down, "base_model.model.lm_head.lora_B.weight": up}
    adapter = tiny.write_adapter(tmp_path / "adapter", pair, r=2, lora_alpha=2)
    change = read_adapter(adapter)["lm_head"]

    key = int.from_bytes(hashlib.sha256(b"7:output.weight").digest()[:16], "little")
    delta = (change.up.astype(np.float64) @ change.down.astype(np.float64)).astype(np.float32).reshape(-1, 32)
    noise = uniform(np.random.Philox(key=key), rows * columns).reshape(-1, 32)
    expected = add_in_grid("Q8_0", blocks, delta, noise).reshape(rows, -1)
    assert (expected != blocks.reshape(rows, -1)).any(axis=1).mean() > 0.9

    kept = sorted(rng.choice(rows, 1984, replace=False).tolist())
    for vocabulary in (None, kept):
        _merged(base, adapter, tmp_path / "m.gguf", vocabulary=vocabulary, seed=7)
        tensor = read_header(tmp_path / "m.gguf").tensors[0]
        found = np.fromfile(tmp_path / "m.gguf", np.uint8, tensor.nbytes, offset=tensor.offset)
        assert np.array_equal(found.reshape(-1, expected.shape[1]), expected if vocabulary is None else expected[kept])


def _permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """``LlamaModel.permute`` of llama.cpp's convert_hf_to_gguf.py."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def test_a_llamas_queries_and_keys_are_changed_in_the_order_its_file_has(tmp_path: Path):
    rng = np.random.default_rng(7)
    sizes = {"q_proj": (64, 4, "attn_q"), "k_proj": (32, 2, "attn_k"), "v_proj": (32, None, "attn_v")}
    original = {name: rng.standard_normal((rows, 64)).astype(np.float32) for name, (rows, _, _) in sizes.items()}
    writer = gguf.GGUFWriter(tmp_path / "llama.gguf", "llama")
    writer.add_block_count(1)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a"])
    pairs = {}
    for name, (rows, heads, short) in sizes.items():
        stored = original[name] if heads is None else _permute(original[name], heads)
        writer.add_tensor(f"blk.0.{short}.weight", np.ascontiguousarray(stored))
        prefix = f"base_model.model.model.layers.0.self_attn.{name}"
        pairs[f"{prefix}.lora_A.weight"] = rng.standard_normal((2, 64)).astype(np.float32)
        pairs[f"{prefix}.lora_B.weight"] = rng.standard_normal((rows, 2)).astype(np.float32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    adapter = tiny.write_adapter(tmp_path / "adapter", pairs, r=2, lora_alpha=2)
    _merged(tmp_path / "llama.gguf", adapter, tmp_path / "m.gguf")
    for module, change in read_adapter(adapter).items():
        name = module.rpartition(".")[2]
        _, heads, short = sizes[name]
        together = original[name] + change.up @ change.down
        expected = together if heads is None else _permute(together, heads)
        assert np.allclose(_weights(tmp_path / "m.gguf", f"blk.0.{short}.weight"), expected, atol=1e-5), name
