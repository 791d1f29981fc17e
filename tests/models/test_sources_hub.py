"""The base from a server that behaves like the Hub, well and badly."""

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from huggingface_hub.utils import close_session

from app.compose.sentence import Sentence
from app.models.errors import Cancelled, ModelError
from app.models.manifest import BaseFile
from app.models.sources import Patience, fetch_base, part_path, tidy
from tests.hub_server import Behaviour, HubServer, until
from tests.index_server import IndexServer, write_index
from tests.models.manifests import HASTY, base_of, start_fetching, write_manifest

CONTENT = b"GGUF" + random.Random(20260217).randbytes(900_000)
BASE = base_of(CONTENT)


def is_long(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def never() -> bool:
    return False


def unseen(done: int, total: int, sentence: Sentence) -> None:
    """A report nobody reads."""


def fetch(folder: Path, source: str = "hub", base: BaseFile = BASE, patience: Patience = HASTY) -> Path:
    return fetch_base(base, folder, source, unseen, never, patience)


def failure(folder: Path, source: str = "hub", base: BaseFile = BASE, patience: Patience = HASTY) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fetch(folder, source, base, patience)
    assert not (folder / base.file).exists()
    return caught.value


@pytest.fixture(autouse=True)
def direct_line(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy of this machine, no token, no offline mode; and no connection kept from another test."""
    for name in list(os.environ):
        if name.startswith("HF_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    close_session()
    yield
    close_session()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer(BASE.repo, BASE.file, CONTENT) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


def test_the_file_comes_whole_and_progress_says_so(tmp_path: Path, hub: HubServer) -> None:
    steps: list[tuple[int, int, str]] = []
    path = fetch_base(BASE, tmp_path, "hub", lambda *step: steps.append((*step[:2], step[2].zh)), never, HASTY)
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in tmp_path.iterdir()] == [BASE.file]
    done = [done for done, _, _ in steps]
    assert done == sorted(done) and done[-1] == len(CONTENT)
    assert "正在从模型站" in steps[-1][2] and "正在联系" in steps[0][2]


def test_no_token_of_the_person_is_sent(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    fetch(tmp_path)
    assert len(hub.requests) >= 3
    assert not any(name.lower() == "authorization" for request in hub.requests for name in request.headers)


def test_the_mirror_is_read_when_asked_not_when_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer(BASE.repo, BASE.file, CONTENT) as first, HubServer(BASE.repo, BASE.file, CONTENT) as second:
        monkeypatch.setenv("HF_ENDPOINT", first.endpoint)
        (tmp_path / "1").mkdir()
        fetch(tmp_path / "1")
        monkeypatch.setenv("HF_ENDPOINT", second.endpoint + "/")
        (tmp_path / "2").mkdir()
        fetch(tmp_path / "2")
        assert len(first.downloads) == len(second.downloads) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_line_cut_anywhere_is_taken_up_where_it_broke(tmp_path: Path, hub: HubServer, seed: int) -> None:
    rng = random.Random(seed)
    cuts = [rng.randrange(1, 200_000) for _ in range(5)]
    hub.behaviour.cuts = list(cuts)
    assert fetch(tmp_path).read_bytes() == CONTENT
    ranges = [request.range for request in hub.downloads]
    assert ranges == [None, *(f"bytes={sum(cuts[: index + 1])}-" for index in range(5))]


def test_an_answer_that_claims_to_be_shorter_is_continued(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.short = [100_000, 1]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert [request.range for request in hub.downloads] == [None, "bytes=100000-", "bytes=100001-"]


def test_an_answer_that_is_longer_is_another_file(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.long = 10
    assert failure(tmp_path).code == "hub_other_file"
    part_path(BASE, tmp_path).write_bytes(CONTENT[:1000])
    assert failure(tmp_path).code == "hub_other_file"


def test_a_server_without_ranges_does_not_spoil_what_is_there(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour = Behaviour(knows_ranges=False, cuts=[300_000, 200_000])
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert [request.range for request in hub.downloads] == [None, "bytes=300000-", "bytes=300000-"]


def test_a_line_that_stands_still_is_hung_up_and_taken_up_again(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.stalls = [400_000]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert [request.range for request in hub.downloads] == [None, "bytes=400000-"]


def test_a_line_that_never_recovers_says_how_much_is_there_and_keeps_it(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.stalls = [400_000, 0, 0, 0]
    error = failure(tmp_path)
    assert error.code == "hub_interrupted"
    assert "已下载 400 KB，共 901 KB" in error.sentence.zh and "400 KB of 901 KB" in error.sentence.en
    assert part_path(BASE, tmp_path).stat().st_size == 400_000
    hub.behaviour.stalls = []
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert hub.downloads[-1].range == "bytes=400000-"


def test_too_many_requests_and_a_server_in_trouble_are_waited_out(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour = Behaviour(statuses=[429, 503], retry_after="3600")
    begun = time.monotonic()
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert len(hub.downloads) == 3
    assert time.monotonic() - begun < 30  # an hour was asked for; nobody waits so long


def test_a_server_in_lasting_trouble_is_given_up(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.statuses = [500] * 10
    error = failure(tmp_path)
    assert error.code == "hub_interrupted" and "HTTP 500" in error.detail
    assert len(hub.downloads) == HASTY.attempts


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_download_that_is_refused_is_not_tried_again(tmp_path: Path, hub: HubServer, status: int) -> None:
    hub.behaviour.statuses = [status] * 10
    error = failure(tmp_path)
    assert error.code == "hub_refused"
    assert f"HTTP {status}" in error.sentence.zh and f"HTTP {status}" in error.sentence.en
    assert len(hub.downloads) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_hub_that_refuses_says_why(tmp_path: Path, hub: HubServer, status: int) -> None:
    hub.behaviour.metadata_status = status
    error = failure(tmp_path)
    assert error.code == "hub_refused"
    assert f"HTTP {status}" in error.sentence.zh
    assert not hub.downloads


def test_a_file_the_hub_does_not_have(tmp_path: Path, hub: HubServer) -> None:
    error = failure(tmp_path, base=base_of(CONTENT, file="another.gguf"))
    assert error.code == "hub_refused" and "没有这个文件" in error.sentence.zh


@pytest.mark.parametrize("lie", [Behaviour(linked_size=12345), Behaviour(linked_etag="0" * 64)])
def test_another_file_is_refused_before_a_byte_of_it_is_fetched(tmp_path: Path, hub: HubServer, lie: Behaviour) -> None:
    hub.behaviour = lie
    assert failure(tmp_path).code == "hub_other_file"
    assert not hub.downloads


def test_a_web_page_in_place_of_the_file_is_not_kept(tmp_path: Path, hub: HubServer) -> None:
    hub.content = b"<html>Please log in</html>".ljust(len(CONTENT))
    hub.behaviour = Behaviour(linked_etag="opaque", content_type="text/html")
    assert failure(tmp_path).code == "hub_other_file"
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_download_is_refused_removed_and_never_resumed(tmp_path: Path, hub: HubServer) -> None:
    damaged = bytearray(CONTENT)
    damaged[500_000] ^= 1
    hub.content = bytes(damaged)
    hub.behaviour.linked_etag = "opaque"
    error = failure(tmp_path)
    assert error.code == "download_wrong"
    assert "校验和对不上" in error.sentence.zh and BASE.sha256 in error.detail
    assert list(tmp_path.iterdir()) == []
    hub.content = CONTENT
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert hub.downloads[-1].range is None


def test_what_another_start_left_is_part_of_what_the_hash_judges(tmp_path: Path, hub: HubServer) -> None:
    part_path(BASE, tmp_path).write_bytes(b"GGUF" + b"\0" * 1000)
    assert failure(tmp_path).code == "download_wrong"
    assert fetch(tmp_path).read_bytes() == CONTENT


def test_a_whole_part_needs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused while the last of it went to the disk, and without a network since."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    part_path(BASE, tmp_path).write_bytes(CONTENT)
    assert fetch(tmp_path).read_bytes() == CONTENT


def test_of_what_others_left_unfinished_in_the_same_folder_nothing_is_removed(tmp_path: Path) -> None:
    ours = [part_path(BASE, tmp_path), tmp_path / "older.gguf.0123abcd.part"]
    theirs = [tmp_path / name for name in ("film.mkv.part", "model.gguf.part", "x.gguf.0123ABCD.part")]
    (tmp_path / BASE.file).write_bytes(CONTENT)
    for path in (*ours, *theirs):
        path.write_bytes(b"half")
    tidy(BASE, tmp_path)
    assert [path.exists() for path in (*ours, *theirs)] == [False, False, True, True, True]


def test_a_part_longer_than_the_file_is_begun_again(tmp_path: Path, hub: HubServer) -> None:
    part_path(BASE, tmp_path).write_bytes(CONTENT + b"more")
    assert fetch(tmp_path).read_bytes() == CONTENT


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    error = failure(tmp_path)
    assert error.code == "hub_unreachable"
    assert "镜像" in error.sentence.zh and "连不上" in error.sentence.zh
    assert "HF_ENDPOINT" not in error.sentence.zh, "that is for a terminal, and not for the window"


@pytest.mark.parametrize("endpoint", ["not a host", "ftp://example.invalid", "http://", "http://name.invalid"])
def test_an_endpoint_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert failure(tmp_path).code == "hub_unreachable"


def test_a_hub_swallowed_by_a_firewall_is_not_waited_for_long(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.metadata_stalls = True
    begun = time.monotonic()
    error = failure(tmp_path, patience=Patience(answer=0.5, connect=60.0))
    assert error.code == "hub_unreachable"
    assert time.monotonic() - begun < 10


def test_stopped_in_the_middle_it_goes_on_from_there(tmp_path: Path, hub: HubServer) -> None:
    seen: list[int] = []

    def report(done: int, total: int, sentence: Sentence) -> None:
        seen.append(done)

    with pytest.raises(Cancelled):
        fetch_base(BASE, tmp_path, "hub", report, lambda: bool(seen) and seen[-1] >= 300_000, HASTY)
    kept = part_path(BASE, tmp_path).stat().st_size
    assert 300_000 <= kept < len(CONTENT)
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert hub.downloads[-1].range == f"bytes={kept}-"


def test_stopped_while_the_hub_is_silent(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.metadata_stalls = True
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        fetch_base(BASE, tmp_path, "hub", unseen, lambda: bool(hub.requests), Patience(answer=60.0, connect=60.0))
    assert time.monotonic() - begun < 10


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_at_any_byte_it_goes_on_from_there(tmp_path: Path, hub: HubServer) -> None:
    manifest = write_manifest(tmp_path / "manifest.yaml", BASE, tmp_path)
    folder = tmp_path / "模型 文件夹"
    folder.mkdir()
    stops = [123_457, 345_679, 77]  # bytes more in each start
    part = part_path(BASE, folder)
    here = 0
    for stop in stops:
        here += stop
        hub.behaviour.stalls = [stop]
        child = start_fetching(manifest, folder, "hub")
        until(partial(is_long, part, here))
        child.kill()
        child.wait()
    assert fetch(folder).read_bytes() == CONTENT
    assert [request.range for request in hub.downloads] == [
        None,
        "bytes=123457-",
        "bytes=469136-",
        "bytes=469213-",
    ]


def test_the_index_finishes_what_the_hub_began(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    write_index(tmp_path / "index", BASE, CONTENT)
    hub.behaviour.stalls = [400_000, 0, 0, 0]
    with IndexServer(tmp_path / "index") as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        folder = tmp_path / "models"
        folder.mkdir()
        assert fetch(folder, "auto").read_bytes() == CONTENT
        # 400,000 bytes are one piece and a part of the second.
        assert [wheel.split("-")[0] for wheel in index.wheels] == ["bainian_part2", "bainian_part3"]


def test_the_mirror_comes_after_the_hub_and_before_the_index(tmp_path: Path, hub: HubServer) -> None:
    with HubServer(BASE.repo, BASE.file, CONTENT) as other:
        hub.behaviour.statuses = [404]
        said: list[str] = []
        path = fetch_base(
            BASE, tmp_path, "auto", lambda *step: said.append(step[2].zh), never, HASTY, mirror=other.endpoint
        )
        assert path.read_bytes() == CONTENT
        assert len(hub.downloads) == len(other.downloads) == 1
    assert "正在联系镜像 127.0.0.1" in said and "正在从镜像 127.0.0.1下载" in said[-1]


def test_what_the_hub_began_the_mirror_finishes_and_each_is_named(tmp_path: Path, hub: HubServer) -> None:
    hub.behaviour.stalls = [300_000, 0, 0, 0]
    with HubServer(BASE.repo, BASE.file, CONTENT) as other:
        fetch_base(BASE, tmp_path, "auto", unseen, never, HASTY, mirror=other.endpoint)
        assert other.downloads[0].range == "bytes=300000-"
    with pytest.raises(ModelError) as caught:
        fetch_base(BASE, tmp_path, "mirror", unseen, never, HASTY, mirror="http://127.0.0.1:9")
    assert caught.value.code == "hub_unreachable" and "镜像 127.0.0.1" in caught.value.sentence.zh


def test_a_mirror_that_was_not_named_cannot_be_asked(tmp_path: Path) -> None:
    assert failure(tmp_path, "mirror").code == "mirror_missing"


def test_when_neither_answers_both_are_named(tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.behaviour.metadata_status = 403
    with IndexServer(tmp_path / "index") as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        error = failure(tmp_path, "auto")
    assert error.code == "no_source"
    assert "HTTP 403" in error.sentence.zh and "包索引上找不到" in error.sentence.zh
    assert "hub_refused" in error.detail and "index_missing" in error.detail
