"""Reading and writing GGUF headers, with gguf-py and llama.cpp as the other side."""

import io
import struct
import time
from pathlib import Path

import gguf
import pytest

from app.models.gguf_file import (
    TENSOR_TYPES,
    GgufError,
    Kind,
    read_header,
    tensor_bytes,
)
from app.models.gguf_header import inferred_kinds, write_header


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _file(path: Path, fields: bytes = b"", tensors: bytes = b"", counts: tuple[int, int] = (0, 0), rest: bytes = b""):
    """A GGUF file of hand-made parts; ``counts`` are of tensors and fields."""
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts) + fields + tensors + rest)
    return path


def _tensor(name: str = "a", shape: tuple[int, ...] = (32,), kind: int = 0, offset: int = 0) -> bytes:
    return _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def _kind_of_error(path: Path) -> str:
    with pytest.raises(GgufError) as error:
        read_header(path)
    return error.value.kind


def test_a_header_is_what_gguf_py_reads(tiny_base: Path):
    header = read_header(tiny_base)
    reader = gguf.GGUFReader(tiny_base)
    fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert header.metadata == fields
    assert [(t.name, t.type, t.shape, t.offset, t.nbytes) for t in header.tensors] == [
        (t.name, t.tensor_type.name, tuple(int(extent) for extent in t.shape), t.data_offset, t.n_bytes)
        for t in reader.tensors
    ]
    assert header.data_offset == reader.data_offset
    assert header.expected_size <= tiny_base.stat().st_size < header.expected_size + header.alignment


def test_a_header_is_written_back_byte_for_byte(tiny_base: Path):
    header = read_header(tiny_base)
    file = io.BytesIO()
    written = write_header(
        file, header.metadata, header.kinds, [(tensor.name, tensor.type, tensor.shape) for tensor in header.tensors]
    )
    assert file.getvalue() == tiny_base.read_bytes()[: header.data_offset]
    assert written == header


def test_every_kind_of_value_survives(tmp_path: Path):
    values = {
        "general.architecture": ("测试", (Kind.STRING,)),
        "general.alignment": (64, (Kind.UINT32,)),
        "u8": (255, (Kind.UINT8,)),
        "i8": (-128, (Kind.INT8,)),
        "u16": (65535, (Kind.UINT16,)),
        "i16": (-32768, (Kind.INT16,)),
        "i32": (-(1 << 31), (Kind.INT32,)),
        "u64": ((1 << 64) - 1, (Kind.UINT64,)),
        "i64": (-(1 << 63), (Kind.INT64,)),
        "f32": (0.5, (Kind.FLOAT32,)),
        "f64": (0.1, (Kind.FLOAT64,)),
        "yes": (True, (Kind.BOOL,)),
        "texts": (["", "一", "two"], (Kind.ARRAY, Kind.STRING)),
        "truths": ([True, False], (Kind.ARRAY, Kind.BOOL)),
        "none": ([], (Kind.ARRAY, Kind.INT32)),
    }
    path = tmp_path / "values.gguf"
    metadata = {key: value for key, (value, _) in values.items()}
    with path.open("wb") as file:
        write_header(file, metadata, {key: kinds for key, (_, kinds) in values.items()}, [("a", "F32", (3, 5))])
        file.write(bytes(64))
    header = read_header(path)
    assert header.metadata == metadata
    assert header.kinds == {key: kinds for key, (_, kinds) in values.items()}
    assert header.alignment == 64 and header.data_offset % 64 == 0
    assert (header.tensors[0].row_length, header.tensors[0].rows, header.tensors[0].nbytes) == (3, 5, 60)
    fields = gguf.GGUFReader(path).fields
    del metadata["none"]  # gguf-py stumbles over an empty array
    assert {key: fields[key].contents() for key in metadata} == metadata


def test_a_vocabulary_of_150_000_tokens_is_read_in_well_under_a_second(tmp_path: Path):
    tokens = [f"token{index}" for index in range(150_000)]
    path = tmp_path / "large.gguf"
    with path.open("wb") as file:
        write_header(
            file,
            {"tokens": tokens, "types": [1] * 150_000},
            {"tokens": (Kind.ARRAY, Kind.STRING), "types": (Kind.ARRAY, Kind.INT32)},
            [],
        )
    started = time.process_time()
    assert read_header(path).metadata["tokens"] == tokens
    assert time.process_time() - started < 1.0


def test_tensor_sizes_are_those_of_gguf_py():
    for number, (name, block, size) in TENSOR_TYPES.items():
        kind = gguf.GGMLQuantizationType(number)
        assert (kind.name, gguf.GGML_QUANT_SIZES[kind]) == (name, (block, size))
    assert tensor_bytes("Q4_K", (512, 3)) == 2 * 144 * 3
    with pytest.raises(ValueError, match="not a whole number"):
        tensor_bytes("Q4_K", (128, 2))


