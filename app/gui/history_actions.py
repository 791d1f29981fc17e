"""What the person does to what was written, taken to the store: nothing is shown as done before it is.

Without widgets: the page turns clicks into these calls. Every deletion goes to the undo stack, but for erasing
everything for good.
"""

from collections.abc import Callable
from typing import Any

from app.compose.sentence import ExplainedError, Sentence
from app.gui.people_thread import PeopleThread
from app.gui.undo_stack import UndoStack
from app.people.addressee import mark_sent_to_addressee
from app.people.deletion import delete, delete_all_written, delete_found, undo
from app.people.history import Sent, Written, set_favourite
from app.people.recipients import Recipient
from app.people.search import Filters
from app.people.store import Store


class HistoryActions:
    """``refuse`` says why something was not done; ``changed``: what is shown should be asked for anew."""

    def __init__(
        self,
        people: PeopleThread,
        undoable: UndoStack,
        refuse: Callable[[ExplainedError], None],
        changed: Callable[[], None],
    ) -> None:
        self._people = people
        self._undoable = undoable
        self._refuse = refuse
        self._changed = changed

    def note_sent(self, entry: Written) -> None:
        """The text was copied, which counts as sent."""
        self._write(lambda store: mark_sent_to_addressee(store, entry.id), lambda noted: self._sent(*noted))

    def favour(self, entry: Written) -> None:
        """Make an entry a favourite, or no longer one; the latter can be undone, as it may leave what is shown."""

        def marked(_: None) -> None:
            if entry.favourite:
                self._did(
                    Sentence("已取消收藏", "No longer a favourite"), lambda store: set_favourite(store, entry.id, True)
                )
            self._changed()

        self._write(lambda store: set_favourite(store, entry.id, not entry.favourite), marked)

    def delete(self, entry: Written) -> None:
        """Delete an entry."""
        self._write(lambda store: (delete(store, "written", [entry.id]), 1), lambda deleted: self._deleted(*deleted))

    def delete_found(self, filters: Filters) -> None:
        """Delete everything that matches."""
        self._write(lambda store: delete_found(store, filters), lambda deleted: self._deleted(*deleted))

    def delete_all(self, then: Callable[[], None]) -> None:
        """Delete the whole history."""

        def deleted(token: int) -> None:
            self._did(Sentence("已全部删除", "Everything deleted"), lambda store: undo(store, token))
            then()

        self._write(delete_all_written, deleted)

    def _deleted(self, token: int, count: int) -> None:
        told = Sentence(f"已删除 {count:,} 条", f"{count:,} greeting{'s' * (count != 1)} deleted")
        self._did(told, lambda store: undo(store, token))
        self._changed()

    def _sent(self, note: Sent, person: Recipient | None) -> None:
        message = (
            Sentence(f"已复制，记作发给{person.fields.name}", f"Copied, and noted as sent to {person.fields.name}")
            if person is not None
            else Sentence("已复制，记作已发", "Copied, and noted as sent")
        )
        self._did(message, lambda store: delete(store, "sent", [note.id]))
        self._changed()

    def _did(self, message: Sentence, back: Callable[[Store], Any]) -> None:
        self._undoable.did(message, lambda: self._write(back, lambda _: self._changed()))

    def _write(self, work: Callable[[Store], Any], answer: Callable[[Any], None]) -> None:
        """Have it done. What is refused may be about an entry that is gone: then the list is asked for anew as well."""

        def refused(error: ExplainedError) -> None:
            self._refuse(error)
            self._changed()

        self._people.write(work, answer, refused)
