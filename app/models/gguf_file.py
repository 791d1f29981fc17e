"""Reads the header of a GGUF file in a fraction of a second, and trusts no number in it.

Knows the container (metadata, tensor directory, where the bytes lie), not what the weights mean. Ours because gguf-py's
reader builds an object for each of a vocabulary's 300,000 strings (nine seconds for our base) and believes every length
it meets. Imports neither numpy nor gguf: the engine reads a header at every start.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, BinaryIO, Literal

MAGIC = b"GGUF"
VERSION = 3
DEFAULT_ALIGNMENT = 32
LONGEST_HEADER = 256 << 20  # bytes; the largest vocabularies in use need about 15 MiB
MOST_TENSORS = 1 << 20
MOST_FIELDS = 1 << 16
MOST_DIMENSIONS = 4
_CHUNK = 1 << 20


class Kind(IntEnum):
    """The type of a metadata value, numbered as in the file."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


# struct's codes; with the "<" prefix they have exactly the file's widths.
CODES = {
    Kind.UINT8: "B",
    Kind.INT8: "b",
    Kind.UINT16: "H",
    Kind.INT16: "h",
    Kind.UINT32: "I",
    Kind.INT32: "i",
    Kind.FLOAT32: "f",
    Kind.BOOL: "?",
    Kind.UINT64: "Q",
    Kind.INT64: "q",
    Kind.FLOAT64: "d",
}
_WIDTHS = {kind: struct.calcsize("<" + code) for kind, code in CODES.items()}

# Tensor types: number in the file -> (name, weights in a block, bytes of a block). From ggml's type_traits (ggml.c).
TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
}
TYPE_NUMBERS = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}


