"""Which device runs the model, and what the person is told about it."""

import os

from app.compose.sentence import Sentence
from app.engine import device
from app.engine.device import Choice, Gpu
from app.engine.threads import usable_cores

LARGE = Gpu(1, "CUDA0", "NVIDIA Large", 8 << 30, False)
SMALL = Gpu(2, "CUDA1", "NVIDIA Small", 1 << 29, False)
SHARED = Gpu(3, "Vulkan0", "Intel Shared", 16 << 30, True)
NEEDED = 1 << 30


def chosen(*found: Gpu, wanted: str = "auto", built: bool = True) -> Choice:
    return device.choose(wanted, None, NEEDED, lambda: found, lambda: built)


def test_a_gpu_of_its_own_memory_comes_before_one_that_shares_and_one_too_small() -> None:
    assert chosen(SMALL, SHARED, LARGE).gpu is LARGE
    assert chosen(SMALL, SHARED).gpu is SHARED
    assert chosen(LARGE).reason.zh == "GPU：NVIDIA Large" and LARGE.label == "CUDA0 NVIDIA Large"


def test_each_reason_for_the_cpu_is_told() -> None:
    assert chosen().reason.zh == "CPU：未检测到可用 GPU"
    assert chosen(built=False).reason.zh == "CPU：这个版本没有编译 GPU 支持"
    assert chosen(LARGE, wanted="cpu").reason.zh == "CPU：按设置只用 CPU"
    choice = chosen(SMALL)
    assert choice.gpu is None and "显存不够（需要 1.1 GB，空闲 0.5 GB）" in choice.reason.zh


def test_a_reason_given_for_the_cpu_is_repeated_and_no_driver_asked() -> None:
    def crash() -> tuple[Gpu, ...]:
        raise AssertionError("the driver was asked")

    why = Sentence("CPU：因为", "CPU: because")
    assert device.choose("cpu", why, NEEDED, crash).reason is why


def test_a_failed_trial_says_on_what_and_why() -> None:
    said = device.refused(LARGE, Sentence("内存不够。", "Not enough memory."))
    assert said.zh == "CPU：NVIDIA Large 试运行没有成功（内存不够）"
    assert said.en == "CPU: a trial on NVIDIA Large failed (Not enough memory)"


def test_ggml_can_be_asked_on_this_machine() -> None:
    assert isinstance(device.gpus(), tuple) and isinstance(device.built_for_gpu(), bool)
    assert all(gpu.handle and gpu.name for gpu in device.gpus())


def test_there_is_a_thread_for_each_core_that_may_be_used() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
