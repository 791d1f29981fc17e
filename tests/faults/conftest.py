"""What the tests of faults share."""

from tests.engine.conftest import client, engine_process  # noqa: F401  fixtures
