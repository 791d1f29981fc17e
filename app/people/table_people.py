"""People from a table join a batch: each as who they are already in the file, or as somebody new."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from app.compose.request import MOST_DETAILS, GreetingRequest
from app.people.batch import BatchRow, RowFields, insert_batch, insert_rows, rows_of
from app.people.moment import milliseconds
from app.people.recipients import Recipient, RecipientFields, all_recipients, insert_recipient
from app.people.store import Store


def add_people(
    store: Store, batch: int | None, title: str, people: Iterable[RecipientFields], wish: GreetingRequest
) -> tuple[int, tuple[BatchRow, ...]]:
    """Add a row for each at the end of a batch, a new one called ``title`` where there is none yet: all, or none.

    Two rows of one name are two people, each of whom may be known already. What a table leaves open is taken from what
    is known of the person, the tone else from ``wish``, which also gives occasion, length, animal and signature.

    Returns:
        The batch's id, and its new rows.

    Raises:
        StoreError: it could not be saved.
    """
    known: defaultdict[str, list[Recipient]] = defaultdict(list)
    for one in all_recipients(store):
        known[one.fields.name].append(one)
    rows = []
    with store.writing() as connection:
        for fields in people:
            person = _known(fields, known[fields.name])
            if person is None:
                person = insert_recipient(connection, fields, uuid.uuid4().hex)
            else:
                known[fields.name].remove(person)
            rows.append(RowFields(fields.name, _request(fields, person.fields, wish), person.id))
        if batch is None:
            batch = insert_batch(connection, title, milliseconds(None))
        new = set(insert_rows(connection, batch, rows))
    return batch, tuple(row for row in rows_of(store, batch) if row.id in new)


def recipient_for(store: Store, row: RowFields) -> int | None:
    """The person a row typed by hand is for: the one so named, or a new one; None while it has no name."""
    if not row.name:
        return None
    request = row.request
    fields = RecipientFields(row.name, request.relationship, request.address, request.tone, request.details)
    person = _known(fields, [one for one in all_recipients(store) if one.fields.name == row.name])
    if person is None:
        with store.writing() as connection:
            person = insert_recipient(connection, fields, uuid.uuid4().hex)
    return person.id


def _known(fields: RecipientFields, namesakes: list[Recipient]) -> Recipient | None:
    """The one of these people that can be meant; two that can be are not guessed between, unless one is just so."""
    if same := [one for one in namesakes if one.fields == fields]:
        return same[0]
    fitting = [
        one
        for one in namesakes
        if not fields.relationship or not one.fields.relationship or fields.relationship == one.fields.relationship
    ]
    return fitting[0] if len(fitting) == 1 else None


def _request(fields: RecipientFields, known: RecipientFields, wish: GreetingRequest) -> GreetingRequest:
    return replace(
        wish,
        relationship=fields.relationship or known.relationship or wish.relationship,
        tone=fields.tone or known.tone or wish.tone,
        address=fields.address or known.address,
        details=(fields.facts or known.facts)[:MOST_DETAILS],
    )
