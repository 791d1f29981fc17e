"""The tokens a trimmed model keeps: the list we ship, and a tokenizer reduced to it.

A greeting needs a sixth of what the base's vocabulary holds; the rest is 280 MB of rows nobody reads. Which tokens are
kept is decided in training (``training/vocabulary.py``) and shipped as a list; here the list is read and applied.
Dropping rows and renumbering is exact: what is kept is tokenized, embedded and predicted as before.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.compose.sentence import Sentence
from app.models.errors import ModelError
from app.models.gguf_file import Kind

TOKENS = "tokenizer.ggml.tokens"
TOKEN_TYPES = "tokenizer.ggml.token_type"
MERGES = "tokenizer.ggml.merges"
SCORES = "tokenizer.ggml.scores"
MOST_TOKENS = 1 << 20

_INTEGERS = (Kind.UINT8, Kind.INT8, Kind.UINT16, Kind.INT16, Kind.UINT32, Kind.INT32, Kind.UINT64, Kind.INT64)


class VocabularyError(ModelError):
    """The list of kept tokens cannot be used with this base (``vocabulary_unfit``); ``detail`` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "vocabulary_unfit",
            Sentence(
                "词表清单（vocabulary.txt）和基础模型对不上，没法生成模型。请重新下载本程序，或去掉词表清单再试。",
                "The list of kept tokens (vocabulary.txt) does not fit the base model, so the model cannot be built. "
                "Download the program again, or build without the list.",
            ),
            detail,
        )


def read_vocabulary(path: Path) -> tuple[int, ...]:
    """The ids at ``path``, ascending: after comment lines, an id or a range ``first-last`` a line.

    Raises:
        VocabularyError: unreadable, empty, or a line that is not ascending ids.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise VocabularyError(f"{path}: {error}") from error
    kept: list[int] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?", line, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if not (kept[-1] if kept else -1) < first <= last < MOST_TOKENS:
            raise VocabularyError(f"{path}, line {number}: {line[:80]!r} is not an ascending range of ids")
        kept.extend(range(first, last + 1))
    if not kept:
        raise VocabularyError(f"{path} names no token")
    return tuple(kept)


def write_vocabulary(path: Path, kept: Sequence[int], head: Iterable[str]) -> None:
    """Write the list of ascending ids, with ``head`` (how it was made, a line each) as a comment before it."""
    ranges: list[list[int]] = []
    for token in kept:
        if ranges and ranges[-1][1] == token - 1:
            ranges[-1][1] = token
        else:
            ranges.append([token, token])
    body = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    text = "".join(f"{line}\n" for line in [*(f"# {line}".rstrip() for line in head), *body])
    path.write_text(text, encoding="utf-8", newline="\n")


def trimmed_tokenizer(
    metadata: Mapping[str, Any], kinds: Mapping[str, tuple[Kind, ...]], kept: Sequence[int]
) -> dict[str, Any]:
    """``metadata`` with its tokenizer reduced to ``kept``: token ``kept[i]`` becomes token ``i``.

    Ids of special tokens follow; one that is not kept is no longer named. A merge stays where both halves and the
    whole do.

    Raises:
        VocabularyError: not a byte-level BPE, ids out of range or not ascending, or the end-of-turn token is dropped.
    """
    tokens = metadata.get(TOKENS)
    if metadata.get("tokenizer.ggml.model") != "gpt2" or not isinstance(tokens, list) or MERGES not in metadata:
        raise VocabularyError(f"the tokenizer is {metadata.get('tokenizer.ggml.model')!r}; only BPE can be trimmed")
    ascending = all(first < second for first, second in pairwise(kept))
    if not kept or kept[0] < 0 or kept[-1] >= len(tokens) or not ascending:
        raise VocabularyError(f"{len(kept)} ids to keep, not ascending ids below {len(tokens)}")
    new_ids = {old: new for new, old in enumerate(kept)}
    texts = {tokens[old] for old in kept}
    result: dict[str, Any] = {}
    for key, value in metadata.items():
        if key in (TOKENS, TOKEN_TYPES, SCORES):
            if len(value) != len(tokens):
                raise VocabularyError(f"{key} has {len(value)} entries for {len(tokens)} tokens")
            value = [value[old] for old in kept]
        elif key == MERGES:
            value = [merge for merge in value if _stays(merge, texts)]
        elif key.startswith("tokenizer.ggml.") and key.endswith("_token_id") and kinds[key][0] in _INTEGERS:
            if value not in new_ids:
                if key == "tokenizer.ggml.eos_token_id":
                    raise VocabularyError(f"the end-of-turn token {value} is not among the kept ones")
                continue
            value = new_ids[value]
        elif key.endswith(".vocab_size"):
            value = len(kept)
        result[key] = value
    return result


def _stays(merge: str, texts: set[str]) -> bool:
    left, _, right = merge.partition(" ")
    return left in texts and right in texts and left + right in texts
