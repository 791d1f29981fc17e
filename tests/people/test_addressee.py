"""Who a request is for, by its relationship and form of address, and what they have received."""

from app.people.addressee import addressee, received
from app.people.history import add_written, mark_sent
from app.people.recipients import add_recipient, recipient_fields
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
