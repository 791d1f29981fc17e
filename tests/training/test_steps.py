"""Every step is run as a person runs it: ``python -m training STEP``."""

import subprocess
import sys
from pathlib import Path

from app.compose.prompt import CHAT_TEMPLATE
from app.models.gguf_file import read_header
from app.models.verify import sha256_of
from app.models.vocabulary import read_vocabulary
from tests import tiny

ROOT = Path(__file__).resolve().parents[2]


def _step(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def test_a_vocabulary_is_chosen_and_a_model_merged_with_it(tiny_base: Path, tiny_adapter: Path, tmp_path: Path):
    kept, out = tmp_path / "vocabulary.txt", tmp_path / "model.gguf"
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    record = (
        '{"relationship": "boss", "tone": "formal", "occasion": "spring_festival", "length": "short", "text": "Жи"}'
    )
    (corpus / "few.jsonl").write_text(record + "\n", encoding="utf-8")
    chosen = _step("vocabulary", "--base", tiny_base, "--corpus", corpus, "--out", kept)
    assert chosen.returncode == 0, chosen.stderr
    tokens = read_header(tiny_base).metadata["tokenizer.ggml.tokens"]
    letters = tiny.byte_letters()
    assert tokens.index("".join(letters[byte] for byte in "Жи".encode())) in read_vocabulary(kept)
    assert sha256_of(tiny_base) in kept.read_text(encoding="utf-8")

    merged = _step(
        *("merge", "--base", tiny_base, "--adapter", tiny_adapter, "--out", out, "--vocabulary", kept, "--seed", 5)
    )
    assert merged.returncode == 0, merged.stderr
    metadata = read_header(out).metadata
    assert metadata["tokenizer.chat_template"] == CHAT_TEMPLATE
    assert metadata["bainiantie.seed"] == 5 and metadata["bainiantie.base_sha256"] == sha256_of(tiny_base)
    assert len(metadata["tokenizer.ggml.tokens"]) == len(read_vocabulary(kept))


def test_a_float_model_is_quantized(tiny_float_base: Path, tmp_path: Path):
    out = tmp_path / "model.gguf"
    done = _step("quantize", tiny_float_base, "--out", out)
    assert done.returncode == 0, done.stderr
    assert {tensor.type for tensor in read_header(out).tensors} == {"Q4_K", "Q6_K", "F32"}
    assert list(tmp_path.iterdir()) == [out]


def test_what_cannot_be_done_is_said_in_both_languages(tiny_adapter: Path, tmp_path: Path):
    failed = _step("merge", "--base", ROOT / "pyproject.toml", "--adapter", tiny_adapter, "--out", tmp_path / "m.gguf")
    assert failed.returncode == 1
    assert "不是模型文件" in failed.stderr and "is not a model file" in failed.stderr
    assert "Traceback" not in failed.stderr
