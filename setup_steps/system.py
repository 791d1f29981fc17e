"""What the operating system has to bring: a C++ compiler, the libraries Qt links to, a virtual display for the tests;
and what it is asked for and may lack, an allocator for the training.

As root on Debian and its kin missing packages are installed; everywhere else the exact command is printed.
"""

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.compose.sentence import Sentence
from setup_steps.terminal import CommandFailed, SetupError, lines, run_logged, say

# Every library outside PySide6 6.11 and 6.12 that its Core, Gui, Widgets, Network and DBus and its xcb and Wayland
# plugins are linked to, beyond what no Linux lacks; and the packages that hold it for apt, dnf, pacman and zypper.
_CORE = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd", "libEGL1"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd", "libGL1"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype", "freetype2", "libfreetype6"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libgthread-2_0-0"),
    "libX11.so.6": ("libx11-6", "libX11", "libx11", "libX11-6"),
    "libzstd.so.1": ("libzstd1", "libzstd", "zstd", "libzstd1"),
    "libgssapi_krb5.so.2": ("libgssapi-krb5-2", "krb5-libs", "krb5", "krb5"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++", "gcc-libs", "libstdc++6"),
}
_X11 = {
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb", "libx11", "libX11-xcb1"),
    "libxcb.so.1": ("libxcb1", "libxcb", "libxcb", "libxcb1"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image", "libxcb-image0"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb", "libxcb", "libxcb-randr0"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb", "libxcb", "libxcb-render0"),
    "libxcb-render-util.so.0": (
        "libxcb-render-util0",
        "xcb-util-renderutil",
        "xcb-util-renderutil",
        "libxcb-render-util0",
    ),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb", "libxcb", "libxcb-shm0"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb", "libxcb", "libxcb-sync1"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util", "xcb-util", "libxcb-util1"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb", "libxcb", "libxcb-xfixes0"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb", "libxcb-xkb1"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11", "libxkbcommon-x11-0"),
}
_WAYLAND = {
    "libwayland-client.so.0": ("libwayland-client0", "libwayland-client", "wayland", "libwayland-client0"),
    "libwayland-cursor.so.0": ("libwayland-cursor0", "libwayland-cursor", "wayland", "libwayland-cursor0"),
    "libwayland-egl.so.1": ("libwayland-egl1", "libwayland-egl", "wayland", "libwayland-egl1"),
}
_OTHERS = {
    "libgcc_s.so.1": ("libgcc-s1",),
    "libz.so.1": ("zlib1g",),
}
_COMPILER = ("build-essential", "gcc-c++ make", "base-devel", "gcc-c++ make")
_XVFB = ("xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", "xorg-x11-server-Xvfb")
_ALLOCATOR = ("libjemalloc2", "jemalloc", "jemalloc", "libjemalloc2")
_VENV = (f"python3.{sys.version_info.minor}-venv", "python3", "python", "python3-base")

# Run in a process of its own: what is loaded here would stay, and a library just installed would not be found.
_PROBE = """
import ctypes, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError:
        print(name)
"""


@dataclass(frozen=True)
class Packager:
    """A system's package manager: its place in the tables above and the command that installs."""

    column: int
    command: tuple[str, ...]


PACKAGERS = {
    "apt-get": Packager(0, ("apt-get", "install", "-y", "--no-install-recommends")),
    "dnf": Packager(1, ("dnf", "install", "-y")),
    "pacman": Packager(2, ("pacman", "-S", "--needed")),
    "zypper": Packager(3, ("zypper", "install", "-y")),
}


def packager() -> Packager | None:
    """The package manager of this Linux; None for one we do not know."""
    return next((known for name, known in PACKAGERS.items() if shutil.which(name)), None)


def libraries_for_window(environment: Mapping[str, str] = os.environ) -> dict[str, tuple[str, ...]]:
    """Libraries a window needs on this desktop, with their packages: X11's, Wayland's, or both."""
    wanted: dict[str, tuple[str, ...]] = {**_CORE}
    if environment.get("DISPLAY") or not environment.get("WAYLAND_DISPLAY"):
        wanted |= _X11
    if environment.get("WAYLAND_DISPLAY"):
        wanted |= _WAYLAND
    return wanted


def debian_package(library: str) -> str:
    """The Debian package that holds one of Qt's libraries, or another that every compiled program may need.

    Raises:
        KeyError: it is in no table here.
    """
    return ({**_CORE, **_X11, **_WAYLAND} | _OTHERS)[library][0]


def missing_libraries(names: Iterable[str]) -> list[str]:
    """Those of the shared libraries that cannot be loaded here."""
    probe = [sys.executable, "-I", "-c", _PROBE, *names]
    return subprocess.run(probe, capture_output=True, text=True, check=True).stdout.split()


@dataclass(frozen=True)
class Lack:
    """Something the system does not have: what it is, and the packages that hold it, in the tables' order."""

    what: Sentence
    packages: tuple[str, ...]


def lacking_libraries(*, for_tests: bool, environment: Mapping[str, str] = os.environ) -> list[Lack]:
    """What Qt needs and does not find on a desktop, for the tests with a virtual one; only Linux may lack any."""
    if not sys.platform.startswith("linux"):
        return []
    table = _CORE | _X11 if for_tests else libraries_for_window(environment)
    what = Sentence("窗口要用到的系统库", "system libraries the window needs")
    lacks = [Lack(what, table[name]) for name in missing_libraries(table)]
    if for_tests and not shutil.which("Xvfb"):
        lacks.append(Lack(Sentence("测试用的虚拟屏幕 Xvfb", "Xvfb, a virtual screen for the tests"), _XVFB))
    return lacks


