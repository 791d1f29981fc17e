"""A dataclass as a small YAML file: checked strictly when read, written whole."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from app.compose.schema import Misfit, plain_yaml, typed
from app.compose.sentence import Sentence
from app.models.whole_file import write_whole

Broken = Callable[[Path, Sentence, str], Exception]
"""What to raise about a file: given its path, a clause that says what is wrong, without a full stop, and a detail."""


def read_yaml(kind: Any, path: Path, broken: Broken, *, default: Any = None, folder: Path = Path()) -> Any:
    """The value of the dataclass ``kind`` that a file holds.

    Args:
        default: what it means that there is no file; None where there must be one.
        folder: what paths in it are relative to.

    Raises:
        Exception: what ``broken`` gives, for a file that cannot be read or is not of that kind.
    """
    try:
        return typed(kind, plain_yaml(path.read_text(encoding="utf-8")), folder=folder)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        if default is not None and isinstance(error, FileNotFoundError):
            return default
        raise broken(path, Sentence("读不出来", "it cannot be read"), str(error)) from error
    except Misfit as misfit:
        raise broken(path, misfit.clause, "") from misfit


def write_yaml(path: Path, value: Any) -> None:
    """Keep a dataclass of plain values.

    Raises:
        ModelError: the disk's refusal.
    """
    write_whole(path, yaml.safe_dump(asdict(value), allow_unicode=True, sort_keys=False))
