"""How many threads decode fastest with this model on this machine: measured once, while nothing is asked for.

The person is choosing to whom to write then, and never waits for it: the first job ends it, and it is made anew at the
next start. No text depends on it, as far as was tried: of a prompt, and of 1, 3, 8, 16 and 32 rows, our model's logits
were the same to the last bit with 1, 2, 3, 4 and 7 threads of an x86 processor; of a tiny model a test holds it.
"""

import statistics
import time
from collections.abc import Sequence

from app.engine.protocol import Load
from app.engine.runtime import Runtime
from app.engine.thread_record import name_of, record_threads, recorded_threads
from app.engine.threads import counts_worth_trying

ROWS = 8  # candidates of a click, decoded together
TURNS = 8
LEAST_TURNS = 4  # of each number of threads, undisturbed
# Threads that got less of their processors than this shared them with another program: that turn says nothing.
OWN = 0.8
# A number of threads is taken for faster than fewer only by more than this: what it does not need is the window's.
WORTH = 1.03
# Times that scatter by more say something of what else is running.
STEADY = 1.15


class ThreadTrial:
    """Measurements of one runtime that holds nothing, in turns, one a step, and :meth:`end`. :meth:`give_up` may be
    called from another thread."""

    def __init__(self, runtime: Runtime, counts: Sequence[int], model: str) -> None:
        self._runtime = runtime
        self._model = model
        self._before = runtime.threads
        self._seconds: dict[int, list[float]] = {count: [] for count in sorted(counts)}
        self._to_come = [count for _ in range(TURNS) for count in self._seconds]
        self._given_up = False

    @property
    def over(self) -> bool:
        """Whether nothing is left to be measured."""
        return self._given_up or not self._to_come

    def step(self) -> None:
        """Measure once more."""
        count = self._to_come.pop(0)
        self._runtime.use_threads(count)
        self._runtime.clear()
        began, worked = time.perf_counter(), time.process_time()
        decoded = self._runtime.advance([0] * ROWS, [0] * ROWS, range(ROWS))
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        if decoded is not None and worked >= OWN * count * seconds:
            self._seconds[count].append(seconds)

    def give_up(self) -> None:
        """End the step that is running."""
        self._given_up = True
        self._runtime.interrupt()

    def end(self) -> None:
        """Use what was found, and remember it; where nothing was, go on as before."""
        measured = not self._given_up and all(len(seconds) >= LEAST_TURNS for seconds in self._seconds.values())
        found = fewest_of_the_fastest(self._seconds) if measured else None
        self._runtime.clear()
        self._runtime.use_threads(found or self._before)
        self._runtime.resume()
        if found is not None:
            record_threads(self._model, tuple(self._seconds), found)


def needed_trial(load: Load, runtime: Runtime) -> ThreadTrial | None:
    """A trial, where nobody named a number of threads, a processor computes that has a choice, and none is
    remembered."""
    counts = counts_worth_trying()
    if load.threads is not None or runtime.layers_on_gpu or len(counts) == 1:
        return None
    model = name_of(load)
    return None if recorded_threads(model, counts) else ThreadTrial(runtime, counts, model)


def fewest_of_the_fastest(seconds: dict[int, list[float]]) -> int | None:
    """The least number of threads of which the same work took no longer, for all that can be told, than of any other.

    Args:
        seconds: of each number of threads, the times measured.

    Returns:
        None when the times are not steady.
    """
    if any(statistics.median(times) > STEADY * min(times) for times in seconds.values()):
        return None
    best = min(min(times) for times in seconds.values())
    return min(count for count, times in seconds.items() if min(times) <= WORTH * best)
