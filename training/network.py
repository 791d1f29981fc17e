"""The model as torch sees it: read from GGUF, given LoRA adapters by PEFT, and asked for the loss of answers only.

Three things make it faster than the plain way, none of which changes a number beyond rounding: the vocabulary is
projected to only where an answer token is predicted; layers below the lowest adapter, which never change, run once for
each example and are remembered (:class:`Below`); and a projection with its adapter is one autograd function that keeps
no more than it needs (:mod:`training.adapted`).
"""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from app.compose.sentence import Sentence
from app.models.gguf_file import read_header
from training.adapted import speed_up
from training.errors import TrainingError
from training.examples import Example
from training.recipe import Adapter
from training.whole_file import whole_file

NO_LABEL = -1
_KERNELS = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)


def choose_device(wanted: str) -> torch.device:
    """The device a recipe asks for; ``auto`` takes CUDA, then Apple's MPS, then the processor.

    Raises:
        TrainingError: it is not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available[wanted]:
        raise TrainingError(
            Sentence(
                f"这台机器上没有可用的 {wanted}。请把配方里的 device 改成 auto 或 cpu，或装好驱动再试。",
                f"There is no usable {wanted} on this machine. Set device to auto or cpu, or install its driver.",
            )
        )
    return torch.device(wanted)


def load_network(model: Path, device: torch.device) -> nn.Module:
    """A GGUF model dequantized to bfloat16, its own weights frozen.

    Raises:
        TrainingError: transformers cannot read a model of this kind.
    """
    from transformers import AutoModelForCausalLM, GgufConfig

    reader: Any = AutoModelForCausalLM  # declared to return the network alone
    try:
        with _quiet_reading():
            network, found = reader.from_pretrained(
                str(model.parent),
                output_loading_info=True,
                gguf_file=model.name,
                quantization_config=GgufConfig(dequantize=True),
                dtype=torch.bfloat16,
                local_files_only=True,
            )
        if found["missing_keys"]:  # of which transformers only says that it has drawn them at random
            raise ValueError(f"{model} lacks {', '.join(sorted(found['missing_keys']))}")
        _scale_rotation(network, model)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # it raises whatever the converter of an architecture happens to raise
        raise TrainingError(
            Sentence(
                f"transformers 读不了 {model.name}。请用 Qwen2、Qwen3、Llama 或 Gemma 的 GGUF 模型作底座。",
                f"transformers cannot read {model.name}. Use a GGUF model of the Qwen2, Qwen3, Llama or Gemma family.",
            ),
            f"{type(error).__name__}: {error}",
        ) from error
    network.requires_grad_(False)
    read: nn.Module = network.to(device).eval()
    return read


def _scale_rotation(network: nn.Module, model: Path) -> None:
    """Divide the rotary frequencies by the factors a Llama 3 GGUF has as a tensor, which transformers overlooks."""
    tensor = read_header(model).tensor("rope_freqs.weight")
    if tensor is not None:
        factors = np.fromfile(model, "<f4", tensor.nbytes // 4, offset=tensor.offset)
        decoder_of(network).rotary_emb.inv_freq.div_(torch.from_numpy(factors))


@contextmanager
def _quiet_reading() -> Iterator[None]:
    """Without transformers' two progress bars, of which its own switch knows only one."""
    from transformers import modeling_gguf_pytorch_utils as reading
    from transformers.utils import logging

    bar = reading.tqdm
    reading.tqdm = partial(bar, disable=True)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        reading.tqdm = bar
        logging.enable_progress_bar()


def layers_of(network: nn.Module) -> nn.ModuleList:
    """The decoder's layers, from the bottom up, with or without PEFT around the model."""
    layers: nn.ModuleList = decoder_of(network).layers
    return layers


def decoder_of(network: nn.Module) -> Any:
    """The transformer without its head."""
    from transformers import PreTrainedModel

    inner: Any = network
    while not isinstance(inner, PreTrainedModel):
        inner = inner.base_model.model
    return inner.model


