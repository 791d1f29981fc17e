"""People are kept as plain lines; what nobody means to keep is refused."""

import random

import pytest

from app.people.deletion import delete, undo
from app.people.errors import StoreError
from app.people.recipients import (
    add_recipient,
    all_recipients,
    change_recipient,
    recipient,
    recipient_fields,
    recipients_named,
)
from app.people.store import Store

FIELDS = recipient_fields(
    " 张\t三 ",
    relationship="boss",
    address="张总",
    tone="formal",
    facts=["升职；加薪", "", "搬家"],
    notes="第一行\n第二行\n",
)


def test_a_person_comes_back_folded(store: Store) -> None:
    assert FIELDS.name == "张 三" and FIELDS.facts == ("升职，加薪", "搬家") and FIELDS.notes == "第一行\n第二行"
    added = add_recipient(store, FIELDS)
    assert added.fields == FIELDS
    assert recipient(store, added.id) == added and all_recipients(store) == (added,)


def test_a_name_may_be_shared(store: Store) -> None:
    both = tuple(add_recipient(store, recipient_fields("张伟", notes=notes)) for notes in ("同事", "同学"))
    add_recipient(store, recipient_fields("张伟伟"))
    assert recipients_named(store, " 张伟 ") == both


def test_a_person_is_changed_deleted_and_brought_back(store: Store) -> None:
    person = add_recipient(store, FIELDS)
    change_recipient(store, person.id, recipient_fields("李四"))
    token = delete(store, "recipients", [person.id])
    assert recipient(store, person.id) is None and all_recipients(store) == ()
    assert undo(store, token) == 1
    (back,) = all_recipients(store)
    assert (back.id, back.uid, back.fields.name) == (person.id, person.uid, "李四")
    with pytest.raises(StoreError) as error:
        change_recipient(store, 99, FIELDS)
    assert error.value.code == "gone"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": " \u200b"}, "unnamed"),
        ({"name": "长" * 61}, "too_long"),
        ({"name": "a", "address": "x" * 10_000_000}, "too_long"),
        ({"name": "a", "notes": "x" * 2001}, "too_long"),
        ({"name": "a", "facts": ["x" * 41]}, "too_long"),
        ({"name": "a", "facts": ["x"] * 21}, "too_many"),
    ],
)
def test_what_cannot_be_kept_is_refused(fields: dict[str, object], code: str) -> None:
    with pytest.raises(StoreError) as error:
        recipient_fields(**fields)  # type: ignore[arg-type]
    assert error.value.code == code


def test_random_unicode_survives(store: Store) -> None:
    drawn = random.Random(3)
    for _ in range(200):
        text = "".join(chr(drawn.choice((drawn.randrange(0x110000), drawn.randrange(0x3000)))) for _ in range(30))
        fields = recipient_fields(f"名{text}", facts=[text[:9], text[9:]], notes=text)
        added = add_recipient(store, fields)
        assert recipient(store, added.id) == added
