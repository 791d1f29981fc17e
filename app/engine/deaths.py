"""What the death of an engine process means to the person, by how it died."""

import signal

from app.compose.sentence import Sentence

# SIGILL; on Windows STATUS_ILLEGAL_INSTRUCTION (ntstatus.h), as subprocess gives it.
ILLEGAL_INSTRUCTION = (-4, 0xC000001D)
_KILLED = -9

UNFINISHED = Sentence(
    "写作引擎意外停了，这一条没有写完；已写出的字都还在。等它重新启动好，再写一次。",
    "The engine stopped unexpectedly, and this text is unfinished; what was written is kept. Write again once it has "
    "restarted.",
)
UNSTARTABLE = Sentence(
    "写作引擎启动不了，写不了新的祝福；你填的内容和已写好的文字都还在。请关掉占内存多的程序再试；还是不行，"
    "请重新安装本程序。",
    "The engine process cannot be started, so nothing new can be written; what you filled in and what was written is "
    "kept. Close programs that use much memory and try again; if that does not help, install this program again.",
)
WRONG_PROCESSOR = Sentence(
    "现在装的写作引擎是给别的处理器编译的，在这台电脑上跑不起来；你填的内容都还在。请在这台电脑上重新安装本程序。",
    "The installed engine was built for another processor and cannot run on this computer; what you filled in is kept. "
    "Install this program again on this computer.",
)
HUNG = Sentence(
    "写作引擎没有反应，已经停掉，正在重新启动；你填的内容和已写好的文字都还在。",
    "The engine did not respond, was ended and is restarting. What you filled in and what was written is kept.",
)


def restarting(code: int) -> Sentence:
    """It died and is being started again."""
    if code == _KILLED:
        return Sentence(
            "写作引擎意外停了（可能是内存不够），正在重新启动；你填的内容和已写好的文字都还在。",
            "The engine stopped unexpectedly (memory may be short) and is restarting. What you filled in and what was "
            "written is kept.",
        )
    return Sentence(
        "写作引擎意外停了，正在重新启动；你填的内容和已写好的文字都还在。",
        "The engine stopped unexpectedly and is restarting. What you filled in and what was written is kept.",
    )


def restarting_on_cpu(gpu: str) -> Sentence:
    """It died using a GPU, or looking for one where no name is known, and is being started again without."""
    if not gpu:
        return Sentence(
            "写作引擎在查找显卡时停了，正在改用 CPU 重新启动；你填的内容和已写好的文字都还在。",
            "The engine stopped while looking for a GPU and is restarting on the CPU. What you filled in and what was "
            "written is kept.",
        )
    return Sentence(
        f"写作引擎在显卡（{gpu}）上停了，正在改用 CPU 重新启动；你填的内容和已写好的文字都还在。",
        f"The engine stopped while using the GPU ({gpu}) and is restarting on the CPU. What you filled in and what was "
        "written is kept.",
    )


def why_cpu(gpu: str) -> Sentence:
    """The reason in Ready after that."""
    if not gpu:
        return Sentence("CPU：查找显卡时引擎停了", "CPU: the engine died looking for a GPU")
    return Sentence(f"CPU：用显卡（{gpu}）时引擎停了", f"CPU: the engine died using the GPU ({gpu})")


def too_often(times: int, code: int) -> Sentence:
    """It died so often that it is not started again."""
    cause = ("，多半是内存不够", ", most likely for want of memory") if code == _KILLED else ("", "")
    return Sentence(
        f"写作引擎一分钟里停了 {times} 次{cause[0]}，先不再重新启动；你填的内容和已写好的文字都还在。"
        "请关掉占内存多的程序，再点一次“写祝福”；还是不行，到“模型”页重新下载。",
        f"The engine stopped {times} times within a minute{cause[1]} and will not be restarted for now; what you "
        "filled in and what was written is kept. Close programs that use much memory and choose Write once more; if "
        "that does not help, download the model again on the page Models.",
    )


def name_of(code: int) -> str:
    """``exit code 1`` or ``signal 9 (SIGKILL)``, for details."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"exit code {code}"
