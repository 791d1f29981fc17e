"""The steps from a fresh clone to a program with its model, each done once: environment, packages, engine, model."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.compose.sentence import Sentence
from setup_steps.engine import Recipe, install_engine
from setup_steps.gpu import choose_backend
from setup_steps.launch import follow, program_environment
from setup_steps.pip import Pip, declared, mend, split_lock
from setup_steps.stamps import Stamps, digest, file_state, read_json, write_whole
from setup_steps.system import libraries_for_window, need_libraries, need_venv
from setup_steps.terminal import SetupError, run_logged, say

DISK = 2_500_000_000  # bytes the environment, the engine's sources and its compilation take, generously

_SOUND = """
import importlib.metadata, sys
minor = int(sys.argv[1])
sys.exit(sys.version_info[:2] != (3, minor) or not importlib.metadata.distribution("pip").read_text("RECORD"))
"""
_WHERE = """
from app.models.install import find_built, models_folder
from app.models.manifest import load_manifest
found = find_built(models_folder(), load_manifest())
print(found.path if found else "")
"""


class Installation:
    """One checkout's installation: what of it is done, and doing the rest.

    Args:
        root: the checkout.
        gpu, locked: the options in force.
        retry: the GPU was asked for on the command line: a build that fell back to the CPU is tried once more.
    """

    def __init__(self, root: Path, gpu: str, locked: bool, *, retry: bool = False) -> None:
        self.root = root
        self.records = root / ".setup"
        self._venv = root / ".venv"
        scripts = self._venv / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / ("python.exe" if os.name == "nt" else "python")
        self._gpu, self._locked, self._retry = gpu, locked, retry
        # Inside the environment, so that whoever deletes that deletes them.
        self._stamps = Stamps(self._venv / "finished")
        self._places = Stamps(self.records)

    def finished(self, *, window: bool, tests: bool) -> bool:
        """Whether all steps but the model are done, by their stamps alone."""
        done = self._packages_done(tests) and self._engine_done() and self._venv_done()
        return done and (not (window or tests) or self._libraries_done(tests))

    def model_finished(self) -> bool:
        """Whether the model was built from what is here now, and is still in its place."""
        noted = self._places["model"]
        return noted.get("key") == self._model_key() and Path(noted.get("path", "")).is_file()

    def carry_out(self, lock: int, *, window: bool, tests: bool) -> None:
        """Do the steps that are not done.

        Args:
            lock: descriptor of the lock that the commands started here inherit.

        Raises:
            SetupError: a step is not possible; the finished ones stay.
        """
        system_log = self.records / "system.log"
        if (window or tests) and not self._libraries_done(tests):
            need_libraries(system_log, for_tests=tests)
            self._places.mark(self._libraries_step(tests), self._libraries_key())
        if not self._venv_done():
            self._make_room()
            need_venv(system_log)
            self._make_venv(lock)
        pip = Pip(self.python, self.records, (lock,))
        if not self._packages_done(tests):
            self._install_packages(pip, tests)
        if not self._engine_done():
            self._install_engine(pip)

    def build_model(self, source: str | None) -> int:
        """Fetch the base and build the model with the program's own command; returns its exit code."""
        command = [str(self.python), "-P", "-m", "app", "install", *(["--source", source] if source else [])]
        # Its progress goes to stderr, like all of this; stdout is the program's.
        code = follow(subprocess.Popen(command, env=program_environment(self.root), stdout=sys.stderr.fileno()))
        if code == 0:
            where = [str(self.python), "-P", "-c", _WHERE]
            environment = program_environment(self.root) | {"PYTHONIOENCODING": "utf-8"}
            output = subprocess.run(where, env=environment, capture_output=True, check=True).stdout
            self._places.mark("model", self._model_key(), path=output.decode("utf-8").strip())
        return code

    # One pair for each step: whether its stamp holds, and doing it.

    def _venv_key(self) -> str:
        return digest(sys.version_info[:2], str(self.root))

    def _venv_done(self) -> bool:
        return self._stamps.holds("venv", self._venv_key()) and self.python.exists()

    def _make_venv(self, lock: int) -> None:
        if not self._venv_is_sound():
            base = getattr(sys, "_base_executable", sys.executable)
            run_logged(
                [base, "-m", "venv", "--clear", str(self._venv)],
                self.records / "venv.log",
                Sentence("创建 Python 环境 .venv", "Creating the Python environment .venv"),
                inherited=(lock,),
            )
        self._stamps.mark("venv", self._venv_key())

    def _venv_is_sound(self) -> bool:
        """Whether there is an environment of this Python with a whole pip, made by us or by hand."""
        probe = [str(self.python), "-I", "-c", _SOUND, str(sys.version_info.minor)]
        try:
            return subprocess.run(probe, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _make_room(self) -> None:
        free = shutil.disk_usage(self.root).free
        if free < DISK:
            gigabytes, needed = f"{free / 1e9:.1f}", f"{DISK / 1e9:.1f}"
            raise SetupError(
                Sentence(
                    f"磁盘空间不够：安装约需 {needed} GB，{self.root} 所在的磁盘只剩 {gigabytes} GB。请腾出空间再来。",
                    f"Not enough disk space: installing takes about {needed} GB, and the disk of {self.root} has only "
                    f"{gigabytes} GB left. Make room and run again.",
                )
            )

    def _lock_file(self, tests: bool) -> Path:
        return self.root / ("requirements-test.lock" if tests else "requirements.lock")

    def _packages_key(self, tests: bool) -> str:
        wanted = self._lock_file(tests) if self._locked else self.root / "pyproject.toml"
        return digest(self._locked, wanted.read_bytes())

    def _packages_step(self, tests: bool) -> str:
        return "packages-test" if tests else "packages"

    def _packages_done(self, tests: bool) -> bool:
        return self._stamps.holds(self._packages_step(tests), self._packages_key(tests))

    def _install_packages(self, pip: Pip, tests: bool) -> None:
        step = self._packages_step(tests)
        self._stamps.clear(step)
        library = self._venv / ("Lib" if os.name == "nt" else f"lib/python3.{sys.version_info.minor}")
        mend(library / "site-packages")
        if self._locked:
            rest, _, _ = split_lock(self._lock_file(tests))
            listed = self.records / f"{step}.txt"
            write_whole(listed, rest)
            arguments = ["--require-hashes", "-r", str(listed)]
        else:
            requirements, _ = declared(self.root / "pyproject.toml", "test" if tests else None)
            arguments = ["--upgrade", *requirements]
        label = Sentence("安装 Python 包（Qt 等）", "Installing Python packages (Qt and others)")
        pip.run(["install", *arguments], step, label)
        self._stamps.mark(step, self._packages_key(tests))
        if tests:  # The tests' packages are the program's and more.
            self._stamps.mark(self._packages_step(False), self._packages_key(False))

    def _engine_key(self) -> str:
        return digest(self._packages_key(False), self._gpu)

    def _engine_done(self) -> bool:
        if self._retry and self._stamps["engine"].get("fell_back"):
            return False
        return self._stamps.holds("engine", self._engine_key())

    def _install_engine(self, pip: Pip) -> None:
        self._stamps.clear("engine")
        if self._locked:
            _, pinned, version = split_lock(self._lock_file(False))
            listed = self.records / "engine.txt"
            write_whole(listed, pinned)
            tools = ("--require-hashes", "-r", str(self.root / "requirements-build.lock"))
            recipe = Recipe(("--require-hashes", "-r", str(listed)), version, tools)
        else:
            _, requirement = declared(self.root / "pyproject.toml")
            recipe = Recipe((requirement,), None, ("-r", str(self.root / "requirements-build.in")))
        backend = choose_backend(self._gpu)
        installed = install_engine(pip, backend, recipe)
        self._stamps.mark("engine", self._engine_key(), backend=installed, fell_back=installed != backend)

    def _libraries_step(self, tests: bool) -> str:
        return "libraries-test" if tests else "libraries"

    def _libraries_key(self) -> str:
        return digest(sorted(libraries_for_window()))

    def _libraries_done(self, tests: bool) -> bool:
        return not sys.platform.startswith("linux") or self._places.holds(
            self._libraries_step(tests), self._libraries_key()
        )

    def _model_key(self) -> str:
        models = self.root / "models"
        made_of = [models / "manifest.yaml", models / "vocabulary.txt", *sorted((models / "adapter").glob("*"))]
        return digest(os.environ.get("BAINIANTIE_MODELS", ""), [file_state(path) for path in made_of])


class Choices:
    """The options chosen last, kept so that a start without options changes nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def with_options(self, gpu: str | None, locked: bool | None) -> tuple[str, bool]:
        """What holds now: an option where one was given, else what was chosen last, else ``auto`` and locked."""
        kept = read_json(self._file)
        kept_gpu, kept_locked = str(kept.get("gpu", "auto")), bool(kept.get("locked", True))
        return (kept_gpu if gpu is None else gpu, kept_locked if locked is None else locked)

    def keep(self, gpu: str, locked: bool) -> None:
        """Remember them."""
        write_whole(self._file, f'{{"gpu": "{gpu}", "locked": {str(locked).lower()}}}')


def say_stopped() -> None:
    """What is said after Ctrl+C."""
    say(
        Sentence(
            "\n已停下。做完的都留着，再运行一次会接着来。",
            "Stopped. What is finished stays; run it again to go on from here.",
        )
    )
