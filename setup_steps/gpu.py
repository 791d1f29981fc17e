"""Which way of computing this machine has: what ``--gpu auto`` chooses, and where CUDA is."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

BACKENDS = ("cpu", "cuda", "vulkan", "metal")
PORTABLE = "portable"  # what the system's every machine has, for a bundle; chosen by nobody for themselves
NAMES = {"cpu": "CPU", "cuda": "CUDA", "vulkan": "Vulkan", "metal": "Metal", PORTABLE: "CPU, any"}


def choose_backend(asked: str) -> str:
    """The backend for ``--gpu``: ``auto`` looks at the machine, ``off`` is ``cpu``, anything else is itself."""
    if asked == "off":
        return "cpu"
    if asked != "auto":
        return asked
    if sys.platform == "darwin":
        return "metal" if platform.machine() == "arm64" else "cpu"
    if find_nvcc() and _nvidia_gpu():
        return "cuda"
    return "vulkan" if shutil.which("glslc") and _vulkan_headers() and _vulkan_device() else "cpu"


def find_nvcc() -> str | None:
    """The CUDA compiler, on the path or where CUDA installs itself."""
    roots = [os.environ.get("CUDA_PATH"), os.environ.get("CUDA_HOME"), "/usr/local/cuda"]
    places = [str(Path(root) / "bin") for root in roots if root]
    return shutil.which("nvcc") or shutil.which("nvcc", path=os.pathsep.join(places))


def _nvidia_gpu() -> bool:
    smi = shutil.which("nvidia-smi")
    return smi is not None and "GPU 0" in output_of([smi, "-L"])


def _vulkan_headers() -> bool:
    roots = [os.environ.get("VULKAN_SDK", ""), "/usr", "/usr/local"]
    return any(
        (Path(root) / part / "vulkan/vulkan.h").exists() for root in roots for part in ("include", "Include") if root
    )


def _vulkan_device() -> bool:
    info = shutil.which("vulkaninfo")
    if info:
        return re.search(r"PHYSICAL_DEVICE_TYPE_(DISCRETE|INTEGRATED)_GPU", output_of([info, "--summary"])) is not None
    return any(Path("/dev/dri").glob("renderD*"))


def output_of(command: list[str]) -> str:
    """What a small command prints; nothing when it fails or hangs: it was only asked whether there is a device."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
