"""Strictness about the keys of a YAML or JSON mapping, for every file and request this program reads."""

import difflib
from collections.abc import Iterable
from typing import Any

from app.compose.sentence import Sentence


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word most like ``word`` (Ratcliff and Obershelp 1988, as difflib has it); ``known`` is not empty."""
    return difflib.get_close_matches(str(word), sorted(known), n=1, cutoff=0.0)[0]


def key_fault(raw: Any, known: set[str], required: set[str], where: Sentence) -> Sentence | None:
    """What is wrong with the keys of ``raw``, as a clause without a full stop; None when nothing is.

    Args:
        raw: parsed YAML or JSON, which should be a mapping.
        known, required: the keys it may and must have.
        where: the mapping's place in its file.
    """
    if not isinstance(raw, dict):
        return Sentence(f"{where.zh} 应是键值对", f"{where.en} must be a mapping")
    for key in raw:
        if key not in known:
            near = nearest(key, known)
            return Sentence(
                f"{where.zh} 里有不认识的 {key}，是不是想写 {near}",
                f"{where.en} has the unknown key {key}; the nearest known one is {near}",
            )
    for key in sorted(required - set(raw)):
        return Sentence(f"{where.zh} 缺少 {key}", f"{where.en} lacks {key}")
    return None
