"""Writes the header of a GGUF file, byte for byte the same every time; the caller streams the tensors after it.

Ours because gguf-py's writer wants the tensors in memory and infers types where we copy them from the base.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from app.models.gguf_file import (
    CODES,
    DEFAULT_ALIGNMENT,
    MAGIC,
    TYPE_NUMBERS,
    VERSION,
    Header,
    Kind,
    Tensor,
    aligned,
    tensor_bytes,
)


def _packed_text(text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def packed_value(kinds: tuple[Kind, ...], value: Any) -> bytes:
    """A value as the file has it: its type, and its bytes, little-endian.

    Raises:
        TypeError, AttributeError, struct.error: it is of another type, or out of its type's range.
    """
    kind = kinds[0]
    if kind is Kind.STRING:
        return struct.pack("<I", kind) + _packed_text(value)
    if kind is not Kind.ARRAY:
        return struct.pack("<I" + CODES[kind], kind, value)
    element = kinds[1]
    head = struct.pack("<IIQ", kind, element, len(value))
    if element is Kind.STRING:
        return head + b"".join(map(_packed_text, value))
    return head + struct.pack(f"<{len(value)}{CODES[element]}", *value)


def write_header(
    file: BinaryIO,
    metadata: Mapping[str, Any],
    kinds: Mapping[str, tuple[Kind, ...]],
    tensors: Iterable[tuple[str, str, tuple[int, ...]]],
) -> Header:
    """Write a header at the beginning of ``file`` and pad it to where the first tensor goes.

    The caller then writes each tensor's bytes in this order, each padded with zeros to the next multiple of
    ``Header.alignment``; ``Header.tensors`` says where.

    Args:
        metadata: values by name, in the order they are written.
        kinds: the type of each, as in :class:`~app.models.gguf_file.Header`.
        tensors: name, type and shape of each.

    Raises:
        ValueError: a tensor whose rows are not whole blocks.
        struct.error: a value that does not fit its type.
    """
    entries = list(tensors)
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    head = [MAGIC, struct.pack("<IQQ", VERSION, len(entries), len(metadata))]
    for key, value in metadata.items():
        head += [_packed_text(key), packed_value(kinds[key], value)]
    placed: list[tuple[str, str, tuple[int, ...], int, int]] = []
    offset = 0
    for name, type_name, shape in entries:
        nbytes = tensor_bytes(type_name, shape)
        head.append(_packed_text(name))
        head.append(struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, TYPE_NUMBERS[type_name], offset))
        placed.append((name, type_name, shape, offset, nbytes))
        offset = aligned(offset + nbytes, alignment)
    raw = b"".join(head)
    data_offset = aligned(len(raw), alignment)
    file.write(raw + bytes(data_offset - len(raw)))
    directory = tuple(Tensor(name, kind, shape, data_offset + at, nbytes) for name, kind, shape, at, nbytes in placed)
    end = directory[-1].offset + directory[-1].nbytes if directory else len(raw)
    return Header(VERSION, dict(metadata), dict(kinds), directory, alignment, data_offset, end)


def inferred_kinds(value: Any) -> tuple[Kind, ...]:
    """The type a plain Python value is written as: str, bool, int (UINT32), float (FLOAT32), or a list of one of them.

    Raises:
        TypeError: anything else, an empty list included.
    """
    if isinstance(value, str):
        return (Kind.STRING,)
    if isinstance(value, bool):
        return (Kind.BOOL,)
    if isinstance(value, int):
        return (Kind.UINT32,)
    if isinstance(value, float):
        return (Kind.FLOAT32,)
    if isinstance(value, list) and value and not isinstance(value[0], list):
        return (Kind.ARRAY, *inferred_kinds(value[0]))
    raise TypeError(f"{value!r} is not a value GGUF metadata can hold")
