"""The steps of ``run.py``: what is shown, what is stamped and locked, what is interrupted, how llama.cpp is built."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from setup_steps import engine, gpu, launch, system, terminal
from setup_steps.installation import Choices
from setup_steps.pip import declared, mend, pinned_torch, pip_environment, split_lock
from setup_steps.stamps import Stamps, alone, digest, file_state
from setup_steps.terminal import Activity, CommandFailed, SetupError, fitted, lines, run_logged
from tests.conftest import TRAINING_PACKAGES

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (
    *("requirements.lock", "requirements-test.lock", "requirements-training.lock"),
    *("requirements-bundle.lock", "requirements-build.lock"),
)
LABEL = Sentence("一步", "a step")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux")


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition; fails when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process is running (a dead one nobody has waited for is not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# What is shown


def test_chinese_comes_first_and_is_left_out_where_it_cannot_be_written() -> None:
    assert lines(LABEL, io.TextIOWrapper(io.BytesIO(), "utf-8")) == ["一步", "a step"]
    assert lines(LABEL, io.TextIOWrapper(io.BytesIO(), "cp1252")) == ["a step"]


def test_a_line_is_cut_by_columns() -> None:
    assert fitted("安装 pip", 6) == "安装 p"
    assert fitted("安装", 3) == "安"


def test_a_step_without_a_terminal_is_two_lines() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with Activity(LABEL, stream) as activity:
        activity.tick("12/140")
    stream.seek(0)
    assert re.fullmatch(r"▸ 一步 · a step\n✓ 一步 · a step  0:0\d\n", stream.read())


def test_the_progress_of_a_compilation_is_ninjas_count() -> None:
    log = "  *** Building project with Ninja...\n  [1/140] cc -c a.c\n  [57/140] c++ -c b.cpp\n  b.cpp: note: [1/2]\n"
    assert terminal.compiled(log) == "57/140"
    assert terminal.compiled("Preparing metadata\n\n") == "Preparing metadata"


def test_a_failed_command_names_its_log_and_shows_its_end(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "step.log"
    script = "print('begin', *range(30), sep='\\n'); print('没有网络'); raise SystemExit(3)"
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    with pytest.raises(CommandFailed) as failure:
        run_logged([sys.executable, "-c", script], log, LABEL, environment=environment)
    assert str(log) in failure.value.sentence.zh and "3" in failure.value.sentence.en
    assert failure.value.detail.splitlines()[-1] == "没有网络" and "begin" not in failure.value.detail


@linux
def test_an_interrupted_step_ends_with_all_it_started(tmp_path: Path) -> None:
    """Ctrl+C reaches the compiler that pip's build started, not only pip; and one that will not listen is ended."""
    pids = tmp_path / "pids"
    deaf = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids)!r} + '.part', 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(pids)!r} + '.part', {str(pids)!r})\n"
        "time.sleep(600)\n"
    )
    step = (
        "import signal, sys\nfrom pathlib import Path\n"
        "from app.compose.sentence import Sentence\nfrom setup_steps import terminal\n"
        # A shell has those that it starts in the background ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"log = Path({str(tmp_path / 'log')!r})\n"
        f"terminal.run_logged([sys.executable, '-c', {deaf!r}], log, Sentence('一', 'one'))\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", step], cwd=ROOT, stderr=subprocess.PIPE)
    wait_until(pids.exists)
    started = [int(pid) for pid in pids.read_text().split()]
    assert all(map(alive, started))
    runner.send_signal(signal.SIGINT)
    _, errors = runner.communicate(timeout=30)
    assert b"KeyboardInterrupt" in errors
    wait_until(lambda: not any(map(alive, started)))


# What is done


def test_a_choice_holds_until_another_is_made(tmp_path: Path) -> None:
    choices = Choices(tmp_path / "choices.json")
    assert choices.with_options(None, None) == ("auto", True)
    choices.keep("vulkan", False)
    assert choices.with_options(None, None) == ("vulkan", False)
    assert choices.with_options("off", True) == ("off", True)


