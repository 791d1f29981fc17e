"""What it means when the device fails in the middle of training: out of memory, or a GPU that is gone, as a sentence.

PyTorch reports both as a RuntimeError, and only its text tells which; so this knows texts and needs no torch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from app.compose.sentence import Sentence
from training.errors import TrainingError

_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
_LOST = ("CUDA error", "HIP error", "cuBLAS", "CUBLAS_STATUS", "CUDNN_STATUS", "MPS backend", "device-side")


@contextmanager
def device_failures() -> Iterator[None]:
    """Within it, a failure of the device becomes a sentence; every other error passes.

    Raises:
        TrainingError: memory does not suffice, or the device was lost.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError) or any(words in text for words in _MEMORY):
            raise TrainingError(
                Sentence(
                    "内存（或显存）不够。请关掉别的程序再运行一次，会从上一个检查点接着来；"
                    "还不够，就把配方里的 batch_tokens 减半，那样会从头训练。",
                    "Out of memory. Close other programs and run again; it goes on from the last checkpoint. If that "
                    "does not help, halve batch_tokens in the recipe; training then begins anew.",
                ),
                text,
            ) from error
        if type(error).__name__ == "AcceleratorError" or any(words in text for words in _LOST):
            raise TrainingError(
                Sentence(
                    "显卡中途出错或断开了。重启机器或驱动后再运行一次，会从上一个检查点接着来。",
                    "The GPU failed or was lost. Restart it or its driver and run again; it goes on from the last "
                    "checkpoint.",
                ),
                text,
            ) from error
        raise
