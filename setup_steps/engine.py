"""llama-cpp-python, compiled on this machine for what it has: builds the wheel, keeps it, installs it.

It is published as source only. pip's own cache knows nothing of ``CMAKE_ARGS`` and would hand a CPU build to somebody
who asks for CUDA, so each backend's wheel has a folder of its own under the user's cache, and pip's is not asked.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.compose.sentence import Sentence
from setup_steps.gpu import NAMES, PORTABLE, find_nvcc, output_of
from setup_steps.pip import ENGINE, Pip, pip_environment
from setup_steps.stamps import alone
from setup_steps.terminal import CommandFailed, SetupError, compiled, say

# Speech and pictures (mtmd) are a quarter of the compilation, and nothing here uses them.
COMMON_ARGUMENTS = ("-DLLAVA_BUILD=OFF",)
# Where the processor has AMX, llama.cpp's kernels for it kill the process: GCC throws away the stores that fill the
# tile configuration, as its intrinsic declares to read only the first eight bytes (ggml-org/llama.cpp#26954). An
# explicit "no" wins over -march=native whatever their order.
WITHOUT_AMX = "-mno-amx-int8"
# One library for each generation of processors, of which ggml takes the best at every start, and nothing that only this
# machine has. They go where the package has its other libraries: it does not install them by itself
# (abetlen/llama-cpp-python#2069).
PORTABLE_ARGUMENTS = (
    *("-DGGML_NATIVE=OFF", "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON"),
    # Said to be a text: what CMake takes for a path it makes absolute, and then the package does not get them.
    "-DGGML_BACKEND_DIR:STRING=llama_cpp/lib",
    # Metal's shaders inside the library; Microsoft's OpenMP is one more file to bring along, and ggml does without.
    *(("-DGGML_METAL_EMBED_LIBRARY=ON",) if sys.platform == "darwin" else ()),
    *(("-DGGML_OPENMP=OFF",) if sys.platform == "win32" else ()),
)
# Of ggml's fourteen generations of x86 these are compiled; CMake has no option for it. They are what makes a difference
# here: SSE4.2, AVX2, AVX2 with VNNI, AVX-512 with VNNI. Each takes a minute of compiling. The newest must stay out, as
# AMX kills the process (see WITHOUT_AMX).
VARIANTS = ("sse42", "haswell", "alderlake", "icelake")
_OTHER_VARIANTS = (
    *("x64", "sandybridge", "ivybridge", "piledriver", "skylakex", "cannonlake"),
    *("cascadelake", "cooperlake", "zen4", "sapphirerapids"),
)
STEM = "llama_cpp_python"
# In a process of its own: a library that needs a driver or an instruction this machine lacks ends it.
TRIAL = "import llama_cpp; llama_cpp.llama_backend_init()"


@dataclass(frozen=True)
class Recipe:
    """What to build.

    Args:
        source: pip's words for the package.
        version: its version where the lock file fixes it, else None.
        tools: pip's words for the build tools.
    """

    source: tuple[str, ...]
    version: str | None
    tools: tuple[str, ...]


class BuildFailed(SetupError):
    """The engine does not compile for a backend, or what was compiled does not load."""


def install_engine(pip: Pip, backend: str, recipe: Recipe) -> str:
    """Build the engine for a backend, install it and see that it loads; returns the backend that was installed.

    A GPU build that does not compile or does not load is replaced by the CPU build, and the person is told.

    Raises:
        SetupError: the CPU build did not work out either.
    """
    try:
        wheel = build_wheel(pip, backend, recipe)
        label = Sentence(f"安装 llama.cpp（{NAMES[backend]}）", f"Installing llama.cpp ({NAMES[backend]})")
        pip.run(["install", "--no-deps", "--no-index", "--force-reinstall", str(wheel)], "engine-install", label)
        _try_loading(pip, backend)
    except BuildFailed as error:
        if backend == "cpu":
            raise
        say(_instead_of(backend, error))
        return install_engine(pip, "cpu", recipe)
    return backend


def _try_loading(pip: Pip, backend: str) -> None:
    trial = subprocess.run(
        [pip.python, "-I", "-c", TRIAL], capture_output=True, text=True, errors="replace", check=False
    )
    if trial.returncode != 0:
        raise BuildFailed(
            Sentence(
                f"编译好的 llama.cpp（{NAMES[backend]}）在这台机器上加载不了。",
                f"The compiled llama.cpp ({NAMES[backend]}) does not load on this machine.",
            ),
            f"exit code {trial.returncode}\n{trial.stderr[-2000:]}",
        )


def _instead_of(backend: str, error: BuildFailed) -> Sentence:
    """What is said when a GPU build did not work out."""
    name = NAMES[backend]
    return Sentence(
        f"{error.sentence.zh}改装 CPU 版：写得慢一些，其余一样。补齐 {name} 的驱动和工具后，用 --gpu {backend} 再试。",
        f"{error.sentence.en} The CPU build is installed instead: slower, otherwise the same. Try again with --gpu "
        f"{backend} when the driver and tools of {name} are complete.",
    )


def cmake_arguments(backend: str, environment: Mapping[str, str] = os.environ) -> str:
    """``CMAKE_ARGS`` for a backend; what the person has set there comes last and so has the last word."""
    if backend == PORTABLE:
        switch = [*PORTABLE_ARGUMENTS]
    else:
        switch = [] if backend == "cpu" else [f"-DGGML_{backend.upper()}=on"]
    return " ".join([*COMMON_ARGUMENTS, *switch, environment.get("CMAKE_ARGS", "")]).strip()


def user_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """The platform's folder for what can be made again."""
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "Bainiantie" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/Bainiantie"
    cache = Path(environment.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "bainiantie"


def wheel_folder(backend: str) -> Path:
    """Where this backend's wheel is kept.

    A build is for this very processor (``GGML_NATIVE``) unless it is portable, for this CUDA and for these
    ``CMAKE_ARGS``: all of them are in the folder's name, because a home folder may be shared by unlike machines.
    """
    nvcc = find_nvcc() if backend == "cuda" else None
    toolkit = output_of([nvcc, "--version"]) if nvcc else ""
    processor = " ".join([platform.machine(), *VARIANTS]) if backend == PORTABLE else _processor()
    flags = "" if backend == PORTABLE else compiler_flags()
    state = "\n".join([processor, toolkit, cmake_arguments(backend), flags])
    return user_cache() / "engine" / f"{backend}-{hashlib.sha256(state.encode()).hexdigest()[:8]}"


def compiler_flags(processor: str | None = None) -> str:
    """Flags for the C and C++ compilers beyond what CMake and the person choose.

    Args:
        processor: as :func:`_processor` has it; None for this machine's.
    """
    return WITHOUT_AMX if "amx_int8" in (processor if processor is not None else _processor()).split() else ""


def _processor() -> str:
    """The processor and its instructions."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    instructions = re.search(r"^(flags|Features)\s*:.*$", text, re.MULTILINE)
    return platform.machine() + (instructions.group(0) if instructions else platform.processor())


def is_kept(backend: str, recipe: Recipe) -> bool:
    """Whether no compiler will be needed, as there is a wheel; not certain before it is read."""
    return recipe.version is not None and any(wheel_folder(backend).glob(f"{STEM}-{recipe.version}-*.whl"))


def kept_wheel(folder: Path, version: str | None) -> Path | None:
    """The wheel of a version in a folder, if it is whole; a build killed while writing it leaves a broken one."""
    for wheel in folder.glob(f"{STEM}-{version}-*.whl"):
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None:
                    return wheel
        except (OSError, zipfile.BadZipFile) as error:
            say(
                Sentence(
                    f"上次编译出的安装包不完整，重新做：{wheel.name}（{error}）",
                    f"The wheel of an earlier build is not whole and is made again: {wheel.name} ({error})",
                )
            )
        wheel.unlink(missing_ok=True)
    return None


def build_wheel(pip: Pip, backend: str, recipe: Recipe) -> Path:
    """The engine's wheel for a backend: the kept one, or one compiled now; a stopped compilation is continued.

    What it was compiled from is removed once there is a wheel.

    Raises:
        CommandFailed: it cannot be downloaded.
        BuildFailed: it does not compile.
    """
    folder = wheel_folder(backend)
    with alone(folder / "lock") as descriptor:
        wheel = kept_wheel(folder, recipe.version) if recipe.version else None
        if wheel is None:
            pip = replace(pip, inherited=(*pip.inherited, descriptor))
            wheel = _compile(pip, backend, recipe, folder)
        for leftover in (folder / "s", folder / "b", folder / "t"):
            shutil.rmtree(leftover, ignore_errors=True)
        for archive in folder.parent.glob(f"{STEM}-*.tar.gz"):
            archive.unlink(missing_ok=True)
        return wheel


def _compile(pip: Pip, backend: str, recipe: Recipe, folder: Path) -> Path:
    """Download, unpack and compile in ``folder``; what each of the three has finished is kept until all have."""
    environment = _build_environment(pip, backend, recipe, folder / "t")
    archive = _download(pip, recipe, folder, environment)
    version = archive.name.removeprefix(f"{STEM}-").removesuffix(".tar.gz")
    if wheel := kept_wheel(folder, version):
        return wheel
    tree = _unpack(archive, folder)
    if backend == PORTABLE:
        leave_out_variants(tree / "vendor/llama.cpp/ggml/src/CMakeLists.txt")
    say(
        Sentence(
            f"现在编译 llama.cpp（{NAMES[backend]}）：双核机器约四分钟，GPU 版更久。只需这一次；打断了，下次接着编。",
            f"Now compiling llama.cpp ({NAMES[backend]}): some four minutes on two cores, longer for a GPU. Only once; "
            "when interrupted, it goes on from there.",
        )
    )
    command = ["wheel", "-v", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(tree)]
    command.append(f"--config-settings=build-dir={folder / 'b'}")
    label = Sentence(f"编译 llama.cpp（{NAMES[backend]}）", f"Compiling llama.cpp ({NAMES[backend]})")
    try:
        pip.run(command, f"engine-{backend}", label, environment, compiled)
    except CommandFailed as error:
        raise BuildFailed(
            Sentence(
                f"llama.cpp（{NAMES[backend]}）没有编译成功，完整记录在 {error.log}。",
                f"llama.cpp ({NAMES[backend]}) did not compile; the whole log is {error.log}.",
            ),
            error.detail,
        ) from error
    wheel = kept_wheel(folder, version)
    if wheel is None:
        raise BuildFailed(
            Sentence(
                f"编译结束了，{folder} 里却没有做好的安装包。请删掉这个文件夹再试。",
                f"The compilation ended, but left no wheel in {folder}. Delete that folder and try again.",
            )
        )
    return wheel


def _build_environment(pip: Pip, backend: str, recipe: Recipe, tools: Path) -> dict[str, str]:
    """The environment to compile in, with CMake, Ninja and the build backend from a folder of their own.

    They lie at a fixed place, unlike in pip's own isolated builds: CMake begins from nothing when its path changes.
    """
    whole = tools / "whole"
    if not whole.exists():
        shutil.rmtree(tools, ignore_errors=True)
        label = Sentence("安装编译工具（CMake、Ninja）", "Installing the build tools (CMake, Ninja)")
        pip.run(["install", "--target", str(tools), *recipe.tools], "engine-tools", label)
        whole.touch()
    environment = pip_environment() | {
        "PYTHONPATH": str(tools),
        "PATH": os.pathsep.join([str(tools / "bin"), os.environ.get("PATH", os.defpath)]),
        "CMAKE_ARGS": cmake_arguments(backend),
        "SKBUILD_NINJA_MAKE_FALLBACK": "false",
    }
    if backend != PORTABLE:
        for name in ("CFLAGS", "CXXFLAGS"):
            environment[name] = f"{environment.get(name, '')} {compiler_flags()}".strip()
    environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(_jobs()))
    nvcc = find_nvcc()
    if backend == "cuda" and nvcc:
        environment.setdefault("CUDACXX", nvcc)
    return environment


def _download(pip: Pip, recipe: Recipe, folder: Path, environment: Mapping[str, str]) -> Path:
    """The source archive, checked by its hash where the lock has one; kept until a wheel is made, of any backend."""
    kept = folder.parent / f"{STEM}-{recipe.version}.tar.gz"
    if kept.exists():
        return kept
    arriving = folder / "arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    arriving.mkdir(parents=True)
    command = ["download", "--no-deps", "--no-build-isolation", "--no-binary", ENGINE, "--dest", str(arriving)]
    label = Sentence("下载 llama.cpp 源码（77 MB）", "Downloading the source of llama.cpp (77 MB)")
    pip.run([*command, *recipe.source], "engine-download", label, environment)
    arrived = next(arriving.glob(f"{STEM}-*.tar.gz"))
    archive = arrived.replace(folder.parent / arrived.name)
    arriving.rmdir()
    return archive


def _unpack(archive: Path, folder: Path) -> Path:
    """The source tree, always at the same place, so that CMake goes on with what it has compiled there."""
    tree = folder / "s"
    whole = tree / f"{archive.name}.whole"
    if not whole.exists():
        shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(folder / "b", ignore_errors=True)
        with tarfile.open(archive) as tar:
            members = []
            for member in tar.getmembers():
                # Without the archive's one long-named top folder: Windows counts every letter of a path.
                member.name = member.name.partition("/")[2]
                if member.name and (member.isfile() or member.isdir()):
                    members.append(member)
            # The filter came with 3.11.4; without it the members above, plain files and folders, are all there is.
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(tree, members)
        whole.touch()
    return tree


def leave_out_variants(listing: Path) -> None:
    """Take all but :data:`VARIANTS` out of the file in which ggml lists those of x86; others' stay. Done once.

    Raises:
        BuildFailed: the file does not name them.
    """
    text = listing.read_text(encoding="utf-8")
    missing = [name for name in VARIANTS if not re.search(rf"ggml_add_cpu_backend_variant\({name}\s", text)]
    if missing:
        raise BuildFailed(
            Sentence(
                f"这个版本的 llama.cpp 里没有 {'、'.join(missing)} 这几种处理器的代码，没法做出通用的包。",
                f"This llama.cpp has no code for {', '.join(missing)}: no build for every machine can be made of it.",
            ),
            str(listing),
        )
    others = "|".join(_OTHER_VARIANTS)
    shorter = re.sub(rf"^\s*ggml_add_cpu_backend_variant\((?:{others})\b.*\)\n", "", text, flags=re.MULTILINE)
    if shorter != text:
        listing.write_text(shorter, encoding="utf-8")


def _jobs() -> int:
    """How many compilers at once: one for each core, but not more than the memory holds at 1.5 GB each."""
    cores = os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return cores
    return max(1, min(cores, int(memory / 1.5e9)))
