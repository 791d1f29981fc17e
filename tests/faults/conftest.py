"""What the faults came to, counted and printed when all tests are done; and what their tests share."""

import pytest

from tests.engine.conftest import client, engine_process  # noqa: F401  fixtures
from tests.faults.tally import Tally

TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """Where a test counts what its faults came to."""
    return pytestconfig.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts: also those of a run in which something failed."""
    counted = config.stash.get(TALLY, None)
    if counted is not None:
        terminalreporter.section("faults")
        for line in counted.lines():
            terminalreporter.write_line(line)
