"""The fast way to a loss gives the plain one's numbers: PEFT's own forward, all logits, a mask over the padding."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from app.compose.catalog import load_catalog
from app.models.merge import merge_model
from tests import tiny
from tests.training.small_corpus import few_records
from training.adapter_folder import write_adapter
from training.errors import TrainingError
from training.examples import Example, by_length, encode_records
from training.likelihood import measure
from training.network import (
    Below,
    answer_losses,
    attach_adapters,
    choose_device,
    decoder_of,
    load_network,
    mean_loss,
    schedule,
)
from training.recipe import Adapter
from training.records import Record

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


CATALOG = load_catalog()
LORA = Adapter(rank=4, alpha=8.0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llama") / "llama-f16.gguf"
    tiny.write_float_llama_base(path)
    return path


@pytest.fixture(scope="module", params=["qwen2", "llama"])
def base(request: pytest.FixtureRequest, tiny_float_base: Path, llama: Path) -> Path:
    return tiny_float_base if request.param == "qwen2" else llama


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    return few_records(tmp_path / "corpus")


@pytest.fixture
def examples(base: Path, records: list[Record]) -> list[Example]:
    """Of lengths between 28 and over 100."""
    return encode_records(base, records, CATALOG)


def _network(base: Path, adapter: Adapter = LORA, dtype: Any = torch.float32, size: float = 0.05) -> Any:
    """The network with adapters whose B is not zero, so that A has a gradient too."""
    network = attach_adapters(load_network(base, CPU).to(dtype), adapter, seed=1)
    _draw(network, size)
    return network


def _draw(network: Any, size: float) -> None:
    torch.manual_seed(2)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn_like(parameter) * size)


def _plain(base: Path, like: Any) -> Any:
    """The same network and adapters as PEFT has them, nothing of ours."""
    import peft
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(
        base.parent,
        gguf_file=base.name,
        quantization_config=transformers.GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    ).float()
    model.model.rotary_emb.inv_freq.copy_(decoder_of(like).rotary_emb.inv_freq)  # a Llama's, which only llama.cpp knows
    adapters = [name for name, _ in like.named_parameters() if "lora_" in name]
    modules = {name.split(".lora_")[0].rsplit(".", 1)[1] for name in adapters}
    config = peft.LoraConfig(r=LORA.rank, lora_alpha=8, target_modules=sorted(modules), task_type="CAUSAL_LM")
    plain = peft.get_peft_model(model, config)
    theirs = dict(plain.named_parameters())
    with torch.no_grad():
        for name, parameter in like.named_parameters():
            if "lora_" in name:
                theirs[name].copy_(parameter)
    return plain


def _plain_losses(network: Any, batch: Sequence[Example]) -> Any:
    """Of every answer token, from logits over the whole vocabulary at every place, with padding on the left."""
    longest = max(example.length for example in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for row, example in enumerate(batch):
        ids[row, longest - example.length :] = torch.tensor(example.prompt + example.answer)
        mask[row, longest - example.length :] = 1
        labels[row, longest - len(example.answer) :] = torch.tensor(example.answer)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    found = network(input_ids=ids, attention_mask=mask, position_ids=positions, labels=labels)
    logits = found.logits[:, :-1].float().transpose(1, 2)
    losses = torch.nn.functional.cross_entropy(logits, labels[:, 1:], reduction="none")
    wanted = labels[:, 1:] != -100
    assert torch.allclose(found.loss, losses[wanted].mean(), rtol=1e-5)
    return losses[wanted]


def test_losses_and_gradients_are_those_of_the_plain_forward(base: Path, examples: list[Example]):
    ours = _network(base)
    plain = _plain(base, ours)
    losses, expected = answer_losses(ours, examples), _plain_losses(plain, examples)
    assert losses.shape == expected.shape == (sum(len(example.answer) for example in examples),)
    assert torch.allclose(losses, expected, rtol=1e-4, atol=1e-4)
    losses.mean().backward()
    expected.mean().backward()
    theirs = dict(plain.named_parameters())
    trained = {name for name, parameter in ours.named_parameters() if parameter.requires_grad}
    assert len(trained) == 2 * 7 * tiny.LAYERS and all("lora_" in name for name in trained)
    for name, parameter in ours.named_parameters():
        if name in trained:
            gradient, wanted = parameter.grad, theirs[name].grad
            assert wanted.abs().max() > 0, name
            assert torch.allclose(gradient, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max())), name
        else:
            assert parameter.grad is None


def test_neither_company_nor_padding_nor_order_changes_a_records_loss(base: Path, examples: list[Example]):
    network = _network(base)
    together = answer_losses(network, examples).split([len(example.answer) for example in examples])
    backwards = answer_losses(network, examples[::-1]).split([len(example.answer) for example in examples[::-1]])
    for example, one, other in zip(examples, together, backwards[::-1], strict=True):
        alone = answer_losses(network, [example])
        assert torch.allclose(alone, one, rtol=1e-4, atol=1e-4) and torch.allclose(alone, other, rtol=1e-4, atol=1e-4)
    whole = torch.cat([answer_losses(network, [example]) for example in examples]).mean()
    for limit in (150, 1024):
        assert mean_loss(network, by_length(examples, limit)) == pytest.approx(float(whole.detach()), rel=1e-5)


def test_remembering_the_lower_layers_changes_no_loss_and_no_gradient(
    base: Path, examples: list[Example], tmp_path: Path
):
    upper = replace(LORA, first_layer=1)
    network = _network(base, upper, torch.bfloat16)
    batches = by_length(examples, 300)
    plain = [answer_losses(network, batch) for batch in batches]
    torch.cat(plain).mean().backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    gradients = [parameter.grad.clone() for parameter in trained]
    before = network(input_ids=torch.tensor([examples[0].prompt])).logits

    seen: list[tuple[int, int]] = []
    file = tmp_path / "below.bf16"
    below = Below(network, 1, examples, file)
    below.compute(network, batches, lambda *now: seen.append(now))
    assert seen[-1] == (len(examples), len(examples)) and file.stat().st_size == below.bytes
    for batch, expected in zip(batches, plain, strict=True):
        assert torch.equal(answer_losses(network, batch, below), expected)
    network.zero_grad()
    torch.cat([answer_losses(network, batch, below) for batch in batches]).mean().backward()
    for parameter, gradient in zip(trained, gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)
    # Another text, or the same without what is remembered, goes through all layers.
    assert torch.equal(network(input_ids=torch.tensor([examples[0].prompt])).logits, before)
    # The mean over other batches differs by the rounding of bfloat16 only.
    assert mean_loss(network, by_length(examples, 1024), below) == pytest.approx(
        float(torch.cat(plain).detach().mean()), abs=0.02
    )

    made = file.stat().st_mtime_ns
    again = Below(_network(base, upper, torch.bfloat16), 1, examples, file)
    again.compute(network, batches)
    assert file.stat().st_mtime_ns == made  # what is there is read
    below.remove()
    assert not file.exists()


def test_where_there_is_no_room_for_what_is_remembered_it_is_said(tiny_float_base: Path, records, tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("needs a disk that is full")
    examples = encode_records(tiny_float_base, records, CATALOG)
    (tmp_path / "below.bf16.part").symlink_to("/dev/full")
    network = _network(tiny_float_base, replace(LORA, first_layer=1), torch.bfloat16)
    with pytest.raises(TrainingError) as error:
        Below(network, 1, examples, tmp_path / "below.bf16").compute(network, [examples])
    assert "磁盘写满了" in error.value.sentence.zh
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_without_its_adapters_the_network_is_the_base(base: Path, examples: list[Example]):
    bare = load_network(base, CPU).float()
    expected = answer_losses(bare, examples)
    fresh = attach_adapters(bare, LORA, seed=1)
    assert torch.allclose(answer_losses(fresh, examples), expected, rtol=1e-5, atol=1e-5)  # B is zero
    _draw(fresh, 0.05)
    assert (answer_losses(fresh, examples) - expected).abs().max() > 0.1
    with fresh.disable_adapter():
        assert torch.equal(answer_losses(fresh, examples), expected)


def test_the_seed_decides_a_and_nothing_else_does(tiny_float_base: Path):
    def drawn(seed: int, before: int) -> list[Any]:
        torch.manual_seed(before)
        network = attach_adapters(load_network(tiny_float_base, CPU), LORA, seed)
        assert {parameter.dtype for parameter in network.parameters()} == {torch.bfloat16}
        return [parameter.detach() for name, parameter in network.named_parameters() if "lora_A" in name]

    first, same, other = drawn(1, 5), drawn(1, 6), drawn(2, 5)
    assert all(map(torch.equal, first, same)) and not any(map(torch.equal, first, other))


def test_dropout_follows_the_seed_and_is_off_when_measuring(tiny_float_base: Path, records: list[Record]):
    examples = encode_records(tiny_float_base, records, CATALOG)
    network = _network(tiny_float_base, replace(LORA, dropout=0.5))
    without = _network(tiny_float_base)

    def losses(seed: int) -> Any:
        torch.manual_seed(seed)
        return answer_losses(network, examples)

    network.train()
    assert torch.equal(losses(1), losses(1)) and not torch.equal(losses(1), losses(2))
    expected = mean_loss(without, [examples])
    assert mean_loss(network, [examples]) == pytest.approx(expected, rel=1e-5)
    assert network.training  # as it was
    losses(1).mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters() if parameter.requires_grad)


def test_torch_and_llama_cpp_find_the_same_loss(base: Path, records: list[Record], examples: list[Example]):
    """The base as it is, then with random adapters on each kind of projection alone, merged into the file."""
    network = load_network(base, CPU).float()
    expected = measure(base, records, CATALOG)
    for example, record in zip(examples, expected.records, strict=True):
        ours = float(answer_losses(network, [example]).double().sum().detach())
        assert ours == pytest.approx(record.nats, rel=5e-3)
    assert mean_loss(network, [examples]) == pytest.approx(expected.loss, rel=2e-3)


def _felt_and_off(network: Any, base: Path, records: Sequence[Record], folder: Path) -> tuple[float, float]:
    """How much the network's adapter, merged into the base, changes a record's loss there (nats per token, mean), and
    how far that is from what the network itself says."""
    examples = encode_records(base, records, CATALOG)
    (folder / "metrics.jsonl").write_text("")
    write_adapter(folder / "adapter", network, base.name, {}, folder / "metrics.jsonl")
    merge_model(base, folder / "adapter", folder / "m.gguf", vocabulary=None, seed=1, metadata={})
    felt = off = 0.0
    merged, plain = (measure(file, records, CATALOG).records for file in (folder / "m.gguf", base))
    for example, record, before in zip(examples, merged, plain, strict=True):
        ours = float(answer_losses(network, [example]).detach().double().sum())
        off += abs(ours - record.nats) / record.tokens / len(records)
        felt += abs(before.nats - record.nats) / record.tokens / len(records)
    return felt, off


@pytest.mark.parametrize("modules", [("q_proj", "k_proj"), ("v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")])
def test_an_adapter_merged_into_the_base_is_felt_as_in_training(
    modules: tuple[str, ...], base: Path, records: list[Record], tmp_path: Path
):
    network = _network(base, replace(LORA, modules=modules), torch.bfloat16, size=0.2)
    felt, off = _felt_and_off(network, base, records, tmp_path)
    assert felt > 0.15 and off < felt / 8


@pytest.mark.parametrize("family", ["qwen3", "gemma2", "gemma3"])
def test_the_other_families_train_and_merge_alike(family: str, records: list[Record], tmp_path: Path):
    base = tmp_path / f"{family}.gguf"
    tiny.write_float_relative(base, family)
    examples = encode_records(base, records, CATALOG)
    bare = load_network(base, CPU)
    assert mean_loss(bare, [examples]) == pytest.approx(measure(base, records, CATALOG).loss, rel=5e-3)
    network = _network(base, replace(LORA, first_layer=1), torch.bfloat16, size=1.0)
    expected = mean_loss(network, [examples])
    below = Below(network, 1, examples, tmp_path / "below.bf16")
    below.compute(network, [examples])
    assert mean_loss(network, [examples], below) == expected
    felt, off = _felt_and_off(network, base, records, tmp_path)
    assert felt > 0.15 and off < felt / 4


def test_what_the_base_does_not_have_is_said(tiny_float_base: Path, tmp_path: Path):
    network = load_network(tiny_float_base, CPU)
    with pytest.raises(TrainingError) as error:
        attach_adapters(network, replace(LORA, first_layer=tiny.LAYERS), seed=1)
    assert f"has {tiny.LAYERS} layers" in error.value.sentence.en and "first_layer" in error.value.sentence.zh
    with pytest.raises(TrainingError) as error:
        attach_adapters(network, replace(LORA, modules=("qkv_proj",)), seed=1)
    assert "adapter.modules" in error.value.sentence.en
    (tmp_path / "odd.gguf").write_bytes(tiny_float_base.read_bytes().replace(b"qwen2", b"bloop"))
    with pytest.raises(TrainingError) as error:
        load_network(tmp_path / "odd.gguf", CPU)
    assert "odd.gguf" in error.value.sentence.zh and "Llama" in error.value.sentence.en


def test_a_file_that_lacks_weights_is_refused_not_filled_with_random_ones(tiny_float_base: Path, tmp_path: Path):
    raw = tiny_float_base.read_bytes().replace(b"blk.1.attn_q.bias", b"blk.1.attn_q.wind")
    (tmp_path / "bare.gguf").write_bytes(raw)
    with pytest.raises(TrainingError) as error:
        load_network(tmp_path / "bare.gguf", CPU)
    assert "bare.gguf" in error.value.sentence.zh
    assert "lacks model.layers.1.self_attn.q_proj.bias" in error.value.detail


def test_reading_a_model_is_silent(tiny_float_base: Path, capfd: pytest.CaptureFixture[str], recwarn):
    attach_adapters(load_network(tiny_float_base, CPU), LORA, seed=1)
    assert capfd.readouterr() == ("", "") and not recwarn.list


def test_a_device_that_is_not_there_is_said():
    assert choose_device("cpu") == CPU
    wanted = next(name for name in ("cuda", "mps") if not getattr(torch, name).is_available())
    with pytest.raises(TrainingError) as error:
        choose_device(wanted)
    assert wanted in error.value.sentence.zh and "device" in error.value.sentence.en
    assert choose_device("auto").type in ("cuda", "mps", "cpu")


def test_the_learning_rate_rises_and_then_falls_to_nearly_nothing():
    rates = [schedule(step, 100, 0.1) for step in range(100)]
    assert rates[:9] == pytest.approx([(step + 1) / 10 for step in range(9)]) and max(rates) <= 1.0
    assert rates[9:] == sorted(rates[9:], reverse=True) and 0 < rates[-1] < 0.01
    assert schedule(0, 1, 0.0) > 0 and schedule(0, 1, 0.9) > 0
