"""What the person does to a batch, taken to the store: nothing is shown as saved before it is.

Without widgets: the page turns clicks into these calls, and shows what the table then says.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest
from app.compose.sentence import Sentence
from app.gui.batch_session import BatchSession
from app.gui.batch_table import BatchTable
from app.gui.people_thread import PeopleThread
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
    remove_rows,
    rows_of,
)
from app.people.csv_export import export_batch
from app.people.deletion import delete, undo
from app.people.history import edit_written
from app.people.recipients import RecipientFields
from app.people.store import Store
from app.people.table_people import add_people, recipient_for


@dataclass(eq=False)
class _Target:
    """The batch to which rows are added; None until the first addition makes it. The store's thread's own."""

    batch: int | None = None


class BatchActions:
    """The calls.

    ``tell`` says what was done; what can be taken back goes to ``undoable``; ``turned`` is called when another batch is
    shown, or none.
    """

    def __init__(
        self,
        catalog: Catalog,
        people: PeopleThread,
        session: BatchSession,
        table: BatchTable,
        tell: Callable[[Sentence], None],
        undoable: UndoStack,
        turned: Callable[[], None],
    ) -> None:
        self._catalog = catalog
        self._people = people
        self._session = session
        self._table = table
        self._tell = tell
        self._undoable = undoable
        self._turned = turned
        self._target = _Target()
        self._passed = -1  # the position up to which rows were left uncopied

    def load(self) -> None:
        """Show the newest batch, where there is one."""
        self._people.read(batches, lambda found: self.turn_to(found[0].id) if found else self._turned())

    def reload(self) -> None:
        """The file may hold other batches now: stay with the one that is shown, while it is still there."""

        def look(found: tuple[Batch, ...]) -> None:
            if self._session.batch in {batch.id for batch in found}:
                self.renew()
                return
            if self._session.batch is not None:
                self.leave()
                self._undoable.clear()
            if found:
                self.turn_to(found[0].id)

        self._people.read(batches, look)

    def renew(self) -> None:
        """Texts may have been deleted on another page, or brought back: show the batch as the file has it now."""
        batch, writes = self._session.batch, self._people.writes
        if batch is None:
            return

        def look(rows: tuple[BatchRow, ...]) -> None:
            if self._session.batch != batch:
                return
            if self._people.writes != writes:
                self.renew()  # what was changed meanwhile is shown already, and is not in these rows
                return
            changed = self._table.renew(rows)
            if changed:
                self._session.texts_changed(changed)

        self._people.read(lambda store: rows_of(store, batch), look)

    def all_batches(self, answer: Callable[[tuple[Batch, ...]], None]) -> None:
        """Every batch, newest first."""
        self._people.read(batches, answer)

    def turn_to(self, batch: int, then: Callable[[], None] = lambda: None) -> None:
        """Show a batch."""

        def take(rows: tuple[BatchRow, ...]) -> None:
            self._table.show_rows(rows)
            self._turned()
            then()

        self._passed = -1
        self._target = _Target(batch)
        self._session.open(batch, take)

    def leave(self) -> None:
        """Begin another batch with the next row; this one stays in the file."""
        self._session.pause()
        self._session.batch = None
        self._passed = -1
        self._target = _Target()
        self._table.show_rows(())
        self._turned()

    def add(
        self, people: Iterable[RecipientFields], title: str, wish: GreetingRequest, shown: Callable[[], None]
    ) -> None:
        """Add a row for each of these people."""
        target, given = self._target, tuple(people)

        def work(store: Store) -> tuple[int, tuple[BatchRow, ...]]:
            target.batch, rows = add_people(store, target.batch, title, given, wish)
            return target.batch, rows

        self._people.write(work, lambda made: self._added(made[0], made[1], shown))

    def add_blank(self, title: str, wish: GreetingRequest, shown: Callable[[int], None]) -> None:
        """Add an empty row; ``shown`` is handed its id."""
        target = self._target

        def work(store: Store) -> tuple[int, tuple[BatchRow, ...]]:
            rows = [RowFields("", wish)]
            if target.batch is None:
                target.batch = create_batch(store, title, rows)
            else:
                append_rows(store, target.batch, rows)
            return target.batch, rows_of(store, target.batch)[-1:]

        self._people.write(work, lambda made: self._added(made[0], made[1], lambda: shown(made[1][-1].id)))

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
            found = []
            for id, fields in known:
                row = self._table.row(id)
                # It may have another name by now, and whose that is comes with a later answer.
                if row is not None and row.fields.recipient is None and row.fields.name == fields.name != "":
                    found.append(replace(row, fields=replace(row.fields, recipient=fields.recipient)))
                    self._table.replace(found[-1])
            if found:
                self._session.people_changed(found)
            self._session.wake()

        self._people.write(work, saved)

    def change_wish(self, wish: GreetingRequest) -> None:
        """Give occasion, length, animal and signature to every row that has no text yet."""
        self._ask_for((row for row in self._table.rows if row.state != "written"), wish)

    def redo(self, ids: list[int], wish: GreetingRequest) -> None:
        """Have rows written anew, with the occasion, length, animal and signature that are wanted now."""
        self._ask_for((row for id in ids if (row := self._table.row(id)) is not None), wish)
        self._session.redo(ids)

    def remove(self, ids: list[int]) -> None:
        """Take rows out; it can be undone."""
        batch = self._session.batch
        for id in ids:
            self._session.forget(id)

        def removed(token: int) -> None:
            gone = [row for id in ids if (row := self._table.row(id)) is not None]
            self._table.remove(set(ids))
            self._session.texts_changed([replace(row, text="") for row in gone])
            count = len(ids)
            told = Sentence(f"移走了 {count:,} 行", f"{count:,} row{'s' * (count != 1)} removed")
            self._undoable.did(told, lambda: self._bring_back(token, batch))

        self._people.write(lambda store: remove_rows(store, ids), removed)

    def edit_text(self, id: int, text: str) -> None:
        """Save what the person made of a text."""
        row = self._table.row(id)
        if row is None or row.written is None or row.text == text:
            return
        written, edited = row.written, replace(row, text=text)
        self._table.replace(edited)
        self._people.write(
            lambda store: edit_written(store, written, text), lambda _: self._session.texts_changed([edited])
        )

    def copy_next(self, copied: Callable[[BatchRow | None], None]) -> None:
        """Take the next text of the queue, which counts as sent; None at its end."""
        batch, after = self._session.batch, self._passed
        if batch is None:
            copied(None)
            return

        def work(store: Store) -> BatchRow | None:
            row = _next(store, batch, after)
            return _taken(store, row) if row is not None else None

        def take(row: BatchRow | None) -> None:
            if row is not None:
                self._passed = row.position
                self._show_sent(row)
            copied(row)

        self._people.write(work, take)

    def copy(self, id: int, copied: Callable[[BatchRow], None]) -> None:
        """Take the text of a row, which counts as sent."""
        row = self._table.row(id)
        if row is None or not row.text.strip():
            return
        wanted = row

        def take(row: BatchRow) -> None:
            self._passed = max(self._passed, row.position)
            self._show_sent(row)
            copied(row)

        self._people.write(lambda store: _taken(store, wanted), take)

    def pass_next(self, copied: Callable[[BatchRow | None, BatchRow | None], None]) -> None:
        """Leave the next text of the queue for later, and take the one after it.

        ``copied`` is called with both; with None for the second where the first is the only one left.
        """
        batch, after = self._session.batch, self._passed
        if batch is None:
            return

        def work(store: Store) -> tuple[BatchRow | None, BatchRow | None]:
            passed = _next(store, batch, after)
            row = _next(store, batch, passed.position) if passed is not None else None
            if passed is None or row is None or row.id == passed.id:
                return passed, None
            return passed, _taken(store, row)

        def take(found: tuple[BatchRow | None, BatchRow | None]) -> None:
            passed, row = found
            last = row or passed
            self._passed = last.position if last is not None else -1
            if row is not None:
                self._show_sent(row)
            copied(passed, row)

        self._people.write(work, take)

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

        self._people.write(lambda store: delete(store, "sent", [note]), back)

    def export(self, path: Path, language: str) -> None:
        """Write the batch to a CSV file."""
        batch, catalog = self._session.batch, self._catalog
        if batch is None:
            return
        self._people.write(
            lambda store: export_batch(store, batch, path, catalog, language),
            lambda count: self._tell(Sentence(f"{count} 行已导出到 {path}", f"{count} rows exported to {path}")),
        )

    def _ask_for(self, rows: Iterable[BatchRow], wish: GreetingRequest) -> None:
        changes = []
        for row in rows:
            request = replace(
                row.fields.request,
                occasion=wish.occasion,
                length=wish.length,
                zodiac=wish.zodiac,
                signature=wish.signature,
            )
            if request != row.fields.request:
                changes.append((row.id, replace(row.fields, request=request)))
        self._table.change(changes)

    def _added(self, batch: int, rows: tuple[BatchRow, ...], then: Callable[[], None]) -> None:
        """Show rows that were added, in their batch, whichever is shown meanwhile."""
        if self._session.batch not in (batch, None):
            self.turn_to(batch, then)
            return
        if self._session.batch is None:
            self._session.open_new(batch)
            self._table.show_rows(rows)
        else:
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
                self.turn_to(batch)
                return
            self._session.texts_changed(self._table.bring_back(rows))
            self._session.wake()

        self._people.write(work, shown)

    def _show_sent(self, row: BatchRow) -> None:
        shown = self._table.row(row.id)
        if shown is not None:
            self._table.replace(replace(shown, sent=row.sent))


def _next(store: Store, batch: int, after: int) -> BatchRow | None:
    """The next of the queue, which begins anew at its end."""
    return next_to_copy(store, batch, after) or next_to_copy(store, batch)


def _taken(store: Store, row: BatchRow) -> BatchRow:
    return replace(row, sent=mark_copied(store, row.id).id)
