"""The half of writing a batch that runs in the thread of the store: rows taken, texts compared, chosen and kept.

Without Qt. :mod:`app.gui.batch_session` is the other half, in the window's thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.compose.catalog import Catalog
from app.compose.guard import Fault, check
from app.compose.request import RequestError, make_request
from app.compose.select import Candidate
from app.compose.sentence import Sentence
from app.gui.batch_choice import choose_text
from app.gui.batch_likeness import Likeness
from app.gui.writing_session import REPEATS
from app.people.batch import BatchRow, State, fail_row, finish_row, take_rows
from app.people.history import Sent, sent_to
from app.people.repeats import repeated
from app.people.request_row import REQUEST_COLUMNS
from app.people.store import Store

_NOTHING = Sentence(
    "模型没有为这一位写出文字。请点“重写”再试，或换一个语气。",
    "The model wrote nothing for this person. Choose Rewrite to try again, or another tone.",
)


@dataclass(frozen=True)
class News:
    """What became of a row. ``text`` is None where the text is as it was."""

    id: int
    state: State
    text: str | None = None
    written: int | None = None
    fault: Sentence | None = None


@dataclass(frozen=True)
class Likes:
    """The rows whose texts are alike to that of row ``id``."""

    id: int
    others: frozenset[int]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with the text of row ``id``: the rules it breaks, and that its person has had it before."""

    id: int
    faults: tuple[Sentence, ...]


@dataclass(eq=False)
class Order:
    """A row at the engine, what the person has received before, and what was drawn so far."""

    row: BatchRow
    earlier: tuple[Sent, ...]
    seed: int = 0
    rounds: int = 0
    deaths: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)  # of the candidates


@dataclass(eq=False)
class Desk:
    """What belongs to the store's thread: the texts of the batch, compared there."""

    likeness: Likeness


def take(
    store: Store, batch: int, count: int, catalog: Catalog, first: tuple[int, ...], others: bool
) -> tuple[list[Order], list[News]]:
    """Rows to write, chosen as take_rows does, and those that cannot be because something was not chosen."""
    orders, failed = [], []
    for row in take_rows(store, batch, count, first, others):
        request = row.fields.request
        try:
            make_request(catalog, {name: getattr(request, name) for name in REQUEST_COLUMNS})
        except RequestError as error:
            fail_row(store, row.id, error.sentence)
            failed.append(News(row.id, "failed", fault=error.sentence))
            continue
        person = row.fields.recipient
        orders.append(Order(row, sent_to(store, person) if person is not None else ()))
    return orders, failed


def keep(
    store: Store, desk: Desk, order: Order, last: bool, model: str
) -> tuple[News, tuple[Likes | Verdict, ...]] | None:
    """Put the best text of a row on the disk; None when it is worth drawing again."""
    row = order.row
    choice = choose_text(
        order.candidates, row.fields.request, order.earlier, lambda text: bool(desk.likeness.like(text))
    )
    if not last and (choice is None or not choice.good):
        return None
    if choice is None:
        fail_row(store, row.id, _NOTHING)
        return News(row.id, "failed", fault=_NOTHING), ()
    text = choice.candidate.text
    entry = finish_row(store, row, text, model=model, seed=order.seeds[choice.candidate.index])
    verdict = _verdict(row, text, choice.candidate.faults, order.earlier)
    return News(row.id, "written", text, entry.id), (verdict, *put(desk, row.id, text))


def compare(store: Store, desk: Desk, rows: tuple[BatchRow, ...], catalog: Catalog) -> tuple[Likes | Verdict, ...]:
    """Whom each text of a batch is alike to, and what is wrong with it.

    Of most texts there is nothing to say. What came since the rows were read is left as it is.
    """
    read = [row for row in rows if row.id not in desk.likeness]
    for row in read:
        desk.likeness.put(row.id, row.text)
    wrong = (verdict for verdict in judge(store, read, catalog) if verdict.faults)
    return (*wrong, *(Likes(row.id, others) for row in rows if (others := desk.likeness.of(row.id))))


def judge(store: Store, rows: Iterable[BatchRow], catalog: Catalog) -> tuple[Verdict, ...]:
    """What is wrong with the texts of the rows that are written."""
    return tuple(
        _verdict(row, row.text, check(row.text, row.fields.request, catalog), _earlier(store, row))
        for row in rows
        if row.state == "written"
    )


def put(desk: Desk, id: int, text: str) -> tuple[Likes, ...]:
    """A row's text is this now; the rows whose likes changed."""
    return tuple(Likes(other, desk.likeness.of(other)) for other in sorted(desk.likeness.put(id, text)))


def _verdict(row: BatchRow, text: str, faults: tuple[Fault, ...], earlier: tuple[Sent, ...]) -> Verdict:
    if repeated(text, row.fields.request, earlier) is not None:
        faults = (*faults, REPEATS)
    return Verdict(row.id, tuple(fault.sentence for fault in faults))


def _earlier(store: Store, row: BatchRow) -> tuple[Sent, ...]:
    """What the person of a row has received, but for this text: that it was sent does not make it a repetition."""
    person = row.fields.recipient
    received = sent_to(store, person) if person is not None else ()
    return tuple(sent for sent in received if sent.written != row.written)
