"""Counts what the cases of a folder of tests came to, printed when all tests are done."""

from collections import Counter

import pytest

_TALLIES = pytest.StashKey["dict[str, Tally]"]()


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


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Where a test counts what its cases came to, together with the others of its folder."""
    tallies = request.config.stash.setdefault(_TALLIES, {})
    return tallies.setdefault(request.path.parent.name, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts: also those of a run in which something failed."""
    for folder, tally in config.stash.get(_TALLIES, {}).items():
        terminalreporter.section(folder)
        for line in tally.lines():
            terminalreporter.write_line(line)
