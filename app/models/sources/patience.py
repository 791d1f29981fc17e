"""How long a source is waited for, and waiting that ends when the person stops it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.models.errors import Cancelled

_TICK = 0.1  # seconds between two looks at `cancelled`

R = TypeVar("R")


@dataclass(frozen=True)
class Patience:
    """Seconds, and how often something is tried again without a single new byte having come."""

    answer: float = 10.0  # for the Hub to say that it has the file, all addresses and redirects together
    connect: float = 6.0
    silence: float = 20.0  # between two bytes
    attempts: int = 5
    pause: float = 1.0  # before the second attempt; doubled each time
    longest_pause: float = 30.0


UNHURRIED = Patience()


def wait(seconds: float, cancelled: Callable[[], bool]) -> None:
    """Let time pass.

    Raises:
        Cancelled: ``cancelled()`` became true meanwhile.
    """
    end = time.monotonic() + seconds
    while True:
        if cancelled():
            raise Cancelled
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_TICK, left))


def within(seconds: float, cancelled: Callable[[], bool], call: Callable[[], R]) -> R:
    """What ``call`` returns or raises, if it does so in time.

    A connection's own time-outs hold for each address a name has, one after the other: a Hub that is swallowed by a
    firewall would be waited for a minute. The call goes on in a thread of its own, nobody listening.

    Raises:
        TimeoutError: no answer in ``seconds``.
        Cancelled: ``cancelled()`` became true meanwhile.
    """
    results: list[R] = []
    errors: list[BaseException] = []

    def answer() -> None:
        try:
            results.append(call())
        except BaseException as error:  # handed to the caller's thread, whatever it is
            errors.append(error)

    thread = threading.Thread(target=answer, name="waiting for an answer", daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while thread.is_alive():
        if cancelled():
            raise Cancelled
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {seconds:g} s")
        thread.join(min(_TICK, left))
    if errors:
        raise errors[0]
    return results[0]
