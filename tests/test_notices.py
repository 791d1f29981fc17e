"""Everything that is installed is named in THIRD_PARTY_NOTICES.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTICES = ROOT / "THIRD_PARTY_NOTICES.md"
# "name==version", and the environments it is for; those of a browser (emscripten) are none of ours.
PINNED = re.compile(r"^([\w.-]+)==(?!.*== 'emscripten')", re.MULTILINE)


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_every_locked_package_is_named(lock: str) -> None:
    named = set(re.findall(r"[\w.]+(?:-[\w.]+)*", NOTICES.read_text(encoding="utf-8").lower()))
    packages = set(PINNED.findall((ROOT / lock).read_text(encoding="utf-8")))
    assert packages, lock
    assert not {name for name in packages if name.lower().replace("_", "-") not in named}
