"""A trimmed vocabulary: covered text is the same pieces as before, all other text still goes in and comes out."""

import re
from pathlib import Path

import llama_cpp
import pytest

from app.models.gguf_file import Kind, read_header
from app.models.manifest import load_manifest
from app.models.vocabulary import (
    MERGES,
    TOKENS,
    VocabularyError,
    read_vocabulary,
    trimmed_tokenizer,
    write_vocabulary,
)
from tests import tiny
from tests.reference import pieces
from training.tokenizer import Tokenizer, byte_letters, token_bytes
from training.vocabulary import SPECIALS, corpus_texts, covered_characters, hanzi_with_a_token, kept_tokens

ROOT = Path(__file__).resolve().parents[2]

COVERED_TEXTS = [
    "新年快乐，祝您身体健康、万事如意！",
    "user\n写祝福\n关系：挚友\n语气：俏皮\n场合：除夕\n称呼：的😄",
    "assistant\n",
    "写  祝福 \n\n新年😄🎉。\n",
    "❤",
]
OTHER_TEXTS = [
    "Жили-были",
    "한국어 한국",
    "año niño",
    "日本語です",
    "function f() { return the thing(); }\n",
    "𠮷㐂龘",
    "'S don't I'LL we'vE",
    "12 345 ½ Ⅷ",
    "👨‍👩‍👧 1️⃣",
    "\u200b\ufeff\u0000\x7f",
    "<|im_end|><|im_start|>",
    " \t \r\n \n x  ",
]


@pytest.fixture(scope="module")
def base(tiny_base: Path) -> llama_cpp.Llama:
    return llama_cpp.Llama(str(tiny_base), vocab_only=True, verbose=False)


@pytest.fixture(scope="module")
def trimmed(tiny_model: Path) -> llama_cpp.Llama:
    return llama_cpp.Llama(str(tiny_model), vocab_only=True, verbose=False)


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Tokenizer:
    return Tokenizer(read_header(tiny_base).metadata)


@pytest.mark.parametrize("text", COVERED_TEXTS)
def test_covered_text_is_the_same_pieces(text: str, base: llama_cpp.Llama, trimmed: llama_cpp.Llama):
    assert pieces(trimmed, text) == pieces(base, text)


@pytest.mark.parametrize("text", OTHER_TEXTS)
def test_any_other_text_goes_in_and_comes_out(text: str, trimmed: llama_cpp.Llama):
    assert b"".join(pieces(trimmed, text)) == text.encode()


def test_something_was_trimmed_that_other_text_would_use(base: llama_cpp.Llama, trimmed: llama_cpp.Llama):
    assert len(pieces(base, "Жили")) < len(pieces(trimmed, "Жили"))
    assert trimmed.n_vocab() < base.n_vocab()


def test_special_tokens_are_still_single_ones(trimmed: llama_cpp.Llama):
    for special in SPECIALS:
        assert pieces(trimmed, special, special=True) == [special.encode()]
        assert len(pieces(trimmed, special)) > 1
    assert trimmed.detokenize([trimmed.token_eos()], special=True) == b"<|im_end|>"


@pytest.mark.parametrize("text", [*COVERED_TEXTS, *OTHER_TEXTS])
def test_the_tokenizer_of_training_agrees_with_llama_cpp(text: str, base: llama_cpp.Llama, tokenizer: Tokenizer):
    assert tokenizer.tokenize(text) == base.tokenize(text.encode(), add_bos=False, special=False)


def test_what_is_kept_is_closed_under_how_tokens_are_put_together(tokenizer: Tokenizer, tiny_vocabulary):
    kept = set(tiny_vocabulary)
    assert len(kept) % 64 == 0 and list(tiny_vocabulary) == sorted(kept)
    texts = {tokenizer.tokens[token] for token in kept}
    assert set(byte_letters()) <= texts and set(SPECIALS) <= texts
    for token in kept:
        if tokenizer.tokens[token] not in SPECIALS:
            assert tokenizer.token_derivation(token) <= kept
    dropped = {text for token, text in enumerate(tokenizer.tokens) if token not in kept}
    assert "[PAD" not in "".join(texts) and any(text.startswith("[PAD") for text in dropped)


def test_a_token_put_together_across_characters_keeps_its_halfway_tokens():
    """Pieces that end in the middle of a character are made of no characters: only the way there keeps them."""
    letters = byte_letters()
    first, second = ("".join(letters[byte] for byte in character.encode()) for character in "新年")
    merges = [(first[2], second[0]), (first[1], first[2] + second[0]), (first[0], first[1:] + second[0])]
    merges += [(first + second[0], second[1]), (first + second[:2], second[2])]
    metadata = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        # The lowest ids fill up what is kept to a multiple of 64: they must not be the ones looked for.
        TOKENS: [*letters, *map(str, range(100)), *(left + right for left, right in merges), *SPECIALS],
        MERGES: [f"{left} {right}" for left, right in merges],
    }
    tokenizer = Tokenizer(metadata)
    kept = kept_tokens(tokenizer, [], frozenset("新年"))
    assert tokenizer.tokenize("新年") == [360] and {356, 357, 358, 359, 360} <= set(kept)
    whole = trimmed_tokenizer(metadata, {}, kept) | {"tokenizer.ggml.pre": "qwen2"}
    assert Tokenizer(whole).tokenize("新年") == [kept.index(360)]


