"""A hundred downloads from a server that does what servers do when they are not well, or not honest.

Each ends with the whole file under its name, or with a sentence that says why not; then nothing lies there but the
beginning that can be continued, and from a server that is well it is. How often the server may be asked before that is
told from what it does, not from a clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from app.models.errors import ModelError
from app.models.sources import fetch_base, part_path
from tests.hub_server import Behaviour, HubServer
from tests.models.manifests import HASTY, base_of
from tests.models.test_sources_hub import direct_line  # noqa: F401  a fixture for all tests here
from tests.tally import Tally

CONTENT = b"GGUF" + Random(20270206).randbytes(300_000)
SIZE = len(CONTENT)
BASE = base_of(CONTENT)
# A little more than hasty: a busy machine is to be told from a server that stalls.
PATIENCE = replace(HASTY, answer=6.0, connect=3.0, silence=0.8)
EACH = 10
KIND = "downloads"
WHOLE = "whole"
FOREVER = 40  # times a server does the same: more often than anybody asks
MOST_REDIRECTS = 20  # followed for one answer (httpx)

pytestmark = pytest.mark.timeout(600)


@dataclass
class Fault:
    """What the server does, and how that may end: ``whole``, or the code of an error."""

    behaviour: Behaviour
    ends: tuple[str, ...]
    content: bytes = CONTENT
    most_asked: int = field(init=False)

    def __post_init__(self) -> None:
        """For what goes wrong once it is asked once more; for what always does, as often as patience says."""
        how = self.behaviour
        lists: tuple[list, ...] = (how.statuses, how.cuts, how.stalls, how.short, how.skewed, how.redirects)
        once = sum(len(entries) for entries in lists if len(entries) < FOREVER)
        always = MOST_REDIRECTS + 1 if len(how.redirects) >= FOREVER else 1
        self.most_asked = 1 + once + PATIENCE.attempts * always


Drawn = Callable[[Random, int], Fault]


def cuts(drawn: Random, number: int) -> Fault:
    """The line breaks, once or several times, each time somewhere else."""
    return Fault(Behaviour(cuts=[drawn.randrange(1, SIZE) for _ in range(drawn.randint(1, 6))]), (WHOLE,))


def stalls(drawn: Random, number: int) -> Fault:
    """Nothing comes any more: for a while, or for ever."""
    if number % 3 == 0:
        return Fault(Behaviour(stalls=[drawn.randrange(SIZE), *[0] * FOREVER]), ("hub_interrupted",))
    if number % 3 == 1:
        return Fault(Behaviour(metadata_stalls=True), ("hub_unreachable",))
    return Fault(Behaviour(stalls=[drawn.randrange(1, SIZE), 0]), (WHOLE,))


def wrong_lengths(drawn: Random, number: int) -> Fault:
    """The server is wrong about how much there is, or about where it begins."""
    there = drawn.randrange(1, SIZE - 1)
    return (
        Fault(Behaviour(short=[drawn.randrange(1, SIZE // 3) for _ in range(drawn.randint(1, 4))]), (WHOLE,)),
        Fault(Behaviour(short=[there, *[0] * FOREVER]), ("hub_interrupted",)),
        Fault(Behaviour(long=drawn.randrange(1, 1000)), ("hub_other_file",)),
        Fault(Behaviour(linked_size=drawn.randrange(SIZE)), ("hub_other_file",)),
        Fault(Behaviour(cuts=[there], skewed=[drawn.randint(1, SIZE - there - 1)]), (WHOLE,)),
    )[number % 5]


def other_files(drawn: Random, number: int) -> Fault:
    """Another file, which the server says or does not say; whole or broken off."""
    same_length = b"GGUF" + drawn.randbytes(SIZE - 4)
    silent = Behaviour(linked_etag="opaque", linked_size=SIZE)
    broken_off = Behaviour(linked_etag="opaque", stalls=[drawn.randrange(4, SIZE), *[0] * FOREVER])
    return (
        Fault(Behaviour(), ("hub_other_file",), same_length),
        Fault(silent, ("download_wrong",), same_length),
        Fault(silent, ("hub_other_file",), b"<html>Log in</html>".ljust(SIZE)),
        Fault(silent, ("hub_interrupted", "hub_other_file"), b"GGUF" + drawn.randbytes(drawn.randrange(SIZE // 2))),
        Fault(broken_off, ("hub_interrupted",), same_length),
    )[number % 5]


def refusing(status: int) -> Drawn:
    """The server refuses, when it is asked for the file or in the middle of it, for good."""

    def drawn_of(drawn: Random, number: int) -> Fault:
        if number % 2 == 0:
            return Fault(Behaviour(metadata_status=status), ("hub_refused",))
        return Fault(Behaviour(statuses=[status] * FOREVER), ("hub_refused",))

    return drawn_of


def troubled(status: int) -> Drawn:
    """The server asks to come back later, for once or for ever."""

    def drawn_of(drawn: Random, number: int) -> Fault:
        asked = drawn.choice((None, "0", "1", "3600", "soon"))
        if number % 3 == 0:
            return Fault(Behaviour(metadata_status=status), ("hub_refused",))
        if number % 3 == 1:
            return Fault(Behaviour(statuses=[status] * FOREVER, retry_after=asked), ("hub_interrupted",))
        few = [status] * drawn.randint(1, PATIENCE.attempts - 1)
        return Fault(Behaviour(statuses=few, retry_after=asked, cuts=[drawn.randrange(1, SIZE)]), (WHOLE,))

    return drawn_of


def redirects(drawn: Random, number: int) -> Fault:
    """The file lies elsewhere: behind several doors, behind one that leads nowhere, or in a circle."""
    nobody = "http://127.0.0.1:9/"
    return (
        Fault(Behaviour(redirects=["/cdn/further"] * drawn.randint(1, 10)), (WHOLE,)),
        Fault(Behaviour(redirects=["/cdn/further", ""], cuts=[drawn.randrange(1, SIZE)]), (WHOLE,)),
        Fault(
            Behaviour(redirects=["/cdn/round"] * (FOREVER + MOST_REDIRECTS * PATIENCE.attempts)), ("hub_interrupted",)
        ),
        Fault(Behaviour(redirects=["/no/such/place"] * FOREVER), ("hub_refused",)),
        Fault(Behaviour(redirects=[drawn.choice((nobody, "https://127.0.0.1:9/", "file:///etc/passwd"))]), (WHOLE,)),
    )[number % 5]


def compressed(drawn: Random, number: int) -> Fault:
    """The bytes come compressed, although nobody asked for it; or are said to, and are not."""
    if number % 3 == 0:
        claims = drawn.choice(("gzip", "deflate"))
        return Fault(Behaviour(encoding=claims, compresses=False), ("hub_interrupted", "hub_other_file"))
    breaks = [drawn.randrange(1, SIZE) for _ in range(drawn.randint(0, 3))]
    return Fault(Behaviour(encoding="gzip", cuts=breaks), (WHOLE,))


KINDS: dict[str, Drawn] = {
    "cut at random bytes": cuts,
    "stalling": stalls,
    "wrong about lengths": wrong_lengths,
    "another file": other_files,
    "HTTP 403": refusing(403),
    "HTTP 404": refusing(404),
    "HTTP 429": troubled(429),
    "HTTP 500": troubled(500),
    "redirects": redirects,
    "compressed": compressed,
}


def test_there_are_a_hundred() -> None:
    assert EACH * len(KINDS) == 100


def ended(folder: Path) -> tuple[str, str]:
    """Fetch from the server: ``whole``, or the code of the error and its detail."""
    try:
        fetch_base(BASE, folder, "hub", lambda *_: None, lambda: False, PATIENCE)
    except ModelError as error:
        assert error.sentence.zh.endswith("。") and error.sentence.en.endswith(".")
        return error.code, error.detail
    return WHOLE, ""


def assert_nothing_wrong_lies(folder: Path, end: str) -> None:
    """Under the file's name lies the file, or nothing; besides it at most the beginning of one."""
    names = {path.name for path in folder.iterdir()}
    if end == WHOLE:
        assert names == {BASE.file} and (folder / BASE.file).read_bytes() == CONTENT
    elif end == "download_wrong":
        assert not names
    else:
        assert names <= {BASE.part} and (not names or part_path(BASE, folder).stat().st_size > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_ends_whole_or_says_why(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally) -> None:
    for end in ("whole at once", "whole in the end", "explained, and whole from a server that is well"):
        tally.count(KIND, end, 0)
    for number in range(EACH):
        fault = KINDS[kind](Random(f"{kind} {number}"), number)
        folder = tmp_path / str(number)
        folder.mkdir()
        with HubServer(BASE.repo, BASE.file, fault.content) as hub:
            hub.behaviour = fault.behaviour
            monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
            end, detail = ended(folder)
            assert end in fault.ends, f"{kind} {number}: {end}, {detail}"
            assert len(hub.downloads) <= fault.most_asked, f"{kind} {number}: asked {len(hub.downloads)} times"
        assert_nothing_wrong_lies(folder, end)
        if end == WHOLE:
            tally.count(KIND, "whole at once" if len(hub.downloads) == 1 else "whole in the end")
            continue
        tally.count(KIND, "explained, and whole from a server that is well")
        assert fetched_from_a_well_server(folder, monkeypatch) == WHOLE


def fetched_from_a_well_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """How it goes on. The beginning of another file is found out by the hash, removed, and the file fetched anew."""
    with HubServer(BASE.repo, BASE.file, CONTENT) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        there = part_path(BASE, folder)
        honest = not there.exists() or CONTENT.startswith(there.read_bytes())
        end, _ = ended(folder)
        assert_nothing_wrong_lies(folder, end)
        if honest:
            return end
        assert end == "download_wrong"
        end, _ = ended(folder)
        assert_nothing_wrong_lies(folder, end)
        return end
