"""The base file from a file the person already has. That file is only ever read: never moved, never altered."""

import os
from collections.abc import Callable
from pathlib import Path

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, megabytes, storage_error
from app.models.manifest import BaseFile
from app.models.progress import Report
from app.models.sources.part import PartFile
from app.models.verify import sha256_of, verify_model

_CHUNK = 1 << 20


def fetch(file: Path, base: BaseFile, folder: Path, report: Report, cancelled: Callable[[], bool]) -> None:
    """Put ``file`` into ``folder`` under the base's name: as a hard link where the disk knows them (no room taken),
    else as a copy.

    Raises:
        ModelError: as :func:`~app.models.verify.verify_model`; ``model_other`` for a whole model that is another one.
        Cancelled: ``cancelled()`` became true.
    """
    verify_model(file, sha256=None)
    try:
        size = file.stat().st_size
        found = sha256_of(
            file, lambda done, total: report(done, total, _sentence("核对", "Checking", done, total)), cancelled
        )
        if found != base.sha256:
            raise ModelError(
                "model_other",
                Sentence(
                    f"{file.name} 是一个模型文件，但不是需要的 {base.file}（内容对不上，它有 {megabytes(size)}，"
                    f"要的是 {megabytes(base.size)}）。请换一个文件，或改为下载。",
                    f"{file.name} is a model file, but not the {base.file} that is needed: the contents differ (it has "
                    f"{megabytes(size)}, wanted are {megabytes(base.size)}). Choose another file, or download it.",
                ),
                f"SHA-256 {found}, expected {base.sha256}",
            )
        target = folder / base.file
        target.unlink(missing_ok=True)
        try:
            os.link(file.resolve(), target)
            return
        except OSError:
            # Another disk, or one without hard links: a copy it is.
            _copy(file, base, folder, report, cancelled)
    except OSError as error:
        raise storage_error(error, file) from error


def _copy(file: Path, base: BaseFile, folder: Path, report: Report, cancelled: Callable[[], bool]) -> None:
    with PartFile(base, folder) as part, file.open("rb") as original:
        part.resume(report, cancelled)
        original.seek(part.size)
        while chunk := original.read(_CHUNK):
            if cancelled():
                raise Cancelled
            part.append(chunk)
            report(part.size, base.size, _sentence("复制", "Copying", part.size, base.size))
        part.finish(folder / base.file)


def _sentence(zh: str, en: str, done: int, total: int) -> Sentence:
    shown, whole = megabytes(done), megabytes(total)
    return Sentence(f"正在{zh}你选的文件：{shown} / {whole}", f"{en} the file you chose: {shown} of {whole}")
