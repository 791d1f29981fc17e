"""Model files with something wrong with them, made from a whole one: each kind a function of the file and of chance.

What is changed is drawn; that something is changed is certain.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from app.models.gguf_file import Header, Kind, read_header
from app.models.gguf_header import write_header

TEMPLATE = "tokenizer.chat_template"
# Numbers that a count, a length or a size might be set to, by what they exceed: the file, memory, 32 bits, 64 bits.
HUGE = (1 << 24, (1 << 31) - 1, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
OTHER_FAMILIES = (
    "bert",
    "nomic-bert",
    "clip",
    "t5encoder",
    "wavtokenizer-dec",
    "llama",
    "gpt2",
    "falcon",
    "mamba",
    "rwkv6",
    "qwen2moe",
    "gemma3",
    "deepseek2",
    "t5",
    "a-family-of-next-year",
)
BEGINNINGS = (
    b"GGML",
    b"ggjt",
    b"FUGG",
    b"GGUF\0\0\0\3",  # big-endian
    b"GGUF\2\0\0\0",
    b"GGUF\4\0\0\0",
    b"GGUF\xff\xff\xff\xff",
    b"PK\3\4",
    b"\x1f\x8b\x08\0",
    b"<!DOCTYPE html>",
    b'{"error": "not found"}',
    b"version https://git-lfs.github.com/spec/v1\n",
    b"\x80\x02\x8a\x0a",  # a pickle
    b"\0\0\0\0",
)
# What stands in the template's place; None for no such field at all.
TEMPLATES: tuple[str | None, ...] = (
    None,
    "",
    "{{ messages[0]['content'",
    "{% for message in messages %}",
    "{% endfor %}",
    "Say what you like.",
    "{{ raise_exception('not me') }}{{ messages[0]['content'] }}",
    "{{ undefined_function(messages) }}{{ messages[0]['content'] }}",
    "{{ messages[7]['content'] }}{{ messages[0]['content'] }}",
    "{{ 1 // 0 }}{{ messages[0]['content'] }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[0]['content'] }}",
    "{{ 'x' * 10000000000 }}{{ messages[0]['content'] }}",
    "{% for n in range(1000000) %}{{ n }}{% endfor %}{{ messages[0]['content'] }}",
    "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}{{ messages[0]['content'] }}",
    "{# " + "x" * 1_000_000 + " #}{{ messages[1]['content'] }}",
)


@dataclass(frozen=True)
class Whole:
    """A model file as it should be."""

    path: Path
    content: bytes
    header: Header

    @classmethod
    def of(cls, path: Path) -> "Whole":
        """The file at a path."""
        return cls(path, path.read_bytes(), read_header(path))

    @property
    def family(self) -> str:
        return str(self.header.metadata["general.architecture"])


Mutation = Callable[[Whole, Random, int], bytes]
"""Is given the file, chance, and which of its kind this is to be; the file it becomes."""


def header_bits(whole: Whole, drawn: Random, number: int) -> bytes:
    """One bit of everything before the first weight is flipped, or a few."""
    return _flipped(whole.content, 0, whole.header.data_offset, drawn.choice((1, 1, 1, 2, 8)), drawn)


def tensor_bits(whole: Whole, drawn: Random, number: int) -> bytes:
    """One bit of a weight is flipped, a thousand are, or a tensor is overwritten: with ones no float is finite."""
    end = whole.header.expected_size
    if number % 3 < 2:
        return _flipped(whole.content, whole.header.data_offset, end, (1, 1000)[number % 3], drawn)
    tensor = drawn.choice(whole.header.tensors)
    filling = drawn.choice((b"\xff", b"\0", b"\x7f")) * tensor.nbytes
    return _with(whole.content, tensor.offset, filling)


def truncated(whole: Whole, drawn: Random, number: int) -> bytes:
    """The file ends too early: anywhere, inside the header, or just before its end."""
    end = whole.header.expected_size
    most = (end - 1, whole.header.data_offset, end - 1)[number % 3]
    least = (0, 0, end - 64)[number % 3]
    return whole.content[: drawn.randint(least, most)]


def wrong_magic(whole: Whole, drawn: Random, number: int) -> bytes:
    """It begins like something else, over what was there, or with nothing but that something else."""
    beginning = BEGINNINGS[number % len(BEGINNINGS)]
    if drawn.random() < 0.7:
        return _with(whole.content, 0, beginning)
    return beginning + drawn.randbytes(drawn.randrange(10_000))


def huge_counts(whole: Whole, drawn: Random, number: int) -> bytes:
    """A count, a length or a size of the header is another: huge, mostly, or none at all."""
    places = _counts(whole)
    at, width = places[number % len(places)] if number < len(places) else drawn.choice(places)
    value = drawn.choice((*HUGE, 0, 1, drawn.getrandbits(63))) & ((1 << 8 * width) - 1)
    there = int.from_bytes(whole.content[at : at + width], "little")
    return _with(whole.content, at, (value if value != there else there + 1).to_bytes(width, "little"))


def other_family(whole: Whole, drawn: Random, number: int) -> bytes:
    """The file says that it is of another family, and names its numbers as that family does."""
    family = OTHER_FAMILIES[number % len(OTHER_FAMILIES)]
    named = {key.replace(f"{whole.family}.", f"{family}.", 1): value for key, value in whole.header.metadata.items()}
    kinds = {key.replace(f"{whole.family}.", f"{family}.", 1): kind for key, kind in whole.header.kinds.items()}
    return _rewritten(whole, named | {"general.architecture": family}, kinds)


def other_template(whole: Whole, drawn: Random, number: int) -> bytes:
    """Its chat template is missing, no text, or a program that does not do what templates do."""
    template = TEMPLATES[number % len(TEMPLATES)]
    metadata = {key: value for key, value in whole.header.metadata.items() if key != TEMPLATE}
    kinds = dict(whole.header.kinds)
    if template is not None:
        metadata[TEMPLATE] = template
    return _rewritten(whole, metadata, kinds)


# Two hundred in all.
MUTATIONS: dict[Mutation, int] = {
    header_bits: 45,
    tensor_bits: 30,
    truncated: 30,
    wrong_magic: 20,
    huge_counts: 45,
    other_family: len(OTHER_FAMILIES),
    other_template: len(TEMPLATES),
}


def _flipped(content: bytes, first: int, end: int, bits: int, drawn: Random) -> bytes:
    """Distinct bits of the bytes from ``first`` to before ``end``, flipped."""
    changed = bytearray(content)
    for bit in drawn.sample(range(8 * first, 8 * end), bits):
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _with(content: bytes, at: int, new: bytes) -> bytes:
    """New bytes over what was there; where they are the same, the first is another."""
    if content[at : at + len(new)] == new:
        new = bytes([new[0] ^ 0xFF]) + new[1:]
    return content[:at] + new + content[at + len(new) :]


def _counts(whole: Whole) -> list[tuple[int, int]]:
    """Where in the file counts, lengths and sizes lie, and in how many bytes."""
    places = [(8, 8), (16, 8)]  # of tensors and of metadata fields
    for key, kinds in whole.header.kinds.items():
        name = key.encode()
        at = whole.content.index(struct.pack("<Q", len(name)) + name)
        value = at + 8 + len(name) + 4
        places.append((at, 8))  # the length of the name
        if kinds[0] is Kind.ARRAY:
            places.append((value + 4, 8))
        elif kinds[0] is Kind.STRING:
            places.append((value, 8))
        elif kinds[0] is Kind.UINT32:
            places.append((value, 4))  # such as the number of layers
    for tensor in whole.header.tensors:
        name = tensor.name.encode()
        at = whole.content.index(struct.pack("<Q", len(name)) + name)
        dimensions = at + 8 + len(name)
        places += [(dimensions, 4), (dimensions + 4 + 8 * len(tensor.shape) + 4, 8)]  # and where its weights lie
        places += [(dimensions + 4 + 8 * index, 8) for index in range(len(tensor.shape))]
    return places


def _rewritten(whole: Whole, metadata: dict[str, Any], kinds: dict[str, tuple[Kind, ...]]) -> bytes:
    """The same weights under another header."""
    tensors = whole.header.tensors
    file = io.BytesIO()
    header = write_header(file, metadata, kinds, [(tensor.name, tensor.type, tensor.shape) for tensor in tensors])
    for before, after in zip(tensors, header.tensors, strict=True):
        file.write(bytes(after.offset - file.tell()))
        file.write(whole.content[before.offset : before.offset + before.nbytes])
    file.write(bytes(-file.tell() % header.alignment))
    return file.getvalue()
