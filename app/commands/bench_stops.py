"""How soon a stop is answered, at random moments of all that the engine does."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.commands.bench_engine import Ours
from app.compose.prompt import Segment

LONG = 1200  # tokens, about: seconds of reading on two cores
MOST_TOKENS = 100  # of a text


@dataclass(frozen=True)
class _Work:
    """Jobs asked for together, the first of which is stopped. The others are to go on."""

    name: str
    prompts: tuple[tuple[Segment, ...], ...]
    draw: int


def stop_latencies(
    open_ours: Callable[[], Ours], ours: Ours, prompt: tuple[Segment, ...], times: int
) -> dict[str, list[float]]:
    """Milliseconds from asking for a stop to its answer, by what the engine was doing.

    Args:
        open_ours: makes an engine that is not started.
        ours: one that is open.
        prompt: an ordinary one.
        times: how often of each, at moments spread at random over what is stopped.
    """
    moments = random.Random(1)
    took = _opening_takes(open_ours)
    opening = [_stopped_while_opening(open_ours(), prompt, moments.uniform(0, took)) for _ in range(times)]
    found = {
        "stop, model opening": [answered for answered, _ in opening if answered is not None],
        "the engine's end, model opening": [ended for _, ended in opening],
    }
    long = (Segment("祝您新年快乐，" * (LONG // 5), False), *prompt)
    kinds = (
        _Work("stop, long prompt", (long,), 1),
        _Work("stop, one sequence", (prompt,), 1),
        _Work("stop, eight of sixteen sequences", (prompt, prompt), 8),
    )
    for work in kinds:
        took = _undisturbed(ours, work)
        answers = [_stopped(ours, work, number, moments.uniform(0, took)) for number in range(1, times + 1)]
        found[work.name] = [answer for answer in answers if answer is not None]
    return {name: [1000 * value for value in values] for name, values in found.items() if values}


def _opening_takes(open_ours: Callable[[], Ours]) -> float:
    with open_ours() as ours:
        return ours.opened_in


def _stopped_while_opening(ours: Ours, prompt: tuple[Segment, ...], after: float) -> tuple[float | None, float]:
    """A job that waits for the model is stopped, and then the engine is ended: the seconds that each took; None for a
    job that had ended before."""
    ours.start()
    job = ours.ask(prompt, 1, 1, MOST_TOKENS)
    time.sleep(after)
    answered = ours.stop(job)
    began = time.perf_counter()
    ours.close()
    return answered, time.perf_counter() - began


def _undisturbed(ours: Ours, work: _Work) -> float:
    began = time.perf_counter()
    ours.wait_for(_asked(ours, work, 0))
    return time.perf_counter() - began


def _stopped(ours: Ours, work: _Work, number: int, after: float) -> float | None:
    first, *others = _asked(ours, work, number)
    time.sleep(after)
    answer = ours.stop(first)
    ours.wait_for(others)
    return answer


def _asked(ours: Ours, work: _Work, number: int) -> list[int]:
    """The jobs of some work. What tells them apart comes first: a prompt there already is not read again."""
    return [
        ours.ask((Segment(f"{number}\n", False), *prompt), work.draw, number, MOST_TOKENS) for prompt in work.prompts
    ]
