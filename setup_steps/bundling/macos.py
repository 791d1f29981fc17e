"""On macOS: the application in a disk image, signed with what identity there is, else for this machine alone."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from setup_steps.bundling.bundle import NAME, Bundle

IDENTITY = "BAINIANTIE_CODESIGN_IDENTITY"  # "Developer ID Application: …"; without one the signature is ad hoc


def finish(bundle: Bundle) -> None:
    """Sign anew, as files were added since PyInstaller did: a changed application is not opened."""
    identity = os.environ.get(IDENTITY, "")
    command = ["codesign", "--force", "--deep", "--sign", identity or "-"]
    if identity:
        # What Apple asks of an application it is to notarize.
        entitlements = bundle.resources / "macos" / "entitlements.plist"
        command += ["--options", "runtime", "--timestamp", "--entitlements", str(entitlements)]
    subprocess.run([*command, str(bundle.folder)], check=True)


def pack(bundle: Bundle, dist: Path) -> list[Path]:
    """A disk image that shows the application beside the folder it is dragged to."""
    image = dist / f"{NAME}-{bundle.label}.dmg"
    with tempfile.TemporaryDirectory(dir=dist) as content:
        shutil.copytree(bundle.folder, Path(content) / bundle.folder.name, symlinks=True)
        (Path(content) / "Applications").symlink_to("/Applications")
        command = [
            "hdiutil",
            "create",
            "-volname",
            "拜年帖",
            "-srcfolder",
            content,
            "-format",
            "UDZO",
            "-ov",
            str(image),
        ]
        subprocess.run(command, check=True)
    return [image]