def lacking_venv() -> list[Lack]:
    """Whether this Python cannot make virtual environments; Debian packs that apart."""
    importlib.invalidate_caches()
    if all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        return []
    return [Lack(Sentence("Python 的 venv 模块", "Python's venv module"), _VENV)]


def lacking_allocator() -> list[Lack]:
    """Whether jemalloc is not there, with which training on a processor is twice as fast; only Linux can use it.

    It is looked for as the training does, not loaded: into a process that has begun it does not go.
    """
    if not sys.platform.startswith("linux") or ctypes.util.find_library("jemalloc"):
        return []
    what = Sentence("jemalloc（用处理器训练会快不少）", "jemalloc (training on a processor is a good deal faster)")
    return [Lack(what, _ALLOCATOR)]


def lacking_compiler() -> list[Lack]:
    """Whether llama.cpp cannot be compiled here for want of a compiler.

    Raises:
        SetupError: so it is on Windows or macOS, with the command that installs one.
    """
    what = Sentence("C++ 编译器", "a C++ compiler")
    if sys.platform == "win32":
        if not (shutil.which("cl") or _visual_studio()):
            raise _refusal(
                what,
                'winget install Microsoft.VisualStudio.2022.BuildTools --override "--wait --passive '
                '--add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"',
            )
        return []
    if sys.platform == "darwin":
        if subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode != 0:
            raise _refusal(what, "xcode-select --install")
        return []
    found = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    return [] if found else [Lack(what, _COMPILER)]


def _visual_studio() -> bool:
    """Whether a Visual Studio with the C++ tools is installed, asked of the finder it installs."""
    programs = Path(os.environ.get("PROGRAMFILES(X86)", "C:/Program Files (x86)"))
    finder = programs / "Microsoft Visual Studio/Installer/vswhere.exe"
    if not finder.exists():
        return False
    tools = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"
    command = [str(finder), "-products", "*", "-requires", tools, "-property", "installationPath"]
    return bool(subprocess.run(command, capture_output=True, check=False).stdout.strip())


def provide(lacking: Callable[[], list[Lack]], log: Path) -> None:
    """Install what is lacking where we may; refuse with the one command that does where we may not.

    Raises:
        SetupError: something is still lacking.
    """
    lacks = lacking()
    if not lacks:
        return
    known = packager()
    if known is not None and known is PACKAGERS["apt-get"] and os.geteuid() == 0:
        _apt_install(packages_of(lacks, known), log)
        lacks = lacking()
    if not lacks:
        return
    zh = "、".join(dict.fromkeys(lack.what.zh for lack in lacks))
    en = "; ".join(dict.fromkeys(lack.what.en for lack in lacks))
    if known is None:
        raise SetupError(
            Sentence(
                f"这台机器还缺：{zh}。请用系统的软件包管理器装好（下面是它们在 Debian 里的名字），再运行一次。",
                f"This machine lacks: {en}. Install them with its package manager (below are Debian's names), then run "
                "again.",
            ),
            " ".join(packages_of(lacks, PACKAGERS["apt-get"])),
        )
    sudo = () if os.geteuid() == 0 else ("sudo",)
    raise _refusal(Sentence(zh, en), " ".join([*sudo, *known.command, *packages_of(lacks, known)]))


def offer(lacking: Callable[[], list[Lack]], log: Path) -> None:
    """Like :func:`provide`, for what can be done without: where it cannot be had, a person is told and that is all."""
    try:
        provide(lacking, log)
    except SetupError as error:
        print(*lines(error.sentence, sys.stderr), error.detail, sep="\n", file=sys.stderr)
        say(Sentence("没有它也行，接着往下做。", "It can be done without; going on."))


def packages_of(lacks: Iterable[Lack], known: Packager) -> list[str]:
    """The packages to install, each once."""
    return sorted({package for lack in lacks for package in lack.packages[known.column].split()})


def _refusal(what: Sentence, command: str) -> SetupError:
    return SetupError(
        Sentence(
            f"这台机器还缺：{what.zh}。请用下面这条命令装上，再运行一次 run.py。",
            f"This machine lacks: {what.en}. Install with the command below, then run run.py again.",
        ),
        f"    {command}",
    )


def _apt_install(packages: list[str], log: Path) -> None:
    """Install Debian packages, reading the lists again when they are absent or out of date."""
    say(
        Sentence(
            f"缺少系统软件包，现在用 apt-get 安装：{' '.join(packages)}",
            f"System packages are missing; apt-get installs them now: {' '.join(packages)}",
        )
    )
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ("-o", "DPkg::Lock::Timeout=300")
    install = ["apt-get", *wait, *PACKAGERS["apt-get"].command[1:], *packages]
    label = Sentence("安装系统软件包", "Installing system packages")
    if any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        try:
            run_logged(install, log, label, environment=environment)
            return
        except CommandFailed:
            say(Sentence("软件包列表可能旧了，更新后再试。", "The package lists may be out of date; updating them."))
    reading = Sentence("更新软件包列表", "Reading the package lists")
    run_logged(["apt-get", *wait, "update"], log, reading, environment=environment)
    run_logged(install, log, label, environment=environment)