def attach_adapters(network: nn.Module, adapter: Adapter, seed: int) -> nn.Module:
    """The network in PEFT's hands, with LoRA on the layers and projections of the recipe; B is zero, A drawn from seed.

    Adapters are in the network's own dtype; whoever trains them keeps float32 copies.

    Raises:
        TrainingError: the network has no such layer or projection.
    """
    from peft import LoraConfig, get_peft_model

    count = len(layers_of(network))
    if adapter.first_layer >= count:
        raise TrainingError(
            Sentence(
                f"模型只有 {count} 层，adapter.first_layer 是 {adapter.first_layer}。请改成小于 {count} 的数。",
                f"The model has {count} layers, and adapter.first_layer is {adapter.first_layer}. Make it smaller.",
            )
        )
    torch.manual_seed(seed)
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,  # type: ignore[arg-type]  # declared int, but only ever divided by r
        lora_dropout=adapter.dropout,
        target_modules=sorted(adapter.modules),
        layers_to_transform=list(range(adapter.first_layer, count)),
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
            tuned: nn.Module = get_peft_model(network, config, autocast_adapter_dtype=False)
    except ValueError as error:
        raise TrainingError(
            Sentence(
                "底座里没有配方 adapter.modules 写的那些层。请对照模型结构改一改。",
                "The base does not have the projections that adapter.modules names. Compare with its architecture.",
            ),
            str(error),
        ) from error
    speed_up(tuned)
    return tuned


def adapter_parameters(network: nn.Module) -> list[nn.Parameter]:
    """What is trained, in the order of the network."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


class Below:
    """The layers below the lowest adapter, run once for each example; what they give is kept in a file.

    The file holds the hidden states after the last of these layers, example after example, without padding, as the
    16-bit patterns of bfloat16. It is computed in a fixed order, so that a resumed run reads the same numbers.
    """

    def __init__(self, network: nn.Module, first: int, examples: Sequence[Example], file: Path) -> None:
        """Args:
        first: number of the lowest layer with an adapter, at least 1.
        examples: in the order of their places.
        """
        self._layers = layers_of(network)
        self._first = first
        ends = torch.tensor([0, *(example.length for example in examples)]).cumsum(0)
        self._starts = ends.tolist()
        self._width = int(decoder_of(network).config.hidden_size)
        self._file = file
        self._states: Tensor | None = None
        self._now: Tensor | None = None

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return int(self._starts[-1]) * self._width * 2

    def compute(
        self,
        network: nn.Module,
        batches: Sequence[Sequence[Example]],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Fill the file, unless it is there; it has its name only when it is whole.

        Raises:
            TrainingError: the disk does not allow it.
        """
        if not (self._file.is_file() and self._file.stat().st_size == self.bytes):
            done, total = 0, sum(len(batch) for batch in batches)
            # Written, not mapped: a full disk is an error here and would be the end of the process there.
            with whole_file(self._file) as part, part.open("r+b") as file:
                for batch in batches:
                    found = self._run(network, batch).to("cpu", torch.bfloat16)
                    for row, example in enumerate(batch):
                        file.seek(self._starts[example.place] * self._width * 2)
                        file.write(found[row, : example.length].view(torch.int16).numpy().tobytes())
                    done += len(batch)
                    progress(done, total)
        count = int(self._starts[-1]) * self._width
        states = torch.from_file(str(self._file), shared=False, size=count, dtype=torch.bfloat16)
        self._states = states.view(-1, self._width)
        self._replace_layers()

    def remove(self) -> None:
        """Let go of the file and delete it; what was remembered is lost."""
        self._states = None
        self._file.unlink(missing_ok=True)

    def _run(self, network: nn.Module, batch: Sequence[Example]) -> Tensor:
        """The hidden states entering layer ``first``, (examples, longest, width)."""
        found: list[Tensor] = []

        class _Enough(Exception):
            pass

        def catch(module: nn.Module, arguments: tuple[Any, ...]) -> None:
            found.append(arguments[0])
            raise _Enough

        hook = self._layers[self._first].register_forward_pre_hook(catch)
        try:
            with torch.no_grad():
                hidden_states(network, batch)
        except _Enough:
            pass
        finally:
            hook.remove()
        return found[0]

    def _replace_layers(self) -> None:
        for number in range(self._first):
            topmost = number == self._first - 1
            self._layers[number] = _Remembered(self._layers[number], self, topmost)

    @contextmanager
    def entering(self, batch: Sequence[Example]) -> Iterator[None]:
        """Within it, the network begins at the lowest adapter with what was remembered of ``batch``."""
        states = self._states
        assert states is not None
        longest = max(example.length for example in batch)
        now = torch.zeros(len(batch), longest, self._width, dtype=states.dtype)
        for row, example in enumerate(batch):
            start = self._starts[example.place]
            now[row, : example.length] = states[start : start + example.length]
        self._now = now
        try:
            yield
        finally:
            self._now = None

    @property
    def now(self) -> Tensor | None:
        """What the layers would give for the batch that is entering; None outside of one."""
        return self._now


