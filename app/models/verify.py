"""Whether a file is a whole model the engine can open, told before the engine is asked to try.

Only reads. The header is checked by :mod:`app.models.gguf_file`; here it becomes sentences, and the hash decides about
the bytes no header speaks for: llama.cpp opens a file with overwritten weights without a word and writes garbage.
"""

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

from app.compose.prompt import CHAT_TEMPLATE
from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError, megabytes
from app.models.gguf_file import GgufError, Header, read_header

# What GGUF files hold besides models that write, by `general.type` (gguf.GGUFType) and by a word in the architecture.
_OTHER_TYPES = {
    "adapter": Sentence("一个 LoRA 适配器，不是完整的模型", "a LoRA adapter, not a whole model"),
    "mmproj": Sentence("模型看图用的附件，不是模型本身", "what lets a model see pictures, not the model itself"),
    "imatrix": Sentence("量化用的统计数据，不是模型", "statistics for quantizing, not a model"),
}
_NOT_WRITING = ("bert", "embed", "clip", "t5encoder", "wavtokenizer")
_CHUNK = 1 << 20

# How other things that get saved under a model's name begin.
_LOOKALIKES: tuple[tuple[bytes, Sentence], ...] = (
    (b"<!doctype html", Sentence("一个网页", "a web page")),
    (b"<html", Sentence("一个网页", "a web page")),
    (b"<?xml", Sentence("一个 XML 文件", "an XML file")),
    (b"version https://git-lfs", Sentence("一个 Git LFS 占位文件", "a Git LFS pointer")),
    (b"pk\x03\x04", Sentence("一个 zip 压缩包", "a zip archive")),
    (b"\x1f\x8b", Sentence("一个 gzip 压缩包", "a gzip archive")),
    (b"7z\xbc\xaf", Sentence("一个 7z 压缩包", "a 7z archive")),
    (b"rar!", Sentence("一个 RAR 压缩包", "a RAR archive")),
    (b"{", Sentence("一个 JSON 文件", "a JSON file")),
)


def _never() -> bool:
    return False