def test_an_empty_file_a_foreign_one_and_a_cut_one_are_told_apart(tiny_base: Path, tmp_path: Path):
    whole = tiny_base.read_bytes()
    path = tmp_path / "model.gguf"
    for content, kind in (
        (b"", "empty"),
        (b"<html>", "foreign"),
        (b"PK\x03\x04" + bytes(100), "foreign"),
        (b"X", "foreign"),
        (b"GG", "truncated"),
        (whole[:4], "truncated"),
        (whole[:23], "truncated"),
        (whole[:-64], "truncated"),
    ):
        path.write_bytes(content)
        assert _kind_of_error(path) == kind, content[:8]


def test_a_file_cut_anywhere_in_its_header_is_truncated(tiny_base: Path, tmp_path: Path):
    whole = tiny_base.read_bytes()
    end = read_header(tiny_base).data_offset
    path = tmp_path / "cut.gguf"
    for length in [*range(24, end, 311), end, len(whole) // 2]:
        path.write_bytes(whole[:length])
        assert _kind_of_error(path) == "truncated", length
    path.write_bytes(whole[: len(whole) // 2])
    assert read_header(path, whole=False).expected_size > len(whole) // 2


def test_a_flipped_byte_in_the_header_is_read_or_refused_but_never_crashes(tiny_base: Path, tmp_path: Path):
    whole = bytearray(tiny_base.read_bytes())
    end = read_header(tiny_base).data_offset
    path = tmp_path / "flipped.gguf"
    path.write_bytes(whole)
    with path.open("r+b") as file:
        for at in [*range(24), *range(24, end, 97)]:
            file.seek(at)
            file.write(bytes([whole[at] ^ 0xFF]))
            file.flush()
            try:
                read_header(path)
            except GgufError as error:
                assert error.kind in ("foreign", "truncated", "broken")
            file.seek(at)
            file.write(whole[at : at + 1])


_U32 = struct.pack("<II", Kind.UINT32, 1)


@pytest.mark.parametrize(
    ("why", "parts"),
    [
        ("claims 1099511627776 tensors", {"counts": (1 << 40, 0)}),
        ("metadata fields", {"counts": (0, 1 << 60)}),
        ("unknown value type 77", {"counts": (0, 1), "fields": _text("a") + struct.pack("<I", 77)}),
        ("a second time", {"counts": (0, 2), "fields": (_text("a") + _U32) * 2}),
        ("empty or a second time", {"counts": (0, 1), "fields": _text("") + _U32}),
        ("array of arrays", {"counts": (0, 1), "fields": _text("a") + struct.pack("<IIQ", 9, 9, 1)}),
        (
            "claims 72057594037927936 elements",
            {"counts": (0, 1), "fields": _text("a") + struct.pack("<IIQ", 9, 0, 1 << 56)},
        ),
        ("longer than", {"counts": (0, 1), "fields": struct.pack("<Q", 1 << 62)}),
        ("not UTF-8", {"counts": (0, 1), "fields": struct.pack("<Q", 2) + b"\xff\xfe" + _U32}),
        ("truth value 2", {"counts": (0, 1), "fields": _text("a") + struct.pack("<IB", Kind.BOOL, 2)}),
        ("power of two", {"counts": (0, 1), "fields": _text("general.alignment") + struct.pack("<II", 4, 33)}),
        ("two tensors named 'a'", {"counts": (2, 0), "tensors": _tensor() + _tensor(offset=128)}),
        ("lies at 7", {"counts": (1, 0), "tensors": _tensor(offset=7)}),
        ("5 dimensions", {"counts": (1, 0), "tensors": _tensor(shape=(1, 1, 1, 1, 1))}),
        ("shape", {"counts": (1, 0), "tensors": _tensor(shape=(1 << 39, 1 << 39))}),
        ("shape", {"counts": (1, 0), "tensors": _tensor(shape=(0,))}),
        ("unknown type 5", {"counts": (1, 0), "tensors": _tensor(kind=5)}),
        ("not a whole number of Q4_K blocks", {"counts": (1, 0), "tensors": _tensor(kind=12)}),
    ],
)
def test_numbers_that_contradict_each_other_are_broken(why: str, parts: dict, tmp_path: Path):
    path = _file(tmp_path / "broken.gguf", **parts, rest=bytes(4096))
    with pytest.raises(GgufError, match=why) as error:
        read_header(path)
    assert error.value.kind == "broken"


def test_other_versions_and_the_other_byte_order_are_refused_by_name(tmp_path: Path):
    path = tmp_path / "old.gguf"
    for version, said in ((2, "version 2;"), (3 << 24, "big-endian")):
        path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, 0, 0))
        with pytest.raises(GgufError, match=said) as error:
            read_header(path)
        assert error.value.kind == "broken"


def test_plain_values_get_the_type_gguf_gives_them():
    assert inferred_kinds("a") == (Kind.STRING,)
    assert inferred_kinds(True) == (Kind.BOOL,)
    assert inferred_kinds(7) == (Kind.UINT32,)
    assert inferred_kinds(0.5) == (Kind.FLOAT32,)
    assert inferred_kinds(["zh"]) == (Kind.ARRAY, Kind.STRING)
    for value in (None, [], {}, [["a"]]):
        with pytest.raises(TypeError):
            inferred_kinds(value)
