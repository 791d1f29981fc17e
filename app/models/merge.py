"""Base and adapter become one GGUF file, in a minute, without PyTorch, and the same bytes on every machine.

The base is already quantized and the adapter's changes are far smaller than its steps, so they are added inside the
base's own grid with unbiased rounding (:mod:`app.models.quantization`), never by dequantizing and quantizing again.
Rows of dropped tokens are left out as bytes. The file appears under its name only when it is whole and on the disk.

Adding a GGUF base of another family means: its name in ``FAMILIES``, and whether its converter permuted q and k.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.compose.sentence import Sentence
from app.models.adapter import AdapterError, LowRank, read_adapter
from app.models.errors import Cancelled, ModelError, storage_error
from app.models.gguf_file import Header, Kind, Tensor, aligned
from app.models.gguf_header import inferred_kinds, write_header
from app.models.quantization import FLOAT_TYPES, LAYOUTS, Bytes, add_in_grid, add_to_floats, uniform
from app.models.verify import verify_model
from app.models.vocabulary import TOKENS, VocabularyError, trimmed_tokenizer
from app.whole_file import whole_file

FAMILIES = ("qwen2", "qwen3", "llama", "gemma", "gemma2", "gemma3")
EMBEDDINGS = ("token_embd.weight", "output.weight")  # a row for every token
WEIGHTS_AT_ONCE = 1 << 19  # per thread; its temporaries stay near the processor's cache
MOST_THREADS = 4  # more would wait for the disk

# What the base says about itself that stays true of the merged file; the rest of general.* does not, and goes.
_LASTING = (
    "general.architecture",
    "general.alignment",
    "general.quantization_version",
    "general.file_type",
    "general.type",
)


def merge_model(
    base: Path,
    adapter: Path | None,
    out: Path,
    *,
    vocabulary: Sequence[int] | None,
    seed: int | None,
    metadata: Mapping[str, Any],
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    threads: int | None = None,
) -> None:
    """Write ``base`` with ``adapter`` merged in to ``out``.

    It takes its name when it is whole and on the disk. The same arguments give the same bytes, on any
    number of threads. About 100 MB of memory besides the adapter's two copies.

    Args:
        base: a GGUF file; the tensors the adapter changes are Q4_K, Q5_K, Q6_K, Q5_0, Q8_0, F32, F16 or BF16.
        adapter: a PEFT LoRA folder; None merges nothing, and a vocabulary alone is trimmed, of a base of any type.
        vocabulary: ids of the tokens to keep, ascending; None keeps all.
        seed: of the rounding; None rounds to nearest, which loses most of an adapter: the app never does, training
            compares with it.
        metadata: what the file says of itself: str, bool, int, float or lists of them; takes the place of the base's
            values of the same name, and of its general description and chat templates.
        progress: bytes written, bytes in all.
        threads: how many compute; None for one a processor, at most ``MOST_THREADS``.

    Raises:
        ModelError: the base is not a whole GGUF file (codes of :func:`app.models.verify.verify_model`), of a family or
            type that cannot be merged (``merge_unsupported``), the adapter (``adapter_unfit``) or the vocabulary
            (``vocabulary_unfit``) does not belong to it, or the disk fails (``disk_full``, ...).
        Cancelled: ``cancelled()`` became true; nothing is left behind.
    """
    header = verify_model(base, sha256=None)
    changes = {} if adapter is None else _changes(header, read_adapter(adapter))
    kept = None if vocabulary is None else np.asarray(vocabulary, np.int64)
    values, kinds = _metadata(header, vocabulary, metadata)
    plan = [_planned(header, tensor, changes.get(tensor.name), kept) for tensor in header.tensors]
    try:
        with whole_file(out) as part, part.open("wb") as file:
            written = write_header(file, values, kinds, [(step.name, step.type, step.shape) for step in plan])
            _write_tensors(
                file,
                written,
                _Job(base, seed, plan, threads or min(MOST_THREADS, os.cpu_count() or 1)),
                progress,
                cancelled,
            )
    except OSError as error:
        raise storage_error(error, out) from error


@dataclass(frozen=True)
class _Step:
    """One tensor of the new file: the base's, its rows reduced to ``kept`` and ``change`` added."""

    source: Tensor
    shape: tuple[int, ...]
    change: LowRank | None
    kept: NDArray[np.int64] | None

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def type(self) -> str:
        return self.source.type


@dataclass(frozen=True)
class _Job:
    base: Path
    seed: int | None
    plan: list[_Step]
    threads: int


