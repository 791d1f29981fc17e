"""What the screen of a program that was killed has confirmed, and whether the file it left holds all of it."""

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.gui.kill_child import digest, document_text

_STATES = {
    "等着写": "waiting",
    "正在写…": "writing",
    "没写成": "failed",
    "写好了": "written",
    "请看一眼": "written",
    "与别人相近": "written",
    "已复制": "written",
}


@dataclass(frozen=True)
class Row:
    """A row of 群发 in the words of the file, but that the text is its digest."""

    name: str
    state: str
    text: str
    copied: bool


@dataclass
class Ledger:
    """Texts are kept as their digests. What the person themselves was about to change is no longer expected."""

    whole: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    starred: set[str] = field(default_factory=set)
    rows: dict[int, Row] = field(default_factory=dict)
    shown: dict[int, Row] = field(default_factory=dict)  # of these, what the last child showed
    texts: set[str] = field(default_factory=set)  # every text of a row that was ever shown
    counts: Counter[str] = field(default_factory=Counter)
    _redone: set[int] = field(default_factory=set)
    _documents: list[list[str]] = field(default_factory=list)  # the texts of each whose import was begun

    def take(self, kind: str, *said: Any) -> None:
        """One line of the child."""
        self.counts[kind] += 1
        if kind == "whole":
            self.whole.add(said[0])
        elif kind == "starred":
            self.starred.add(said[0])
        elif kind == "sent":
            self.sent.add(said[0])
            self.whole.add(said[0])
        elif kind == "edit":
            self.whole.discard(said[0])
            self.starred.discard(said[0])
        elif kind == "redo":
            self._redone.add(said[0])
        elif kind == "document":
            self._documents.append([digest(document_text(said[0], place)) for place in range(said[1])])
        elif kind == "imported":
            self.whole.update(digest(document_text(said[0], place)) for place in range(said[1]))
        elif kind == "strip":
            id, text = said
            assert self.rows[id].text == text, f"the strip shows another text than row {id}"
        elif kind == "row":
            id, name, state, text = said
            self._take_row(id, Row(name, _STATES[state], text, state == "已复制"))

    def _take_row(self, id: int, row: Row) -> None:
        before = self.rows.get(id)
        if before is not None and id not in self._redone:
            assert _stays(before, row), f"row {id} was shown as {before}, and is shown as {row}"
        if row.state == "written":
            self.texts.add(row.text)
            if before is not None and row.text != before.text:
                self._redone.discard(id)
        self.rows[id] = self.shown[id] = row

    def check(self, folder: Path, scratch: Path) -> dict[int, Row]:
        """Whether the file in ``folder``, as the kill left it, is sound and holds everything.

        Returns:
            The rows the program has to show when it is opened again: those of the newest batch, and nobody is writing.

        A copy is looked at: reading the file itself would tidy up what the program is to find at its next start.
        """
        scratch.mkdir(exist_ok=True)
        for ending in ("", "-wal", "-journal"):
            source, copy = folder / f"people.sqlite3{ending}", scratch / f"people.sqlite3{ending}"
            copy.unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, copy)
        (scratch / "people.sqlite3-shm").unlink(missing_ok=True)
        with closing(sqlite3.connect(scratch / "people.sqlite3")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchone() is None
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                assert not (self.whole or self.sent or self.rows), "what was confirmed is gone with the whole file"
                return {}
            self._check_texts(connection)
            self._check_rows(_rows(connection))
            newest = _rows(connection, "WHERE batch_rows.batch = (SELECT max(id) FROM batches)")
        return {id: _shown(row) for id, row in newest.items()}

    def _check_texts(self, connection: sqlite3.Connection) -> None:
        written = {
            digest(text): bool(favourite)
            for text, favourite in connection.execute("SELECT text, favourite FROM written ORDER BY favourite")
        }
        assert not self.whole - set(written), "a text that was shown as whole is gone"
        assert not self.texts - set(written), "a text of 群发 is gone"
        assert all(written[text] for text in self.starred), "a star is gone"
        for texts in self._documents:
            assert len(written.keys() & texts) in (0, len(texts)), "a document was taken over in part"
        sent = {digest(text) for (text,) in connection.execute("SELECT text FROM sent WHERE deletion IS NULL")}
        assert not self.sent - sent, "the note that a text was sent is gone"

    def _check_rows(self, rows: dict[int, Row]) -> None:
        assert not set(self.rows) - set(rows), "people who were shown are gone"
        for id, shown in self.rows.items():
            if id not in self._redone:
                assert _stays(shown, rows[id]), f"row {id} was shown as {shown}, and is in the file as {rows[id]}"


def _shown(row: Row) -> Row:
    """How a row of the file looks after a start. Whether a text was copied does not show while its row waits."""
    state = "waiting" if row.state == "writing" else row.state
    return replace(row, state=state, copied=row.copied and state == "written")


def _stays(shown: Row, later: Row) -> bool:
    """Whether nothing that was shown of a row as done is undone."""
    if shown.name != later.name:
        return False
    if shown.state == "written":
        return later.state == "written" and later.text == shown.text and later.copied >= shown.copied
    return shown.state != "failed" or later.state == "failed"


def differences(shown: dict[int, Row], expected: dict[int, Row]) -> str:
    """The rows that are not what was expected, a line each; empty where all are."""
    return "\n".join(
        f"row {id} is shown as {shown.get(id)}, expected as {expected.get(id)}"
        for id in sorted(shown.keys() | expected.keys())
        if shown.get(id) != expected.get(id)
    )


def _rows(connection: sqlite3.Connection, condition: str = "") -> dict[int, Row]:
    found = connection.execute(
        f"""SELECT batch_rows.id, name, state, written.text, sent.id FROM batch_rows
        LEFT JOIN written ON written.id = batch_rows.written
        LEFT JOIN sent ON sent.id = batch_rows.copied {condition}"""
    )
    return {
        id: Row(name, state, "" if state == "failed" else digest(text or ""), sent is not None)
        for id, name, state, text, sent in found
    }


def read_line(line: bytes) -> tuple[Any, ...]:
    """A line of the child."""
    return tuple(json.loads(line))
