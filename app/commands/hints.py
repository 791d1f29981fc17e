"""What only somebody at a terminal can do about an error: its sentence is the window's too, and does not say it."""

from app.compose.sentence import Sentence
from app.models.errors import OF_SOURCES
from app.models.folders import VARIABLE

_MIRRORS = Sentence(
    "来源用 --source 换；Hub 的镜像用环境变量 HF_ENDPOINT 指定，软件包索引的镜像在 pip 的设置里。",
    "The source is chosen with --source; a mirror of the Hub with the environment variable HF_ENDPOINT, one of the "
    "package index in pip's settings.",
)
_ELSEWHERE = Sentence(
    f"模型也可以放到别的文件夹或磁盘：--folder，或环境变量 {VARIABLE}。",
    f"The models can also lie in another folder or on another disk: --folder, or the environment variable {VARIABLE}.",
)


def hint_for(code: str) -> Sentence | None:
    """What to add to the sentence of an error; None where there is nothing."""
    if code in OF_SOURCES:
        return _MIRRORS
    return _ELSEWHERE if code in ("disk_full", "folder_unwritable") else None