class GgufError(Exception):
    """A file cannot be read as GGUF.

    ``kind`` is ``empty`` (no byte in it), ``foreign`` (something else altogether), ``truncated`` (it begins well and
    ends too early) or ``broken`` (its own numbers contradict each other, or a layout we do not read).
    """

    def __init__(self, kind: Literal["empty", "foreign", "truncated", "broken"], message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Tensor:
    """One entry of the directory. ``shape`` in the file's order: the contiguous dimension (a row's length) first.
    ``offset`` is counted from the beginning of the file."""

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int

    @property
    def row_length(self) -> int:
        """Weights in a row."""
        return self.shape[0] if self.shape else 1

    @property
    def rows(self) -> int:
        """How many rows there are."""
        count = 1
        for extent in self.shape[1:]:
            count *= extent
        return count


@dataclass(frozen=True)
class Header:
    """Everything of a GGUF file but the weights.

    ``kinds`` holds each value's type as the file had it, an array's as ``(Kind.ARRAY, element kind)``, so that a value
    can be written back unchanged. ``expected_size`` is where the last tensor ends: a whole file is at least so long.
    """

    version: int
    metadata: dict[str, Any]
    kinds: dict[str, tuple[Kind, ...]]
    tensors: tuple[Tensor, ...]
    alignment: int
    data_offset: int
    expected_size: int

    def tensor(self, name: str) -> Tensor | None:
        """The tensor of that name, None where there is none."""
        return next((tensor for tensor in self.tensors if tensor.name == name), None)


def tensor_bytes(type_name: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor: rows are whole blocks.

    Raises:
        ValueError: an unknown type, or a row that is not a whole number of blocks.
    """
    if type_name not in TYPE_NUMBERS:
        raise ValueError(f"unknown tensor type {type_name}")
    _, block, size = TENSOR_TYPES[TYPE_NUMBERS[type_name]]
    row = shape[0] if shape else 1
    if row % block:
        raise ValueError(f"a row of {row} weights is not a whole number of {type_name} blocks of {block}")
    total = row // block * size
    for extent in shape[1:]:
        total *= extent
    return total


def read_header(path: str | os.PathLike[str], *, whole: bool = True) -> Header:
    """Read and check the header of the GGUF file at ``path``; no weight is read.

    Args:
        whole: also refuse a file that ends before its last tensor does.

    Raises:
        GgufError: what is wrong with the file.
        OSError: it cannot be opened or read at all.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = _parse(_Cursor(file, size))
    if whole and size < header.expected_size:
        raise GgufError("truncated", f"the file has {size} bytes where its tensors need {header.expected_size}")
    return header


class _Cursor:
    """Reads a file forwards, a chunk at a time, never past its end and never more than a header can be."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._start = 0  # where in the file `_buffer` begins
        self._buffer = b""
        self._at = 0

    @property
    def position(self) -> int:
        return self._start + self._at

    @property
    def remaining(self) -> int:
        """Bytes of the file not yet taken."""
        return self._size - self.position

    def _hold(self, count: int, what: str) -> None:
        """Have the next ``count`` bytes in the buffer."""
        if len(self._buffer) - self._at >= count:
            return
        if self.position + count > LONGEST_HEADER:
            raise GgufError("broken", f"{what} would make the header longer than {LONGEST_HEADER} bytes")
        if count > self.remaining:
            raise GgufError("truncated", f"the file ends at byte {self._size}, inside {what}")
        missing = count - (len(self._buffer) - self._at)
        rest = self._buffer[self._at :]
        self._start += self._at
        self._buffer = rest + self._file.read(max(missing, _CHUNK))
        self._at = 0
        if len(self._buffer) < count:
            raise GgufError("truncated", f"the file ends early, inside {what}")

    def take(self, count: int, what: str) -> bytes:
        self._hold(count, what)
        self._at += count
        return self._buffer[self._at - count : self._at]

    def number(self, kind: Kind, what: str) -> Any:
        if kind is Kind.BOOL:
            byte = self.take(1, what)[0]
            if byte > 1:
                raise GgufError("broken", f"{what} is the truth value {byte}")
            return bool(byte)
        return struct.unpack("<" + CODES[kind], self.take(_WIDTHS[kind], what))[0]

    def text(self, what: str) -> str:
        return _decode(self.take(self.number(Kind.UINT64, what), what), what)

    def texts(self, count: int, what: str) -> list[str]:
        """``count`` strings: the one loop whose speed matters."""
        found: list[str] = []
        length_of = struct.Struct("<Q").unpack_from
        while len(found) < count:
            self._hold(8, what)
            buffer, at, end = self._buffer, self._at, len(self._buffer)
            while len(found) < count and at + 8 <= end:
                stop = at + 8 + length_of(buffer, at)[0]
                if stop > end:
                    break
                found.append(_decode(buffer[at + 8 : stop], what))
                at = stop
            moved = at != self._at
            self._at = at
            if not moved:
                self._hold(8, what)
                self._hold(8 + length_of(self._buffer, self._at)[0], what)
        return found


def _decode(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GgufError("broken", f"{what} is not UTF-8: {error}") from error


def _kind(cursor: _Cursor, what: str) -> Kind:
    number = cursor.number(Kind.UINT32, what)
    try:
        return Kind(number)
    except ValueError as error:
        raise GgufError("broken", f"{what} has the unknown value type {number}") from error


def _value(cursor: _Cursor, what: str) -> tuple[tuple[Kind, ...], Any]:
    kind = _kind(cursor, what)
    if kind is Kind.STRING:
        return (kind,), cursor.text(what)
    if kind is not Kind.ARRAY:
        return (kind,), cursor.number(kind, what)
    element = _kind(cursor, what)
    count = cursor.number(Kind.UINT64, what)
    if element is Kind.ARRAY:
        raise GgufError("broken", f"{what} is an array of arrays")
    smallest = 8 if element is Kind.STRING else _WIDTHS[element]
    if count * smallest > LONGEST_HEADER:
        raise GgufError("broken", f"{what} claims {count} elements")
    if count * smallest > cursor.remaining:
        raise GgufError("truncated", f"{what} has {count} elements and the file ends before them")
    if element is Kind.STRING:
        return (kind, element), cursor.texts(count, what)
    raw = cursor.take(count * smallest, what)
    return (kind, element), list(struct.unpack(f"<{count}{CODES[element]}", raw))


def _parse(cursor: _Cursor) -> Header:
    if cursor.remaining == 0:
        raise GgufError("empty", "the file is empty")
    magic = cursor.take(min(4, cursor.remaining), "the magic number")
    if magic != MAGIC[: len(magic)]:
        raise GgufError("foreign", f"it begins with {magic!r}, not {MAGIC!r}")
    if len(magic) < 4:
        raise GgufError("truncated", f"the file has {len(magic)} bytes")
    version = cursor.number(Kind.UINT32, "the version")
    if version != VERSION:
        big = " (big-endian)" if version == int.from_bytes(VERSION.to_bytes(4, "big"), "little") else ""
        raise GgufError("broken", f"GGUF version {version}{big}; only version {VERSION}, little-endian, is read")
    tensor_count = cursor.number(Kind.UINT64, "the number of tensors")
    field_count = cursor.number(Kind.UINT64, "the number of metadata fields")
    if tensor_count > MOST_TENSORS or field_count > MOST_FIELDS:
        raise GgufError("broken", f"it claims {tensor_count} tensors and {field_count} metadata fields")

    metadata: dict[str, Any] = {}
    kinds: dict[str, tuple[Kind, ...]] = {}
    for index in range(field_count):
        key = cursor.text(f"the name of metadata field {index}")
        if not key or key in metadata:
            raise GgufError("broken", f"metadata field {index} is named {key[:80]!r}, empty or a second time")
        kinds[key], metadata[key] = _value(cursor, f"metadata field {key[:80]!r}")

    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        raise GgufError("broken", f"general.alignment is {alignment!r}, not a power of two")

    entries = [_entry(cursor, index) for index in range(tensor_count)]
    data_offset = aligned(cursor.position, alignment)
    tensors: list[Tensor] = []
    names: set[str] = set()
    expected_offset = 0
    end = data_offset if entries else cursor.position
    for name, type_name, shape, offset, nbytes in entries:
        if name in names:
            raise GgufError("broken", f"there are two tensors named {name[:80]!r}")
        names.add(name)
        # llama.cpp refuses anything but tensors one after the other, each padded to the alignment.
        if offset != expected_offset:
            raise GgufError("broken", f"tensor {name[:80]!r} lies at {offset}, expected at {expected_offset}")
        expected_offset = aligned(offset + nbytes, alignment)
        end = data_offset + offset + nbytes
        tensors.append(Tensor(name, type_name, shape, data_offset + offset, nbytes))
    return Header(version, metadata, kinds, tuple(tensors), alignment, data_offset, end)


def _entry(cursor: _Cursor, index: int) -> tuple[str, str, tuple[int, ...], int, int]:
    """Name, type, shape, offset among the data and bytes of the next tensor of the directory."""
    name = cursor.text(f"the name of tensor {index}")
    what = f"tensor {name[:80]!r}"
    dimensions = cursor.number(Kind.UINT32, what)
    if dimensions > MOST_DIMENSIONS:
        raise GgufError("broken", f"{what} has {dimensions} dimensions")
    shape = tuple(cursor.number(Kind.UINT64, what) for _ in range(dimensions))
    elements = 1
    for extent in shape:
        elements *= extent
        if not 0 < extent < 1 << 40 or elements >= 1 << 48:
            raise GgufError("broken", f"{what} has the shape {shape}")
    number = cursor.number(Kind.UINT32, what)
    if number not in TENSOR_TYPES:
        raise GgufError("broken", f"{what} has the unknown type {number}")
    type_name = TENSOR_TYPES[number][0]
    offset = cursor.number(Kind.UINT64, what)
    try:
        return name, type_name, shape, offset, tensor_bytes(type_name, shape)
    except ValueError as error:
        raise GgufError("broken", f"{what}: {error}") from error


def aligned(position: int, alignment: int) -> int:
    """The next multiple of ``alignment`` at or after ``position``."""
    return -(-position // alignment) * alignment
