"""Who a request is for, by its relationship and form of address, and what they have received."""

import pytest

from app.people.addressee import addressee, mark_sent_to_addressee, received
from app.people.deletion import delete
from app.people.errors import StoreError
from app.people.history import add_written, mark_sent, sent_to, written
from app.people.recipients import add_recipient, all_recipients, recipient_fields
from app.people.store import Store
from tests.people.conftest import draft, request


def test_a_person_is_known_by_address_or_name_within_the_relationship(store: Store) -> None:
    boss = add_recipient(store, recipient_fields("王建国", relationship="boss", address="王总"))
    friend = add_recipient(store, recipient_fields("阿哲", relationship="close_friend"))
    unsorted = add_recipient(store, recipient_fields("小陈"))
    assert addressee(store, request(address="王总")) == boss
    assert addressee(store, request(address="王建国")) == boss
    assert addressee(store, request(address="王总", relationship="client")) is None
    assert addressee(store, request(address="阿哲", relationship="close_friend")) == friend
    assert addressee(store, request(address="小陈")) == unsorted
    assert addressee(store, request()) is None


def test_two_who_fit_are_nobody(store: Store) -> None:
    for _ in range(2):
        add_recipient(store, recipient_fields("王建国", relationship="boss", address="王总"))
    assert addressee(store, request(address="王总")) is None


def test_what_was_received_is_that_of_the_person_and_of_the_form_of_address(store: Store) -> None:
    early = mark_sent(store, add_written(store, draft("早先的一条", address="王总")).id)
    other = add_written(store, draft("给别人的", address="王总", relationship="client"))
    mark_sent(store, other.id)
    add_written(store, draft("没有发出的", address="王总"))
    assert received(store, request(address="王总")) == (early,)
    boss = add_recipient(store, recipient_fields("王建国", relationship="boss", address="王总"))
    late = mark_sent(store, add_written(store, draft("后来的一条", boss.id, address="王总")).id)
    assert received(store, request(address="王总")) == (late, early)
    assert received(store, request()) == ()


def test_whoever_is_sent_a_text_and_is_nobody_known_becomes_known(store: Store) -> None:
    entry = add_written(store, draft("新春好", address="王总"))
    note, person = mark_sent_to_addressee(store, entry.id)
    assert person is not None and all_recipients(store) == (person,)
    assert (person.fields.name, person.fields.relationship, person.fields.address) == ("王总", "boss", "王总")
    assert sent_to(store, person.id) == (note,)
    assert (kept := written(store, entry.id)) is not None and kept.recipient == person.id
    again = add_written(store, draft("又一条", address="王总"))
    assert mark_sent_to_addressee(store, again.id)[1] == person
    assert len(all_recipients(store)) == 1


def test_a_text_goes_to_whom_it_was_written_to_and_to_nobody_by_guessing(store: Store) -> None:
    own = add_recipient(store, recipient_fields("李四"))
    for _ in range(2):
        add_recipient(store, recipient_fields("王建国", relationship="boss", address="王总"))
    to_own = add_written(store, draft("给李四的", own.id, address="王总"))
    assert mark_sent_to_addressee(store, to_own.id)[1] == own
    for kept in (draft("两个王总", address="王总"), draft("没有称呼")):
        note, person = mark_sent_to_addressee(store, add_written(store, kept).id)
        assert person is None and note.recipient is None
    assert len(all_recipients(store)) == 3


def test_nobody_becomes_known_by_an_entry_that_is_gone(store: Store) -> None:
    entry = add_written(store, draft("新春好", address="王总"))
    delete(store, "written", [entry.id])
    with pytest.raises(StoreError) as error:
        mark_sent_to_addressee(store, entry.id)
    assert error.value.code == "gone" and all_recipients(store) == ()
