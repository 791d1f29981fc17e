"""How inputs are drawn: in CI the same ones every time."""

import os

import hypothesis

from tests.conftest import in_ci

hypothesis.settings.register_profile(
    "fuzz",
    derandomize=in_ci(),
    deadline=None,  # a busy machine is no fault of ours
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fuzz"))
