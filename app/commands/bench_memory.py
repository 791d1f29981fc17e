"""What the engine holds while it writes a thousand greetings, and whether that grows."""

from collections.abc import Sequence

import numpy as np

from app.commands.bench_engine import Ours
from app.compose.request import GreetingRequest

A_JOB = 8  # greetings of one job
EVERY = 100  # greetings between two looks
MOST_TOKENS = 24  # of a greeting: what leaks, leaks with every one, however short


def resident_by_greetings(ours: Ours, people: Sequence[GreetingRequest], greetings: int) -> dict[int, int]:
    """Bytes resident after every hundred greetings, people in turns; empty where the system does not tell."""
    found: dict[int, int] = {}
    written = 0
    while written < greetings:
        person = people[written // A_JOB % len(people)]
        ours.write([person], A_JOB, written, MOST_TOKENS)
        written += A_JOB
        if written % EVERY < A_JOB and (memory := ours.memory()) is not None:
            found[written // EVERY * EVERY] = memory["now"]
    return found


def growth(resident: dict[int, int]) -> float:
    """Bytes a greeting, the slope of the line through the looks (least squares); the first, which still fills caches,
    left out. 0 where there are fewer than three."""
    looks = sorted(resident.items())[1:]
    if len(looks) < 2:
        return 0.0
    slope, _ = np.polyfit([written for written, _ in looks], [size for _, size in looks], 1)
    return float(slope)
