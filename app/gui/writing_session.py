"""What is in the three cards: which candidate streams where, what the person touched, what replaces what.

Without Qt and without the engine: it orders texts from whatever can write them, and is handed the events. Two promises
are kept here. A text the person edited, copied or paged away from is never replaced under their eyes, and no text that
was ever shown is lost: the versions of a card only grow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count
from typing import Protocol

from app.compose.catalog import Catalog
from app.compose.guard import Fault, check, never_right
from app.compose.prompt import Segment, prompt_segments
from app.compose.request import GreetingRequest
from app.compose.select import Candidate, choose
from app.compose.sentence import Sentence
from app.engine.protocol import Died, Done, Event, Failed, Finished, Piece, Sampling

CARDS = 3
REPEATS = Fault(
    "repeats",
    Sentence("和以前发给这个人的一条太像。", "Much like something this person has received from you before."),
)

Repeats = Callable[[str, GreetingRequest, int], bool]


class Writing(Protocol):
    """Who writes: the engine, seen from here."""

    def write(self, prompt: tuple[Segment, ...], draw: int, seed: int, sampling: Sampling, most_tokens: int) -> int:
        """Begin a job and return its number; candidate ``i`` is drawn with ``(seed, i)``."""

    def cancel(self, job: int) -> None:
        """Stop a job."""


class State(Enum):
    """How far one version of a card is."""

    EMPTY = "empty"  # nothing was ever written in this card
    WRITING = "writing"  # its text is streaming in
    CHOOSING = "choosing"  # its text is complete, other candidates are not yet
    DONE = "done"
    UNFINISHED = "unfinished"  # stopped, or the engine died, in the middle of the text


@dataclass(eq=False)
class _Version:
    """One text of a card, the request it answers and the seed of its job. ``number`` tells it from every other."""

    number: int
    request: GreetingRequest
    seed: int
    text: str = ""
    state: State = State.WRITING
    touched: bool = False


@dataclass
class _Card:
    versions: list[_Version] = field(default_factory=list)
    shown: int = -1  # index into versions; -1 when there are none

    @property
    def version(self) -> _Version | None:
        return self.versions[self.shown] if self.versions else None

    def add(self, version: _Version) -> None:
        """Show a new version; one without any text makes room for it."""
        self.versions = [old for old in self.versions if old.text or old.state is State.WRITING]
        self.versions.append(version)
        self.shown = len(self.versions) - 1

    def drop(self, version: _Version) -> None:
        """Forget a version nothing was written into."""
        if version in self.versions:
            position = self.versions.index(version)
            del self.versions[position]
            self.shown = min(max(self.shown - (position <= self.shown), 0), len(self.versions) - 1)


@dataclass
class _Drawing:
    """One job of the engine: candidate ``i`` of it streams into ``cards[i]``; the further ones are only drawn."""

    request: GreetingRequest
    seed: int
    cards: tuple[int, ...]
    live: list[_Version]
    finished: dict[int, Finished] = field(default_factory=dict)


@dataclass(frozen=True)
class CardView:
    """What a card shows. ``position`` of ``count`` versions, from 1; both 0 when there is none, as is ``version``.

    ``version`` is the number of the text, the same as long as the session lives, however it is edited.
    """

    text: str
    state: State
    position: int
    count: int
    version: int = 0
    request: GreetingRequest | None = None
    seed: int = 0


class WritingSession:
    """The texts of the window and the jobs that are filling them.

    Args:
        engine: who writes.
        draw: how many candidates are drawn for the three cards.
        seeds: gives the seed of the next job.
        changed: called with the number of a card whenever what it shows changed.
        repeats: whether a text, for a request, repeats what its person has received before, other than as the version
            of that number; 0 is a text no card shows yet. Such a text is shown only when there is no other.
    """

    def __init__(
        self,
        catalog: Catalog,
        engine: Writing,
        *,
        draw: int,
        sampling: Sampling,
        seeds: Callable[[], int],
        changed: Callable[[int], None],
        repeats: Repeats = lambda text, request, version: False,
    ) -> None:
        self._catalog = catalog
        self._engine = engine
        self._draw = max(draw, CARDS)
        self._sampling = sampling
        self._seeds = seeds
        self._changed = changed
        self._repeats = repeats
        self._numbers = count(1)
        self._cards = [_Card() for _ in range(CARDS)]
        self._drawings: dict[int, _Drawing] = {}

    @property
    def working(self) -> bool:
        """Whether anything is being written."""
        return bool(self._drawings)

    def asked(self, job: int | None) -> bool:
        """Whether a job is one of these cards', and not over yet; others write with the same engine."""
        return job in self._drawings

    def view(self, card: int) -> CardView:
        """What ``card`` (from 0) shows now."""
        version = self._cards[card].version
        if version is None:
            return CardView("", State.EMPTY, 0, 0)
        return CardView(
            version.text,
            version.state,
            self._cards[card].shown + 1,
            len(self._cards[card].versions),
            version.number,
            version.request,
            version.seed,
        )

    def faults(self, card: int) -> tuple[Fault, ...]:
        """What is wrong with the shown text; nothing is said of a text that is not finished."""
        version = self._cards[card].version
        if version is None or version.state in (State.WRITING, State.UNFINISHED):
            return ()
        return self._faults(version.text, version.request, version.number)

    def write(self, request: GreetingRequest, cards: int = CARDS) -> None:
        """Fill the first ``cards`` anew; fewer draw fewer candidates, in the same proportion."""
        self._begin(request, tuple(range(cards)), self._share(cards))

    def write_again(self, card: int) -> None:
        """Fill one card anew, for the request its text answers; nothing happens while it is empty or being filled."""
        version = self._cards[card].version
        if version is not None and not any(card in drawing.cards for drawing in self._drawings.values()):
            self._begin(version.request, (card,), self._share(1))

    def stop(self) -> None:
        """End every job at once: what is there stays, and what the engine still says of them is ignored."""
        for job in tuple(self._drawings):
            self._break_off(job)
            self._engine.cancel(job)

    def handle(self, event: Event) -> None:
        """Take in one event; events of jobs that are over change nothing."""
        if (isinstance(event, Died) and not event.restarting) or (isinstance(event, Failed) and event.job is None):
            for job in tuple(self._drawings):
                self._break_off(job)
        elif isinstance(event, (Piece, Finished, Done, Failed)) and event.job in self._drawings:
            drawing = self._drawings[event.job or 0]
            if isinstance(event, Piece):
                self._piece(drawing, event)
            elif isinstance(event, Finished):
                self._finished(drawing, event)
            elif isinstance(event, Done) and not event.cancelled:
                del self._drawings[event.job]
                self._settle(drawing)
            else:
                self._break_off(event.job or 0)

    def edit(self, card: int, text: str) -> None:
        """The person changed the shown text."""
        version = self._cards[card].version
        if version is not None and version.text != text:
            version.text = text
            version.touched = True
            if version.state is not State.WRITING:
                version.state = State.DONE

    def hold(self, card: int) -> None:
        """The person took the shown text, or is about to change it: it is theirs, and stays."""
        version = self._cards[card].version
        if version is not None:
            version.touched = True

    def turn(self, card: int, step: int) -> None:
        """Show the version before (-1) or after (1), where there is one."""
        shown = self._cards[card].shown + step
        if 0 <= shown < len(self._cards[card].versions):
            self._cards[card].shown = shown
            self._changed(card)

    def _share(self, cards: int) -> int:
        """How many candidates are drawn for so many cards."""
        return -(-self._draw * cards // CARDS)

    def _begin(self, request: GreetingRequest, cards: tuple[int, ...], draw: int) -> None:
        prompt, most = prompt_segments(request, self._catalog), self._catalog.length(request.length).most_tokens
        sampling = replace(self._sampling, avoid=never_right(request, self._catalog))
        seed = self._seeds()
        job = self._engine.write(prompt, draw, seed, sampling, most)
        live = [_Version(next(self._numbers), request, seed) for _ in cards]
        for card, version in zip(cards, live, strict=True):
            self._cards[card].add(version)
        self._drawings[job] = _Drawing(request, seed, cards, live)
        for card in cards:
            self._changed(card)

    def _piece(self, drawing: _Drawing, piece: Piece) -> None:
        if piece.candidate < len(drawing.live):
            drawing.live[piece.candidate].text += piece.text
            self._changed(drawing.cards[piece.candidate])

    def _finished(self, drawing: _Drawing, event: Finished) -> None:
        drawing.finished[event.candidate] = event
        if event.candidate < len(drawing.live):
            version = drawing.live[event.candidate]
            version.text, version.state = event.text.strip(), State.CHOOSING
            self._changed(drawing.cards[event.candidate])

    def _settle(self, drawing: _Drawing) -> None:
        """Every candidate is there: keep the chosen ones that are shown, bring in the others where nobody minds."""
        chosen = {candidate.index: candidate.text for candidate in self._choose(drawing)}
        free: list[int] = []
        for candidate, (card, version) in enumerate(zip(drawing.cards, drawing.live, strict=True)):
            if version.state in (State.WRITING, State.CHOOSING):
                version.state = State.DONE
            if chosen.pop(candidate, None) is None and not version.touched and self._cards[card].version is version:
                free.append(card)
        for card, text in zip(free, chosen.values(), strict=False):
            self._cards[card].add(_Version(next(self._numbers), drawing.request, drawing.seed, text, State.DONE))
        for card, version in zip(drawing.cards, drawing.live, strict=True):
            if not version.text:
                self._cards[card].drop(version)
            self._changed(card)

    def _choose(self, drawing: _Drawing) -> Sequence[Candidate]:
        seen = {version.text for card in self._cards for version in card.versions if version not in drawing.live}
        candidates = [
            Candidate(index, end.text.strip(), end.tokens, end.logprob, self._faults(end.text, drawing.request, 0))
            for index, end in sorted(drawing.finished.items())
            if end.end != "cancelled"
        ]
        unseen = [candidate for candidate in candidates if candidate.text not in seen]
        return choose(unseen or candidates, len(drawing.cards))

    def _faults(self, text: str, request: GreetingRequest, version: int) -> tuple[Fault, ...]:
        faults = check(text, request, self._catalog)
        return (*faults, REPEATS) if self._repeats(text, request, version) else faults

    def _break_off(self, job: int) -> None:
        drawing = self._drawings.pop(job)
        for card, version in zip(drawing.cards, drawing.live, strict=True):
            if not version.text:
                self._cards[card].drop(version)
            elif version.state is State.WRITING:
                version.state = State.UNFINISHED
            elif version.state is State.CHOOSING:
                version.state = State.DONE
            self._changed(card)
