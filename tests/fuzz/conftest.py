"""How inputs are drawn: in CI the same ones every time. What the cases came to is counted, and printed at the end."""

import os

import hypothesis
import pytest

from tests.conftest import in_ci
from tests.faults.tally import Tally

TALLY = pytest.StashKey[Tally]()

hypothesis.settings.register_profile(
    "fuzz",
    derandomize=in_ci(),
    deadline=None,  # a busy machine is no fault of ours
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fuzz"))


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """Where a test counts what its cases came to."""
    return pytestconfig.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts: also those of a run in which something failed."""
    counted = config.stash.get(TALLY, None)
    if counted is not None:
        terminalreporter.section("fuzzing")
        for line in counted.lines():
            terminalreporter.write_line(line)
