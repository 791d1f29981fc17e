"""Counts what faults came to."""

from collections import Counter


class Tally:
    """Of each kind of fault, how often each outcome; kinds and outcomes in the order they first came up."""

    def __init__(self) -> None:
        self._kinds: dict[str, Counter[str]] = {}

    def count(self, kind: str, outcome: str, times: int = 1) -> None:
        """One more of a kind that ended so; with 0 ``times`` the outcome is named even if it never comes up."""
        self._kinds.setdefault(kind, Counter())[outcome] += times

    def lines(self) -> list[str]:
        """``100 engine kills: 25 while loading, 75 while idle``, a line each kind."""
        return [
            f"{outcomes.total()} {kind}: " + ", ".join(f"{times} {outcome}" for outcome, times in outcomes.items())
            for kind, outcomes in self._kinds.items()
        ]
