"""The bundle, as it is started by somebody who has no Python."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import __version__
from setup_steps.bundling.build import size_of
from setup_steps.bundling.elf import asked_of_system
from setup_steps.bundling.linux import depends
from tests.bundle.frozen import home_environment, may_make_namespaces, read_only, run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the bundle of Linux")

LARGEST = 260_000_000  # bytes, unpacked, without the model


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of somebody with a Chinese name."""
    folder = tmp_path / "家 home" / "张三丰"
    folder.mkdir(parents=True)
    return folder


def test_it_says_its_version(bundle: Path, home: Path) -> None:
    done = run([str(bundle / "bainiantie"), "--version"], home_environment(home))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_it_writes_a_greeting_from_a_read_only_folder_without_a_network(
    bundle: Path, home: Path, tmp_path: Path, tiny_model: Path
) -> None:
    if not may_make_namespaces():
        pytest.skip("no namespaces may be made here")
    place = tmp_path / "测试 目录" / "bainiantie"
    model = home / "我的 模型.gguf"
    model.write_bytes(tiny_model.read_bytes())
    command = [str(place / "bainiantie"), "--self-test", "--model", str(model)]
    done = run(read_only(bundle, place, command), home_environment(home))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    facts = json.loads(done.stdout)
    assert facts["ok"] and facts["bundle"] and facts["version"] == __version__
    assert facts["greeting"] and facts["device"] == "CPU"


def test_the_variant_for_this_processor_was_chosen(bundle: Path, home: Path, tiny_model: Path) -> None:
    done = run([str(bundle / "bainiantie"), "--self-test", "--model", str(tiny_model)], home_environment(home))
    used = next(line for line in json.loads(done.stdout)["found"] if line.startswith("CPU"))
    flags = set(Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split())
    for flag, name in (("avx2", "AVX2 = 1"), ("avx512_vnni", "AVX512_VNNI = 1")):
        assert (name in used) is (flag in flags), used
    assert "AMX" not in used


def test_the_window_opens_from_there_and_nothing_is_printed(bundle: Path, home: Path, tmp_path: Path) -> None:
    if not may_make_namespaces():
        pytest.skip("no namespaces may be made here")
    place = tmp_path / "测试 目录" / "bainiantie"
    command = [str(place / "bainiantie"), "--report-first-paint"]
    done = run(read_only(bundle, place, command), home_environment(home, QT_QPA_PLATFORM="offscreen"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "painted\n", "")


def test_a_second_start_ends_and_the_first_goes_on(bundle: Path, home: Path) -> None:
    environment = home_environment(home, QT_QPA_PLATFORM="offscreen")
    first = subprocess.Popen([str(bundle / "bainiantie")], env=environment, cwd="/", stderr=subprocess.PIPE)
    try:
        lock = home / ".local/share/Bainiantie/Bainiantie/window.lock"
        end = time.monotonic() + 60
        while not lock.exists():
            assert first.poll() is None and time.monotonic() < end, "the first start has no window"
            time.sleep(0.05)
        second = run([str(bundle / "bainiantie")], environment, 60)
        assert second.returncode == 0 and "already open" in second.stderr
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGINT)
        assert first.wait(30) == 0
    assert not lock.exists()


def test_a_command_speaks_for_the_bundle(bundle: Path, home: Path) -> None:
    executable = str(bundle / "bainiantie")
    done = run([executable, "models", "list", "--json"], home_environment(home))
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert {entry["state"] for entry in last["models"]} <= {"absent", "ready"}
    done = run([executable, "compose", "--relationship", "boss", "--tone", "warm"], home_environment(home))
    assert done.returncode == 0 or "bainiantie install" in done.stderr
    assert "run.py" not in done.stderr and "Traceback" not in done.stderr


def test_all_it_asks_of_a_system_is_in_its_packages_dependencies(bundle: Path) -> None:
    asked = asked_of_system(bundle)
    print(sorted(asked.libraries), asked.glibc)
    packages = depends(bundle)
    assert packages[0].startswith("libc6 (>= 2.")
    assert "libegl1" in packages and not any("qt" in name.lower() for name in packages)


def test_it_is_small_and_holds_no_more_of_qt_than_it_uses(bundle: Path) -> None:
    model = sum(path.stat().st_size for path in bundle.rglob("*.gguf"))
    size = size_of(bundle) - model
    print(f"{size / 1e6:.1f} MB without a model")
    assert size < LARGEST
    qt = {path.name for path in bundle.rglob("libQt6*.so*")}
    assert not [name for name in qt if any(part in name for part in ("Qml", "Quick", "Pdf", "Designer", "VirtualKey"))]
    plugins = {path.name for path in bundle.rglob("plugins/*/*.so")}
    assert {"libqxcb.so", "libibusplatforminputcontextplugin.so", "libcomposeplatforminputcontextplugin.so"} <= plugins
    assert any(name.startswith("libqwayland") for name in plugins)


def test_the_licences_of_what_is_inside_are_inside(bundle: Path) -> None:
    folder = bundle / "_internal" / "resources" / "licences"
    names = {path.name for path in folder.rglob("*.txt")}
    assert {"Qt, PySide6 - LGPL-3.0.txt", "llama.cpp, ggml.txt"} <= names
    assert any(name.startswith("Python 3") for name in names)
    if os.path.exists("/var/lib/dpkg/status"):
        assert any(name.startswith("libx11") or name.startswith("libxcb") for name in names)
    assert list((bundle / "_internal").glob("numpy-*.dist-info/**/LICENSE*"))
    bootloader = list((bundle / "_internal").glob("pyinstaller-*.dist-info/**/COPYING*"))
    assert len(bootloader) == 1 and "Bootloader Exception" in bootloader[0].read_text(encoding="utf-8")
    # Qt's wheel brings ICU, and a text names the version it is of.
    versions = {path.name.rpartition(".")[2] for path in bundle.rglob("libicuuc.so.*")}
    assert versions and all(f"ICU {version}, inside Qt on Linux.txt" in names for version in versions)
    assert not list(bundle.rglob("pytest*")) and not list(bundle.rglob("torch*"))
