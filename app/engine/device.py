"""Which device runs the model, and why that one. Asks ggml what it registered; opens nothing itself."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llama_cpp import _ctypes_extensions, _ggml, llama_cpp

from app.compose.sentence import Sentence

# enum ggml_backend_dev_type of ggml-backend.h
_GPU, _INTEGRATED_GPU = 1, 2
# Registries that run on the processor; any other means that this build can use some GPU.
_WITHOUT_GPU = {"CPU", "BLAS", "AMX", "RPC", "META"}


@dataclass(frozen=True)
class Gpu:
    """A GPU ggml found: its handle, its short name (``CUDA0``), what it is, and its memory in bytes."""

    handle: int
    name: str
    description: str
    free: int
    integrated: bool

    @property
    def label(self) -> str:
        """``CUDA0 NVIDIA GeForce RTX 4060``."""
        return f"{self.name} {self.description}".strip()


@dataclass(frozen=True)
class Choice:
    """The device to open a model on, None for the CPU, and why."""

    gpu: Gpu | None
    reason: Sentence


def gpus() -> tuple[Gpu, ...]:
    """Every GPU ggml registered, in its order."""
    get = _function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    kind_of = _function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
    name_of = _function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
    description_of = _function("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)
    size_pointer = ctypes.POINTER(ctypes.c_size_t)
    memory_of = _function("ggml_backend_dev_memory", None, ctypes.c_void_p, size_pointer, size_pointer)
    found = []
    for index in range(_function("ggml_backend_dev_count", ctypes.c_size_t)()):
        handle = get(index)
        kind = kind_of(handle)
        if kind in (_GPU, _INTEGRATED_GPU):
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            memory_of(handle, ctypes.byref(free), ctypes.byref(total))
            name, description = name_of(handle).decode(), description_of(handle).decode("utf-8", "replace")
            found.append(Gpu(handle, name, description, free.value, kind == _INTEGRATED_GPU))
    return tuple(found)


def built_for_gpu() -> bool:
    """Whether any GPU backend was compiled in, with or without a GPU to use it on."""
    name_of = _function("ggml_backend_reg_name", ctypes.c_char_p, ctypes.c_void_p)
    get = _function("ggml_backend_reg_get", ctypes.c_void_p, ctypes.c_size_t)
    count = _function("ggml_backend_reg_count", ctypes.c_size_t)()
    return any(name_of(get(index)).decode() not in _WITHOUT_GPU for index in range(count))


def choose(
    wanted: str,
    why_cpu: Sentence | None,
    needed: int,
    found: Callable[[], tuple[Gpu, ...]] = gpus,
    built: Callable[[], bool] = built_for_gpu,
) -> Choice:
    """The best device for a model.

    Args:
        wanted: ``auto`` or ``cpu``; for ``cpu`` no driver is asked anything.
        why_cpu: why ``cpu`` was asked for; the settings, when None.
        needed: bytes of device memory the model and its context take.
        found: the GPUs there are.
        built: whether this build could use one.
    """
    if wanted == "cpu":
        return Choice(None, why_cpu or Sentence("CPU：按设置只用 CPU", "CPU: the settings ask for it"))
    present = found()
    if not present:
        if built():
            return Choice(None, Sentence("CPU：未检测到可用 GPU", "CPU: no usable GPU was found"))
        return Choice(None, Sentence("CPU：这个版本没有编译 GPU 支持", "CPU: this build has no GPU support"))
    gpu = max(present, key=lambda gpu: (gpu.free >= needed, not gpu.integrated, gpu.free))
    if gpu.free < needed:
        return Choice(
            None,
            Sentence(
                f"CPU：{gpu.description} 显存不够（需要 {_gigabytes(needed)}，空闲 {_gigabytes(gpu.free)}）",
                f"CPU: {gpu.description} has too little free memory ({_gigabytes(gpu.free)} of "
                f"{_gigabytes(needed)} needed)",
            ),
        )
    return Choice(gpu, Sentence(f"GPU：{gpu.description}", f"GPU: {gpu.description}"))


def refused(gpu: Gpu, cause: Sentence) -> Sentence:
    """Why the CPU runs the model although there is a GPU: it was tried."""
    return Sentence(
        f"CPU：{gpu.description} 试运行没有成功（{cause.zh.rstrip('。')}）",
        f"CPU: a trial on {gpu.description} failed ({cause.en.rstrip('.')})",
    )


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of ggml that llama_cpp does not wrap.

    Where symbols are looked up in what a library depends on, libllama's handle finds the very ggml it uses: the package
    carries each library under several names, and opening another of them would be another ggml. Windows does not look
    there, and keeps one library a name.
    """
    places = (
        lambda: llama_cpp._lib,
        lambda: _ggml.libggml,
        lambda: _ctypes_extensions.load_shared_library("ggml-base", _ggml.libggml_base_path),
    )
    for place in places:
        try:
            return ctypes.CFUNCTYPE(result, *arguments)((name, place()))
        except AttributeError:
            continue
    raise AttributeError(f"ggml has no function {name}")


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
