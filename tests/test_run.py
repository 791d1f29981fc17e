"""``run.py``: its command line, the Python it is started with, a start with everything done, the training's base."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.models.fetching import Fetching, write_fetching
from app.models.verify import sha256_of
from setup_steps import cli
from setup_steps.base import fetch_base
from setup_steps.installation import Installation

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (
    *("requirements.lock", "requirements-test.lock", "requirements-training.lock"),
    *("requirements-bundle.lock", "requirements-build.lock"),
)
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
        (["models", "list"], False),
        (["test"], True),
        (["training", "lora", "--recipe", "mine.yaml"], False),
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


@pytest.mark.parametrize(
    ("words", "trains", "recipe"),
    [
        (["training"], True, None),
        (["training", "check"], True, None),
        (["training", "lora", "--recipe", "mine.yaml"], True, "mine.yaml"),
        (["training", "lora", "--recipe=mine.yaml"], True, "mine.yaml"),
        (["training", "lora", "--recipe"], True, None),
        (["training", "lora", "--help"], False, None),
        (["compose"], False, None),
    ],
)
def test_every_step_of_the_training_needs_its_packages_and_help_does_not(
    words: list[str], trains: bool, recipe: str | None
) -> None:
    request = cli.parse(words)
    assert (request.trains, request.recipe) == (trains, recipe)


@pytest.mark.parametrize(("value", "is_ci"), [("1", True), ("true", True), ("0", False), ("false", False), ("", False)])
def test_ci_says_so_itself(value: str, is_ci: bool) -> None:
    assert cli.in_ci({"CI": value}) is is_ci and not cli.in_ci({})


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
    for step in ("libraries", "venv", "packages", "engine", "packages-training", "allocator"):
        installation.mark(step)
    return root


@pytest.fixture
def training(checkout: Path) -> Path:
    """The training of the checkout: a program that prints its arguments and the folder it is in."""
    folder = checkout / "training"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "__main__.py").write_text("import os, sys\nprint(*sys.argv[1:], os.path.basename(os.getcwd()))\n")
    return folder


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


def test_a_step_of_the_training_is_begun_with_its_arguments_where_the_person_is(training: Path, tmp_path: Path) -> None:
    decoy = tmp_path / "elsewhere" / "training"
    decoy.mkdir(parents=True)
    (decoy / "__main__.py").write_text("raise SystemExit('the wrong training')")
    done = start(training.parent, "training", "check", "--corpus", "mine", cwd=decoy.parent)
    assert (done.returncode, done.stderr, done.stdout.split()) == (
        0,
        b"",
        [b"check", b"--corpus", b"mine", b"elsewhere"],
    )


def test_the_training_stops_where_its_base_cannot_be_fetched(training: Path) -> None:
    done = start(training.parent, "training", "lora", "--recipe", "mine.yaml")
    assert (done.returncode, done.stdout) == (1, b"") and b"ModuleNotFoundError" in done.stderr


def test_the_programs_exit_code_is_run_pys(checkout: Path) -> None:
    assert start(checkout, "no-such-command", "--model", "x").returncode == 2


def test_a_changed_lock_a_moved_folder_and_a_gpu_option_undo_their_steps(checkout: Path, tmp_path: Path) -> None:
    def done(root: Path = checkout, gpu: str = "auto", locked: bool = True) -> bool:
        return Installation(root, gpu, locked).finished(window=True, tests=False, training=False)

    assert done() and not done(gpu="off") and not done(locked=False)
    assert not Installation(checkout, "auto", True).finished(window=False, tests=True, training=False)
    moved = checkout.rename(tmp_path / "moved")
    assert not done(moved)
    moved.rename(checkout)
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    assert not done()


def test_the_trainings_packages_depend_on_their_lock_and_on_pytorchs_version(checkout: Path) -> None:
    def done(*, training: bool = True, locked: bool = True) -> bool:
        return Installation(checkout, "auto", locked).finished(window=False, tests=False, training=training)

    assert done() and not done(locked=False)
    for name, line in (("pyproject.toml", None), ("requirements-training.lock", "# newer\n")):
        file = checkout / name
        before = file.read_text(encoding="utf-8")
        after = before + line if line else re.sub(r"torch==[\d.]+", "torch==2.99.0", before)
        file.write_text(after, encoding="utf-8")
        assert done(training=False) and not done() and after != before
        file.write_text(before, encoding="utf-8")
        assert done()


def test_only_a_person_who_trains_is_asked_for_an_allocator(checkout: Path) -> None:
    installation = Installation(checkout, "auto", True)
    for step in ("libraries-test", "packages-test"):
        installation.mark(step)
    (checkout / ".setup" / "allocator.json").unlink()
    assert installation.finished(window=False, tests=True, training=True)
    assert installation.finished(window=False, tests=False, training=True) is not sys.platform.startswith("linux")


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


# The training's base


@pytest.fixture
def trainable(tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the program and the training whose manifest names the tiny base; a recipe lies in another folder."""
    root = tmp_path / "checkout"
    skipped = shutil.ignore_patterns("__pycache__", "*.gguf", "*.part", "base", "corpus")
    for name in ("app", "training", "models"):
        shutil.copytree(ROOT / name, root / name, ignore=skipped)
    manifest = root / "models" / "manifest.yaml"
    raw = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    del raw["base"]["pieces"]
    raw["base"] |= {"size": tiny_base.stat().st_size, "sha256": sha256_of(tiny_base), "file": "tiny.gguf"}
    manifest.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    write_recipe(tmp_path / "mine", "tiny.gguf", raw["base"]["sha256"])
    monkeypatch.delenv("BAINIANTIE_MODELS", raising=False)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    monkeypatch.chdir(tmp_path)
    return root


