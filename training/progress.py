"""How far a step is, on one line of standard error that rewrites itself; nothing where nobody watches."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta


def percent(doing: str) -> Callable[[int, int], None]:
    """A function to call with how much is done and how much there is; it prints whole percents."""
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        now = done * 100 // max(1, total)
        if now != shown and sys.stderr.isatty():
            shown = now
            print(f"\r{doing}: {now:3d} %", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return show


class TimeLeft:
    """How many of many jobs are done, how long one takes, and the time left. Without a terminal a line is printed every
    tenth of the way.

    Args:
        jobs: in all.
        done: before, by an earlier start; their time is not known.
    """

    def __init__(self, doing: str, jobs: int, done: int = 0) -> None:
        self._doing = doing
        self._jobs = jobs
        self._first = done
        self._began = time.monotonic()
        self._told = done * 10 // max(1, jobs)
        self._terminal = sys.stderr.isatty()

    def show(self, done: int) -> None:
        """So many are done."""
        taken = max(1, done - self._first)
        each = (time.monotonic() - self._began) / taken
        text = f"{self._doing} {done}/{self._jobs}  {each:.1f} s each  {clock(each * (self._jobs - done))} left"
        tenth = done * 10 // max(1, self._jobs)
        if self._terminal:
            end = "\n" if done >= self._jobs else ""
            print(f"\r{text}\x1b[K", end=end, file=sys.stderr, flush=True)
        elif tenth > self._told:
            print(text, file=sys.stderr, flush=True)
        self._told = tenth


class StepLine:
    """The state of a training stage: steps, loss, tokens a second, time left. Without a terminal only validations are
    printed, one line each.

    Args:
        steps: in all.
        done: taken before, by an earlier start.
    """

    def __init__(self, name: str, steps: int, done: int) -> None:
        self._name = name
        self._steps = steps
        self._first = done
        self._began = time.monotonic()
        self._tokens = 0
        self._loss: float | None = None
        self._terminal = sys.stderr.isatty()

    def step(self, step: int, loss: float, tokens: int) -> None:
        """A step was taken; ``tokens`` without padding."""
        self._tokens += tokens
        self._loss = loss if self._loss is None else 0.95 * self._loss + 0.05 * loss
        if self._terminal:
            print(f"\r{self._state(step)}\x1b[K", end="", file=sys.stderr, flush=True)

    def validated(self, step: int, loss: float, better: bool) -> None:
        """The validation loss was measured."""
        mark = "" if better else " (not better)"
        start = "\r" if self._terminal else ""
        end = "\x1b[K\n" if self._terminal else "\n"
        print(f"{start}{self._state(step)}  validation {loss:.4f}{mark}", end=end, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self._terminal:
            print(file=sys.stderr)

    def _state(self, step: int) -> str:
        seconds = time.monotonic() - self._began
        taken = step - self._first
        text = f"{self._name} {step}/{self._steps}"
        if self._loss is None or taken <= 0:
            return text
        left = clock(seconds / taken * (self._steps - step))
        return f"{text}  loss {self._loss:.3f}  {self._tokens / seconds:.0f} tokens/s  {left} left"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(timedelta(seconds=int(seconds)))
