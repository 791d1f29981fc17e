"""A text as the measures see it: beside what was asked, and without the names that every system was simply given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.compose.catalog import Catalog
from app.compose.guard import check
from app.compose.request import GreetingRequest
from training.evaluation.outputs import AUTHOR, Output
from training.neighbours import body_of
from training.records import Record


@dataclass(frozen=True)
class Written:
    """An output, what it was asked for, and its ``body``: the text without the name called and the signature.

    The request gives both away to every system alike: 王总 would show any reader that a text is for a boss, and nothing
    of how it is written.
    """

    output: Output
    asked: GreetingRequest
    body: str

    @property
    def request(self) -> str:
        """The request's id: what is drawn for an interval."""
        return self.output.request


def with_requests(outputs: Sequence[Output], asked: Mapping[tuple[str, str], GreetingRequest]) -> list[Written]:
    """The outputs with what was asked for; those of a request that is not among ``asked`` are left out.

    Args:
        asked: by request id and variation, as an output has them.
    """
    return [
        Written(output, request, body_of(output.text, request.address, request.signature))
        for output in outputs
        if (request := asked.get(output.job)) is not None
    ]


def as_written(record: Record, catalog: Catalog) -> Written:
    """A record of the corpus as if it were an output: the text its author wrote for that request. It has no tokens and
    took no seconds that anybody counted."""
    request = record.request
    reasons = guard_reasons(record.text, request, catalog)
    output = Output(AUTHOR, record.id, "", 0, record.text, reasons, 0, 0, 0.0)
    return Written(output, request, record.body)


def guard_reasons(text: str, request: GreetingRequest, catalog: Catalog) -> tuple[str, ...]:
    """The codes of the guard's faults, each once, as an output has them."""
    return tuple(dict.fromkeys(fault.code for fault in check(text, request, catalog)))


def unchanged(written: Sequence[Written]) -> list[Written]:
    """Those of the requests as they are, without a change of the input."""
    return [each for each in written if not each.output.variation]
