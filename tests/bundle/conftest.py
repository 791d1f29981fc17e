"""The bundle the tests are about: the one ``BAINIANTIE_BUNDLE`` names. Without it they are skipped."""

import os
from pathlib import Path

import pytest

VARIABLE = "BAINIANTIE_BUNDLE"


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder that is unpacked from what people download."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        pytest.skip(f"no bundle was named (python3 run.py bundle; then {VARIABLE}=dist/bainiantie)")
    folder = Path(named).absolute()
    assert (folder / "bainiantie").is_file(), f"{folder} is no bundle"
    return folder
