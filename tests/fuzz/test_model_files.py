"""Model files: whatever their header says, they are refused with a sentence, or what is told of them makes sense."""

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.errors import ModelError
from app.models.gguf_file import GgufError, Kind, read_header
from app.models.gguf_header import write_header
from app.models.importing import inspect_model
from app.models.memory import Memory
from tests.fuzz.hostile import changed_bytes, texts
from tests.tally import Tally

TOKENS = ["a", "b", "<|im_end|>"]
METADATA: dict[str, tuple[tuple[Kind, ...], Any]] = {
    "general.architecture": ((Kind.STRING,), "qwen2"),
    "general.name": ((Kind.STRING,), "Tiny"),
    "qwen2.block_count": ((Kind.UINT32,), 2),
    "qwen2.embedding_length": ((Kind.UINT32,), 64),
    "qwen2.attention.head_count": ((Kind.UINT32,), 4),
    "qwen2.attention.head_count_kv": ((Kind.ARRAY, Kind.INT32), [2, 2]),
    "tokenizer.ggml.model": ((Kind.STRING,), "gpt2"),
    "tokenizer.ggml.tokens": ((Kind.ARRAY, Kind.STRING), TOKENS),
    "tokenizer.chat_template": ((Kind.STRING,), "{{ messages }}"),
    "split.count": ((Kind.UINT16,), 0),
}
_NUMBERS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.UINT32: st.integers(0, 2**32 - 1),
    Kind.INT32: st.integers(-(2**31), 2**31 - 1),
    Kind.UINT64: st.integers(0, 2**64 - 1),
    Kind.INT64: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT64: st.floats(),
    Kind.BOOL: st.booleans(),
    Kind.STRING: texts.map(lambda text: text.encode("utf-8", "replace").decode()),
}
kinds = st.sampled_from([*_NUMBERS])
metadata_values = kinds.flatmap(lambda kind: _NUMBERS[kind].map(lambda value: ((kind,), value))) | kinds.flatmap(
    lambda kind: st.lists(_NUMBERS[kind], max_size=3).map(lambda value: ((Kind.ARRAY, kind), value))
)
MACHINE = Memory(total=4_000_000_000, free=1_000_000_000)


def write_model(path: Path, metadata: dict[str, tuple[tuple[Kind, ...], Any]]) -> bytes:
    """A model with nothing in it but its header and some weights of 0."""
    values = {key: value for key, (_, value) in metadata.items()}
    with path.open("w+b") as file:
        header = write_header(
            file, values, {key: kind for key, (kind, _) in metadata.items()}, [("token_embd.weight", "F32", (64, 3))]
        )
        file.truncate(header.expected_size)
        file.seek(0)
        return file.read()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(folder: Path) -> bytes:
    return write_model(folder / "whole.gguf", METADATA)


def inspect(tally: Tally, path: Path, content: bytes) -> None:
    """Look at a model file as an import does."""
    path.write_bytes(content)
    try:
        header = read_header(path)
        assert header.expected_size <= len(content) and all(tensor.nbytes >= 0 for tensor in header.tensors)
        sound = True
    except GgufError:
        sound = False
    try:
        facts = inspect_model(path, MACHINE)
    except ModelError as error:
        assert error.sentence.zh.endswith("。") and error.sentence.en and len(error.sentence.zh) < 1000
        tally.count("GGUF headers", "refused with a sentence")
        return
    assert sound and isinstance(facts.memory, int) and facts.size == len(content)
    tally.count("GGUF headers", "read")


@settings(max_examples=500)
@given(st.data())
def test_models_with_changed_bytes(tally: Tally, folder: Path, model: bytes, data: st.DataObject) -> None:
    counts = [struct.pack("<Q", number) for number in (0, 1, 2**31, 2**40, 2**63, 2**64 - 1)]
    inspect(tally, folder / "changed.gguf", data.draw(changed_bytes(model, (*counts, b"GGUF", b"GGML"))))


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from([*METADATA]), metadata_values, min_size=1, max_size=4))
def test_models_that_say_anything_of_themselves(
    tally: Tally, folder: Path, said: dict[str, tuple[tuple[Kind, ...], Any]]
) -> None:
    path = folder / "said.gguf"
    inspect(tally, path, write_model(path, METADATA | said))