def test_texts_decide_what_is_kept_besides_the_characters(tokenizer: Tokenizer):
    with_russian = kept_tokens(tokenizer, ["Жи"], frozenset("新"))
    without = kept_tokens(tokenizer, [], frozenset("新"))
    russian = set(tokenizer.tokenize("Жи"))
    assert len(russian) == 1 and russian <= set(with_russian) and not russian <= set(without)
    assert set(tokenizer.tokenize("新")) <= set(without)


def test_characters_of_greetings_are_covered():
    characters = covered_characters()
    assert set("拜年帖祝您鼠牛虎兔龙蛇马羊猴鸡狗猪鑫祺“”‘’…—～·《》、。！？；：（）ＡＢ１２①Ⅷ") <= characters
    assert set("😄🎉🧧❤✨🐴🏮\u200d\ufe0f") <= characters
    assert not set("aあアЖαА") & characters


def test_hanzi_of_names_beyond_gb_2312_keep_their_token(tokenizer: Tokenizer):
    assert "喆" not in covered_characters()
    assert set("祝福喆陳") <= set(hanzi_with_a_token(tokenizer))
    assert "龘" not in hanzi_with_a_token(tokenizer)


def test_token_letters_stand_for_bytes_one_to_one():
    letters = byte_letters()
    assert len(set(letters)) == 256
    assert token_bytes("".join(letters)) == bytes(range(256))
    assert letters == tuple(tiny.byte_letters()[byte] for byte in range(256))
    with pytest.raises(KeyError):
        token_bytes("年")


def test_a_list_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "vocabulary.txt"
    kept = [0, 1, 2, 5, 9, 10, 151645]
    write_vocabulary(path, kept, ["How it was made.", ""])
    assert path.read_bytes() == b"# How it was made.\n#\n0-2\n5\n9-10\n151645\n"
    assert read_vocabulary(path) == tuple(kept)


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "3\n2\n", "1-3\n3\n", "5-2\n", "-1\n", "1 2\n", "a\n", "99999999\n", "1\n\n", "²\n"]
)
def test_a_list_that_is_not_ascending_ids_is_refused(content: str, tmp_path: Path):
    path = tmp_path / "vocabulary.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(VocabularyError, match="词表清单") as error:
        read_vocabulary(path)
    assert error.value.code == "vocabulary_unfit" and "vocabulary.txt" in error.value.detail


def test_a_missing_list_is_refused(tmp_path: Path):
    with pytest.raises(VocabularyError):
        read_vocabulary(tmp_path / "vocabulary.txt")


METADATA = {
    "tokenizer.ggml.model": "gpt2",
    TOKENS: ["a", "b", "c", "ab", "abc", "<end>", "<fim>"],
    "tokenizer.ggml.token_type": [1, 1, 1, 1, 1, 3, 3],
    MERGES: ["a b", "ab c"],
    "tokenizer.ggml.eos_token_id": 5,
    "tokenizer.ggml.fim_pre_token_id": 6,
    "tokenizer.ggml.add_bos_token": False,
    "qwen2.vocab_size": 7,
}
KINDS = {key: (Kind.UINT32,) for key in METADATA}


def test_a_tokenizer_is_renumbered_and_its_merges_follow():
    assert trimmed_tokenizer(METADATA, KINDS, [0, 1, 2, 3, 5]) == {
        "tokenizer.ggml.model": "gpt2",
        TOKENS: ["a", "b", "c", "ab", "<end>"],
        "tokenizer.ggml.token_type": [1, 1, 1, 1, 3],
        MERGES: ["a b"],
        "tokenizer.ggml.eos_token_id": 4,
        "tokenizer.ggml.add_bos_token": False,
        "qwen2.vocab_size": 5,
    }


@pytest.mark.parametrize(
    ("change", "kept", "why"),
    [
        ({}, [0, 1, 2], "end-of-turn token 5"),
        ({}, [], "0 ids"),
        ({}, [0, 7], "ids below 7"),
        ({}, [1, 0, 5], "ascending"),
        ({}, [0, 0, 5], "ascending"),
        ({"tokenizer.ggml.model": "llama"}, [0, 5], "only BPE"),
        ({"tokenizer.ggml.token_type": [1]}, [0, 5], "1 entries for 7 tokens"),
    ],
)
def test_a_list_that_does_not_fit_the_base_is_refused(change: dict, kept: list[int], why: str):
    with pytest.raises(VocabularyError) as error:
        trimmed_tokenizer(METADATA | change, KINDS, kept)
    assert why in error.value.detail


def test_the_shipped_list_is_of_the_base_we_build_on():
    manifest = load_manifest()
    assert manifest.vocabulary is not None
    kept = read_vocabulary(manifest.vocabulary)
    assert len(kept) % 64 == 0 and 20_000 < len(kept) < 30_000
    head = manifest.vocabulary.read_text(encoding="utf-8")
    assert re.findall(r"SHA-256 ([0-9a-f]{64})$", head, re.MULTILINE) == [manifest.base.sha256]
    assert {151643, 151644, 151645} <= set(kept)


def test_the_corpus_is_read_as_prompts_and_greetings():
    texts = list(corpus_texts(ROOT / "training" / "corpus"))
    assert sum(text.startswith("user\n写祝福\n关系：") for text in texts) > 1000
    assert all("<|" not in text for text in texts)
