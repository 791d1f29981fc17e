"""A process killed at any moment loses nothing it has confirmed, and a batch goes on where it was."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.people.batch import batches, rows_of
from app.people.store import Store, open_store

KILLS = 100
MOST_LINES = 25  # confirmed before the kill
LONGEST_WAIT = 0.02  # seconds between the last of them and the kill: some writes more or less, and any moment of one

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills with POSIX signals")


@pytest.mark.timeout(600)
def test_a_hundred_kills_lose_nothing_confirmed(path: Path) -> None:
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.people.kill_child", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert nursery.stdin is not None and nursery.stdout is not None
    drawn = random.Random(2027)
    confirmed: list[list[str]] = []
    for number in range(KILLS):
        nursery.stdin.write(f"{number}\n".encode())
        nursery.stdin.flush()
        word, pid = nursery.stdout.readline().decode().split()
        assert word == "pid"
        confirmed += [nursery.stdout.readline().decode().split() for _ in range(drawn.randrange(MOST_LINES))]
        threading.Timer(drawn.random() * LONGEST_WAIT, os.kill, (int(pid), signal.SIGKILL)).start()
        while (line := nursery.stdout.readline().decode().split()) != ["dead"]:
            confirmed.append(line)
    nursery.stdin.close()
    assert nursery.wait() == 0
    store = open_store(path)
    try:
        assert store.notices == ()
        check(store, confirmed)
    finally:
        store.close()
    print(f"{KILLS} kills, {len(confirmed)} confirmed writes, all there")


def check(store: Store, confirmed: list[list[str]]) -> None:
    """Every confirmed write is in the file, and the file is sound."""
    assert len(confirmed) > KILLS
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchone() is None
        connection.execute("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        texts = {row["id"]: row for row in connection.execute("SELECT * FROM written")}
        people = {row["id"] for row in connection.execute("SELECT id FROM recipients")}
        notes = {row["id"] for row in connection.execute("SELECT id FROM sent")}
    rows = {row.id: row for each in batches(store) for row in rows_of(store, each.id)}
    edited = {int(words[1]) for words in confirmed if words[0] == "edited"}
    for word, id, *rest in ((words[0], int(words[1]), *map(int, words[2:])) for words in confirmed):
        if word == "recipient":
            assert id in people
        elif word == "batch":
            assert len(rows_of(store, id)) == rest[0]
        elif word == "written":
            # The last edit may be there without having been confirmed.
            assert texts[id]["text"] == "改过" if id in edited else len(texts[id]["text"]) in (rest[0], len("改过"))
        elif word == "sent":
            assert id in notes
        elif word == "favourite":
            assert texts[id]["favourite"]
        elif word == "edited":
            assert texts[id]["text"] == texts[id]["searchable"].split("\n")[0] == "改过"
        elif word == "deleted":
            assert texts[id]["deletion"] is not None
        elif word == "row_failed":
            assert rows[id].state == "failed"
        elif word == "row_written":
            assert rows[id].state == "written" and rows[id].text == f"给{rows[id].fields.name}"
        else:
            assert word == "row_copied" and rows[id].sent == rest[0]
    assert not any(row.state == "writing" for row in rows.values())