def _write_tensors(
    file: BinaryIO,
    header: Header,
    job: _Job,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Stream every tensor in order; a few pieces ahead are computed on other threads."""
    position = header.data_offset
    with ThreadPoolExecutor(job.threads) as threads:
        waiting: deque[tuple[int, Future[Bytes]]] = deque()

        def write_next() -> None:
            nonlocal position
            offset, piece = waiting.popleft()
            raw = piece.result()
            file.write(bytes(offset - position))  # padding between tensors; none inside one
            file.write(raw.data)
            position = offset + raw.nbytes
            progress(position, header.expected_size)
            if cancelled():
                raise Cancelled

        try:
            for offset, step, first, last in _pieces(header, job.plan):
                if len(waiting) >= job.threads + 2:
                    write_next()
                waiting.append((offset, threads.submit(_piece, job, step, first, last)))
            while waiting:
                write_next()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    file.write(bytes(aligned(position, header.alignment) - position))


def _pieces(header: Header, plan: list[_Step]) -> Iterator[tuple[int, _Step, int, int]]:
    """Where each piece goes in the new file, and which rows of which tensor of the base it is made of."""
    for placed, step in zip(header.tensors, plan, strict=True):
        source = step.source
        rows = max(1, WEIGHTS_AT_ONCE // source.row_length)
        row_bytes = source.nbytes // source.rows
        offset = placed.offset
        for first in range(0, source.rows, rows):
            last = min(first + rows, source.rows)
            yield offset, step, first, last
            offset += row_bytes * (last - first if step.kept is None else _within(step.kept, first, last).size)


def _within(kept: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """The kept rows from ``first`` on, before ``last``."""
    begin, end = np.searchsorted(kept, (first, last))
    return kept[begin:end]


def _piece(job: _Job, step: _Step, first: int, last: int) -> Bytes:
    """The bytes of rows ``first`` to ``last`` (not included) of the base's tensor as the new file has them."""
    source = step.source
    row_bytes = source.nbytes // source.rows
    rows = np.arange(first, last) if step.kept is None else _within(step.kept, first, last)
    if rows.size == 0:
        return np.empty(0, np.uint8)
    with job.base.open("rb") as file:
        file.seek(source.offset + int(rows[0]) * row_bytes)
        raw = np.fromfile(file, np.uint8, (int(rows[-1]) - int(rows[0]) + 1) * row_bytes)
    if raw.size != (int(rows[-1]) - int(rows[0]) + 1) * row_bytes:
        raise OSError(f"{job.base} ends inside {source.name}, which was there a moment ago")
    raw = raw.reshape(-1, row_bytes)
    if rows.size != len(raw):
        raw = raw[rows - rows[0]]
    if step.change is not None:
        raw = _changed(job.seed, source, raw, rows, step.change)
    return raw.reshape(-1)


def _changed(seed: int | None, source: Tensor, raw: Bytes, rows: NDArray[np.int64], change: LowRank) -> Bytes:
    """``raw`` (rows, bytes of a row) with the change of those rows added."""
    delta = _delta(change, rows)
    if source.type in FLOAT_TYPES:
        return add_to_floats(source.type, raw, delta)
    layout = LAYOUTS[source.type]
    noise = _noise(seed, source, rows)
    blocks = raw.reshape(-1, layout.bytes)
    added = add_in_grid(source.type, blocks, delta.reshape(-1, layout.weights), noise.reshape(-1, layout.weights))
    return added.reshape(raw.shape)


def _delta(change: LowRank, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """``scale * up @ down`` of these rows, the same bits everywhere.

    The order in which a matrix product sums, and whether it fuses, differs between machines and libraries. In float64,
    products of bfloat16 values (16 bits) and sums of a few tens of them are exact as long as they lie within 2**30 of
    each other, so the order cannot be seen; for a float32 adapter the orders differ by 1e-16, which rounding to float32
    hides all but a few times in a billion, and even there a code changes only with that probability again. What
    follows is one float64 product and elementwise float32, which IEEE 754 fixes to the bit.
    """
    product = change.up[rows].astype(np.float64) @ change.down.astype(np.float64)
    product *= change.scale
    return product.astype(np.float32)


def _noise(seed: int | None, source: Tensor, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The uniform numbers of these rows: a weight's depends on the seed, its tensor's name and its place, on nothing
    else, so neither pieces nor threads nor a trimmed vocabulary can be seen in the result.

    Philox is counter-based (Salmon et al. 2011, doi:10.1145/2063384.2063405): four 64-bit words for each count, which
    is sixteen weights. Rows of quantized tensors are whole multiples of 32 weights. Without a seed every one is a half,
    which makes rounding down rounding to nearest.
    """
    if seed is None:
        return np.full((rows.size, source.row_length), 0.5, np.float32)
    key = int.from_bytes(hashlib.sha256(f"{seed}:{source.name}".encode()).digest()[:16], "little")
    found = np.empty((rows.size, source.row_length), np.float32)
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for run in np.split(np.arange(rows.size), breaks):
        bits = np.random.Philox(key=key, counter=int(rows[run[0]]) * source.row_length // 16)
        found[run[0] : run[-1] + 1] = uniform(bits, run.size * source.row_length).reshape(run.size, -1)
    return found


def _changes(header: Header, adapter: Mapping[str, LowRank]) -> dict[str, LowRank]:
    """The adapter's changes by the name of the tensor they belong to, in that tensor's own order of rows.

    Raises:
        AdapterError: a module the base does not have, or of another shape.
        ModelError: ``merge_unsupported``.
    """
    # gguf is needed here only, and takes a moment to import.
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    family = header.metadata["general.architecture"]
    if family not in FAMILIES:
        raise _unsupported(f"the base's architecture is {family!r}; known are {', '.join(FAMILIES)}")
    architecture = next(number for number, name in MODEL_ARCH_NAMES.items() if name == family)
    names = get_tensor_name_map(architecture, _count(header, f"{family}.block_count"))
    tensors = {tensor.name: tensor for tensor in header.tensors}
    changes: dict[str, LowRank] = {}
    for module, change in adapter.items():
        name = f"{names.get_name(module)}.weight"
        tensor = tensors.get(name)
        if tensor is None:
            raise AdapterError(f"the adapter changes {module}, which the base ({family}) does not have")
        if tensor.shape != (change.shape[1], change.shape[0]):
            raise AdapterError(f"{module} is {change.shape} in the adapter, {tensor.shape[::-1]} in the base")
        if tensor.type not in LAYOUTS and tensor.type not in FLOAT_TYPES:
            known = ", ".join((*LAYOUTS, *FLOAT_TYPES))
            raise _unsupported(f"{name} of the base is {tensor.type}; the merge knows {known}")
        if family == "llama" and name.endswith(("attn_q.weight", "attn_k.weight")):
            change = replace(change, up=_permuted(change.up, _heads(header, name)))
        changes[name] = change
    return changes


def _heads(header: Header, name: str) -> int:
    """How many heads the rows of a query or key projection belong to."""
    count = _count(header, "llama.attention.head_count")
    if name.endswith("attn_k.weight") and "llama.attention.head_count_kv" in header.metadata:
        return _count(header, "llama.attention.head_count_kv")
    return count


def _permuted(up: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows as llama.cpp's converter orders a Llama's q and k (``LlamaModel.permute``): rotary pairs side by side."""
    return up.reshape(heads, 2, len(up) // heads // 2, -1).swapaxes(1, 2).reshape(up.shape)


def _count(header: Header, key: str) -> int:
    value = header.metadata.get(key)
    if not isinstance(value, int) or value <= 0:
        raise _unsupported(f"the base's {key} is {value!r}")
    return value


def _planned(header: Header, tensor: Tensor, change: LowRank | None, kept: NDArray[np.int64] | None) -> _Step:
    if kept is None:
        return _Step(tensor, tensor.shape, change, None)
    count = len(header.metadata[TOKENS])
    if tensor.name in EMBEDDINGS:
        if len(tensor.shape) != 2 or tensor.rows != count:
            raise VocabularyError(f"{tensor.name} has the shape {tensor.shape} for {count} tokens")
        return _Step(tensor, (tensor.row_length, kept.size), change, kept)
    if count in tensor.shape:
        raise VocabularyError(
            f"{tensor.name} {tensor.shape} has {count} rows, as the vocabulary, and cannot be trimmed"
        )
    return _Step(tensor, tensor.shape, change, None)


def _metadata(
    header: Header, vocabulary: Sequence[int] | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, tuple[Kind, ...]]]:
    """The new file's metadata and their types: what lasts of the base's, then what is given."""
    values = dict(header.metadata)
    if vocabulary is not None:
        values = trimmed_tokenizer(values, header.kinds, vocabulary)
    templated = "tokenizer.chat_template" in given
    values = {
        key: value
        for key, value in values.items()
        if key not in given
        and (not key.startswith("general.") or key in _LASTING)
        and not key.startswith("quantize.")
        and not (templated and key.startswith("tokenizer.chat_template"))
    }
    kinds = {key: header.kinds[key] for key in values}
    for key, value in given.items():
        values[key] = value
        kinds[key] = inferred_kinds(value)
    return values, kinds


def _unsupported(detail: str) -> ModelError:
    return ModelError(
        "merge_unsupported",
        Sentence(
            "这个基础模型的格式不支持合并微调。"
            "请使用 Q4_K_M、Q5_K_M、Q6_K、Q8_0 或 F16 格式的 Qwen2、Qwen3、Llama、Gemma 模型。",
            "The adapter cannot be merged into a base of this format. Use a Qwen2, Qwen3, Llama or Gemma model as "
            "Q4_K_M, Q5_K_M, Q6_K, Q8_0 or F16.",
        ),
        detail,
    )
