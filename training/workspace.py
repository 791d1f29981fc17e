"""A run's folder: what each step of a recipe leaves there, and whether it still belongs to the recipe as it is now.

Layout of ``runs/<name>/``: ``vocabulary.txt`` and ``base.gguf`` (the base with only these tokens), ``tuning/`` and
``preference/`` (checkpoints, metrics), ``adapter/`` (what is shipped), ``model.gguf``.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from app.compose.catalog import Catalog, load_catalog
from app.compose.sentence import Sentence
from app.models.gguf_file import Header
from app.models.verify import sha256_of, verify_model
from training.errors import TrainingError
from training.progress import percent
from training.recipe import Recipe, recipe_of, run_folder
from training.records import Record, Split, corpus_sha256, read_corpus, read_split
from training.whole_file import unwritten, write_json

FAMILIES = ("qwen2", "qwen3", "llama", "gemma2", "gemma3")  # what transformers reads of those that can be merged
VERSION = 1  # raised when a step comes to make something else of the same recipe


@dataclass(frozen=True)
class Workspace:
    """One recipe, and the folder its run leaves its files in."""

    recipe: Recipe
    folder: Path

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Workspace":
        """The one that ``--recipe`` and ``--out`` name."""
        recipe = recipe_of(args)
        return cls(recipe, run_folder(recipe, args.out))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder against a second run, which the steps take no account of; however this process ends, the
        system lets go of it.

        Raises:
            TrainingError: another process is at work in it, or the disk does not allow it.
        """
        make_folder(self.folder)
        file = self.folder / "run.lock"
        lock = FileLock(file)
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise TrainingError(
                Sentence(
                    "另一个命令正在这个文件夹里训练。请等它做完，或用 --out 换一个文件夹。",
                    "Another command is training in this folder. Wait until it is done, or choose another with --out.",
                ),
                str(self.folder),
            ) from error
        except OSError as error:
            raise unwritten(error, file) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def vocabulary(self) -> Path:
        """The list of kept tokens."""
        return self.folder / "vocabulary.txt"

    @property
    def base(self) -> Path:
        """What is trained: the base with the kept tokens, or the base itself where all are kept."""
        return self.folder / "base.gguf" if self.recipe.vocabulary == "trimmed" else self.recipe.base.file

    @property
    def tuning(self) -> Path:
        """Checkpoints and metrics of the first stage, and the adapter it ends with."""
        return self.folder / "tuning"

    @property
    def preference(self) -> Path:
        """Those of the second."""
        return self.folder / "preference"

    @property
    def adapter(self) -> Path:
        """The adapter that is merged."""
        return self.folder / "adapter"

    @property
    def model(self) -> Path:
        """The file people run."""
        return self.folder / f"{self.recipe.name}.gguf"

    @cached_property
    def catalog(self) -> Catalog:
        """What can be asked for."""
        return load_catalog()

    @cached_property
    def records(self) -> list[Record]:
        """The whole corpus."""
        return read_corpus(self.recipe.corpus, self.catalog)

    @cached_property
    def split(self) -> Split:
        """The corpus in its parts, none of them empty.

        Raises:
            TrainingError: nothing to train or to validate with.
        """
        split = read_split(self.recipe.corpus, self.records)
        if not split.train or not split.validation:
            raise TrainingError(
                Sentence(
                    "语料分完之后，训练或验证部分是空的。请用 `python -m training split` 重新划分。",
                    "The split leaves nothing to train on or to validate with. Make it again: "
                    "`python -m training split`.",
                )
            )
        return split

    @cached_property
    def corpus_sha256(self) -> str:
        """Of all records and the split."""
        return corpus_sha256(self.recipe.corpus)

    @cached_property
    def base_sha256(self) -> str:
        """Of the base file, which is the recipe's.

        Raises:
            TrainingError: the file is another one.
        """
        found = sha256_of(self.recipe.base.file, percent("base"))
        wanted = self.recipe.base.sha256
        if wanted is not None and found != wanted.lower():
            raise TrainingError(
                Sentence(
                    f"底座 {self.recipe.base.file.name} 不是配方要的那个文件（SHA-256 对不上）。请重新下载，或改配方。",
                    f"The base {self.recipe.base.file.name} is not the file the recipe names (its SHA-256 differs). "
                    "Fetch it again, or change the recipe.",
                ),
                f"wanted {wanted}, found {found}",
            )
        return found

    def check_base(self) -> Header:
        """The header of the base, of a family that can be trained and merged.

        Raises:
            ModelError: not a whole GGUF model.
            TrainingError: another architecture, a stretched context, or another file than the recipe names.
        """
        file = self.recipe.base.file
        if not file.is_file():
            raise TrainingError(
                Sentence(
                    f"底座模型 {file.name} 不在。请运行 `python3 run.py install` 下载，或改对配方的 base.file。",
                    f"The base model {file.name} is not there. `python3 run.py install` fetches it, or correct "
                    "base.file in the recipe.",
                ),
                str(file),
            )
        header = verify_model(file, sha256=None)
        family = header.metadata.get("general.architecture")
        if family not in FAMILIES:
            raise TrainingError(
                Sentence(
                    f"底座的架构是 {family}，这里只能训练 {'、'.join(FAMILIES)}。请换一个底座。",
                    f"The base's architecture is {family}; only {', '.join(FAMILIES)} can be trained. Choose another.",
                )
            )
        _refuse_stretched(header, family)
        _ = self.base_sha256
        return header

    def identity(self, *parts: Any) -> str:
        """A key (hex) that changes with whatever a step depends on: base, corpus and the given parts of the recipe."""
        state = [VERSION, self.recipe.seed, self.base_sha256, self.corpus_sha256, self.recipe.vocabulary]
        state += [_plain(part) for part in parts]
        return hashlib.sha256(json.dumps(state, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _refuse_stretched(header: Header, family: str) -> None:
    """A base whose rotary positions are scaled (YaRN and its like): llama.cpp scales them, transformers reads the file
    as if it said nothing, and the two would be two different models."""
    scaling = header.metadata.get(f"{family}.rope.scaling.type", "none")
    linear = header.metadata.get(f"{family}.rope.scale_linear", 1.0)
    if scaling != "none" or linear != 1.0:
        raise TrainingError(
            Sentence(
                "这个底座用 rope.scaling 把上下文拉长过，训练时读不出这一点，练出来会对不上。请换没有拉长的原版底座。",
                "This base's context was stretched with rope.scaling, which training cannot read; the adapter would "
                "not fit. Use the original base, without stretching.",
            ),
            f"rope.scaling.type {scaling}, rope.scale_linear {linear}",
        )


def _plain(part: Any) -> Any:
    return asdict(part) if hasattr(part, "__dataclass_fields__") else part


def make_folder(path: Path) -> None:
    """Make a folder of the run, and those it is in.

    Raises:
        TrainingError: the disk does not allow it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten(error, path) from error


def write_note(path: Path, note: Mapping[str, Any]) -> None:
    """A small JSON file that says what a step was made from; whole or absent.

    Raises:
        TrainingError: the disk does not allow it.
    """
    write_json(path, note)


def forget_note(path: Path) -> None:
    """What it says holds no more.

    Raises:
        TrainingError: the disk does not allow it.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritten(error, path) from error


def read_note(path: Path) -> dict[str, Any]:
    """What it says; empty where it is not there or unreadable."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
