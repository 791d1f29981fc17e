"""The whole program, used at every place with a secret in every field: nobody is asked for over a network before
somebody asks for a model, and the secret is in the file of people and nowhere else.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.gui.log import FILE as LOG_FILE
from app.gui.people_thread import FILE as PEOPLE_FILE
from tests.privacy.fence import Fenced, run_fenced

SECRET = "Zq7Marker"  # at most 20 characters with a digit after it, as a name may have
NOWHERE = "http://192.0.2.1"  # an address for documentation (RFC 5737), which nobody has

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Visit:
    """One use of the program: what it said, whom it asked, and the home folder it left behind."""

    ran: Fenced
    said: dict[str, str]
    home: Path


@pytest.fixture(scope="module")
def visit(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    home, records = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("records")
    models = home / "models"
    models.mkdir()
    (models / "fetching.yaml").write_text("source: hub\nproxy: none\n", encoding="utf-8")
    (home / "tmp").mkdir()
    environment = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(home / "tmp"),
        "BAINIANTIE_MODELS": str(models),
        "HF_ENDPOINT": NOWHERE,
        "QT_QPA_PLATFORM": "offscreen",
    }
    ran = run_fenced(["-m", "tests.privacy.visit", str(tiny_model), SECRET], records, 800, **environment)
    assert ran.finished.returncode == 0, ran.finished.stderr
    return Visit(ran, json.loads(ran.finished.stdout.splitlines()[-1]), home)


def test_nobody_is_asked_for_over_a_network_before_a_model_is(visit: Visit) -> None:
    asked = float(visit.said["asked"])
    assert not [attempt.line for attempt in visit.ran.attempts if attempt.at < asked]
    assert [attempt for attempt in visit.ran.attempts if "192.0.2.1" in attempt.line], "then the one that was asked for"
    assert not [attempt.line for attempt in visit.ran.attempts if "192.0.2.1" not in attempt.line], "and nobody else"
    assert "连不上模型站" in visit.said["refusal"]


def test_what_was_typed_is_in_the_file_of_people_and_in_no_other(visit: Visit) -> None:
    secrets = (SECRET.encode(), SECRET.encode("utf-16-le"), SECRET.lower().encode())
    found = {
        path.relative_to(visit.home).as_posix()
        for path in visit.home.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    }
    assert found and all(Path(name).name.startswith(PEOPLE_FILE.partition(".")[0]) for name in found), found
    assert SECRET not in visit.ran.finished.stderr


def test_the_diagnostics_hold_the_crash_and_not_a_word_of_a_person(visit: Visit) -> None:
    told = visit.said["diagnostics"]
    assert SECRET.lower() not in told.lower() and str(visit.home) not in told
    assert "Segmentation fault" in told, "how the engine died"
    assert "ValueError" in told and "invalid literal" not in told, "what nobody foresaw, without what it quotes"
    assert "意料之外的错" in visit.said["error"]


def test_the_log_says_what_happened(visit: Visit) -> None:
    (log,) = visit.home.rglob(LOG_FILE)
    text = log.read_text(encoding="utf-8")
    for line in ("engine ready: CPU", "engine died (-11), restarting", "unforeseen", "models fetch: hub_unreachable"):
        assert line in text, text
