"""People from a table join a batch as who they are in the file, or as somebody new."""

from dataclasses import replace

import pytest

from app.people.batch import RowFields, batches
from app.people.errors import StoreError
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


def test_two_rows_of_one_name_are_two_people_and_the_same_two_when_the_table_comes_again(store: Store) -> None:
    people = [RecipientFields("王芳", address="芳芳"), RecipientFields("王芳", address="王总")]
    first, again = (add_people(store, None, "", people, WISH)[1] for _ in range(2))
    assert len({row.fields.recipient for row in first}) == 2
    assert [row.fields.recipient for row in again] == [row.fields.recipient for row in first]
    assert [one.fields.address for one in all_recipients(store)] == ["芳芳", "王总"]


def test_a_table_joins_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(StoreError):
        add_people(store, None, "除夕", [RecipientFields("王芳"), RecipientFields("长" * 100_000)], WISH)
    assert all_recipients(store) == () and batches(store) == ()


def test_a_row_typed_by_hand_is_somebody_once_it_has_a_name(store: Store) -> None:
    assert recipient_for(store, RowFields("", WISH)) is None
    first = recipient_for(store, RowFields("王芳", replace(WISH, relationship="friend")))
    assert first == recipient_for(store, RowFields("王芳", WISH)) and len(all_recipients(store)) == 1
