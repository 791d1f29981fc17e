"""Which device runs the model, with how many of its layers, and why. Asks ggml what it registered; opens nothing.

A GPU with room for all of a model gets all of it. One with room for a good part gets as many layers as fit; when even
that does not open, half as many are tried, and so on, and then the CPU. What was tried is in the reason.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from llama_cpp import llama_cpp

from app.compose.sentence import Sentence
from app.engine.errors import EngineError
from app.llama.ggml import ggml_function, load_backends

R = TypeVar("R")

# enum ggml_backend_dev_type of ggml-backend.h
_GPU, _INTEGRATED_GPU = 1, 2
# Registries that run on the processor; any other means that this build can use some GPU.
_WITHOUT_GPU = {"CPU", "BLAS", "AMX", "RPC", "META"}
# Of a model's layers; with fewer on it, what goes back and forth costs more than the GPU saves.
_WORTHWHILE = 0.25


@dataclass(frozen=True)
class Gpu:
    """A GPU ggml found: its handle, its short name (``CUDA0``), what it is, and its memory in bytes, free and total."""

    handle: int
    name: str
    description: str
    free: int
    integrated: bool
    total: int = 0

    @property
    def label(self) -> str:
        """``CUDA0 NVIDIA GeForce RTX 4060``."""
        return f"{self.name} {self.description}".strip()


@dataclass(frozen=True)
class Needs:
    """What a model takes of a device: bytes of ``weights`` over so many ``layers``, and bytes whatever their number."""

    weights: int
    layers: int
    besides: int

    @property
    def all(self) -> int:
        """Bytes for the whole of it."""
        return self.weights + self.besides

    def fitting(self, free: int) -> int:
        """How many layers fit into so many bytes."""
        return max(0, min(self.layers, (free - self.besides) * self.layers // max(1, self.weights)))


@dataclass(frozen=True)
class Choice:
    """The device to open a model on, None for the CPU, with how many of its layers, and why."""

    gpu: Gpu | None
    reason: Sentence
    layers: int = 0


def gpus() -> tuple[Gpu, ...]:
    """Every GPU ggml registered, in its order."""
    load_backends()
    get = ggml_function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    kind_of = ggml_function("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
    name_of = ggml_function("ggml_backend_dev_name", ctypes.c_char_p, ctypes.c_void_p)
    description_of = ggml_function("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)
    size_pointer = ctypes.POINTER(ctypes.c_size_t)
    memory_of = ggml_function("ggml_backend_dev_memory", None, ctypes.c_void_p, size_pointer, size_pointer)
    found = []
    for index in range(ggml_function("ggml_backend_dev_count", ctypes.c_size_t)()):
        handle = get(index)
        kind = kind_of(handle)
        if kind in (_GPU, _INTEGRATED_GPU):
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            memory_of(handle, ctypes.byref(free), ctypes.byref(total))
            name, description = name_of(handle).decode(), description_of(handle).decode("utf-8", "replace")
            found.append(Gpu(handle, name, description, free.value, kind == _INTEGRATED_GPU, total.value))
    return tuple(found)


def gpu_backends() -> tuple[str, ...]:
    """The GPU backends compiled in (CUDA, Vulkan, Metal, ROCm, …), with or without a GPU to use them on."""
    load_backends()
    name_of = ggml_function("ggml_backend_reg_name", ctypes.c_char_p, ctypes.c_void_p)
    get = ggml_function("ggml_backend_reg_get", ctypes.c_void_p, ctypes.c_size_t)
    count = ggml_function("ggml_backend_reg_count", ctypes.c_size_t)()
    names = [name_of(get(index)).decode() for index in range(count)]
    return tuple(name for name in names if name not in _WITHOUT_GPU)


def found_here(found: Callable[[], tuple[Gpu, ...]], built: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """What there is, for a report: the backends of this build, and each GPU with its memory."""
    backends = built()
    lines = [f"GPU backends: {', '.join(backends)}" if backends else "no GPU backend in this build"]
    for gpu in found() if backends else ():
        lines.append(f"{gpu.label}: {_gigabytes(gpu.free)} of {_gigabytes(gpu.total)} free")
    return tuple(lines)


def instructions() -> str:
    """The instructions that what computes on the CPU was compiled to use, as llama.cpp says it."""
    load_backends()
    return str(llama_cpp.llama_print_system_info().decode("utf-8", "replace")).strip(" |")


def choose(
    wanted: str,
    why_cpu: Sentence | None,
    needs: Needs,
    found: Callable[[], tuple[Gpu, ...]] = gpus,
    built: Callable[[], tuple[str, ...]] = gpu_backends,
) -> Choice:
    """The best device for a model.

    Args:
        wanted: ``auto`` or ``cpu``; for ``cpu`` nothing is looked for.
        why_cpu: why ``cpu`` was asked for; the settings, when None.
        needs: what the model and its context take of it.
        found: the GPUs there are.
        built: the backends of this build that could use one.
    """
    if wanted == "cpu":
        return Choice(None, why_cpu or Sentence("CPU：按设置只用 CPU", "CPU: the settings ask for it"))
    present = found()
    if not present:
        backends = "、".join(built())
        if backends:
            english = backends.replace("、", ", ")
            return Choice(
                None,
                Sentence(f"CPU：未检测到可用 GPU（{backends}）", f"CPU: no usable GPU was found ({english})"),
            )
        return Choice(None, Sentence("CPU：这个版本不支持显卡", "CPU: this build has no GPU support"))
    gpu = max(present, key=lambda gpu: (gpu.free >= needs.all, not gpu.integrated, gpu.free))
    layers = needs.layers if gpu.free >= needs.all else needs.fitting(gpu.free)
    if layers < _WORTHWHILE * needs.layers:
        return Choice(
            None,
            Sentence(
                f"CPU：{gpu.description} 显存不够（需要 {_gigabytes(needs.all)}，空闲 {_gigabytes(gpu.free)}）",
                f"CPU: {gpu.description} has too little free memory ({_gigabytes(gpu.free)} of "
                f"{_gigabytes(needs.all)} needed)",
            ),
        )
    return Choice(gpu, _used(gpu, layers, needs), layers)


def open_on_best(choice: Choice, needs: Needs, open_on: Callable[[Gpu | None, int], R]) -> tuple[R, Sentence]:
    """What ``open_on`` opens on the chosen device, on fewer layers of it, or at last on the CPU; and why there.

    Args:
        open_on: is given a GPU and how many layers to put on it, or None and 0 for the CPU; tries what it opened.

    Raises:
        EngineError: it does not open on the CPU either.
    """
    gpu, layers = choice.gpu, choice.layers
    cause: Sentence | None = None
    while gpu is not None and layers >= max(1, _WORTHWHILE * needs.layers):
        try:
            return open_on(gpu, layers), _used(gpu, layers, needs)
        except EngineError as error:
            cause = cause or error.sentence
            if error.code != "out_of_memory":
                break
            layers //= 2
    reason = choice.reason if gpu is None or cause is None else refused(gpu, cause)
    return open_on(None, 0), reason


def _used(gpu: Gpu, layers: int, needs: Needs) -> Sentence:
    if layers >= needs.layers:
        return Sentence(f"GPU：{gpu.description}", f"GPU: {gpu.description}")
    return Sentence(
        f"GPU：{gpu.description}，放得下 {needs.layers} 层里的 {layers} 层，其余在 CPU 上",
        f"GPU: {gpu.description}, which has room for {layers} of {needs.layers} layers; the others are on the CPU",
    )


def refused(gpu: Gpu, cause: Sentence) -> Sentence:
    """Why the CPU runs the model although there is a GPU: it was tried."""
    return Sentence(
        f"CPU：{gpu.description} 试运行没有成功（{cause.zh.rstrip('。')}）",
        f"CPU: a trial on {gpu.description} failed ({cause.en.rstrip('.')})",
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
