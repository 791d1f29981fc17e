"""What of the three cards is kept in the file of greetings, and when.

Kept is every text that stood finished in front of the person: a candidate that was chosen for a card, or one of the
versions they paged back to. Kept too is what they took in hand before it was finished: what they edited, copied or made
a favourite. Not kept are candidates that were only drawn, texts that were replaced while the others were still being
chosen, and what was stopped in the middle, unless the person does one of these things with it. An edited text replaces
the one it was made from: in the history they find what they saw last.

Copying counts as sending, to the person whom the form of address names, until it is undone. Whose entry was deleted in
the history gets another one once the text is taken in hand again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose.request import GreetingRequest
from app.compose.sentence import ExplainedError
from app.gui.people_thread import PeopleThread
from app.gui.writing_session import CardView, State

if TYPE_CHECKING:
    from app.people.store import Store

EDITED_AFTER = 600  # ms without a key before an edit is written to the file


class Kept(Enum):
    """Whether the text of a version is in the file."""

    NOTHING = "nothing"  # there is nothing to keep, or not yet
    SOON = "soon"  # asked for, and not yet on the disk
    YES = "yes"
    NO = "no"  # it could not be written


@dataclass(frozen=True)
class SentNote:
    """That a text was noted as sent: the id of the note, what it said, and to whom; empty for nobody known."""

    id: int
    text: str
    name: str


@dataclass(eq=False)
class _Entry:
    """A version of a card, as it stands in the file. ``id`` and ``sent`` are set by the people thread, None until then.

    The entry of this id may have been deleted in the history since.
    """

    request: GreetingRequest
    seed: int
    model: str
    text: str  # what it should say
    id: int | None = None
    refused: bool = False
    erased: bool = False  # with everything else, and not taken in hand since
    favourite: bool = False
    sent: SentNote | None = None


class Keeping(QObject):
    """Turns what happens to the cards into questions to the people thread; versions are those of the session."""

    kept = Signal(int, str)  # a version's text is on the disk, as said
    missed = Signal(int)  # a version's text could not be written
    favoured = Signal(int)  # whether a version is a favourite has changed
    sent = Signal(int, object)  # a version was noted as sent: SentNote; None when that was undone
    failed = Signal(object)  # ExplainedError

    def __init__(self, people: PeopleThread) -> None:
        super().__init__()
        self._people = people
        self._entries: dict[int, _Entry] = {}
        self._edits: dict[int, str] = {}
        self._said = ""  # the error said last: three texts that cannot be kept are one message
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(EDITED_AFTER)
        self._pause.timeout.connect(self.flush)
        people.erasing.connect(self.flush)
        people.erased.connect(self._let_go)
        self.model = ""

    def see(self, view: CardView) -> None:
        """A card shows this."""
        if view.state is State.DONE and view.version not in self._entries and view.text.strip():
            self._enter(view)

    def edit(self, view: CardView) -> None:
        """The person changed the text of a card; it is written once they pause."""
        if view.text.strip():
            self._edits[view.version] = view.text
            self._in_hand(view).text = view.text
            self._pause.start()

    def copied(self, view: CardView) -> None:
        """The person took the text: note it as sent, once for the same words."""
        self.flush()
        entry = self._in_hand(view)
        self._write(view.version, partial(_note_sent, entry, view.text), partial(self.sent.emit, view.version))

    def unsend(self, version: int) -> None:
        """It was copied, but not sent."""
        entry = self._entries.get(version)
        if entry is not None and entry.sent is not None:
            note, entry.sent = entry.sent, None
            self._write(version, partial(_forget_sent, note), lambda _: self.sent.emit(version, None))

    def favour(self, view: CardView, favourite: bool) -> None:
        """Make the text of a card a favourite, or no longer one."""
        self.flush()
        entry = self._in_hand(view)
        self._write(
            view.version,
            partial(_mark_favourite, entry, view.text, favourite),
            partial(self._favoured, view.version, entry, favourite),
        )

    def is_favourite(self, version: int) -> bool:
        """Whether the file says that a version is a favourite."""
        return version in self._entries and self._entries[version].favourite

    def state(self, version: int) -> Kept:
        """How it stands with the text of a version, but for edits that wait for a pause."""
        entry = self._entries.get(version)
        if entry is None or entry.erased:
            return Kept.NOTHING
        if entry.id is not None:
            return Kept.YES
        return Kept.NO if entry.refused else Kept.SOON

    def entry(self, version: int) -> int | None:
        """The id of a version in the file."""
        return self._entries[version].id if version in self._entries else None

    def catch_up(self) -> None:
        """The file is open, perhaps again: what could not be kept so far is kept now."""
        for version, entry in self._entries.items():
            if entry.id is None and not entry.erased:
                self._write(version, partial(_entered, entry, entry.text), partial(self._kept, version, entry.text))

    def flush(self) -> None:
        """Write the edits that wait for a pause now."""
        self._pause.stop()
        edits, self._edits = self._edits, {}
        for version, text in edits.items():
            self._write(version, partial(_edit, self._entries[version], text), partial(self._kept, version, text))

    def _in_hand(self, view: CardView) -> _Entry:
        """The entry of a version the person does something with: it is kept, also after everything was erased."""
        entry = self._entries.get(view.version) or self._enter(view)
        entry.erased = False
        return entry

    def _let_go(self) -> None:
        """Everything in the file is gone, and what the cards still show is not put back by itself."""
        for version, entry in self._entries.items():
            entry.id, entry.sent, entry.favourite, entry.refused, entry.erased = None, None, False, False, True
            self.favoured.emit(version)

    def _enter(self, view: CardView) -> _Entry:
        assert view.request is not None
        entry = self._entries[view.version] = _Entry(view.request, view.seed, self.model, view.text)
        self._write(view.version, partial(_entered, entry, view.text), partial(self._kept, view.version, view.text))
        return entry

    def _write(self, version: int, work: "Callable[[Store], Any]", answer: Callable[[Any], None]) -> None:
        def well(value: Any) -> None:
            self._said = ""
            answer(value)

        self._people.write(work, well, partial(self._refused, version))

    def _refused(self, version: int, error: ExplainedError) -> None:
        self._entries[version].refused = True
        self.missed.emit(version)
        if self._said != error.sentence.zh:
            self._said = error.sentence.zh
            self.failed.emit(error)

    def _kept(self, version: int, text: str, _: object) -> None:
        self.kept.emit(version, text)

    def _favoured(self, version: int, entry: _Entry, favourite: bool, _: None) -> None:
        entry.favourite = favourite
        self.favoured.emit(version)


# What follows runs in the people thread, where the package of the store is at home and may be imported.


def _is_there(entry: _Entry, store: "Store") -> bool:
    """Whether the file has the entry: it may not have been made yet, and it may have been deleted."""
    from app.people.history import written

    return entry.id is not None and written(store, entry.id) is not None


def _entered(entry: _Entry, text: str, store: "Store") -> int:
    """The id of the entry, which is made where it is not there: an attempt before may have failed."""
    from app.people.addressee import addressee
    from app.people.history import Draft, add_written

    if entry.id is None or not _is_there(entry, store):
        person = addressee(store, entry.request)
        recipient = person.id if person is not None else None
        draft = Draft(entry.request, text, entry.model, entry.seed, recipient, favourite=entry.favourite)
        entry.id = add_written(store, draft).id
    return entry.id


def _edit(entry: _Entry, text: str, store: "Store") -> None:
    from app.people.history import edit_written

    edit_written(store, _entered(entry, text, store), text)


def _mark_favourite(entry: _Entry, text: str, favourite: bool, store: "Store") -> None:
    from app.people.history import set_favourite

    # Of what was deleted nothing needs to be taken back.
    if favourite or _is_there(entry, store):
        set_favourite(store, _entered(entry, text, store), favourite)


def _note_sent(entry: _Entry, text: str, store: "Store") -> SentNote:
    """The note, once for the same words."""
    from app.people.addressee import mark_sent_to_addressee

    if entry.sent is None or entry.sent.text != text or not _is_there(entry, store):
        note, person = mark_sent_to_addressee(store, _entered(entry, text, store))
        entry.sent = SentNote(note.id, note.text, person.fields.name if person is not None else "")
    return entry.sent


def _forget_sent(note: SentNote, store: "Store") -> None:
    from app.people.deletion import delete

    delete(store, "sent", [note.id])
