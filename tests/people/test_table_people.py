"""People from a table join a batch as who they are in the file, or as somebody new."""

from dataclasses import replace

from app.people.batch import RowFields
from app.people.recipients import RecipientFields, add_recipient, all_recipients, recipient_fields
from app.people.store import Store
from app.people.table_people import add_people, recipient_for
from tests.people.conftest import request

WISH = replace(request(length="long", signature="小李"), relationship="", tone="festive")


def test_who_is_known_brings_what_is_known(store: Store) -> None:
    known = add_recipient(
        store, recipient_fields("王芳", relationship="friend", address="芳芳", tone="warm", facts=["一", "二", "三"])
    )
    batch, (row, new) = add_people(store, None, "除夕", [RecipientFields("王芳"), RecipientFields("李雷")], WISH)
    assert row.fields.recipient == known.id and new.fields.recipient not in (None, known.id)
    asked = row.fields.request
    assert (asked.relationship, asked.address, asked.tone, asked.details) == ("friend", "芳芳", "warm", ("一", "二"))
    assert (asked.length, asked.signature) == ("long", "小李")
    assert new.fields.request.tone == "festive"
    _, (again,) = add_people(store, batch, "", [RecipientFields("李雷", "boss")], WISH)
    assert again.batch == batch and again.position == 2 and again.fields.recipient == new.fields.recipient


def test_namesakes_of_different_kinds_are_different_people(store: Store) -> None:
    people = [RecipientFields("王芳", "friend"), RecipientFields("王芳", "client"), RecipientFields("王芳")]
    _, rows = add_people(store, None, "", people, WISH)
    assert len({row.fields.recipient for row in rows}) == 3, "two that can be meant are not guessed between"
    assert len(all_recipients(store)) == 3


def test_a_row_typed_by_hand_is_somebody_once_it_has_a_name(store: Store) -> None:
    assert recipient_for(store, RowFields("", WISH)) is None
    first = recipient_for(store, RowFields("王芳", replace(WISH, relationship="friend")))
    assert first == recipient_for(store, RowFields("王芳", WISH)) and len(all_recipients(store)) == 1
