"""Which commands the engine does not carry out, whatever the model."""

import math

from app.engine import errors
from app.engine.protocol import Load, Sampling, Write

MOST_DRAWN = 64
MOST_TOKENS = 2048
MOST_THREADS = 256
CONTEXT = (256, 1 << 20)
_LARGEST_SEED = 2**64


def unfit_load(load: Load) -> None:
    """Refuse settings no engine can be opened with.

    Raises:
        EngineError: bad_request.
    """
    if load.device not in ("auto", "cpu"):
        raise errors.bad_request(
            f"没有“{load.device[:40]}”这种设备。请选“自动”或“只用 CPU”。",
            f"There is no device {load.device[:40]!r}; choose auto or cpu.",
        )
    if load.threads is not None and not 1 <= load.threads <= MOST_THREADS:
        raise errors.bad_request(
            f"线程数应在 1 到 {MOST_THREADS} 之间，现在是 {load.threads}。请到“设置”页改一下。",
            f"The number of threads must be between 1 and {MOST_THREADS}, not {load.threads}. Change it on the page "
            "Settings.",
        )
    if not CONTEXT[0] <= load.context <= CONTEXT[1]:
        raise errors.bad_request(
            f"上下文长度应在 {CONTEXT[0]} 到 {CONTEXT[1]} 之间，现在是 {load.context}。请改一下。",
            f"The context must hold between {CONTEXT[0]} and {CONTEXT[1]} tokens, not {load.context}. Change it.",
        )


def unfit(job: Write) -> None:
    """Refuse a job that asks for something the engine does not do.

    Raises:
        EngineError: bad_request.
    """
    if not 1 <= job.draw <= MOST_DRAWN:
        raise errors.bad_request(
            f"一次可以写 1 到 {MOST_DRAWN} 篇，现在要的是 {job.draw} 篇。请改一下篇数。",
            f"Between 1 and {MOST_DRAWN} candidates can be written at once, not {job.draw}. Change the number.",
        )
    if not 1 <= job.most_tokens <= MOST_TOKENS:
        raise errors.bad_request(
            f"一篇的长度上限应在 1 到 {MOST_TOKENS} 之间，现在是 {job.most_tokens}。请改一下上限。",
            f"The limit on the length of a text must be between 1 and {MOST_TOKENS} tokens, not {job.most_tokens}.",
        )
    if not any(segment.text for segment in job.prompt):
        raise errors.bad_request("没有要写的内容，请先填好再写。", "There is nothing to write about; fill the form in.")
    if not 0 <= job.seed < _LARGEST_SEED:
        raise errors.bad_request(
            "随机种子应是不小于 0、小于 2 的 64 次方的整数，请换一个。",
            "The seed must be a whole number from 0 up to but not including 2 to the power of 64.",
        )
    _unfit_sampling(job.sampling)


def _unfit_sampling(sampling: Sampling) -> None:
    values = (sampling.temperature, sampling.top_p, sampling.min_p)
    sound = all(math.isfinite(value) for value in values)
    if not (sound and 0 <= sampling.temperature <= 10 and 0 < sampling.top_p <= 1 and 0 <= sampling.min_p <= 1):
        raise errors.bad_request(
            "采样设置超出范围：温度 0 到 10，top_p 大于 0 且不超过 1，min_p 0 到 1。请改回合理的数值。",
            "A sampling setting is out of range: temperature 0 to 10, top_p above 0 and at most 1, min_p 0 to 1.",
            f"temperature {values[0]}, top_p {values[1]}, min_p {values[2]}",
        )
