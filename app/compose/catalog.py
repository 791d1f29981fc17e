"""Relationships, tones, occasions and lengths: what a person can choose, loaded from ``resources/catalog.yaml``.

The file is data, checked strictly: a missing, unknown or repeated key is an error that names the nearest known one.
"""

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from app.compose.schema import key_fault, plain_yaml
from app.compose.sentence import ExplainedError, Sentence
from app.program import resource

CATALOG_FILE = resource("catalog.yaml")


class CatalogError(ExplainedError):
    """The catalogue file cannot be used."""


@dataclass(frozen=True)
class Choice:
    """One entry of a menu: its id in files, its Chinese name (also the prompt's label) and its English name."""

    id: str
    zh: str
    en: str

    def name(self, language: str) -> str:
        """The name to show for a locale such as ``zh_CN`` or ``en``."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True)
class Group(Choice):
    """A heading of the relationship menu."""


@dataclass(frozen=True)
class Relationship(Choice):
    """Who receives the greeting. ``pronoun`` is 您, 你 or ``either``; ``plural`` ones are several readers at once."""

    group: str
    pronoun: str
    plural: bool = False


@dataclass(frozen=True)
class Tone(Choice):
    """How it is said; ``sample`` is one real line in that tone."""

    sample: str


@dataclass(frozen=True)
class Occasion(Choice):
    """The day it is said on."""


@dataclass(frozen=True)
class Length(Choice):
    """How much is said: ``low`` to ``high`` characters, punctuation counted."""

    low: int
    high: int

    @property
    def most_tokens(self) -> int:
        """Tokens after which a text is certainly too long. A character of a greeting takes 0.8 tokens on average; the
        allowance covers a signature, emoji and rare characters."""
        return self.high + 24


@dataclass(frozen=True)
class Catalog:
    """Everything that can be asked for, in menu order."""

    groups: tuple[Group, ...]
    relationships: tuple[Relationship, ...]
    tones: tuple[Tone, ...]
    occasions: tuple[Occasion, ...]
    lengths: tuple[Length, ...]

    def relationship(self, id: str) -> Relationship:
        """Raises KeyError for an unknown id, as do the three lookups below."""
        return _by_id(self.relationships, id)

    def tone(self, id: str) -> Tone:
        return _by_id(self.tones, id)

    def occasion(self, id: str) -> Occasion:
        return _by_id(self.occasions, id)

    def length(self, id: str) -> Length:
        return _by_id(self.lengths, id)


C = TypeVar("C", bound=Choice)


def _by_id(choices: Iterable[C], id: str) -> C:
    for choice in choices:
        if choice.id == id:
            return choice
    raise KeyError(id)


def load_catalog(path: Path = CATALOG_FILE) -> Catalog:
    """Read and check a catalogue file.

    Raises:
        CatalogError: unreadable file, unknown or missing key, wrong type, repeated id, or an unknown group.
    """
    try:
        raw = plain_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _broken(path, "读不出来", "cannot be read", str(error)) from error
    kinds: dict[str, type[Choice]] = {
        "groups": Group,
        "relationships": Relationship,
        "tones": Tone,
        "occasions": Occasion,
        "lengths": Length,
    }
    _check_keys(path, raw, set(kinds), set(kinds), Sentence("文件", "the file"))
    sections = {key: _section(path, key, raw[key], kind) for key, kind in kinds.items()}
    catalog = Catalog(**sections)  # type: ignore[arg-type]
    known_groups = {group.id for group in catalog.groups}
    for relationship in catalog.relationships:
        if relationship.group not in known_groups:
            raise _broken(
                path,
                f"关系 {relationship.id} 的分组 {relationship.group} 不存在",
                f"relationship {relationship.id} names the unknown group {relationship.group}",
            )
        if relationship.pronoun not in ("您", "你", "either"):
            raise _broken(
                path,
                f"关系 {relationship.id} 的 pronoun 只能是 您、你 或 either",
                f"relationship {relationship.id}: pronoun must be 您, 你 or either",
            )
    return catalog


def _section(path: Path, key: str, entries: Any, kind: type[C]) -> tuple[C, ...]:
    if not isinstance(entries, list) or not entries:
        raise _broken(path, f"{key} 应是一个列表", f"{key} must be a list")
    types = {field.name: field.type for field in fields(kind)}
    required = {field.name for field in fields(kind) if field.default is MISSING}
    choices: list[C] = []
    for number, entry in enumerate(entries, 1):
        where = f"{key}[{number}]"
        _check_keys(path, entry, set(types), required, Sentence(where, where))
        for name, value in entry.items():
            expected: Any = types[name]
            if type(value) is not expected:
                raise _broken(path, f"{where} 的 {name} 类型不对", f"{where}: {name} must be {expected.__name__}")
        if any(choice.id == entry["id"] for choice in choices):
            raise _broken(path, f"{where} 重复了 {entry['id']}", f"{where} repeats the id {entry['id']}")
        choices.append(kind(**entry))
    return tuple(choices)


def _check_keys(path: Path, entry: Any, known: set[str], required: set[str], where: Sentence) -> None:
    if fault := key_fault(entry, known, required, where):
        raise _broken(path, fault.zh, fault.en)


def _broken(path: Path, zh: str, en: str, detail: str = "") -> CatalogError:
    return CatalogError(
        Sentence(
            f"{path.name}：{zh}。程序没法知道有哪些选项，请重新安装或恢复这个文件。",
            f"{path.name}: {en}. The program cannot tell what can be chosen; reinstall it or restore the file.",
        ),
        detail,
    )