def write_recipe(folder: Path, base: str, sha256: str) -> None:
    """A recipe whose base lies beside it."""
    folder.mkdir(exist_ok=True)
    recipe = {"name": "mine", "base": {"file": f"bases/{base}", "sha256": sha256}, "corpus": "corpus"}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")


def test_the_base_is_put_where_the_recipe_looks_for_it(trainable: Path, tiny_base: Path, tmp_path: Path) -> None:
    fetched = tmp_path / "mine" / "bases" / "tiny.gguf"
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", str(tiny_base)) == 0
    assert sha256_of(fetched) == sha256_of(tiny_base)
    # What is there is not fetched again, and what the program has need not come from elsewhere.
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", "/no/such/file") == 0
    assert fetch_base(Path(sys.executable), trainable, None, str(tiny_base)) == 0
    fetched.unlink()
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", "/no/such/file") == 0
    assert fetched.is_file()


def test_where_the_base_comes_from_is_what_was_set_unless_another_is_named(
    trainable: Path, tiny_base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetched = tmp_path / "mine" / "bases" / "tiny.gguf"
    write_fetching(trainable / "models", Fetching(source=str(tiny_base)))
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", None) == 0
    assert fetched.is_file()
    fetched.unlink()
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", "mirror") == 1
    assert "no address of one is set" in capfd.readouterr().err
    # Nothing listens there: the mirror that was set is the one that is asked.
    write_fetching(trainable / "models", Fetching(mirror="http://127.0.0.1:9", proxy="none"))
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", "mirror") == 1
    assert "127.0.0.1" in capfd.readouterr().err and not fetched.exists()


def test_a_recipe_with_another_base_fetches_none(trainable: Path, tmp_path: Path) -> None:
    for base, sha256 in (("other.gguf", "0" * 64), ("tiny.gguf", "0" * 64)):
        write_recipe(tmp_path / "mine", base, sha256)
        assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", "/no/such/file") == 0
    assert not (tmp_path / "mine" / "bases").exists()


def test_a_base_that_cannot_be_had_is_said_in_both_languages(
    trainable: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fetch_base(Path(sys.executable), trainable, "mine/recipe.yaml", str(tmp_path / "缺.gguf")) == 1
    told = capfd.readouterr().err
    assert "缺.gguf" in told and "Traceback" not in told and len(told.strip().splitlines()) >= 2
