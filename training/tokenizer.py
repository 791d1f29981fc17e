"""Byte-level BPE as the base's own tokenizer does it, with every intermediate step in view.

llama.cpp tokenizes faster, but says only what comes out at the end; deciding which tokens a trimmed vocabulary needs
takes the ones passed through on the way. Byte-level BPE: Radford et al. 2019 (GPT-2); the splitting rule is Qwen2's
(``LLAMA_VOCAB_PRE_TYPE_QWEN2`` in llama.cpp's llama-vocab.cpp).
"""

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from app.models.vocabulary import MERGES, TOKENS


@cache
def byte_letters() -> tuple[str, ...]:
    """The letter that stands for each byte in token texts (``bytes_to_unicode`` of openai/gpt-2's encoder.py)."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return tuple(chr(byte) if byte in plain else chr(next(others)) for byte in range(256))


def token_bytes(token: str) -> bytes:
    """The bytes a token's text stands for.

    Raises:
        KeyError: a letter that stands for no byte, as in the names of special tokens.
    """
    bytes_of = _letter_bytes()
    return bytes(bytes_of[letter] for letter in token)


@cache
def _letter_bytes() -> dict[str, int]:
    return {letter: byte for byte, letter in enumerate(byte_letters())}


@cache
def _splitter() -> re.Pattern[str]:
    """Qwen2's rule; the standard library's re has no classes for letters and numbers, so they are spelled out."""
    letters, numbers = _category("L"), _category("N")
    return re.compile(
        rf"'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n{letters}{numbers}]?[{letters}]+|[{numbers}]"
        rf"| ?[^\s{letters}{numbers}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def _category(initial: str) -> str:
    """All characters whose Unicode category begins with ``initial``, as ranges for a character class."""
    ranges: list[list[int]] = []
    for point in range(sys.maxunicode + 1):
        if unicodedata.category(chr(point))[0] == initial:
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


class Tokenizer:
    """The BPE of a GGUF file's metadata."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        """Raises:
        ValueError: not a byte-level BPE with Qwen2's splitting rule.
        """
        if metadata.get("tokenizer.ggml.model") != "gpt2" or metadata.get("tokenizer.ggml.pre") != "qwen2":
            raise ValueError("only byte-level BPE with Qwen2's splitting rule is known here")
        self.tokens: Sequence[str] = metadata[TOKENS]
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        self._ranks = {tuple(merge.split(" ", 1)): rank for rank, merge in enumerate(metadata[MERGES])}
        self._words: dict[str, frozenset[int]] = {}

    def derivation(self, text: str) -> set[int]:
        """Ids of all tokens that tokenizing ``text`` (no special tokens) passes through or ends with."""
        found: set[int] = set()
        for word in _splitter().findall(text):
            found |= self._word("".join(byte_letters()[byte] for byte in word.encode("utf-8")))
        return found

    def token_derivation(self, token: int) -> frozenset[int]:
        """Ids of all tokens met when the bytes of ``token`` are put together; itself, where they make it."""
        return self._word(self.tokens[token])

    def tokenize(self, text: str) -> list[int]:
        """The ids ``text`` ends up as (no special tokens)."""
        found: list[int] = []
        for word in _splitter().findall(text):
            *_, last = self._steps("".join(byte_letters()[byte] for byte in word.encode("utf-8")))
            found += [self._ids[part] for part in last]
        return found

    def _word(self, letters: str) -> frozenset[int]:
        if letters not in self._words:
            parts = {part for step in self._steps(letters) for part in step}
            self._words[letters] = frozenset(self._ids[part] for part in parts if part in self._ids)
        return self._words[letters]

    def _steps(self, letters: str) -> Iterator[list[str]]:
        """The parts of a word, from single letters on, after every merge: lowest rank first, leftmost first."""
        parts = list(letters)
        yield parts
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self._ranks):
                return
            at = ranks.index(best)
            parts = [*parts[:at], parts[at] + parts[at + 1], *parts[at + 2 :]]
            yield parts
