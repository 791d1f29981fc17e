"""The loss of a GGUF file is what llama.cpp's own probabilities say, however the records are put together."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.compose.catalog import load_catalog
from app.compose.prompt import prompt_segments
from app.engine.runtime import Runtime
from app.models.errors import ModelError
from app.models.gguf_file import read_header
from app.models.gguf_header import write_header
from tests.reference import log_probabilities, open_model
from tests.training.small_corpus import RECORDS, few_records, run_step, write_corpus
from training.encoding import Encoder
from training.errors import TrainingError
from training.likelihood import measure
from training.part import spread
from training.records import Record

CATALOG = load_catalog()


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    return few_records(tmp_path / "corpus")


def _without(path: Path, key: str, out: Path) -> Path:
    """The same file, one value missing from its metadata."""
    header = read_header(path)
    values = {name: value for name, value in header.metadata.items() if name != key}
    tensors = [(tensor.name, tensor.type, tensor.shape) for tensor in header.tensors]
    with out.open("wb") as file:
        write_header(file, values, header.kinds, tensors)
        file.write(path.read_bytes()[header.data_offset :])
    return out


def test_a_record_is_encoded_as_the_app_encodes_a_request(tiny_model: Path, records: list[Record]):
    runtime = Runtime(tiny_model, gpu=None, threads=1, context=512, progress=lambda fraction: True)
    try:
        with Encoder(tiny_model) as encoder:
            tokens = read_header(tiny_model).metadata["tokenizer.ggml.tokens"]
            for record in records:
                prompt, answer = encoder.encode(record, CATALOG)
                assert prompt == runtime.tokenize(prompt_segments(record.request, CATALOG))
                assert b"".join(encoder.pieces(answer[:-1])).decode() == record.text
                assert tokens[answer[-1]] == "<|im_end|>" and answer.count(answer[-1]) == 1
    finally:
        runtime.close()


def test_a_turn_ends_with_the_end_of_the_sequence_where_there_is_no_other(tiny_float_base: Path, tmp_path: Path):
    header = read_header(tiny_float_base)
    raw = tiny_float_base.read_bytes().replace(b"<|im_end|>", b"<|im_fin|>")
    (tmp_path / "other.gguf").write_bytes(raw)
    with Encoder(tmp_path / "other.gguf") as encoder:
        assert encoder.end == header.metadata["tokenizer.ggml.eos_token_id"]
        assert len(encoder.encode_answer("<|im_end|>")) > 2


def test_the_loss_is_that_of_llama_cpps_own_probabilities(tiny_float_base: Path, records: list[Record]):
    found = measure(tiny_float_base, records, CATALOG)
    model = open_model(tiny_float_base)
    try:
        with Encoder(tiny_float_base) as encoder:
            for record, measured in zip(records, found.records, strict=True):
                prompt, answer = encoder.encode(record, CATALOG)
                rows = log_probabilities(model, [*prompt, *answer])[len(prompt) - 1 : -1]
                expected = -rows[np.arange(len(answer)), answer].sum()
                assert measured.id == record.id and measured.tokens == len(answer)
                assert measured.nats == pytest.approx(expected, rel=1e-3)
                chosen = rows[np.arange(len(answer)), measured.choices]
                assert np.allclose(chosen, rows.max(axis=1), atol=0.05)
    finally:
        model.close()
    assert found.loss == pytest.approx(sum(record.nats for record in found.records) / found.tokens)


def test_records_evaluated_together_are_judged_as_each_alone(tiny_float_base: Path, records: list[Record]):
    together = measure(tiny_float_base, records * 30, CATALOG, tokens_at_once=2000)
    alone = measure(tiny_float_base, records, CATALOG, tokens_at_once=1)
    assert len(together.records) == 30 * len(alone.records)
    for index, record in enumerate(together.records):
        assert record.nats == pytest.approx(alone.records[index % len(records)].nats, rel=1e-3)
    # The model tells the records apart at all, so a mix-up would show.
    losses = [record.nats / record.tokens for record in alone.records]
    assert np.ptp(losses) > 0.1


def test_the_same_file_is_measured_the_same_twice(tiny_base: Path, records: list[Record]):
    assert measure(tiny_base, records, CATALOG) == measure(tiny_base, records, CATALOG)


def test_choices_can_be_restricted(tiny_float_base: Path, records: list[Record]):
    free = measure(tiny_float_base, records, CATALOG).records
    assert all(record.choices_among == () for record in free)
    chosen = {token for record in free for token in record.choices}
    some = sorted(chosen)[::2]
    restricted = measure(tiny_float_base, records, CATALOG, among=some).records
    for before, after in zip(free, restricted, strict=True):
        assert after.choices == before.choices and set(after.choices_among) <= set(some)
        pairs = zip(after.choices, after.choices_among, strict=True)
        assert all(one == other for one, other in pairs if one in some)


def test_what_cannot_be_measured_is_said(tiny_float_base: Path, records: list[Record], tmp_path: Path):
    with pytest.raises(TrainingError, match="没有记录"):
        measure(tiny_float_base, [], CATALOG)
    with pytest.raises(ModelError) as missing:
        measure(tmp_path / "none.gguf", records, CATALOG)
    assert missing.value.code == "model_missing"
    headless = _without(tiny_float_base, "qwen2.attention.head_count", tmp_path / "headless.gguf")
    with pytest.raises(TrainingError) as unopened:
        measure(headless, records, CATALOG)
    assert "headless.gguf" in unopened.value.sentence.en and "failed to load model" in unopened.value.detail
    long = [Record("few:9", records[0].request, "新年快乐。" * 2000)]
    with pytest.raises(TrainingError) as error:
        measure(tiny_float_base, long, CATALOG)
    assert "few:9" in error.value.sentence.en and "2048" in error.value.sentence.en


def test_weights_that_are_not_numbers_are_noticed(tiny_float_base: Path, records: list[Record], tmp_path: Path):
    tensor = read_header(tiny_float_base).tensor("output_norm.weight")
    assert tensor is not None
    raw = bytearray(tiny_float_base.read_bytes())
    raw[tensor.offset : tensor.offset + tensor.nbytes] = b"\xff" * tensor.nbytes
    (tmp_path / "broken.gguf").write_bytes(raw)
    with pytest.raises(TrainingError) as error:
        measure(tmp_path / "broken.gguf", records, CATALOG)
    assert "not finite" in error.value.detail


def test_progress_counts_the_records(tiny_float_base: Path, records: list[Record]):
    seen: list[tuple[int, int]] = []
    measure(tiny_float_base, records, CATALOG, tokens_at_once=1, progress=lambda *now: seen.append(now))
    assert seen == [(count, len(records)) for count in range(1, len(records) + 1)]


def test_a_limited_part_is_spread_over_all_of_it(records: list[Record]):
    assert spread(records, None) == tuple(records) == spread(records, 100)
    assert [record.id for record in spread(records, 3)] == ["few:1", "few:3", "few:5"]


def test_the_step_prints_the_loss_and_json(tiny_float_base: Path, tmp_path: Path):
    corpus = write_corpus(tmp_path / "corpus")
    arguments = ("loss", "--model", tiny_float_base, "--corpus", corpus)
    printed = run_step(*arguments)
    assert printed.returncode == 0, printed.stderr
    assert printed.stderr == ""  # llama.cpp is quiet
    found = json.loads(run_step(*arguments, "--json").stdout)
    assert f"{found['loss']:.4f} nats per token over the {found['tokens']} answer tokens" in printed.stdout
    assert list(found["records"]) == [f"few:{number}" for number in range(2, len(RECORDS) + 1)]
    assert found["tokens"] == sum(record["tokens"] for record in found["records"].values())
    limited = json.loads(run_step(*arguments, "--json", "--limit", 2, "--part", "validation").stdout)
    assert len(limited["records"]) == 2
    none = run_step(*arguments, "--part", "train")
    assert none.returncode == 1 and "leaves no record" in none.stderr and "Traceback" not in none.stderr
