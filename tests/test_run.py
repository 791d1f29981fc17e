"""``run.py``: its command line, the Python it is started with, and a start with everything done."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from setup_steps import cli
from setup_steps.installation import Installation

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-build.lock")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux")


# The command line


def test_options_come_before_the_command_and_the_rest_is_the_commands() -> None:
    request = cli.parse(["--gpu", "cuda", "--no-locked", "compose", "--relationship", "boss", "--gpu", "x", "--json"])
    assert (request.gpu, request.locked, request.command) == ("cuda", False, "compose")
    assert request.arguments == ("--relationship", "boss", "--gpu", "x", "--json")


def test_no_command_is_the_window_and_its_options_follow_two_dashes() -> None:
    assert cli.parse([]).command is None
    request = cli.parse(["--source", "hub", "--", "--theme", "dark"])
    assert (request.source, request.command, request.arguments) == ("hub", None, ("--theme", "dark"))


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ([], True),
        (["compose", "--relationship", "boss"], True),
        (["compose", "--help"], False),
        (["compose", "--model=my.gguf"], False),
        (["install", "--source", "hub"], False),
        (["test"], True),
    ],
)
def test_the_model_is_built_only_where_it_is_needed(words: list[str], needs: bool) -> None:
    assert cli.parse(words).needs_model is needs


def test_only_the_window_and_the_benchmark_open_a_window() -> None:
    assert [cli.parse(words).opens_window for words in ([], ["bench"], ["bench", "--no-window"], ["compose"])] == [
        True,
        True,
        False,
        False,
    ]


def test_help_is_printed_in_any_encoding() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, ROOT / "run.py", "--help"], env=environment, capture_output=True, check=True)
    assert b"open the window" in done.stdout and not done.stderr


# The Python it is started with


def test_run_py_can_be_read_by_old_pythons() -> None:
    source = (ROOT / "run.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 3))
    assert not any(isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr) for node in ast.walk(tree))
    assert source.startswith("# -*- coding: utf-8 -*-")  # Python 2 reads no Chinese without it.


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13), (3, 14, 0)])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_another_python_is_told_which_ones_will_do(version: tuple[int, ...], encoding: str) -> None:
    start = f"import runpy, sys; sys.version_info = {version}; runpy.run_path({str(ROOT / 'run.py')!r})"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", start], env=environment, capture_output=True, check=False)
    text = done.stderr.decode(encoding)
    number = ".".join(map(str, version))
    assert done.returncode == 2
    assert f"this is Python {number}. Install one of them" in text
    assert (f"现在用的是 Python {number}。" in text) is (encoding == "utf-8")


@linux
def test_without_a_desktop_the_window_is_refused_with_another_way() -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PYTHONIOENCODING"] = "utf-8"
    done = subprocess.run([sys.executable, ROOT / "run.py"], env=environment, capture_output=True, check=False)
    text = done.stderr.decode()
    assert done.returncode == 1
    assert "这里没有图形桌面" in text and "no desktop here" in text and "run.py compose" in text
    assert "Traceback" not in text and not done.stdout


# A start with everything done


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the program whose steps are all marked as done, with an environment that has no pip."""
    root = tmp_path / "拜年 帖"
    skipped = shutil.ignore_patterns("__pycache__", "*.gguf", "*.part", "base", "adapter")
    for name in ("app", "setup_steps", "models"):
        shutil.copytree(ROOT / name, root / name, ignore=skipped)
    for name in ("run.py", "pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, root / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    installation = Installation(root, "auto", True)
    for step in ("libraries", "venv", "packages", "engine"):
        installation.mark(step)
    return root


def start(root: Path, *words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run the checkout's ``run.py``."""
    command = [sys.executable, str(root / "run.py"), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=60, check=False)


def test_with_every_step_done_the_program_starts_at_once_from_anywhere(checkout: Path, tmp_path: Path) -> None:
    decoy = tmp_path / "elsewhere" / "app"
    decoy.mkdir(parents=True)
    (decoy / "__main__.py").write_text("raise SystemExit('the wrong app')")
    done = start(checkout, "--", "--version", cwd=decoy.parent)
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"\d+\.\d+\.\d+\s*", done.stdout)


def test_the_programs_exit_code_is_run_pys(checkout: Path) -> None:
    assert start(checkout, "no-such-command", "--model", "x").returncode == 2


def test_a_changed_lock_a_moved_folder_and_a_gpu_option_undo_their_steps(checkout: Path, tmp_path: Path) -> None:
    def done(root: Path = checkout, gpu: str = "auto", locked: bool = True) -> bool:
        return Installation(root, gpu, locked).finished(window=True, tests=False)

    assert done() and not done(gpu="off") and not done(locked=False)
    assert not Installation(checkout, "auto", True).finished(window=False, tests=True)
    moved = checkout.rename(tmp_path / "moved")
    assert not done(moved)
    moved.rename(checkout)
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    assert not done()


def test_a_build_that_fell_back_is_tried_again_only_when_asked_for(checkout: Path) -> None:
    Installation(checkout, "cuda", True).mark("engine", backend="cpu", fell_back=True)
    assert Installation(checkout, "cuda", True).is_done("engine")
    assert not Installation(checkout, "cuda", True, retry=True).is_done("engine")


def test_a_model_that_is_gone_or_made_of_something_else_is_built_again(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Installation(checkout, "auto", True)
    built = tmp_path / "built.gguf"
    assert not installation.is_done("model")
    built.touch()
    installation.mark("model", path=str(built))
    assert installation.is_done("model")
    os.utime(checkout / "models" / "manifest.yaml", ns=(1, 1))
    assert not installation.is_done("model")
    installation.mark("model", path=str(built))
    monkeypatch.setenv("BAINIANTIE_MODELS", str(tmp_path))
    assert not installation.is_done("model")
    monkeypatch.delenv("BAINIANTIE_MODELS")
    assert installation.is_done("model")
    built.unlink()
    assert not installation.is_done("model")
