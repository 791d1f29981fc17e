"""The Debian package on a system that has nothing but what the package asks for: no Python, no font, no compiler.

A root is made with debootstrap, the package installed there by apt with what it depends on, and the window driven on an
X screen by keys, as somebody who has read no manual would, until a greeting is on the clipboard. There is no network.
It takes minutes and a mirror of Debian, so it runs where it is asked for: ``BAINIANTIE_DEB`` names the package, and
``BAINIANTIE_SCREENSHOTS`` a folder for pictures of what was seen.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.virtual_screen import virtual_screen

TOOLS = ("debootstrap", "Xvfb", "xdotool", "xclip", "import", "unshare")
PERSON = 1000
HOME = "/home/张三丰"
SECONDS = 300.0  # for the slowest step: opening the model and writing, on a busy machine

pytestmark = [
    pytest.mark.skipif("BAINIANTIE_DEB" not in os.environ, reason="no package was named (BAINIANTIE_DEB)"),
    pytest.mark.timeout(3600),
]


def wait(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian with the package in it."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    assert not missing, f"install first: {missing}"
    folder = tmp_path_factory.mktemp("root") / "debian"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(folder)], check=True)
    package = Path(os.environ["BAINIANTIE_DEB"]).absolute()
    shutil.copy(package, folder / "tmp" / package.name)
    for name in ("etc/resolv.conf", "etc/apt/sources.list"):
        if Path("/", name).is_file():
            shutil.copy(Path("/", name), folder / name)
    install = ["apt-get", "install", "--yes", "--no-install-recommends", f"/tmp/{package.name}"]
    for command in (["apt-get", "update"], install):
        subprocess.run(
            ["chroot", str(folder), *command], check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        )
    (folder / "tmp" / package.name).unlink()
    home = folder / HOME.lstrip("/")
    home.mkdir(parents=True)
    os.chown(home, PERSON, PERSON)
    return folder


@pytest.fixture
def display(root: Path) -> Iterator[str]:
    """An X screen whose socket is seen in the root."""
    with virtual_screen("-ac", size="1280x860x24") as display:
        yield display


class Person:
    """Sits before the screen. Sees pictures and the clipboard, and has a keyboard."""

    def __init__(self, display: str) -> None:
        self._environment = os.environ | {"DISPLAY": display}
        self._pictures = Path(os.environ["BAINIANTIE_SCREENSHOTS"]) if "BAINIANTIE_SCREENSHOTS" in os.environ else None

    def ask(self, *command: str) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def window(self) -> str:
        return self.ask("xdotool", "search", "--onlyvisible", "--name", "拜年帖").partition("\n")[0]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.ask("xdotool", "key", key)
            time.sleep(0.4)

    def clipboard(self) -> str:
        return self.ask("xclip", "-selection", "clipboard", "-out")

    def colours(self) -> int:
        """How many colours there are on the screen: an empty one has a few, text with soft edges has hundreds."""
        return int(self.ask("import", "-window", "root", "-format", "%k", "info:") or 0)

    def keep_picture(self, name: str) -> None:
        if self._pictures is not None:
            self._pictures.mkdir(parents=True, exist_ok=True)
            self.ask("import", "-window", "root", str(self._pictures / f"{name}.png"))


def test_there_is_no_python_no_font_and_no_compiler(root: Path) -> None:
    assert not list(root.glob("usr/bin/python3*")) and not list(root.glob("usr/lib/python3*"))
    assert not list(root.glob("usr/share/fonts/**/*.[ot]t[fc]"))
    assert not (root / "usr/bin/cc").exists() and not (root / "usr/bin/gcc").exists()
    assert (root / "usr/share/applications/bainiantie.desktop").is_file()


def test_a_greeting_gets_onto_the_clipboard(root: Path, display: str, tiny_model: Path) -> None:
    options = ""
    if not list(root.glob("opt/bainiantie/_internal/models/*.gguf")):
        shutil.copy(tiny_model, root / HOME.lstrip("/") / "小 模型.gguf")
        options = f"--model '{HOME}/小 模型.gguf'"
    mounts = " && ".join(
        f"mount --rbind /{name} {root}/{name}" for name in ("proc", "dev", "tmp/.X11-unix") if _made(root / name)
    )
    inside = f"HOME={HOME} DISPLAY={display} LANG=C.UTF-8 exec bainiantie {options}"
    person_runs = f'exec chroot --userspec={PERSON}:{PERSON} {root} /bin/sh -c "{inside}"'
    command = ["unshare", "--net", "--mount", "sh", "-c", f"{mounts} && {person_runs}"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    person = Person(display)
    try:
        wait(person.window, "the window opens")
        person.ask("xdotool", "windowfocus", "--sync", person.window())
        wait(lambda: person.colours() > 200, "the window is painted")
        time.sleep(3)
        person.keep_picture("1-opened")
        # Who it is for, in what tone, and write.
        person.press("Down", "Return", "Tab", "space")
        person.keep_picture("2-chosen")
        person.press("ctrl+Return")

        def copied() -> bool:
            person.press("ctrl+1")
            return bool(re.search("[\u4e00-\u9fff]{2}", person.clipboard()))

        wait(copied, "a greeting is on the clipboard")
        time.sleep(2)
        person.keep_picture("3-copied")
        print("on the clipboard:", person.clipboard())
        assert program.poll() is None
    finally:
        program.terminate()
        said = program.communicate(timeout=30)[0]
    assert "Traceback" not in said and "could not" not in said.lower(), said


def _made(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    return True
