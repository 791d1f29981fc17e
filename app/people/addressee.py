"""Whom a greeting is for, when all that is known is what its request says: a relationship and a form of address."""

from app.compose.request import GreetingRequest
from app.people.history import Sent, sent_to, sent_to_nobody_known
from app.people.recipients import Recipient, all_recipients
from app.people.store import Store


def addressee(store: Store, request: GreetingRequest) -> Recipient | None:
    """The one person who is so addressed or named, and of that relationship or of none yet.

    None where the request addresses nobody, where nobody fits, and where two do: a text is never counted as another
    person's by guessing.

    Raises:
        StoreError: the file cannot be read.
    """
    if not request.address:
        return None
    fitting = [
        person
        for person in all_recipients(store)
        if request.address in (person.fields.address, person.fields.name)
        and person.fields.relationship in (request.relationship, "")
    ]
    return fitting[0] if len(fitting) == 1 else None


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
