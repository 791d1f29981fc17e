"""pip in the program's own environment, with its output in a log; and the lock files it is given."""

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import Sentence
from setup_steps.terminal import SetupError, last_line, run_logged

ENGINE = "llama-cpp-python"
_TORCH = "torch=="
_PINNED_ENGINE = re.compile(rf"^{ENGINE}==(?P<version>[^\s;\\]+)[^\n]*\\\n(?:\s+--hash=[^\n]*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Pip:
    """The pip of one environment.

    Args:
        python: the environment's interpreter.
        logs: folder for what pip prints.
        inherited: descriptors every command keeps open (the installation's lock).
    """

    python: Path
    logs: Path
    inherited: tuple[int, ...] = ()

    def run(
        self,
        arguments: Sequence[str],
        step: str,
        label: Sentence,
        environment: Mapping[str, str] | None = None,
        detail: Callable[[str], str] = last_line,
    ) -> None:
        """Run pip; ``step`` names the log.

        Raises:
            CommandFailed: pip did not succeed.
        """
        run_logged(
            [str(self.python), "-m", "pip", *arguments],
            self.logs / f"{step}.log",
            label,
            environment=pip_environment() if environment is None else environment,
            detail=detail,
            inherited=self.inherited,
        )


def pip_environment() -> dict[str, str]:
    """This environment, less what would keep pip from installing into the program's own environment."""
    dropped = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "__PYVENV_LAUNCHER__"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    return environment | {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def split_lock(lock: Path) -> tuple[str, str, str]:
    """A lock file's text without the engine, the engine's part of it, and the engine's version.

    Raises:
        SetupError: the file does not name the engine.
    """
    text = lock.read_text(encoding="utf-8")
    found = _PINNED_ENGINE.search(text)
    if found is None:
        raise SetupError(
            Sentence(
                f"{lock.name} 里没有 {ENGINE}，文件可能不完整。请用 git 恢复它，或加 --no-locked 再运行。",
                f"{lock.name} does not name {ENGINE} and may be damaged. Restore it with git, or add --no-locked.",
            )
        )
    return text.replace(found.group(0), ""), found.group(0), found.group("version")


def declared(pyproject: Path, extra: str | None = None) -> tuple[list[str], str]:
    """What ``pyproject.toml`` asks for, and an extra's part, without the engine; and the engine's requirement."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(project["optional-dependencies"][extra] if extra else [])]
    engine = [requirement for requirement in wanted if requirement.startswith(ENGINE)]
    return [requirement for requirement in wanted if requirement not in engine], engine[0]


def pinned_torch(pyproject: Path) -> str:
    """PyTorch in pip's words: one version, whose build (CPU, CUDA) is pip's choice, so that no hash can name it."""
    requirements, _ = declared(pyproject, "training")
    return next(requirement for requirement in requirements if requirement.startswith(_TORCH))


def mend(site_packages: Path) -> None:
    """Remove what a killed pip leaves behind and later takes for installed.

    pip writes a package's ``RECORD`` last: a ``.dist-info`` without one belongs to a package installed by half. A name
    that begins with ``~`` is an old version pip had put aside.
    """
    for info in site_packages.glob("*.dist-info"):
        if not (info / "RECORD").exists():
            shutil.rmtree(info)
    for aside in site_packages.glob("~*"):
        if aside.is_dir():
            shutil.rmtree(aside)
        else:
            aside.unlink()
