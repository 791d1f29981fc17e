"""Which device runs the model, and what the person is told about it."""

import os

import pytest

from app.compose.sentence import Sentence
from app.engine import device, errors
from app.engine.device import Choice, Gpu, Needs
from app.engine.errors import EngineError
from app.engine.threads import usable_cores

LARGE = Gpu(1, "CUDA0", "NVIDIA Large", 8 << 30, False, 8 << 30)
SMALL = Gpu(2, "CUDA1", "NVIDIA Small", 1 << 28, False, 1 << 30)
SHARED = Gpu(3, "Vulkan0", "Intel Shared", 16 << 30, True, 16 << 30)
HALF = Gpu(4, "ROCm0", "AMD Half", 600 << 20, False, 8 << 30)
# A gigabyte over 28 blocks and the output, and 100 MiB whatever is on the device.
NEEDS = Needs(1000 << 20, 29, 100 << 20)


def chosen(*found: Gpu, wanted: str = "auto", built: tuple[str, ...] = ("CUDA", "Vulkan")) -> Choice:
    return device.choose(wanted, None, NEEDS, lambda: found, lambda: built)


def test_a_gpu_of_its_own_memory_comes_before_one_that_shares_and_one_too_small() -> None:
    assert chosen(SMALL, SHARED, LARGE).gpu is LARGE
    assert chosen(SMALL, SHARED).gpu is SHARED
    assert chosen(HALF, SHARED).gpu is SHARED
    assert chosen(LARGE).reason.zh == "GPU：NVIDIA Large" and LARGE.label == "CUDA0 NVIDIA Large"
    assert chosen(LARGE).layers == 29


def test_as_many_layers_as_fit_go_to_a_gpu_with_room_for_a_part() -> None:
    choice = chosen(HALF, SMALL)
    # (600 - 100) MiB hold 14.5 of 29 layers of 34.5 MiB.
    assert choice.gpu is HALF and choice.layers == 14
    assert choice.reason.zh == "GPU：AMD Half，放得下 29 层里的 14 层，其余在 CPU 上"
    assert "14 of 29" in choice.reason.en


def test_each_reason_for_the_cpu_is_told() -> None:
    assert chosen().reason.zh == "CPU：未检测到可用 GPU（CUDA、Vulkan）"
    assert chosen().reason.en.endswith("(CUDA, Vulkan)")
    assert chosen(built=()).reason.zh == "CPU：这个版本不支持显卡"
    assert chosen(LARGE, wanted="cpu").reason.zh == "CPU：按设置只用 CPU"
    choice = chosen(SMALL)
    assert choice.gpu is None and "显存不够（需要 1.2 GB，空闲 0.3 GB）" in choice.reason.zh


class Driver:
    """Opens with at most so many layers, or fails in another way; remembers what was tried."""

    def __init__(self, most: int, failure: EngineError | None = None) -> None:
        self.most, self.failure = most, failure
        self.tried: list[tuple[Gpu | None, int]] = []

    def open_on(self, gpu: Gpu | None, layers: int) -> str:
        self.tried.append((gpu, layers))
        if gpu is not None and self.failure is not None:
            raise self.failure
        if layers > self.most:
            raise errors.out_of_memory("cudaMalloc failed")
        return f"{layers} layers"


def test_fewer_layers_are_tried_where_more_do_not_open() -> None:
    driver = Driver(15)
    opened, reason = device.open_on_best(chosen(LARGE), NEEDS, driver.open_on)
    assert opened == "14 layers" and driver.tried == [(LARGE, 29), (LARGE, 14)]
    assert reason.zh == "GPU：NVIDIA Large，放得下 29 层里的 14 层，其余在 CPU 上"


def test_at_last_the_cpu_and_why_is_told() -> None:
    driver = Driver(0)
    opened, reason = device.open_on_best(chosen(LARGE), NEEDS, driver.open_on)
    assert opened == "0 layers" and driver.tried == [(LARGE, 29), (LARGE, 14), (None, 0)]
    assert reason.zh.startswith("CPU：NVIDIA Large 试运行没有成功（内存不够")


def test_a_gpu_that_fails_in_another_way_is_not_tried_twice() -> None:
    driver = Driver(99, errors.model_damaged("logits that are not finite"))
    _, reason = device.open_on_best(chosen(LARGE), NEEDS, driver.open_on)
    assert driver.tried == [(LARGE, 29), (None, 0)]
    assert "算不出正常的结果" in reason.zh


def test_without_a_gpu_only_the_cpu_is_tried_and_its_failure_passed_on() -> None:
    driver = Driver(0)
    assert device.open_on_best(chosen(), NEEDS, driver.open_on) == ("0 layers", chosen().reason)
    assert driver.tried == [(None, 0)]

    def refuse(gpu: Gpu | None, layers: int) -> str:
        raise errors.model_unsupported("no")

    with pytest.raises(EngineError):
        device.open_on_best(chosen(LARGE), NEEDS, refuse)


def test_what_was_found_is_told_with_its_memory() -> None:
    lines = device.found_here(lambda: (HALF,), lambda: ("ROCm",))
    assert lines == ("GPU backends: ROCm", "ROCm0 AMD Half: 0.6 GB of 8.6 GB free")
    assert device.found_here(lambda: (), lambda: ()) == ("no GPU backend in this build",)


def test_a_reason_given_for_the_cpu_is_repeated_and_no_driver_asked() -> None:
    def crash() -> tuple[Gpu, ...]:
        raise AssertionError("the driver was asked")

    why = Sentence("CPU：因为", "CPU: because")
    assert device.choose("cpu", why, NEEDS, crash).reason is why


def test_a_failed_trial_says_on_what_and_why() -> None:
    said = device.refused(LARGE, Sentence("内存不够。", "Not enough memory."))
    assert said.zh == "CPU：NVIDIA Large 试运行没有成功（内存不够）"
    assert said.en == "CPU: a trial on NVIDIA Large failed (Not enough memory)"


def test_ggml_can_be_asked_on_this_machine() -> None:
    assert isinstance(device.gpus(), tuple) and isinstance(device.gpu_backends(), tuple)
    assert all(gpu.handle and gpu.name for gpu in device.gpus())


def test_there_is_a_thread_for_each_core_that_may_be_used() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
