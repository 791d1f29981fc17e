"""The record of what a person added: models imported from disk, and which model is in use. One YAML file in the models
folder; the models this program fetches and builds need no record, they are known by their files.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.errors import ModelError, storage_error
from app.models.yaml_file import read_yaml, write_yaml

FILE = "models.yaml"
_LOCK = "models.lock"
_PATIENCE = 10.0  # seconds for another window or command to finish writing


@dataclass(frozen=True)
class Imported:
    """A GGUF file that came from the person's disk.

    ``file`` is relative to the models folder for a copy, absolute for a file used where it lies; ``size`` and
    ``memory`` are bytes, ``memory`` what the engine takes with it, about; ``sha256`` is hex.
    """

    id: str
    title: str
    file: str
    size: int
    sha256: str
    license: str  # "" where the file does not say
    architecture: str
    memory: int
    tuned: bool

    def path(self, folder: Path) -> Path:
        """Where it lies."""
        return folder / self.file

    @property
    def copied(self) -> bool:
        """Whether the file is ours to delete."""
        return not Path(self.file).is_absolute()


@dataclass(frozen=True)
class Registry:
    """``in_use`` is the id of the model the person chose, None while that is the one this program builds."""

    in_use: str | None = None
    imported: tuple[Imported, ...] = ()

    def find(self, id: str) -> Imported | None:
        """The imported model of that id."""
        return next((model for model in self.imported if model.id == id), None)

    def with_model(self, model: Imported) -> "Registry":
        """One more."""
        return replace(self, imported=(*self.imported, model))

    def without(self, id: str) -> "Registry":
        """One less."""
        return replace(self, imported=tuple(model for model in self.imported if model.id != id))


def read_registry(folder: Path) -> Registry:
    """The record; an empty one where there is none.

    Raises:
        ModelError: ``registry_broken``.
    """
    found: Registry = read_yaml(Registry, folder / FILE, _broken, default=Registry())
    return found


def change_registry(folder: Path, change: Callable[[Registry], Registry]) -> Registry:
    """Put what ``change`` makes of the record in its place, with no other process writing meanwhile; the new record.

    Raises:
        ModelError: ``registry_broken``, ``registry_busy``, the disk's refusal, or what ``change`` raised.
    """
    from filelock import FileLock, Timeout  # half a second's import that a start of the window must not pay

    lock = FileLock(folder / _LOCK, timeout=_PATIENCE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise ModelError(
            "registry_busy",
            Sentence(
                "另一个窗口或命令正在改模型记录，这一步没有做。请等它做完再试。",
                "Another window or command is changing the record of models, so this was not done. Try again when it "
                "has finished.",
            ),
            str(error),
        ) from error
    except OSError as error:
        raise storage_error(error, folder) from error
    try:
        before = read_registry(folder)
        after = change(before)
        if after != before:
            write_yaml(folder / FILE, after)
        return after
    finally:
        lock.release()


def _broken(path: Path, clause: Sentence, detail: str) -> ModelError:
    return ModelError(
        "registry_broken",
        Sentence(
            f"模型记录 {path} 看不懂：{clause.zh}。导入过的模型暂时用不了；请改好这个文件，"
            "或删掉它再重新导入，模型文件不会丢。",
            f"The record of models {path} makes no sense: {clause.en}. Imported models cannot be used for now; mend "
            "the file, or delete it and import them anew. The model files are not lost.",
        ),
        detail,
    )
