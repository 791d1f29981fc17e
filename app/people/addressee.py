"""Whom a greeting is for, when all that is known is what its request says: a relationship and a form of address."""

import sqlite3
import uuid

from app.compose.request import GreetingRequest
from app.people.errors import gone
from app.people.history import Sent, insert_sent, sent_to, sent_to_nobody_known, written
from app.people.moment import milliseconds
from app.people.recipients import Recipient, all_recipients, insert_recipient, recipient, recipient_fields
from app.people.store import Store


def addressee(store: Store, request: GreetingRequest) -> Recipient | None:
    """The one person who is so addressed or named, and of that relationship or of none yet.

    None where the request addresses nobody, where nobody fits, and where two do: a text is never counted as another
    person's by guessing.

    Raises:
        StoreError: the file cannot be read.
    """
    fitting = _fitting(store, request)
    return fitting[0] if len(fitting) == 1 else None


def mark_sent_to_addressee(store: Store, id: int) -> tuple[Sent, Recipient | None]:
    """Note that an entry was copied and so counts as sent, and to whom; deleting the note undoes it.

    That is the person it was written to; else the addressee of its request. Where nobody fits, whoever is addressed
    becomes known: as a person so called, of this relationship. The entry is theirs from then on.

    Returns:
        The note, and the person; None where nobody is addressed, or more than one person fits.

    Raises:
        StoreError: ``gone``, or it could not be saved; nobody is added then.
    """
    with store.writing() as connection:
        entry = written(store, id)
        if entry is None:
            raise gone()
        person = recipient(store, entry.recipient) if entry.recipient is not None else None
        if person is None:
            person = _addressee_or_new(store, connection, entry.request)
        if person is not None and entry.recipient != person.id:
            connection.execute("UPDATE written SET recipient = ? WHERE id = ?", (person.id, id))
        return insert_sent(connection, id, person.id if person is not None else None, milliseconds(None)), person


def received(store: Store, request: GreetingRequest) -> tuple[Sent, ...]:
    """What the person this request is for has received; empty where it addresses nobody.

    To what the known person received comes what went out under the same form of address while nobody of that name was
    in the file.

    Raises:
        StoreError: the file cannot be read.
    """
    if not request.address:
        return ()
    person = addressee(store, request)
    known = sent_to(store, person.id) if person is not None else ()
    return (*known, *sent_to_nobody_known(store, request.relationship, request.address))


def _addressee_or_new(store: Store, connection: sqlite3.Connection, request: GreetingRequest) -> Recipient | None:
    fitting = _fitting(store, request)
    if fitting or not request.address:
        return fitting[0] if len(fitting) == 1 else None
    fields = recipient_fields(request.address, relationship=request.relationship, address=request.address)
    return insert_recipient(connection, fields, uuid.uuid4().hex)


def _fitting(store: Store, request: GreetingRequest) -> list[Recipient]:
    """Everybody who can be meant; nobody where the request addresses nobody."""
    if not request.address:
        return []
    return [
        person
        for person in all_recipients(store)
        if request.address in (person.fields.address, person.fields.name)
        and person.fields.relationship in (request.relationship, "")
    ]
