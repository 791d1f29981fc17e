"""How far a step is, on one line of standard error that rewrites itself; nothing where nobody watches."""

import sys
from collections.abc import Callable


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
