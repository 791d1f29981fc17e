"""On Windows: an installer by Inno Setup, for one person, without asking for an administrator."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from app import __version__
from app.compose.sentence import Sentence
from setup_steps.bundling.bundle import Bundle
from setup_steps.terminal import say


def finish(bundle: Bundle) -> None:
    """The folder is complete as it is."""


def pack(bundle: Bundle, dist: Path) -> list[Path]:
    """The installer, where Inno Setup is there to make it, and the folder as an archive."""
    archive = dist / f"{bundle.folder.name}-{bundle.label}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(bundle.folder.rglob("*")):
            packed.write(path, Path(bundle.folder.name) / path.relative_to(bundle.folder))
    compiler = _inno_setup()
    if compiler is None:
        say(
            Sentence(
                "没有找到 Inno Setup 6，只做了压缩包。装好它（winget install JRSoftware.InnoSetup）"
                "再运行一次，就有安装程序。",
                "Inno Setup 6 was not found, so there is only an archive. Install it (winget install "
                "JRSoftware.InnoSetup) and run again for an installer.",
            )
        )
        return [archive]
    setup = f"{bundle.folder.name}-{bundle.label}-setup"
    script = bundle.resources / "windows" / "bainiantie.iss"
    defined = {"Version": __version__, "Source": bundle.folder, "Output": dist, "Setup": setup}
    subprocess.run([compiler, "/Q", *(f"/D{name}={value}" for name, value in defined.items()), str(script)], check=True)
    return [archive, dist / f"{setup}.exe"]


def _inno_setup() -> str | None:
    programs = os.environ.get("PROGRAMFILES(X86)", "C:/Program Files (x86)")
    local = os.environ.get("LOCALAPPDATA", "")
    places = [f"{programs}/Inno Setup 6", f"{local}/Programs/Inno Setup 6"]
    return shutil.which("iscc") or shutil.which("iscc", path=os.pathsep.join(places))
