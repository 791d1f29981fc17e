"""Trimming drops rows and nothing else, and the proof of that fails for a file trimmed wrongly."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.compose.catalog import load_catalog
from app.models.errors import ModelError
from app.models.gguf_file import read_header
from app.models.merge import EMBEDDINGS
from app.models.vocabulary import write_vocabulary
from tests import tiny
from tests.training.small_corpus import few_records, run_step, write_corpus
from training.errors import TrainingError
from training.footprint import footprints
from training.likelihood import measure
from training.quantize import quantize
from training.records import Record
from training.trim import trim
from training.trim_proof import TrimProof, prove, random_texts

CATALOG = load_catalog()


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    return few_records(tmp_path / "corpus")


@pytest.fixture
def trimmed(tiny_float_base: Path, tiny_vocabulary: Sequence[int], tmp_path: Path) -> Path:
    out = tmp_path / "trimmed.gguf"
    trim(tiny_float_base, out, tiny_vocabulary)
    return out


def _proof(base: Path, small: Path, records: Sequence[Record]) -> TrimProof:
    return prove(base, small, records, [record.text for record in records], CATALOG, strings=500)


def _bytes_of(path: Path, name: str) -> np.ndarray:
    """A tensor's bytes, a row each."""
    tensor = read_header(path).tensor(name)
    assert tensor is not None
    raw = np.fromfile(path, np.uint8, tensor.nbytes, offset=tensor.offset)
    return raw.reshape(tensor.rows, -1)


def _overwritten(path: Path, name: str, rows: np.ndarray, out: Path) -> Path:
    """The file with other bytes in a tensor."""
    tensor = read_header(path).tensor(name)
    assert tensor is not None and rows.nbytes == tensor.nbytes
    raw = bytearray(path.read_bytes())
    raw[tensor.offset : tensor.offset + tensor.nbytes] = rows.tobytes()
    out.write_bytes(raw)
    return out


@pytest.mark.parametrize("type_name", [None, "F32", "BF16", "Q8_0", "Q4_K_M", "Q3_K_M", "IQ4_XS"])
def test_rows_are_dropped_as_bytes_and_nothing_else_changes(
    type_name: str | None, tiny_float_base: Path, tiny_vocabulary: Sequence[int], tmp_path: Path
):
    base = tiny_float_base
    if type_name is not None:
        base = tmp_path / "base.gguf"
        quantize(tiny_float_base, base, type_name)
    trim(base, tmp_path / "trimmed.gguf", tiny_vocabulary)
    before, after = read_header(base), read_header(tmp_path / "trimmed.gguf")
    assert [tensor.name for tensor in before.tensors] == [tensor.name for tensor in after.tensors]
    for tensor in before.tensors:
        rows = _bytes_of(base, tensor.name)
        expected = rows[list(tiny_vocabulary)] if tensor.name in EMBEDDINGS else rows
        assert np.array_equal(_bytes_of(tmp_path / "trimmed.gguf", tensor.name), expected), tensor.name
    kept = {
        key: value
        for key, value in before.metadata.items()
        if not key.startswith(("tokenizer.ggml", "quantize.")) and isinstance(value, str)
    }
    assert kept.items() <= after.metadata.items() and "general.name" in kept
    assert not list(tmp_path.glob("*.part"))


def test_the_proof_holds_at_f16(tiny_float_base: Path, trimmed: Path, records: list[Record]):
    proof = _proof(tiny_float_base, trimmed, records)
    assert proof.holds and (proof.choices, proof.pieces, proof.lost) == ((), (), ())
    assert proof.positions > 100 and proof.texts == len(records) and proof.strings == 500
    kept = set(read_header(trimmed).metadata["tokenizer.ggml.tokens"])
    tokens = read_header(tiny_float_base).metadata["tokenizer.ggml.tokens"]
    free = measure(tiny_float_base, records, CATALOG)
    dropped = sum(tokens[token] not in kept for record in free.records for token in record.choices)
    assert proof.unkept == dropped


