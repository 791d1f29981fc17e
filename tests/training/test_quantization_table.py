"""The table has every way in it, is taken up where a run stopped, and leaves no large file behind."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.models.gguf_file import read_header
from app.models.merge import merge_model
from app.models.vocabulary import write_vocabulary
from tests.training.small_corpus import few_records, run_step, write_corpus
from training.likelihood import measure
from training.records import read_corpus, read_split


def _rows(markdown: Path) -> dict[str, list[str]]:
    """The other cells by the first."""
    lines = [line for line in markdown.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {first: rest for first, *rest in cells}


def test_the_table_of_a_quantized_base(
    tiny_base: Path, tiny_adapter: Path, tiny_vocabulary: Sequence[int], tmp_path: Path
):
    corpus, kept, out, work = (tmp_path / name for name in ("corpus", "vocabulary.txt", "table.md", "work"))
    write_corpus(corpus)
    write_vocabulary(kept, tiny_vocabulary, ())
    arguments = ["table", "--base", tiny_base, "--adapter", tiny_adapter, "--vocabulary", kept, "--corpus", corpus]
    arguments += ["--out", out, "--work", work]
    done = run_step(*arguments, "--types", "Q8_0")
    assert done.returncode == 0, done.stderr
    rows = _rows(out)
    assert list(rows) == [
        "the base alone, as it comes",
        "the base alone, vocabulary trimmed",
        "merged in the grid, stochastic rounding (what the app builds)",
        "merged in the grid, rounded to nearest",
        "merged as floats (F16), not quantized",
        "dequantized to F16, merged, quantized to Q8_0",
    ]
    assert rows["the base alone, as it comes"][:2] == [f"{tiny_base.stat().st_size:,}", "1.000"]
    merged = tmp_path / "merged.gguf"
    merge_model(tiny_base, tiny_adapter, merged, vocabulary=tiny_vocabulary, seed=1, metadata={})
    catalog = load_catalog()
    validation = read_split(corpus, read_corpus(corpus, catalog)).validation
    size, _, loss = rows["merged in the grid, stochastic rounding (what the app builds)"]
    assert size == f"{merged.stat().st_size:,}"
    assert float(loss) == pytest.approx(measure(merged, validation, catalog).loss, abs=1e-3)
    assert "\n.venv/bin/python -m training table --base" in out.read_text(encoding="utf-8")
    assert list(work.iterdir()) == []

    # Rows that are done are not made again: a figure only the file can know comes back.
    notes = out.with_suffix(".json")
    known = json.loads(notes.read_text(encoding="utf-8"))
    known["rows"]["grid"]["loss"] = 1.25
    del known["rows"]["nearest"]
    notes.write_text(json.dumps(known), encoding="utf-8")
    again = run_step(*arguments, "--types", "Q4_0")
    assert again.returncode == 0, again.stderr
    resumed = _rows(out)
    assert resumed.pop("merged in the grid, stochastic rounding (what the app builds)")[2] == "1.2500"
    assert "dequantized to F16, merged, quantized to Q4_0" in resumed
    unchanged = {title: row for title, row in rows.items() if title in resumed}
    assert unchanged.items() <= resumed.items() and len(resumed) == 6
    assert "--types Q8_0 Q4_0" in out.read_text(encoding="utf-8")

    # Another seed is another table.
    other = run_step(*arguments, "--types", "Q4_0", "--seed", 2)
    assert other.returncode == 0 and "other ingredients" in other.stderr
    assert _rows(out)["merged in the grid, stochastic rounding (what the app builds)"][2] != "1.2500"


@pytest.mark.torch
def test_an_importance_matrix_of_the_corpus_makes_another_file(
    tiny_base: Path, tiny_adapter: Path, tiny_vocabulary: Sequence[int], tmp_path: Path
):
    corpus, kept, out = write_corpus(tmp_path / "corpus"), tmp_path / "vocabulary.txt", tmp_path / "table.md"
    write_vocabulary(kept, tiny_vocabulary, ())
    arguments = ["table", "--base", tiny_base, "--adapter", tiny_adapter, "--vocabulary", kept, "--corpus", corpus]
    arguments += ["--out", out, "--work", tmp_path / "work", "--types", "Q4_K_M", "--importance", 4]
    refused = run_step(*arguments)
    assert refused.returncode == 1 and "train" in refused.stderr and "Traceback" not in refused.stderr
    split = json.loads((corpus / "split.json").read_text(encoding="utf-8"))
    (corpus / "split.json").write_text(json.dumps(split | {"validation": split["validation"][:2]}), encoding="utf-8")
    done = run_step(*arguments, "--keep", tmp_path / "files")
    assert done.returncode == 0, done.stderr
    kept_files = {file.name for file in (tmp_path / "files").iterdir()}
    assert {"grid.gguf", "Q4_K_M.gguf", "Q4_K_M-weighed.gguf"} <= kept_files and "floats.gguf" not in kept_files
    rows = _rows(out)
    plain, weighed = (
        rows[f"dequantized to F16, merged, quantized to Q4_K_M{end}"] for end in ("", " with an importance matrix")
    )
    assert plain[0] == weighed[0] and plain[2] != weighed[2]
    assert "--importance 4 --seed 1" in out.read_text(encoding="utf-8")


@pytest.mark.torch
@pytest.mark.usefixtures("one_thread")
def test_the_importance_of_an_input_is_its_mean_square(tiny_float_base: Path, tmp_path: Path):
    import torch

    from training.examples import encode_records
    from training.importance import measure_importance
    from training.network import decoder_of, hidden_states, load_network

    records = few_records(tmp_path / "corpus")
    catalog = load_catalog()
    found = measure_importance(tiny_float_base, records, catalog)
    header = read_header(tiny_float_base)
    matrices = {tensor.name: tensor.shape[0] for tensor in header.tensors if len(tensor.shape) == 2}
    del matrices["token_embd.weight"]
    assert {name: len(values) for name, values in found.items()} == matrices
    network = load_network(tiny_float_base, torch.device("cpu"))
    squares, tokens = torch.zeros(header.metadata["qwen2.embedding_length"]), 0
    embed = decoder_of(network).embed_tokens
    norm = decoder_of(network).layers[0].input_layernorm
    with torch.inference_mode():
        for example in encode_records(tiny_float_base, records, catalog):
            squares += norm(embed(torch.tensor(example.prompt + example.answer))).float().square().sum(0)
            tokens += example.length
            last = hidden_states(network, [example])
    assert found["blk.0.attn_q.weight"] == pytest.approx((squares / tokens).numpy(), rel=0.02)
    assert (found["blk.0.attn_q.weight"] == found["blk.0.attn_v.weight"]).all()
    assert last.shape[-1] == len(found["output.weight"])


def test_the_table_of_a_float_base_has_no_grid(tiny_float_base: Path, tiny_adapter: Path, tmp_path: Path):
    corpus, out = write_corpus(tmp_path / "corpus"), tmp_path / "table.md"
    arguments = ("table", "--base", tiny_float_base, "--adapter", tiny_adapter, "--whole-vocabulary", "--limit", 2)
    done = run_step(*arguments, "--corpus", corpus, "--out", out, "--work", tmp_path / "work", "--types", "Q4_K_M")
    assert done.returncode == 0, done.stderr
    assert list(_rows(out)) == [
        "the base alone, as it comes",
        "merged as floats (F16), not quantized",
        "merged as floats, quantized to Q4_K_M",
    ]
    assert "of 2 records" in out.read_text(encoding="utf-8")


def test_what_the_table_needs_is_looked_at_first(tiny_base: Path, tmp_path: Path):
    failed = run_step("table", "--base", tiny_base, "--adapter", tmp_path / "none", "--out", tmp_path / "table.md")
    assert failed.returncode == 1 and "Traceback" not in failed.stderr and list(tmp_path.iterdir()) == []
