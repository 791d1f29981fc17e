"""A real HTTP server on this machine that takes uploads like the Hugging Face Hub, and misbehaves when told to.

It speaks what huggingface_hub needs of it: making a repository, checking a card's head, telling which files are large,
Git LFS (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md) with uploads in one piece or in
several, and the commit. A commit that names a large file which never arrived is refused.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.local_server import LocalServer, QuietHandler

TOKEN = "hf_" + "t" * 34
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
PART = 400_000  # bytes; a larger file is uploaded in parts of this size


@dataclass
class Faults:
    """How it misbehaves: by default not at all."""

    status: int | None = None  # of whatever is asked
    cut_uploads: int = 0  # the line breaks in the middle of so many uploads of large files
    says: bytes = b""  # instead of any answer


@dataclass
class Repository:
    """One repository: its files by name, and the messages of its commits."""

    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


class UploadServer(LocalServer):
    """``with UploadServer() as hub``: takes uploads into ``hub.repositories`` from whoever has :data:`TOKEN`."""

    def __init__(self, owner: str = "someone") -> None:
        self.owner = owner
        self.faults = Faults()
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}  # large files by their SHA-256, committed or not
        self.parts: dict[tuple[str, int], bytes] = {}
        self.asked: Counter[str] = Counter()  # what kind of thing was asked how often
        super().__init__(_handler_of(self))


def _handler_of(hub: UploadServer) -> type[QuietHandler]:
    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self._body()
            if hub.faults.says:
                self._answer(200, hub.faults.says)
            elif hub.faults.status is not None:
                self._answer(hub.faults.status, {"error": "told to"})
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}" and not self.path.startswith("/lfs/"):
                self._answer(401, {"error": "Invalid credentials"}, "Invalid credentials in Authorization header")
            else:
                self._post(self.path.partition("?")[0], body)

        def do_PUT(self) -> None:
            hub.asked["upload"] += 1
            if hub.faults.cut_uploads:
                hub.faults.cut_uploads -= 1
                self.rfile.read(1000)
                self.close_connection = True
                return
            body = self._body()
            _, _, oid, number = self.path.split("/")
            if number == "whole":
                hub.large[oid] = body
            else:
                hub.parts[oid, int(number)] = body
            self._answer(200, {}, etag=hashlib.md5(body).hexdigest())

        def _post(self, path: str, body: bytes) -> None:
            if path == "/api/repos/create":
                self._create(json.loads(body))
            elif path == "/api/validate-yaml":
                self._check_card(json.loads(body)["content"])
            elif match := re.fullmatch(r"/api/models/(.+)/preupload/main", path):
                self._tell_modes(hub.repositories[match[1]], json.loads(body)["files"])
            elif re.fullmatch(r"/(.+)\.git/info/lfs/objects/batch", path):
                self._answer(200, {"objects": [self._actions(wanted) for wanted in json.loads(body)["objects"]]})
            elif match := re.fullmatch(r"/lfs/(.+)/(join|verify)", path):
                self._finish(match[1], match[2], json.loads(body))
            elif match := re.fullmatch(r"/api/models/(.+)/commit/main", path):
                self._commit(match[1], [json.loads(line) for line in body.splitlines()])
            else:
                self._answer(404, {"error": "no such thing"})

        def _create(self, wanted: dict[str, Any]) -> None:
            hub.asked["create"] += 1
            repo = f"{wanted['organization']}/{wanted['name']}"
            if wanted["organization"] != hub.owner:
                self._answer(403, {"error": "not yours"})
                return
            status = 409 if repo in hub.repositories else 200
            hub.repositories.setdefault(repo, Repository())
            self._answer(status, {"url": f"{hub.address}/{repo}"})

        def _check_card(self, content: str) -> None:
            head = re.match(r"---\n(.*?)\n---\n", content, re.DOTALL)
            sound = head is not None and "license" in (yaml.safe_load(head[1]) or {})
            self._answer(200 if sound else 400, {} if sound else {"errors": [{"message": '"license" is required'}]})

        def _tell_modes(self, repository: Repository, files: list[dict[str, Any]]) -> None:
            def mode(file: dict[str, Any]) -> dict[str, Any]:
                binary = b"\0" in base64.b64decode(file["sample"])
                there = repository.files.get(file["path"])
                oid = None if there is None else _oid(there, large=binary)
                name = {"path": file["path"], "uploadMode": "lfs" if binary else "regular"}
                return {**name, "shouldIgnore": False, "oid": oid}

            self._answer(200, {"files": [mode(file) for file in files]})

        def _actions(self, wanted: dict[str, Any]) -> dict[str, Any]:
            oid, size = wanted["oid"], wanted["size"]
            if oid in hub.large:
                return wanted
            place = f"{hub.address}/lfs/{oid}"
            if size > PART:
                urls = {str(number): f"{place}/{number}" for number in range(1, -(-size // PART) + 1)}
                upload = {"href": f"{place}/join", "header": {"chunk_size": str(PART), **urls}}
            else:
                upload = {"href": f"{place}/whole"}
            return {**wanted, "actions": {"upload": upload, "verify": {"href": f"{place}/verify"}}}

        def _finish(self, oid: str, action: str, body: dict[str, Any]) -> None:
            if action == "join":
                numbers = [part["partNumber"] for part in body["parts"]]
                hub.large[oid] = b"".join(hub.parts[oid, number] for number in numbers)
            content = hub.large.get(oid)
            right = content is not None and hashlib.sha256(content).hexdigest() == oid
            if not right:
                hub.large.pop(oid, None)
            self._answer(200 if right else 422, {})

        def _commit(self, repo: str, lines: list[dict[str, Any]]) -> None:
            files = dict(hub.repositories[repo].files)
            for line in lines[1:]:
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif value["oid"] in hub.large:
                    files[value["path"]] = hub.large[value["oid"]]
                else:
                    self._answer(400, {"error": f"{value['path']} never arrived"})
                    return
            hub.repositories[repo].files = files
            hub.repositories[repo].commits.append(lines[0]["value"]["summary"])
            self._answer(200, {"commitUrl": f"{hub.address}/{repo}/commit/{COMMIT}", "commitOid": COMMIT})

        def do_GET(self) -> None:
            repo = self.path.removeprefix("/api/models/").partition("?")[0]
            known = repo in hub.repositories
            self._answer(200 if known else 404, {"id": repo, "sha": COMMIT} if known else {"error": "no such thing"})

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def _answer(self, status: int, content: object, message: str = "", etag: str = "") -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (("X-Error-Message", message), ("ETag", etag)):
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _oid(content: bytes, *, large: bool) -> str:
    """What the Hub calls a file's content: LFS's SHA-256, or git's hash of a blob."""
    if large:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
