"""Strictness about keys and types of YAML and JSON, for every file and request this program reads."""

import difflib
import re
import types
import typing
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from app.compose.sentence import Sentence


def plain_yaml(text: str) -> Any:
    """What a YAML text holds, of plain values alone.

    Raises:
        yaml.YAMLError: it is not YAML. PyYAML by itself lets through what Python says of a date or a number that is
            none, of a tag that does not fit, and of more brackets than it can follow.
    """
    try:
        return yaml.safe_load(text)
    except (ValueError, KeyError, AttributeError, RecursionError) as error:
        raise yaml.YAMLError(f"{type(error).__name__}: {error}") from error


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
            near, shown = nearest(key, known), str(key)[:60]
            return Sentence(
                f"{where.zh} 里有不认识的 {shown}，是不是想写 {near}",
                f"{where.en} has the unknown key {shown}; the nearest known one is {near}",
            )
    for key in sorted(required - set(raw)):
        return Sentence(f"{where.zh} 缺少 {key}", f"{where.en} lacks {key}")
    return None


class Misfit(Exception):
    """Data that is not of the kind it should be; ``clause`` says where and what, without a full stop."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.clause = Sentence(zh, en)


_NAMES: dict[Any, tuple[str, str]] = {
    str: ("文字", "text"),
    int: ("整数", "a whole number"),
    float: ("数", "a number"),
    bool: ("true 或 false", "true or false"),
    Path: ("路径", "a path"),
}
# A float of YAML 1.2 and of everybody's habit, which YAML 1.1 reads as text for want of a point.
_EXPONENTIAL = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")


def typed(kind: Any, raw: Any, where: str = "", folder: Path = Path(), **given: Any) -> Any:
    """``raw`` (parsed YAML) as a value of the annotated type ``kind``: a dataclass, a tuple of one type, a mapping from
    text, an Enum by its values, a path, one of these or None, or a plain value; a whole number is a float too.

    Args:
        where: its place in the file, such as ``base.pieces``; "" for the file as a whole.
        folder: what paths in it are relative to.
        given: fields of the dataclass ``kind`` that do not come from ``raw``, and may not.

    Raises:
        Misfit: an unknown or missing key, or a value of another kind.
    """
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if raw is None:
            return None
        return typed(next(option for option in typing.get_args(kind) if option is not type(None)), raw, where, folder)
    if is_dataclass(kind):
        return _typed_fields(kind, raw, where, folder, given)
    if origin is tuple:
        if not isinstance(raw, list):
            raise Misfit(f"{where} 应是一个列表", f"{where} must be a list")
        item = typing.get_args(kind)[0]
        return tuple(typed(item, value, f"{where}[{number}]", folder) for number, value in enumerate(raw, 1))
    if origin is dict:
        if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
            raise Misfit(f"{where} 应是键值对", f"{where} must be a mapping")
        return raw
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = [option.value for option in kind]
        if raw not in known:
            near = nearest(raw, known)
            raise Misfit(f"{where} 不能是 {raw}，是不是想写 {near}", f"{where} must not be {raw}; {near}?")
        return kind(raw)
    return _plain(kind, raw, where, folder)


def _typed_fields(kind: Any, raw: Any, where: str, folder: Path, given: dict[str, Any]) -> Any:
    hints = {field.name: typing.get_type_hints(kind)[field.name] for field in fields(kind) if field.name not in given}
    optional = {field.name for field in fields(kind) if (field.default, field.default_factory) != (MISSING, MISSING)}
    if fault := key_fault(raw, set(hints), set(hints) - optional, Sentence(where or "文件", where or "the file")):
        raise Misfit(fault.zh, fault.en)
    prefix = f"{where}." if where else ""
    return kind(**given, **{key: typed(hints[key], value, prefix + key, folder) for key, value in raw.items()})


def _plain(kind: Any, raw: Any, where: str, folder: Path) -> Any:
    if kind is Path and isinstance(raw, str) and raw:
        with suppress(ValueError):  # NUL, a lone surrogate: no path anywhere
            return (folder / raw).resolve()
    if kind is float and (type(raw) is int or (isinstance(raw, str) and _EXPONENTIAL.fullmatch(raw))):
        with suppress(OverflowError):
            return float(raw)
    if type(raw) is not kind:
        zh, en = _NAMES[kind]
        raise Misfit(f"{where} 应是{zh}，写的是 {str(raw)[:60]!r}", f"{where} must be {en}, not {str(raw)[:60]!r}")
    return raw
