"""What the person does to a batch, taken to the store: nothing is shown as saved before it is.

Without widgets: the page turns clicks into these calls, and shows what the table then says.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.gui.batch_session import BatchSession, Door
from app.gui.batch_table import BatchTable
from app.gui.undo_stack import UndoStack
from app.people.batch import (
    Batch,
    BatchRow,
    RowFields,
    append_rows,
    batches,
    change_rows,
    create_batch,
    mark_copied,
    next_to_copy,
    rows_of,
)
from app.people.csv_export import export_batch
from app.people.deletion import delete, undo
from app.people.history import edit_written
from app.people.recipients import RecipientFields
from app.people.store import Store
from app.people.table_people import add_people, recipient_for


class BatchActions:
    """The calls. ``tell`` says what was done; what can be taken back goes to ``undoable``."""

    def __init__(
        self,
        catalog: Catalog,
        door: Door,
        session: BatchSession,
        table: BatchTable,
        tell: Callable[[Sentence], None],
        undoable: UndoStack,
    ) -> None:
        self._catalog = catalog
        self._door = door
        self._session = session
        self._table = table
        self._tell = tell
        self._undoable = undoable
        self._passed = -1  # the position up to which rows were left uncopied

    def load(self, shown: Callable[[], None]) -> None:
        """Show the newest batch, where there is one."""
        self._door.read(batches, lambda found: self.turn_to(found[0].id, shown) if found else shown())

    def reload(self, shown: Callable[[], None]) -> None:
        """The file may hold other batches now: stay with the one that is shown, while it is still there."""

        def look(found: tuple[Batch, ...]) -> None:
            if self._session.batch is not None and self._session.batch not in {batch.id for batch in found}:
                self.leave()
                self._undoable.clear()
            if self._session.batch is None and found:
                self.turn_to(found[0].id, shown)
            else:
                shown()

        self._door.read(batches, look)

    def all_batches(self, answer: Callable[[tuple[Batch, ...]], None]) -> None:
        """Every batch, newest first."""
        self._door.read(batches, answer)

    def turn_to(self, batch: int, shown: Callable[[], None]) -> None:
        """Show a batch."""

        def take(rows: tuple[BatchRow, ...]) -> None:
            self._table.show_rows(rows)
            shown()

        self._passed = -1
        self._session.open(batch, take)

    def leave(self) -> None:
        """Begin another batch with the next row; this one stays in the file."""
        self._session.pause()
        self._session.batch = None
        self._passed = -1
        self._table.show_rows(())

    def add(
        self, people: Iterable[RecipientFields], title: str, wish: GreetingRequest, shown: Callable[[], None]
    ) -> None:
        """Add a row for each of these people."""
        batch, given = self._session.batch, tuple(people)
        self._door.write(
            lambda store: add_people(store, batch, title, given, wish),
            lambda made: self._added(made[0], made[1], shown),
        )

    def add_blank(self, title: str, wish: GreetingRequest, shown: Callable[[int], None]) -> None:
        """Add an empty row; ``shown`` is handed its id."""
        batch = self._session.batch

        def work(store: Store) -> tuple[int, tuple[BatchRow, ...]]:
            rows = [RowFields("", wish)]
            if batch is None:
                made = create_batch(store, title, rows)
                return made, rows_of(store, made)
            append_rows(store, batch, rows)
            return batch, rows_of(store, batch)[-1:]

        def added(made: tuple[int, tuple[BatchRow, ...]]) -> None:
            self._added(made[0], made[1], lambda: shown(made[1][-1].id))

        self._door.write(work, added)

    def change(self, changes: list[tuple[int, RowFields]]) -> None:
        """Save rows edited in the table, which shows them already."""
        for id, _ in changes:
            self._session.forget(id)

        def work(store: Store) -> list[tuple[int, RowFields]]:
            known = [
                (id, replace(fields, recipient=fields.recipient or recipient_for(store, fields)))
                for id, fields in changes
            ]
            change_rows(store, known)
            return known

        def saved(known: list[tuple[int, RowFields]]) -> None:
            for id, fields in known:
                row = self._table.row(id)
                if row is not None and row.fields.recipient is None and fields.recipient is not None:
                    self._table.replace(replace(row, fields=replace(row.fields, recipient=fields.recipient)))
            self._session.wake()

        self._door.write(work, saved)

    def change_wish(self, wish: GreetingRequest) -> None:
        """Give occasion, length, animal and signature to every row that has no text yet."""
        changes = []
        for row in self._table.rows:
            request = replace(
                row.fields.request,
                occasion=wish.occasion,
                length=wish.length,
                zodiac=wish.zodiac,
                signature=wish.signature,
            )
            if row.state != "written" and request != row.fields.request:
                changes.append((row.id, replace(row.fields, request=request)))
        self._table.change(changes)

    def remove(self, ids: list[int]) -> None:
        """Take rows out; it can be undone."""
        batch = self._session.batch
        for id in ids:
            self._session.forget(id)

        def removed(token: int) -> None:
            gone = [row for id in ids if (row := self._table.row(id)) is not None]
            self._table.remove(set(ids))
            self._session.texts_changed([(row.id, "") for row in gone])
            count = len(ids)
            told = Sentence(f"移走了 {count:,} 行", f"{count:,} row{'s' * (count != 1)} removed")
            self._undoable.did(told, lambda: self._bring_back(token, batch))

        self._door.write(lambda store: delete(store, "batch_rows", ids), removed)

    def edit_text(self, id: int, text: str) -> None:
        """Save what the person made of a text."""
        row = self._table.row(id)
        if row is None or row.written is None or row.text == text:
            return
        written = row.written
        self._table.replace(replace(row, text=text))
        self._door.write(
            lambda store: edit_written(store, written, text), lambda _: self._session.texts_changed([(id, text)])
        )

    def copy_next(self, copied: Callable[[BatchRow | None], None]) -> None:
        """Take the next text of the queue, which counts as sent; None at its end."""
        batch, after = self._session.batch, self._passed
        if batch is None:
            copied(None)
            return

        def work(store: Store) -> BatchRow | None:
            row = next_to_copy(store, batch, after) or next_to_copy(store, batch)
            return replace(row, sent=mark_copied(store, row.id).id) if row is not None else None

        self._door.write(work, lambda row: self._copied(row, copied))

    def copy(self, id: int, copied: Callable[[BatchRow | None], None]) -> None:
        """Take the text of a row, which counts as sent."""
        row = self._table.row(id)
        if row is not None and row.text:
            taken = row
            self._door.write(
                lambda store: replace(taken, sent=mark_copied(store, id).id), lambda row: self._copied(row, copied)
            )

    def pass_next(self, passed: Callable[[], None]) -> None:
        """Leave the next text of the queue uncopied for now."""
        batch, after = self._session.batch, self._passed
        if batch is None:
            return

        def move(row: BatchRow | None) -> None:
            self._passed = row.position if row is not None else -1
            passed()

        self._door.read(lambda store: next_to_copy(store, batch, after), move)

    def take_back(self, copied: BatchRow, done: Callable[[], None]) -> None:
        """A text that was copied was not sent after all."""
        note = copied.sent
        assert note is not None

        def back(_: object) -> None:
            row = self._table.row(copied.id)
            if row is not None and row.sent == note:
                self._table.replace(replace(row, sent=None))
            self._passed = copied.position - 1
            done()

        self._door.write(lambda store: delete(store, "sent", [note]), back)

    def export(self, path: Path, language: str) -> None:
        """Write the batch to a CSV file."""
        batch, catalog = self._session.batch, self._catalog
        if batch is None:
            return
        self._door.write(
            lambda store: export_batch(store, batch, path, catalog, language),
            lambda count: self._tell(Sentence(f"{count} 行已导出到 {path}", f"{count} rows exported to {path}")),
        )

    def _added(self, batch: int, rows: tuple[BatchRow, ...], then: Callable[[], None]) -> None:
        if self._session.batch is None:
            self.turn_to(batch, then)
            return
        self._table.append(rows)
        self._session.wake()
        then()

    def _bring_back(self, token: int, batch: int | None) -> None:
        """Undo a removal: the rows are shown again in their batch, whichever is shown meanwhile."""

        def work(store: Store) -> tuple[BatchRow, ...]:
            undo(store, token)
            return rows_of(store, batch) if batch is not None else ()

        def shown(rows: tuple[BatchRow, ...]) -> None:
            if batch is not None and batch != self._session.batch:
                self.turn_to(batch, lambda: None)
                return
            back = self._table.bring_back(rows)
            self._session.texts_changed([(row.id, row.text) for row in back])
            self._session.wake()

        self._door.write(work, shown)

    def _copied(self, row: BatchRow | None, copied: Callable[[BatchRow | None], Any]) -> None:
        if row is not None:
            self._passed = row.position if row.position > self._passed else self._passed
            shown = self._table.row(row.id)
            if shown is not None:
                self._table.replace(replace(shown, sent=row.sent))
        copied(row)