def sha256_of(
    path: Path, progress: Callable[[int, int], None] | None = None, cancelled: Callable[[], bool] = _never
) -> str:
    """The SHA-256 of a file, in lower-case hex.

    Raises:
        Cancelled: ``cancelled()`` became true.
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    total = path.stat().st_size
    done = 0
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            if cancelled():
                raise Cancelled
            digest.update(buffer[:count])
            done += count
            if progress is not None:
                progress(done, total)
    return digest.hexdigest()


def verify_model(
    path: Path,
    *,
    sha256: str | None,
    cancelled: Callable[[], bool] = _never,
    progress: Callable[[int, int], None] | None = None,
) -> Header:
    """Check that ``path`` is a whole GGUF model that can write and, when ``sha256`` is given, exactly that file.

    Whether this build of llama.cpp knows its architecture, only llama.cpp can tell.

    Args:
        sha256: hex; None checks the structure only, which takes milliseconds.
        progress: bytes hashed, bytes in all.

    Returns:
        The file's header.

    Raises:
        ModelError: ``model_missing`` (or unreadable), ``model_empty``, ``model_foreign``, ``model_truncated``,
            ``model_damaged`` or ``model_unsupported``.
        Cancelled: ``cancelled()`` became true.
    """
    path = Path(path)
    header = _header(path)
    _check_kind(path, header)
    if sha256 is not None:
        try:
            found = sha256_of(path, progress, cancelled)
        except OSError as error:
            raise _unreadable(path, error) from error
        if found != sha256.lower():
            raise ModelError(
                "model_damaged",
                Sentence(
                    f"模型文件 {path.name} 已损坏：看着完整，内容却变了（校验和对不上），"
                    "写出来的字不可信。请到“模型”页重新下载，自己导入的请重新导入。",
                    f"The model file {path.name} is damaged: its contents have changed (the checksum differs), and "
                    "what it writes could not be trusted. Download it again on the page Models, or import it again if "
                    "it was yours.",
                ),
                f"{path}: SHA-256 {found}, expected {sha256.lower()}",
            )
    return header


def _header(path: Path) -> Header:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # the last for a name no file can have
        raise ModelError(
            "model_missing",
            Sentence(
                f"找不到模型文件 {path}。它可能被移走或删除了；请到“模型”页重新下载，或另选一个文件。",
                f"The model file {path} is not there. It may have been moved or deleted; download it again on the page "
                "Models, or choose another file.",
            ),
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise ModelError(
            "model_foreign",
            Sentence(
                f"{path} 是一个文件夹，不是模型文件。请选里面以 .gguf 结尾的文件。",
                f"{path} is a folder, not a model file. Choose the file ending in .gguf inside it.",
            ),
        )
    if not stat.S_ISREG(mode):
        # Opening a pipe waits until somebody writes to it.
        raise ModelError(
            "model_foreign",
            Sentence(
                f"{path} 不是普通的文件，而是管道或设备，不能当作模型打开。请选一个以 .gguf 结尾的文件。",
                f"{path} is not an ordinary file but a pipe or a device, and cannot be opened as a model. Choose a "
                "file ending in .gguf.",
            ),
        )
    try:
        return read_header(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except GgufError as error:
        raise _unfit(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        "model_missing",
        Sentence(
            f"模型文件 {path} 读不出来：可能没有权限，或者磁盘出错。请检查它的权限和所在的磁盘。",
            f"The model file {path} cannot be read: no permission, or the disk fails. Check both.",
        ),
        f"{type(error).__name__}: {error}",
    )


def _unfit(path: Path, error: GgufError) -> ModelError:
    detail = f"{path}: {error}"
    size = path.stat().st_size
    if error.kind == "empty":
        return ModelError(
            "model_empty",
            Sentence(
                f"模型文件 {path.name} 是空的（0 字节），多半是下载刚开始就断了。请重新下载，或另选一个文件。",
                f"The model file {path.name} is empty (0 bytes); most likely a download ended as it began. "
                "Download it again, or choose another file.",
            ),
            detail,
        )
    if error.kind == "foreign":
        looks_like = _lookalike(path)
        return ModelError(
            "model_foreign",
            Sentence(
                f"{path.name} 不是模型文件：它看上去是{looks_like.zh}（{megabytes(size)}），而我们需要 GGUF 格式。"
                "请重新下载，或另选一个以 .gguf 结尾的文件。",
                f"{path.name} is not a model file: it looks like {looks_like.en} ({megabytes(size)}), where the GGUF "
                "format is needed. Download it again, or choose a file ending in .gguf.",
            ),
            detail,
        )
    if error.kind == "truncated":
        whole = _expected_size(path)
        zh = (
            f"现有 {megabytes(size)}，完整的是 {megabytes(whole)}"
            if whole
            else f"只有 {megabytes(size)}，连文件头都没写完"
        )
        en = (
            f"{megabytes(size)} of {megabytes(whole)} are there"
            if whole
            else f"its {megabytes(size)} end inside the header"
        )
        return ModelError(
            "model_truncated",
            Sentence(
                f"模型文件 {path.name} 不完整（{zh}），后面的内容丢了。请重新下载，或另选一个文件。",
                f"The model file {path.name} is incomplete ({en}). Download it again, or choose another file.",
            ),
            detail,
        )
    return ModelError(
        "model_damaged",
        Sentence(
            f"模型文件 {path.name} 的文件头读不通：它损坏了，或是我们不认识的 GGUF 版本。请重新下载，或另选一个文件。",
            f"The header of the model file {path.name} makes no sense: it is damaged, or of a GGUF version we do not "
            "know. Download it again, or choose another file.",
        ),
        detail,
    )


def _expected_size(path: Path) -> int | None:
    """How long a file that ends too early should be; None where not even its header is whole."""
    try:
        return read_header(path, whole=False).expected_size
    except GgufError:
        return None


def _lookalike(path: Path) -> Sentence:
    with path.open("rb") as file:
        beginning = file.read(512)
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, name in _LOOKALIKES:
        if start.startswith(magic):
            return name
    try:
        # A multi-byte character may be cut at the end of what was read.
        text = beginning.decode("utf-8", errors="strict" if len(beginning) < 512 else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable() or all(character.isprintable() or character.isspace() for character in text):
        return Sentence("一个文本文件", "a text file")
    return Sentence("别的格式的文件", "a file of another format")


def _check_kind(path: Path, header: Header) -> None:
    architecture = str(header.metadata.get("general.architecture", "?"))
    other = _OTHER_TYPES.get(str(header.metadata.get("general.type")))
    if other is not None:
        raise _unsupported(path, f"它是{other.zh}", f"it is {other.en}")
    if any(word in architecture for word in _NOT_WRITING):
        raise _unsupported(
            path,
            f"它的结构是 {architecture[:40]}，这种模型不会写文字",
            f"its architecture is {architecture[:40]}, of a kind that does not write text",
        )
    if not header.metadata.get("tokenizer.ggml.model") or not header.metadata.get("tokenizer.ggml.tokens"):
        raise _unsupported(path, "它没有带词表，没法把文字变成词元", "it carries no tokenizer, so text cannot be read")
    if not header.tensors:
        raise _unsupported(path, "它只有词表，没有权重", "it holds a vocabulary and no weights")
    if header.metadata.get("split.count", 0) not in (0, 1):
        raise _unsupported(
            path,
            "它是分卷模型的一卷，请先用 llama-gguf-split 合并成一个文件",
            "it is one part of a split model; join the parts with llama-gguf-split first",
        )


def is_tuned(path: Path, header: Header) -> bool:
    """Whether a model knows our own prompt; any other is asked through the chat template it carries.

    Raises:
        ModelError: ``model_speechless``: it carries none.
    """
    template = header.metadata.get("tokenizer.chat_template")
    if not template or not isinstance(template, str):
        raise ModelError(
            "model_speechless",
            Sentence(
                f"{path.name} 是完整的模型，但没有带对话模板，没法让它按要求写祝福（多半是没经过指令微调的底座）。"
                "请换一个名字里带 Instruct 或 Chat 的版本。",
                f"{path.name} is a whole model but carries no chat template, so it cannot be asked for a greeting: "
                "most likely a base that was not tuned to follow instructions. Choose a version named Instruct or "
                "Chat.",
            ),
        )
    return template == CHAT_TEMPLATE


def _unsupported(path: Path, zh: str, en: str) -> ModelError:
    return ModelError(
        "model_unsupported",
        Sentence(
            f"{path.name} 是完整的模型文件，但不能用：{zh}。",
            f"{path.name} is a whole model file but cannot be used: {en}.",
        ),
    )