class _Remembered(nn.Module):
    """Stands in a layer's place; within :meth:`Below.entering` the topmost of them returns what was remembered and the
    others pass on what they get. Outside of it the layer itself runs, so that the network is whole for any other text.
    """

    def __init__(self, layer: nn.Module, below: Below, topmost: bool) -> None:
        super().__init__()
        self.layer = layer
        self._below = below
        self._topmost = topmost

    def forward(self, hidden: Tensor, *arguments: Any, **named: Any) -> Tensor:
        now = self._below.now
        if now is not None:
            return now.to(hidden.device, non_blocking=True) if self._topmost else hidden
        result: Tensor = self.layer(hidden, *arguments, **named)
        return result


def hidden_states(network: nn.Module, batch: Sequence[Example]) -> Tensor:
    """The last hidden states of a batch, padded on the right, (examples, longest, width).

    Attention is causal and padding comes last, so that no token ever sees it and no mask is needed.
    """
    longest = max(example.length for example in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, example in enumerate(batch):
        ids[row, : example.length] = torch.tensor(example.prompt + example.answer)
    decoder = decoder_of(network)
    device = decoder.embed_tokens.weight.device
    # PyTorch's fused attention for processors takes longest for texts this short.
    kernels = [SDPBackend.MATH] if device.type == "cpu" else [*_KERNELS]
    with sdpa_kernel(kernels):
        hidden: Tensor = decoder(input_ids=ids.to(device), use_cache=False).last_hidden_state
    return hidden


def answer_losses(network: nn.Module, batch: Sequence[Example], below: Below | None = None) -> Tensor:
    """The negative log-likelihood of every answer token, in nats, float32, example after example.

    The projection to the vocabulary, and the softmax over it, are computed at these positions only.
    """
    if below is None:
        hidden = hidden_states(network, batch)
    else:
        with below.entering(batch):
            hidden = hidden_states(network, batch)
    labels = torch.full(hidden.shape[:2], NO_LABEL)
    for row, example in enumerate(batch):
        labels[row, len(example.prompt) - 1 : example.length - 1] = torch.tensor(example.answer)
    wanted = labels != NO_LABEL
    targets = labels[wanted].to(hidden.device)
    logits = _head(network)(hidden[wanted.to(hidden.device)]).float()
    return nn.functional.cross_entropy(logits, targets, reduction="none")


def _head(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """From hidden states to logits, as the architecture has it (Gemma 2 squashes them)."""
    from transformers import PreTrainedModel

    inner: Any = network
    while not isinstance(inner, PreTrainedModel):
        inner = inner.base_model.model
    cap = getattr(inner.config, "final_logit_softcapping", None)

    def head(hidden: Tensor) -> Tensor:
        logits: Tensor = inner.lm_head(hidden)
        return logits if cap is None else torch.tanh(logits / cap) * cap

    return head


def mean_loss(
    network: nn.Module,
    batches: Sequence[Sequence[Example]],
    below: Below | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> float:
    """Mean negative log-likelihood of all answer tokens of the batches, nats per token."""
    total, count = 0.0, 0
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            for number, batch in enumerate(batches, 1):
                losses = answer_losses(network, batch, below).cpu().double()  # MPS has no float64
                total += float(losses.sum())
                count += losses.numel()
                progress(number, len(batches))
    finally:
        network.train(training)
    return total / max(1, count)


def schedule(step: int, steps: int, warmup: float) -> float:
    """The learning rate as a share of its highest: linear warm-up, then half a cosine down to zero
    (Loshchilov & Hutter 2017, arXiv:1608.03983). ``step`` counts from 0."""
    rising = warmup * steps
    if step + 1 < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step + 1 - rising) / max(1.0, steps + 1 - rising)))
