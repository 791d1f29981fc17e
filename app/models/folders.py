"""Where downloads and built models lie on this machine."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.models.errors import storage_error
from app.models.manifest import MANIFEST_FILE, BaseFile
from app.program import BUNDLED

VARIABLE = "BAINIANTIE_MODELS"
# A bundle is replaced as a whole by the next version, and may lie where nobody may write: nothing is kept in it.
_BESIDE = None if BUNDLED else MANIFEST_FILE.parent


def models_folder(environment: Mapping[str, str] = os.environ, checkout: Path | None = _BESIDE) -> Path:
    """The folder for downloads and built models; it need not exist yet.

    In this order: what ``BAINIANTIE_MODELS`` names; ``models/`` of the checkout, where that can be written; else
    the platform's place for a user's data: ``$XDG_DATA_HOME/bainiantie/models`` (``~/.local/share`` without it),
    ``~/Library/Application Support/Bainiantie/models`` on macOS, ``%LOCALAPPDATA%\\Bainiantie\\models`` on Windows.
    """
    chosen = environment.get(VARIABLE, "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    if checkout is not None and _writable(checkout):
        return checkout
    return _user_data(environment) / "models"


def base_path(folder: Path, base: BaseFile) -> Path:
    """Where the base lies in the models folder; what is begun of it lies beside it."""
    return folder / "base" / base.file


def free_space(folder: Path) -> int:
    """Bytes free for this user on the disk that ``folder``, which need not exist yet, is or will be on."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def remove_files(*paths: Path) -> None:
    """Remove those that are there.

    Raises:
        ModelError: the disk's refusal.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error


def _writable(folder: Path) -> bool:
    # Trying is the only answer that holds for ACLs, read-only mounts and root alike.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _user_data(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "Bainiantie"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Bainiantie"
    # A relative path is invalid by the XDG Base Directory Specification and to be ignored.
    data = Path(environment.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else Path.home() / ".local" / "share") / "bainiantie"
