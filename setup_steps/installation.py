"""The steps from a fresh clone to a program with its model, each done once: environment, packages, engine, model; and
what the tests and the training need besides.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.compose.sentence import Sentence
from setup_steps.engine import Recipe, compiler_flags, install_engine, is_kept
from setup_steps.gpu import choose_backend
from setup_steps.launch import follow, program_environment
from setup_steps.pip import Pip, declared, mend, pinned_torch, split_lock
from setup_steps.stamps import Stamps, digest, file_state, read_json, write_whole
from setup_steps.system import (
    Lack,
    lacking_allocator,
    lacking_compiler,
    lacking_libraries,
    lacking_venv,
    libraries_for_window,
    offer,
    provide,
)
from setup_steps.terminal import SetupError, run_logged, say

DISK = 2_500_000_000  # bytes the environment, the engine's sources and its compilation take, generously
DISK_TRAINING = 2_000_000_000  # bytes the training's packages take besides, at least: with PyTorch for the CPU alone

# Steps whose results are not in the environment.
_OUTSIDE = ("libraries", "libraries-test", "libraries-bundle", "allocator", "model")

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

    The steps are ``libraries`` (of the system, for the window), ``venv``, ``packages``, ``engine`` and ``model``. For
    the tests there are ``libraries-test`` and ``packages-test``, which hold more, and likewise for a bundle; for the
    training, besides all that, ``packages-training`` and ``allocator``, which a machine may lack.

    Args:
        root: the checkout.
        gpu, locked: the options in force.
        retry: the GPU was asked for on the command line: a build that fell back to the CPU is tried once more.
        venv: the environment, when it is not the checkout's own.
    """

    def __init__(self, root: Path, gpu: str, locked: bool, *, retry: bool = False, venv: Path | None = None) -> None:
        self.root = root
        self.records = root / ".setup"
        self._venv = venv or root / ".venv"
        scripts = self._venv / ("Scripts" if os.name == "nt" else "bin")
        self.python = scripts / ("python.exe" if os.name == "nt" else "python")
        self._gpu, self._locked, self._retry = gpu, locked, retry

    def key_of(self, step: str) -> str:
        """What the step's result depends on; when it changes, the step is done again."""
        models = self.root / "models"
        match step:
            case "libraries" | "libraries-test":
                return digest(sorted(libraries_for_window()))
            case "venv":
                return digest(sys.version_info[:2], str(self.root))
            case "allocator" | "libraries-bundle":
                return digest(step)
            case "packages" | "packages-test" | "packages-bundle":
                wanted = self._lock_file(step) if self._locked else self._pyproject
                return digest(self._locked, wanted.read_bytes())
            case "packages-training":
                wanted = self._lock_file(step) if self._locked else self._pyproject
                return digest(self._locked, wanted.read_bytes(), pinned_torch(self._pyproject))
            case "engine":
                return digest(self.key_of("packages"), self._gpu, *filter(None, [compiler_flags()]))
            case "model":
                made_of = [models / "manifest.yaml", models / "vocabulary.txt", *sorted((models / "adapter").glob("*"))]
                return digest(os.environ.get("BAINIANTIE_MODELS", ""), [file_state(path) for path in made_of])
        raise ValueError(step)

    def is_done(self, step: str) -> bool:
        """Whether the step was finished and what it depends on is still the same; no more than stamps are looked at."""
        noted = self._stamps(step)[step]
        if noted.get("key") != self.key_of(step):
            return False
        match step:
            case "venv":
                return self.python.exists()
            case "engine":
                return not (self._retry and noted.get("fell_back"))
            case "model":
                return Path(noted.get("path", "")).is_file()
        return True

    def mark(self, step: str, **notes: str | bool) -> None:
        """Note that the step is finished."""
        self._stamps(step).mark(step, self.key_of(step), **notes)

    @property
    def model(self) -> Path:
        """The built model, once that step is done."""
        return Path(self._stamps("model")["model"]["path"])

    def finished(self, *, window: bool, tests: bool, training: bool) -> bool:
        """Whether all steps but the model are done."""
        return all(map(self.is_done, self._steps(window, tests, training)))

    def carry_out(self, lock: int, *, window: bool, tests: bool, training: bool, bundle: bool = False) -> None:
        """Do the steps that are not done, all but the model.

        Args:
            lock: descriptor of the lock that the commands started here inherit.
            window, tests, training, bundle: what it is to be good for.

        Raises:
            SetupError: a step is not possible; the finished ones stay.
        """
        pip = Pip(self.python, self.records, (lock,))
        steps = self._steps(window, tests, training, bundle)
        todo = [step for step in steps if not self.is_done(step)]
        provide(lambda: self._lacking(todo), self.records / "system.log")
        for step in steps:
            if self.is_done(step):  # A new environment has undone the later ones.
                continue
            self._stamps(step).clear(step)
            match step:
                case "libraries" | "libraries-test" | "libraries-bundle":
                    self.mark(step)
                case "venv":
                    self._make_venv(lock)
                    self.mark(step)
                case "packages" | "packages-test" | "packages-bundle":
                    self._install_packages(pip, step)
                    self.mark("packages")  # The tests' and the bundle's packages are the program's and more.
                    self.mark(step)
                case "engine":
                    backend = choose_backend(self._gpu)
                    installed = install_engine(pip, backend, self._engine_recipe())
                    self.mark(step, backend=installed, fell_back=installed != backend)
                case "packages-training":
                    self._install_training(pip, step)
                    self.mark(step)
                case "allocator":
                    offer(lacking_allocator, self.records / "system.log")
                    self.mark(step)

    def build_model(self, source: str | None) -> int:
        """Fetch the base and build the model with the program's own command; returns its exit code."""
        command = [str(self.python), "-P", "-m", "app", "install", *(["--source", source] if source else [])]
        # Its progress goes to stderr, like all of this; stdout is the program's.
        code = follow(subprocess.Popen(command, env=program_environment(self.root), stdout=sys.stderr.fileno()))
        if code == 0:
            where = [str(self.python), "-P", "-c", _WHERE]
            environment = program_environment(self.root) | {"PYTHONIOENCODING": "utf-8"}
            output = subprocess.run(where, env=environment, capture_output=True, check=True).stdout
            self.mark("model", path=output.decode("utf-8").strip())
        return code

    def _lacking(self, todo: list[str]) -> list[Lack]:
        """What the system has to bring for these steps, all of it, so that it is asked for once."""
        lacks = []
        if "libraries" in todo or "libraries-test" in todo:
            lacks += lacking_libraries(for_tests="libraries-test" in todo)
        if "libraries-bundle" in todo:
            lacks += lacking_libraries(for_tests=False, environment={"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"})
        if "venv" in todo and not self._venv_is_sound():
            lacks += lacking_venv()
        if ("engine" in todo or "venv" in todo) and not is_kept(choose_backend(self._gpu), self._engine_recipe()):
            lacks += lacking_compiler()
        return lacks

    def _steps(self, window: bool, tests: bool, training: bool, bundle: bool = False) -> list[str]:
        more_than = "-test" if tests else "-bundle" if bundle else ""
        linux = sys.platform.startswith("linux")
        libraries = [f"libraries{more_than}"] if linux and (window or more_than) else []
        steps = [*libraries, "venv", f"packages{more_than}", "engine"]
        # What the tests train is too small for an allocator to matter.
        more = ["packages-training", *(["allocator"] if linux and not tests else [])]
        return [*steps, *(more if training else [])]

    def _stamps(self, step: str) -> Stamps:
        # An environment's stamps lie in it, so that whoever deletes it deletes them.
        return Stamps(self.records if step in _OUTSIDE else self._venv / "finished")

    def _lock_file(self, step: str) -> Path:
        return self.root / f"{step.replace('packages', 'requirements')}.lock"

    @property
    def _pyproject(self) -> Path:
        return self.root / "pyproject.toml"

    def _make_venv(self, lock: int) -> None:
        if self._venv_is_sound():
            return
        self._make_room(DISK)
        base = getattr(sys, "_base_executable", sys.executable)
        run_logged(
            [base, "-m", "venv", "--clear", str(self._venv)],
            self.records / "venv.log",
            Sentence("创建 Python 环境 .venv", "Creating the Python environment .venv"),
            inherited=(lock,),
        )

    def _venv_is_sound(self) -> bool:
        """Whether there is an environment of this Python with a whole pip, made by us or by hand."""
        probe = [str(self.python), "-I", "-c", _SOUND, str(sys.version_info.minor)]
        try:
            return subprocess.run(probe, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _make_room(self, disk: int) -> None:
        free = shutil.disk_usage(self.root).free
        if free < disk:
            gigabytes, needed = f"{free / 1e9:.1f}", f"{disk / 1e9:.1f}"
            raise SetupError(
                Sentence(
                    f"磁盘空间不够：安装约需 {needed} GB，{self.root} 所在的磁盘只剩 {gigabytes} GB。请腾出空间再来。",
                    f"Not enough disk space: installing takes about {needed} GB, and the disk of {self.root} has only "
                    f"{gigabytes} GB left. Make room and run again.",
                )
            )

    def _install_packages(self, pip: Pip, step: str) -> None:
        self._mend()
        if self._locked:
            arguments = ["--require-hashes", "-r", self._listed(step)]
        else:
            requirements, _ = declared(self._pyproject, step.partition("-")[2] or None)
            arguments = ["--upgrade", *requirements]
        label = Sentence("安装 Python 包（Qt 等）", "Installing Python packages (Qt and others)")
        pip.run(["install", *arguments], step, label)

    def _install_training(self, pip: Pip, step: str) -> None:
        self._mend()
        self._make_room(DISK_TRAINING)
        packages = Sentence("安装训练用的 Python 包", "Installing the training's Python packages")
        torch = Sentence("安装 PyTorch（CUDA 版有几 GB）", "Installing PyTorch (with CUDA several GB)")
        if self._locked:
            # The lock has all that PyTorch asks for but CUDA, and pip must not miss PyTorch in it: hence --no-deps.
            pip.run(["install", "--no-deps", "--require-hashes", "-r", self._listed(step)], step, packages)
            pip.run(["install", pinned_torch(self._pyproject)], "torch", torch)
        else:
            pip.run(["install", "--upgrade", *declared(self._pyproject, "training")[0]], step, packages)

    def _mend(self) -> None:
        library = self._venv / ("Lib" if os.name == "nt" else f"lib/python3.{sys.version_info.minor}")
        mend(library / "site-packages")

    def _listed(self, step: str) -> str:
        """The step's lock file without the engine, as a file of its own for pip."""
        rest, _, _ = split_lock(self._lock_file(step))
        listed = self.records / f"{step}.txt"
        write_whole(listed, rest)
        return str(listed)

    def _engine_recipe(self) -> Recipe:
        if not self._locked:
            _, requirement = declared(self._pyproject)
            return Recipe((requirement,), None, ("-r", str(self.root / "requirements-build.in")))
        _, pinned, version = split_lock(self.root / "requirements.lock")
        listed = self.records / "engine.txt"
        write_whole(listed, pinned)
        tools = ("--require-hashes", "-r", str(self.root / "requirements-build.lock"))
        return Recipe(("--require-hashes", "-r", str(listed)), version, tools)


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
