"""Manifests for the tests: small files, cut into small pieces, and sources that are not waited for long."""

import hashlib
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from app.compose.sentence import Sentence
from app.models.manifest import BaseFile, Pieces
from app.models.sources import Patience

REPOSITORY = Path(__file__).resolve().parents[2]
HASTY = Patience(answer=3.0, connect=1.0, silence=0.5, attempts=3, pause=0.01, longest_pause=0.05)

# A process of its own that can be killed: fetches a base as the installer does.
_FETCHER = """
import sys
from pathlib import Path
from app.models.manifest import load_manifest
from app.models.sources import fetch_base
fetch_base(load_manifest(Path(sys.argv[1])).base, Path(sys.argv[2]), sys.argv[3], lambda *_: None, lambda: False)
"""


def base_of(content: bytes, count: int = 3, file: str = "base-q4_k_m.gguf") -> BaseFile:
    """The base file with this content, cut into ``count`` pieces."""
    size = -(-len(content) // count)
    pieces = Pieces("bainian-part{number}", "1.0", "bainian_part{number}/data/{number:02d}.bin", count, size)
    return BaseFile(
        id="base",
        title=Sentence("底座", "Base"),
        good_for=Sentence("做测试", "tests"),
        memory=len(content),
        repo="someone/base-GGUF",
        file=file,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        license="MIT",
        pieces=pieces,
    )


def write_manifest(path: Path, base: BaseFile, adapter: Path, **built: Any) -> Path:
    """A manifest file over ``base`` and ``adapter``; ``built`` overrides what it says of the built file."""
    about: dict[str, Any] = {
        "id": "tiny",
        "title": {"zh": "小模型", "en": "Tiny"},
        "good_for": {"zh": "做测试", "en": "tests"},
        "memory": base.size,
        "file": "tiny-q4_k_m.gguf",
        "size": base.size,
        "license": "MIT",
        "seed": 7,
        "metadata": {"general.name": "小模型"},
    }
    raw: dict[str, Any] = {
        "base": {key: value for key, value in asdict(base).items() if key != "pieces"},
        "adapter": str(adapter),
        "vocabulary": None,
        "built": about | built,
        "sampling": {"temperature": 0.25, "top_p": 1.0, "min_p": 0.05, "draw": 6},
    }
    if base.pieces is not None:
        raw["base"]["pieces"] = asdict(base.pieces)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return path


def start_fetching(manifest: Path, folder: Path, source: str) -> "subprocess.Popen[bytes]":
    """Fetch in a child process, in the present environment."""
    command = [sys.executable, "-c", _FETCHER, str(manifest), str(folder), source]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL)
