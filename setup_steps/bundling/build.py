"""Builds the bundle: its environment, PyInstaller, a look whether it starts, and what people download."""

import hashlib
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from app import __version__
from app.compose.sentence import Sentence
from setup_steps.bundling import linux, macos, windows
from setup_steps.bundling.bundle import NAME, Bundle
from setup_steps.gpu import PORTABLE
from setup_steps.installation import Installation
from setup_steps.pip import pip_environment
from setup_steps.terminal import SetupError, run_logged, say


def make_bundle(root: Path, lock: int, model: Path | None) -> None:
    """Build the bundle of this system into ``dist/``, and print how large everything is.

    Args:
        root: the checkout.
        lock: descriptor of the lock that the commands started here inherit.
        model: the built model that goes inside; None for the bundle that fetches it.

    Raises:
        SetupError: a step is not possible, or the bundle does not start.
    """
    _need_shared_python()
    home = root / "build" / "bundle"
    installation = Installation(root, PORTABLE, True, venv=home / "venv")
    installation.carry_out(lock, window=True, tests=False, training=False, bundle=True)
    built = _freeze(root, home, installation.python, lock)
    flavour = "-with-model" if model else ""
    dist = root / "dist"
    dist.mkdir(exist_ok=True)
    folder = dist / built.name
    if folder.exists():
        shutil.rmtree(folder)
    built.rename(folder)
    contents = folder / "Contents" / "Frameworks" if sys.platform == "darwin" else folder / "_internal"
    label = f"{__version__}-{_system()}-{platform.machine().lower()}{flavour}"
    bundle = Bundle(folder, contents, label, model is not None, root / "bundle")
    _add_python_licence(bundle)
    if model is not None:
        _add_model(bundle, model)
    maker = {"win32": windows, "darwin": macos}.get(sys.platform, linux)
    maker.finish(bundle)
    _see_that_it_starts(bundle)
    downloads = maker.pack(bundle, dist)
    _tell(bundle, downloads)


def _need_shared_python() -> None:
    """PyInstaller takes Python's library along, so there has to be one."""
    if (
        sys.platform == "win32"
        or sysconfig.get_config_var("Py_ENABLE_SHARED")
        or sysconfig.get_config_var("PYTHONFRAMEWORK")
    ):
        return
    raise SetupError(
        Sentence(
            f"这个 Python（{sys.executable}）是静态编译的，打不了包。请换一个带动态库的 Python 运行，例如系统自带的；"
            "用 pyenv 装的，要加 PYTHON_CONFIGURE_OPTS=--enable-shared 重装。",
            f"This Python ({sys.executable}) has no shared library, which a bundle takes along. Run with another, such "
            "as the system's own; with pyenv, install it anew with PYTHON_CONFIGURE_OPTS=--enable-shared.",
        )
    )


def _freeze(root: Path, home: Path, python: Path, lock: int) -> Path:
    """Run PyInstaller; what it made."""
    made = home / "made"
    shutil.rmtree(made, ignore_errors=True)
    command = [str(python), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    command += ["--distpath", str(made), "--workpath", str(home / "work"), str(root / "bundle" / f"{NAME}.spec")]
    run_logged(
        command,
        root / ".setup" / "pyinstaller.log",
        Sentence("收集程序、Qt 和各个库", "Collecting the program, Qt and the libraries"),
        # Its cache of analysed files beside the rest, and a hash seed, without which the archive differs each time.
        environment=pip_environment() | {"PYINSTALLER_CONFIG_DIR": str(home / "cache"), "PYTHONHASHSEED": "1"},
        inherited=(lock,),
    )
    return made / ("拜年帖.app" if sys.platform == "darwin" else NAME)


def _add_python_licence(bundle: Bundle) -> None:
    """Python's own licence; where it lies depends on who packed it."""
    library = Path(sysconfig.get_path("stdlib"))
    for licence in (library / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt"):
        if licence.is_file():
            folder = bundle.contents / "resources" / "licences"
            shutil.copyfile(licence, folder / f"Python {platform.python_version()}.txt")
            return


def _add_model(bundle: Bundle, model: Path) -> None:
    """The model and the record of what it was built from, without which it would not be taken for ours."""
    for path in (model, model.with_name(model.name + ".json")):
        shutil.copyfile(path, bundle.contents / "models" / path.name)


def _see_that_it_starts(bundle: Bundle) -> None:
    name = {"win32": f"{NAME}-console.exe", "darwin": f"Contents/MacOS/{NAME}"}.get(sys.platform, NAME)
    done = subprocess.run(
        [str(bundle.folder / name), "--version"], capture_output=True, text=True, check=False, cwd=bundle.folder.parent
    )
    if done.returncode != 0 or done.stdout.strip() != __version__:
        raise SetupError(
            Sentence("做好的包启动不了。", "The bundle that was built does not start."),
            f"exit code {done.returncode}\n{done.stdout}{done.stderr[-4000:]}",
        )


def _system() -> str:
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files in a folder; links are not counted."""
    files = [place, *place.rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())


def _tell(bundle: Bundle, downloads: list[Path]) -> None:
    """Print what was made, how large it is, and hashes; the sums also lie beside the downloads."""
    parts = {part.name: size_of(part) for part in bundle.contents.iterdir()}
    say(Sentence(f"做好了：{bundle.folder}", f"The bundle is in {bundle.folder}"))
    print(f"{_megabytes(size_of(bundle.folder))}  {bundle.folder.name}/")
    for name, size in sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:8]:
        print(f"{_megabytes(size)}    {name}")
    sums = []
    for path in downloads:
        with path.open("rb") as file:
            sums.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
        print(f"{_megabytes(path.stat().st_size)}  {path.name}")
    if downloads:
        (downloads[0].parent / f"SHA256SUMS-{bundle.label}.txt").write_text("".join(sums), encoding="utf-8")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:8.1f} MB"
