"""A real HTTP server on this machine that answers like the Hugging Face Hub, and misbehaves when told to."""

import gzip
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tests.local_server import LocalServer, QuietHandler

COMMIT = "0123456789abcdef0123456789abcdef01234567"

T = TypeVar("T")


@dataclass
class Request:
    """One request the server has seen."""

    method: str
    path: str
    range: str | None
    headers: dict[str, str]


@dataclass
class Behaviour:
    """How the server answers; by default as the Hub does it. Lists hold an entry for each request, used up in turn."""

    metadata_status: int = 200  # of HEAD
    metadata_stalls: bool = False
    linked_size: int | None = None  # what HEAD claims; None: the truth
    linked_etag: str | None = None
    statuses: list[int] = field(default_factory=list)  # of the downloads; after the last: 200 or 206
    retry_after: str | None = None  # sent with a status of `statuses`
    cuts: list[int] = field(default_factory=list)  # break the line after so many bytes of the answer
    stalls: list[int] = field(default_factory=list)  # send so many bytes of the answer, then nothing
    short: list[int] = field(default_factory=list)  # claim, and send, only so many bytes
    long: int = 0  # claim, and send, so many more bytes than there are
    redirects: list[str] = field(default_factory=list)  # send people on to there; "" answers
    skewed: list[int] = field(default_factory=list)  # begin a range so many bytes later than was asked, and say so
    encoding: str = ""  # what the bytes are said to be compressed with
    compresses: bool = True  # whether they are, with gzip
    knows_ranges: bool = True
    content_type: str = "application/octet-stream"


class HubServer(LocalServer):
    """Serves one file of one repository; ``with HubServer(...) as hub: hub.endpoint``."""

    def __init__(self, repo: str, file: str, content: bytes) -> None:
        self.repo, self.file, self.content = repo, file, content
        self.behaviour = Behaviour()
        self.requests: list[Request] = []
        self._released = threading.Event()
        super().__init__(_handler_of(self))

    @property
    def endpoint(self) -> str:
        """What ``HF_ENDPOINT`` is to be."""
        return self.address

    @property
    def downloads(self) -> list[Request]:
        """The requests for the file's bytes, redirects followed."""
        return [request for request in self.requests if request.method == "GET" and request.path.startswith("/cdn/")]

    def wait_while_stalled(self) -> None:
        """Keep a stalled connection open until the server goes."""
        self._released.wait()

    def release(self) -> None:
        self._released.set()


def _handler_of(hub: HubServer) -> type[QuietHandler]:
    lock = threading.Lock()

    def next_of(entries: list[T]) -> T | None:
        with lock:
            return entries.pop(0) if entries else None

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._note()
            self._resolve()

        def do_GET(self) -> None:
            self._note()
            if self.path.startswith("/cdn/"):
                self._send()
            else:
                self._resolve()

        def _note(self) -> None:
            hub.requests.append(Request(self.command, self.path, self.headers.get("Range"), dict(self.headers)))

        def _resolve(self) -> None:
            how = hub.behaviour
            if how.metadata_stalls:
                hub.wait_while_stalled()
                self.close_connection = True
                return
            if self.path != f"/{hub.repo}/resolve/main/{hub.file}":
                self._status(404, {"X-Error-Code": "EntryNotFound"})
                return
            if self.command == "HEAD" and how.metadata_status != 200:
                self._status(how.metadata_status, {})
                return
            size = len(hub.content) if how.linked_size is None else how.linked_size
            etag = how.linked_etag or hashlib.sha256(hub.content).hexdigest()
            # The real one sends people to another host for the bytes; this name for the same machine is one.
            location = f"http://localhost:{hub.port}/cdn/{hub.file}"
            headers = {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(size), "X-Linked-ETag": f'"{etag}"'}
            self._status(302, {**headers, "ETag": f'"{COMMIT}"', "Location": location})

        def _status(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self) -> None:
            how = hub.behaviour
            status = next_of(how.statuses)
            if status is not None:
                self._status(status, {"Retry-After": how.retry_after} if how.retry_after else {})
                return
            if location := next_of(how.redirects):
                self._status(302, {"Location": location})
                return
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if how.knows_ranges else None
            start = int(asked[1]) + (next_of(how.skewed) or 0) if asked else 0
            whole = len(hub.content)
            if start >= whole:
                self._status(416, {"Content-Range": f"bytes */{whole}"})
                return
            body = hub.content[start:] + b"\0" * how.long
            short = next_of(how.short)
            body = body if short is None else body[:short]
            end = start + len(body) - 1
            if how.encoding and how.compresses:
                body = gzip.compress(body, 1)
            self.send_response(206 if asked else 200)
            self.send_header("Content-Type", how.content_type)
            self.send_header("Content-Length", str(len(body)))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{end}/{whole + how.long}")
            if how.encoding:
                self.send_header("Content-Encoding", how.encoding)
            self.end_headers()
            cut, stall = next_of(how.cuts), next_of(how.stalls)
            ends = [end for end in (cut, stall) if end is not None]
            self._write(body[: min(ends)] if ends else body)
            if stall is not None:
                hub.wait_while_stalled()
            if ends:
                self.close_connection = True

        def _write(self, body: bytes) -> None:
            try:
                self.wfile.write(body)
                self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the other side has gone, as it may

    return Handler


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition, looking often; fails the test when it never comes."""
    clock = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        clock.wait(0.02)
    raise AssertionError(f"not within {seconds:g} s")