def test_rows_in_the_wrong_places_are_noticed(tiny_float_base: Path, trimmed: Path, records: list[Record]):
    for name in EMBEDDINGS:
        rows = _bytes_of(trimmed, name)
        shifted = _overwritten(trimmed, name, np.roll(rows, 1, axis=0), trimmed.with_name("shifted.gguf"))
        proof = _proof(tiny_float_base, shifted, records)
        assert not proof.holds and len(proof.choices) > proof.positions // 4, name
        assert not proof.pieces and not proof.lost
        assert any(record.id in proof.choices[0] for record in records)


def test_a_token_dropped_that_was_needed_is_noticed(
    tiny_float_base: Path, tiny_vocabulary: Sequence[int], records: list[Record], tmp_path: Path
):
    tokens = read_header(tiny_float_base).metadata["tokenizer.ggml.tokens"]
    letters = tiny.byte_letters()

    def without(text: bytes) -> TrimProof:
        token = tokens.index("".join(letters[byte] for byte in text))
        kept = [index for index in tiny_vocabulary if index != token]
        trim(tiny_float_base, tmp_path / "wrong.gguf", kept)
        return _proof(tiny_float_base, tmp_path / "wrong.gguf", records)

    word = without("新年".encode())
    assert not word.holds and not word.lost
    assert len(word.pieces) == sum("新年" in record.text for record in records)
    assert any("answer tokens" in difference for difference in word.choices)  # its answers are cut otherwise, too
    byte = without(b"\xf3")  # of the rarest planes
    assert not byte.holds and byte.lost and not byte.pieces and not byte.choices


def test_a_file_of_another_base_is_refused(tiny_float_base: Path, trimmed: Path, records: list[Record]):
    with pytest.raises(TrainingError) as error:
        _proof(trimmed, tiny_float_base, records)
    assert "不是由 trimmed.gguf 裁剪来的" in error.value.sentence.zh


def test_random_texts_are_real_unicode_and_the_same_each_time():
    texts = list(random_texts(300))
    assert texts == list(random_texts(300)) != list(random_texts(300, seed=2))
    characters = "".join(texts)
    characters.encode("utf-8")
    assert {len(character.encode()) for character in characters} == {1, 2, 3, 4}


def test_a_vocabulary_that_does_not_fit_is_refused(tiny_float_base: Path, tmp_path: Path):
    with pytest.raises(ModelError) as error:
        trim(tiny_float_base, tmp_path / "m.gguf", [*range(600), 100_000])
    assert error.value.code == "vocabulary_unfit" and list(tmp_path.iterdir()) == []


def test_what_a_model_costs_is_measured_in_a_process_of_its_own(tiny_float_base: Path, tiny_base: Path):
    large, small = footprints((tiny_float_base, tiny_base), threads=1)
    assert (large.bytes, small.bytes) == (tiny_float_base.stat().st_size, tiny_base.stat().st_size)
    assert large.tokens_per_second > 0 and small.tokens_per_second > 0
    assert large.resident is None or large.resident > 0


def test_the_steps_trim_and_prove(tiny_base: Path, tiny_vocabulary: Sequence[int], tmp_path: Path):
    out, kept = tmp_path / "trimmed.gguf", tmp_path / "vocabulary.txt"
    write_vocabulary(kept, tiny_vocabulary, ())
    done = run_step("trim", "--base", tiny_base, "--vocabulary", kept, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"{out.stat().st_size / tiny_base.stat().st_size:.3f} of {tiny_base.name}" in done.stdout

    corpus = write_corpus(tmp_path / "corpus")
    arguments = ("prove-trim", "--base", tiny_base, "--corpus", corpus, "--threads", 1)
    proved = run_step(*arguments, "--trimmed", out, "--f16")
    assert proved.returncode == 0, proved.stderr + proved.stdout
    assert "\nproved\n" in proved.stdout and "tokens/s" in proved.stdout and "both at F16" in proved.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", out.name, kept.name]

    rows = np.roll(_bytes_of(out, "output.weight"), 1, axis=0)
    wrong = _overwritten(out, "output.weight", rows, tmp_path / "wrong.gguf")
    failed = run_step(*arguments, "--trimmed", wrong)
    assert failed.returncode == 1 and "NOT proved" in failed.stdout
