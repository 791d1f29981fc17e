"""An importance matrix: how much each input of each projection carries while greetings of the corpus are read.

The mean square of every input channel over all tokens of some records, as llama.cpp's own ``llama-imatrix`` gathers it
(ggml-org/llama.cpp, tools/imatrix): a quantizer then rounds so that what these channels are multiplied with suffers
least. Computed by the float model itself, through transformers.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.compose.catalog import Catalog
from app.models.gguf_file import read_header
from training.records import Record

if TYPE_CHECKING:
    from torch import Tensor, nn

Importance = dict[str, NDArray[np.float32]]

OUTPUT = "output.weight"
_BATCH_TOKENS = 2048


def measure_importance(
    model: Path,
    records: Iterable[Record],
    catalog: Catalog,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Importance:
    """The mean square of the inputs of every projection, shape (inputs,), by the name of its tensor in GGUF.

    Args:
        model: a GGUF file of floats.
        progress: batches done, batches in all.

    Raises:
        ModelError, TrainingError: its vocabulary cannot be read, or transformers cannot read it.
    """
    import torch

    from training.device_failure import device_failures
    from training.examples import by_length, encode_records
    from training.network import choose_device, decoder_of, hidden_states, load_network

    network = load_network(model, choose_device("auto"))
    network.eval()
    names = _tensor_names(model, decoder_of(network))
    gathered = _Gathered()
    for module, name in names.items():
        module.register_forward_pre_hook(lambda _, inputs, name=name: gathered.add(name, inputs[0]))
    batches = by_length(encode_records(model, records, catalog), _BATCH_TOKENS)
    with torch.inference_mode(), device_failures():
        for number, batch in enumerate(batches):
            gathered.lengths = [example.length for example in batch]
            gathered.add(OUTPUT, hidden_states(network, batch))
            progress(number + 1, len(batches))
    return gathered.means()


class _Gathered:
    """Sums of squares, of the tokens that are not padding."""

    def __init__(self) -> None:
        self.lengths: list[int] = []  # tokens of each example of the batch that is going through
        self._sums: dict[str, Any] = {}
        self._tokens: dict[str, int] = {}

    def add(self, name: str, inputs: "Tensor") -> None:
        """``inputs`` has shape (examples, longest, inputs)."""
        for row, length in zip(inputs, self.lengths, strict=True):
            squares = row[:length].float().square().sum(0)
            self._sums[name] = self._sums[name] + squares if name in self._sums else squares
            self._tokens[name] = self._tokens.get(name, 0) + length

    def means(self) -> Importance:
        return {name: (total / self._tokens[name]).cpu().numpy() for name, total in self._sums.items()}


def _tensor_names(model: Path, decoder: Any) -> "dict[nn.Module, str]":
    """The projections of a decoder, and what their weights are called in the file."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map
    from torch import nn

    metadata = read_header(model).metadata
    family = metadata["general.architecture"]
    architecture = next(number for number, name in MODEL_ARCH_NAMES.items() if name == family)
    names = get_tensor_name_map(architecture, metadata[f"{family}.block_count"])
    return {
        module: f"{names.get_name(f'model.{path}')}.weight"
        for path, module in decoder.named_modules()
        if isinstance(module, nn.Linear)
    }
