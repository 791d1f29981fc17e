"""A real child process that speaks the engine's protocol and writes given texts: for tests of the window alone.

``python -m tests.gui.stand_in_engine [--pace SECONDS] [--fail CODE] [--texts FILE]``: one character of every candidate
each ``pace``; candidate ``i`` of a job gets the text ``seed``-independent, so that a test knows what comes.
"""

import argparse
import json
import queue
import sys
import threading
import time
from pathlib import Path

from app.compose.sentence import Sentence
from app.engine.protocol import (
    Cancel,
    Command,
    Done,
    Event,
    Failed,
    Finished,
    Load,
    Loading,
    Piece,
    Ready,
    Write,
    decode,
    encode,
)

TEXTS = (
    "王总，新年好。去年您那句“慢一点，想清楚”，我一直记着，今年还请您多指点。祝您新春安康，诸事顺遂。",
    "王总过年好，感谢你一年来的信任，新的一年我会把手上的事一件件做扎实，祝阖家安康。",
    "王总，给您拜年了。这一年跟着您做事，学到的比做到的多，愿您新年里少些会议，多些清闲的下午。",
    "王总，新春将至。一年的项目，一半的底气是您给的。祝您新年身体康健，家里热闹，心里清静。",
    "王总，岁末回看，最踏实的是每次汇报后您那一句“行”。新的一年，愿这样的“行”多一些，祝您新春吉祥。",
    "王总，过年好。您教我的看数字的法子，我今年要接着用，也接着练。祝您与家人新春安康。",
)
LOGPROBS = (-0.7, -1.4, -0.9, -0.8, -1.1, -1.0)


def main() -> None:
    """Serve commands until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, default=0.004)
    parser.add_argument("--opening", type=float, default=0.05)
    parser.add_argument("--fail", default="")
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()
    texts = tuple(json.loads(options.texts.read_text(encoding="utf-8"))) if options.texts else TEXTS
    commands: queue.Queue[Command | None] = queue.Queue()
    cancelled: set[int] = set()

    def read() -> None:
        for line in sys.stdin.buffer:
            command = decode(line)
            if isinstance(command, Cancel):
                cancelled.add(command.job)
            commands.put(command)  # type: ignore[arg-type]
        commands.put(None)

    threading.Thread(target=read, daemon=True).start()
    writes = 0
    while (command := commands.get()) is not None:
        if isinstance(command, Load):
            load(command, options.opening, options.fail)
        elif isinstance(command, Write):
            start = (writes * 3) % len(texts)
            write(command, [texts[(start + i) % len(texts)] for i in range(command.draw)], options.pace, cancelled)
            writes += 1


def load(command: Load, seconds: float, fail: str) -> None:
    """Open nothing, and say how it went."""
    for step in range(5):
        say(Loading(step / 4))
        time.sleep(seconds / 5)
    if fail:
        sentence = Sentence(
            "模型文件损坏了，和安装时不一样。请重新准备一次。", "The model file is damaged. Prepare it anew."
        )
        say(Failed(None, fail, sentence, "sha256 differs"))
        return
    reason = Sentence("CPU：未检测到可用 GPU", "CPU: no usable GPU was found")
    name = Path(command.path).name
    say(Ready("CPU", reason, name, 1_540_000_000, 0, command.threads or 2, command.context, seconds))


def write(command: Write, texts: list[str], pace: float, cancelled: set[int]) -> None:
    """Stream every candidate at once, a character at a time."""
    start = time.monotonic()
    sent = [0] * len(texts)
    first: float | None = None
    while any(count < len(text) for count, text in zip(sent, texts, strict=True)):
        if command.job in cancelled:
            break
        for candidate, text in enumerate(texts):
            if sent[candidate] < len(text):
                say(Piece(command.job, candidate, text[sent[candidate]]))
                sent[candidate] += 1
                if sent[candidate] == len(text):
                    logprob = LOGPROBS[candidate % len(LOGPROBS)]
                    say(Finished(command.job, candidate, text, len(text), logprob, "stop"))
        first = time.monotonic() - start if first is None else first
        time.sleep(pace)
    for candidate, text in enumerate(texts):
        if sent[candidate] < len(text):
            say(Finished(command.job, candidate, text[: sent[candidate]], sent[candidate], -1.0, "cancelled"))
    say(Done(command.job, time.monotonic() - start, first, command.job in cancelled))


def say(event: Event) -> None:
    """One line out."""
    sys.stdout.buffer.write(encode(event))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