def test_a_stamp_is_there_until_cleared_or_damaged(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    assert stamps["engine"] == {}
    stamps.mark("engine", "a", backend="cpu", fell_back=False)
    assert stamps["engine"] == {"key": "a", "backend": "cpu", "fell_back": False}
    (tmp_path / "stamps" / "engine.json").write_bytes(b'{"key": "a"')
    assert stamps["engine"] == {}
    stamps.mark("engine", "a")
    stamps.clear("engine")
    assert stamps["engine"] == {}


def test_keys_tell_apart_what_differs(tmp_path: Path) -> None:
    assert digest("ab", "c") != digest("a", "bc") and digest(b"x") != digest("x") and digest(1, True) == digest(1, True)
    file = tmp_path / "adapter"
    absent = file_state(file)
    file.write_bytes(b"1")
    first = file_state(file)
    os.utime(file, ns=(1, 1))
    assert len({absent, first, file_state(file)}) == 3


@posix
def test_a_second_installation_waits_even_for_an_orphan_of_the_first(tmp_path: Path) -> None:
    """What pip was doing when run.py was killed goes on; nobody else writes into the environment meanwhile."""
    lock = tmp_path / "lock"
    with alone(lock) as descriptor:
        orphan = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
    second = "from pathlib import Path; from setup_steps.stamps import alone\n"
    second += f"with alone(Path({str(lock)!r})): print('in', flush=True)"
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    pipe = subprocess.PIPE
    waiting = subprocess.Popen([sys.executable, "-c", second], cwd=ROOT, env=environment, stdout=pipe, stderr=pipe)
    assert waiting.stderr is not None
    assert "另一次安装还在进行" in waiting.stderr.readline().decode()
    assert waiting.poll() is None
    orphan.communicate(b"\n", timeout=20)
    output, _ = waiting.communicate(timeout=20)
    assert output.strip() == b"in"


def test_a_package_installed_by_half_is_removed(tmp_path: Path) -> None:
    for name in ("whole-1.0.dist-info", "half-1.0.dist-info", "~umpy", "numpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "METADATA").touch()
    (tmp_path / "whole-1.0.dist-info" / "RECORD").touch()
    mend(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["numpy", "whole-1.0.dist-info"]


# The lock files


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_fixes_every_package_with_hashes_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text and not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)
    packages = re.findall(r"^[a-z0-9].*(?:\n[ #].*)*", text, re.MULTILINE)
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9.-]+==[0-9]", package) and "--hash=sha256:" in package, package


def pinned(name: str) -> set[str]:
    """The lines of a lock file that fix a version, with their conditions."""
    return set(re.findall(r"^[a-z0-9].*==.*", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


def test_all_else_runs_on_the_versions_the_program_runs_on() -> None:
    program, tests, training, bundle = map(pinned, LOCKS[:4])
    assert program < tests and program < training and program < bundle
    of_both = {line.partition("==")[0] for line in tests} & {line.partition("==")[0] for line in training}
    for name in of_both:
        assert {line for line in tests if line.startswith(f"{name}==")} == {
            line for line in training if line.startswith(f"{name}==")
        }


@pytest.mark.parametrize("extra", ["test", "training", "bundle"])
def test_the_lock_has_all_that_the_program_declares(extra: str) -> None:
    text = (ROOT / f"requirements-{extra}.lock").read_text(encoding="utf-8")
    requirements, engine_requirement = declared(ROOT / "pyproject.toml", extra)
    for requirement in (*requirements, engine_requirement):
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        there = name and re.search(rf"^{re.escape(name.group().lower())}==", text, re.MULTILINE)
        assert bool(there) is not requirement.startswith("torch=="), requirement


def test_pytorch_and_its_cuda_are_fixed_by_version_alone() -> None:
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+", pinned_torch(ROOT / "pyproject.toml"))
    outside = ("torch==", "triton==", "nvidia-", "cuda-")
    assert not [line for line in pinned("requirements-training.lock") if line.startswith(outside)]
    # All else PyTorch asks for is in the lock, so that nothing of it comes unchecked.
    names = {line.partition("==")[0] for line in pinned("requirements-training.lock")}
    assert {"filelock", "typing-extensions", "setuptools", "sympy", "networkx", "jinja2", "fsspec"} <= names


def test_the_engine_is_split_from_the_lock_with_its_hashes() -> None:
    rest, pinned, version = split_lock(ROOT / "requirements.lock")
    assert engine.ENGINE not in re.sub("#.*", "", rest) and "numpy==" in rest
    assert pinned.startswith(f"{engine.ENGINE}=={version} ") and "--hash=sha256:" in pinned and pinned.count("==") == 1


def test_a_lock_without_the_engine_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.0.0 \\\n    --hash=sha256:00\n")
    with pytest.raises(SetupError, match="文件可能不完整"):
        split_lock(lock)


# The engine


def test_each_backend_and_each_set_of_arguments_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    folders = [engine.wheel_folder(backend) for backend in gpu.BACKENDS]
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_NATIVE=OFF")
    folders.append(engine.wheel_folder("cpu"))
    assert len(set(folders)) == 5


def test_the_persons_cmake_arguments_have_the_last_word() -> None:
    arguments = engine.cmake_arguments("cuda", {"CMAKE_ARGS": "-DGGML_CUDA=off"}).split()
    assert arguments[-2:] == ["-DGGML_CUDA=on", "-DGGML_CUDA=off"]
    assert not any("GGML" in argument for argument in engine.cmake_arguments("cpu", {}).split())


def test_a_processor_with_amx_is_compiled_for_without_it() -> None:
    assert engine.compiler_flags("x86_64flags\t\t: fpu avx512f amx_tile amx_int8") == "-mno-amx-int8"
    assert engine.compiler_flags("x86_64flags\t\t: fpu avx2") == ""
    assert engine.compiler_flags("aarch64Features\t: asimd bf16") == ""


def test_off_is_the_cpu_and_a_named_backend_is_itself() -> None:
    assert gpu.choose_backend("off") == "cpu" and gpu.choose_backend("vulkan") == "vulkan"
    assert gpu.choose_backend("auto") in gpu.BACKENDS


def test_a_wheel_cut_short_is_not_used(tmp_path: Path) -> None:
    wheel = tmp_path / "llama_cpp_python-0.3.36-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llama_cpp/__init__.py", "x = 1\n" * 1000)
    assert engine.kept_wheel(tmp_path, "0.3.36") == wheel and engine.kept_wheel(tmp_path, "0.3.37") is None
    wheel.write_bytes(wheel.read_bytes()[:-30])
    assert engine.kept_wheel(tmp_path, "0.3.36") is None and not wheel.exists()


def test_pip_is_kept_to_the_programs_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    environment = pip_environment()
    assert environment["PIP_USER"] == "0" and environment["PIP_INDEX_URL"] == "kept"
    assert not {"PIP_TARGET", "PYTHONPATH"} & environment.keys()


# The system


@linux
def test_a_library_that_is_not_there_is_named() -> None:
    assert system.missing_libraries(["libc.so.6", "libbainiantie.so.7"]) == ["libbainiantie.so.7"]


def test_packages_are_named_once_in_the_systems_own_words() -> None:
    table = system.libraries_for_window({"DISPLAY": ":0"})
    lacks = [system.Lack(LABEL, table[name]) for name in ("libEGL.so.1", "libxcb.so.1", "libxcb-shm.so.0")]
    named = {name: system.packages_of(lacks, known) for name, known in system.PACKAGERS.items()}
    assert named["apt-get"] == ["libegl1", "libxcb-shm0", "libxcb1"]
    assert named["dnf"] == ["libglvnd-egl", "libxcb"] and named["pacman"] == ["libglvnd", "libxcb"]


@linux
def test_what_can_be_done_without_is_offered_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacks = [system.Lack(Sentence("好东西", "a good thing"), ("good", "good", "good", "good"))]
    monkeypatch.setenv("PATH", str(tmp_path))  # no package manager we know
    with pytest.raises(SetupError, match="好东西"):
        system.provide(lambda: lacks, tmp_path / "log")
    system.offer(lambda: lacks, tmp_path / "log")
    told = capsys.readouterr().err
    assert "a good thing" in told and "\ngood\n" in told and "It can be done without" in told
    system.offer(list, tmp_path / "log")
    assert not capsys.readouterr().err


@linux
def test_the_allocator_is_lacking_where_the_training_would_not_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert [lack.packages[0] for lack in system.lacking_allocator()] == ["libjemalloc2"]
    monkeypatch.setattr("ctypes.util.find_library", lambda name: f"lib{name}.so.2")
    assert system.lacking_allocator() == []


def test_the_desktop_decides_which_libraries_are_needed() -> None:
    x11, wayland, both = (
        set(system.libraries_for_window(environment))
        for environment in ({"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "w"}, {"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"})
    )
    assert "libxcb-cursor.so.0" in x11 and "libwayland-client.so.0" not in x11
    assert "libxcb-cursor.so.0" not in wayland and both == x11 | wayland


@linux
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_screen_for_the_tests_comes_and_goes() -> None:
    with launch.virtual_screen() as display:
        socket = Path(f"/tmp/.X11-unix/X{display.removeprefix(':')}")
        wait_until(socket.exists)
    wait_until(lambda: not socket.exists())


# The tests themselves


def test_tests_of_torch_need_what_the_training_installs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [re.split(r"[<>=]", requirement)[0] for requirement in project["optional-dependencies"]["training"]]
    modules = {"scikit-learn": "sklearn"}  # imported by another name
    assert {modules.get(name, name) for name in wanted} == set(TRAINING_PACKAGES)


@pytest.fixture
def tests_of_torch(tmp_path: Path) -> Callable[[str], "subprocess.CompletedProcess[str]"]:
    """Runs pytest with this value of ``CI`` on three tests, two of them of torch, where torch is not to be found."""
    (tmp_path / "test_part.py").write_text(
        "import pytest\n\ndef test_plain():\n    pass\n\n@pytest.mark.torch\ndef test_marked():\n    import torch\n"
    )
    (tmp_path / "test_whole.py").write_text(
        "import pytest\nimport torch\n\npytestmark = pytest.mark.torch\n\ndef test_whole():\n    pass\n"
    )
    hidden = "import sys, pytest; sys.modules['torch'] = None; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--strict-markers"]

    def run(ci: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", hidden, *options, "-rs", str(tmp_path)]
        environment = os.environ | {"CI": ci, "BAINIANTIE_MODELS": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


def test_tests_of_torch_are_skipped_without_it(
    tests_of_torch: Callable[[str], "subprocess.CompletedProcess[str]"],
) -> None:
    done = tests_of_torch("")
    assert done.returncode == 0 and "1 passed, 2 skipped" in done.stdout and "run.py training" in done.stdout


def test_tests_of_torch_fail_without_it_in_ci(
    tests_of_torch: Callable[[str], "subprocess.CompletedProcess[str]"],
) -> None:
    done = tests_of_torch("1")
    assert done.returncode != 0 and "skipped" not in done.stdout and "test_whole.py" in done.stdout
