"""Writes a batch: rows from the store to the engine, texts from the engine to the store, and stops where told to.

Without Qt, without SQL and without an engine: it asks a door to the store, orders texts from whatever can write them,
and is handed the events. A few rows are always at the engine, which decodes them together. Promises kept here: every
text is on the disk before anybody hears of it, what was at the engine when it died is ordered anew, and after a pause
or a restart exactly those rows are written that were not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.compose.catalog import Catalog
from app.compose.guard import check, never_right
from app.compose.prompt import prompt_segments
from app.compose.select import Candidate
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Died, Done, Event, Failed, Finished, Sampling
from app.gui.batch_desk import Desk, Likes, News, Order, Verdict, compare, judge, keep, put, take
from app.gui.batch_likeness import Likeness
from app.gui.writing_session import Writing
from app.people.batch import BatchRow, fail_row, redo_rows, release_rows, rows_of
from app.people.store import Store

AT_ONCE = 4  # rows at the engine
DRAW = 3  # texts drawn for a row each round
MOST_ROUNDS = 3
MOST_DEATHS = 3  # of the engine, while one row was there

_DEADLY = Sentence(
    "写这一位时引擎停了几次，先跳过。请点“重写”再试，或换一个说法。",
    "The engine stopped several times over this person, who was passed over. Choose Rewrite to try again.",
)


class Door(Protocol):
    """The thread that owns the store: it runs a function there and hands back what it returned, in order."""

    def read(
        self,
        work: Callable[[Store], Any],
        answer: Callable[[Any], None],
        refuse: Callable[[ExplainedError], None] | None = None,
    ) -> object:
        """Ask what only reads."""

    def write(
        self,
        work: Callable[[Store], Any],
        answer: Callable[[Any], None] | None = None,
        refuse: Callable[[ExplainedError], None] | None = None,
    ) -> object:
        """Ask what writes; once answered it is on the disk."""


@dataclass(eq=False)
class _Ask:
    """So many rows are asked of the store; ``changed`` since then are these, which may be among them as they were."""

    count: int
    changed: set[int] = field(default_factory=set)


class BatchSession:
    """One batch at a time.

    Args:
        engine: who writes.
        door: the store's thread.
        seeds: gives the seed of the next job.
        told: called with News, Likes and Verdicts of rows, after they are on the disk.
        moved: called when writing begins, pauses or ends.
        refused: called with why it stopped by itself.
    """

    def __init__(
        self,
        catalog: Catalog,
        engine: Writing,
        door: Door,
        *,
        sampling: Sampling,
        seeds: Callable[[], int],
        told: Callable[[News | Likes | Verdict], None],
        moved: Callable[[], None],
        refused: Callable[[Sentence, str], None],
    ) -> None:
        self._catalog = catalog
        self._engine = engine
        self._door = door
        self._sampling = sampling
        self._seeds = seeds
        self._told = told
        self._moved = moved
        self._refused = refused
        self._orders: dict[int, Order] = {}
        self._asks: list[_Ask] = []  # not yet answered
        self._suspects: list[Order] = []  # were at the engine when it died: from then on one of them at a time
        self._settling: list[Order] = []  # every text is there, and the store is choosing
        self._more = False  # whether the store may have more rows waiting
        self._first: list[int] = []  # rows asked for by name: their turn comes before all others'
        self._others = False  # whether what waits besides them is written too
        self._run = 0  # answers to an earlier run are not for this one
        self._desk = Desk(Likeness())
        self.batch: int | None = None
        self.model = ""
        self.running = False

    def set_drawing(self, sampling: Sampling, model: str) -> None:
        """How the model in use is drawn from, and its name for the history."""
        self._sampling, self.model = sampling, model

    def open(self, batch: int, shown: Callable[[tuple[BatchRow, ...]], None]) -> None:
        """Turn to a batch; its rows are handed to ``shown``, and what is to be said of their texts is told after."""
        self.pause()
        self.batch = batch
        desk, catalog = Desk(Likeness()), self._catalog
        self._desk = desk

        def loaded(rows: tuple[BatchRow, ...]) -> None:
            shown(rows)
            self._door.read(lambda store: compare(store, desk, rows, catalog), self._tell_each)

        self._door.read(lambda store: rows_of(store, batch), loaded)

    def open_new(self, batch: int) -> None:
        """Turn to a batch that was just made, in which there is no text yet."""
        self.pause()
        self.batch, self._desk = batch, Desk(Likeness())

    def start(self) -> None:
        """Write every row that waits."""
        self._others = True
        self._begin()

    def pause(self) -> None:
        """Stop; what is at the engine waits again."""
        if not self.running:
            return
        self._stop()
        orders, self._orders = self._orders, {}
        suspects, self._suspects = self._suspects, []
        for job in orders:
            self._engine.cancel(job)
        batch = self.batch
        assert batch is not None
        ids = [order.row.id for order in (*orders.values(), *suspects)]
        self._door.write(lambda store: release_rows(store, batch), lambda _: self._tell_waiting(ids))
        self._moved()

    def change_engine(self) -> None:
        """Another engine is about to write: what was at the old one waits, and is ordered from the new one.

        Rows that were to be written alone still are.
        """
        running, others = self.running, self._others
        at_work = [order.row.id for order in (*self._orders.values(), *self._suspects, *self._settling)]
        first = at_work + [id for id in self._first if id not in at_work]
        self.pause()
        self.model = ""
        if running:
            self._first, self._others = first, others
            self._begin()

    def redo(self, ids: Iterable[int]) -> None:
        """Have rows written, once more where they have been: before all others, and they alone after a pause.

        Their texts stay until then.
        """
        wanted, batch, run = list(ids), self.batch, self._run
        for id in wanted:
            self.forget(id)

        def told(_: object) -> None:
            if self.batch != batch:
                return
            self._tell_waiting(wanted)
            if not self.running and run != self._run:
                return  # paused meanwhile, these too
            self._first += [id for id in wanted if id not in self._first]
            self._begin()

        self._door.write(lambda store: redo_rows(store, wanted), told)

    def forget(self, id: int) -> None:
        """The row is about to change or go: what is being written for it is not wanted."""
        for job, order in tuple(self._orders.items()):
            if order.row.id == id:
                del self._orders[job]
                self._engine.cancel(job)
        self._suspects = [order for order in self._suspects if order.row.id != id]
        self._settling = [order for order in self._settling if order.row.id != id]
        for ask in self._asks:
            ask.changed.add(id)

    def wake(self) -> None:
        """Rows were added or changed and may wait."""
        self._more = True
        if self.running:
            self._fill()

    def texts_changed(self, rows: Sequence[BatchRow]) -> None:
        """The texts of these rows are others now; of rows that were deleted they are empty."""
        desk, catalog = self._desk, self._catalog

        def work(store: Store) -> list[Likes | Verdict]:
            likes = [likes for row in rows for likes in put(desk, row.id, row.text)]
            return [*judge(store, rows, catalog), *likes]

        self._door.read(work, self._tell_each)

    def people_changed(self, rows: Sequence[BatchRow]) -> None:
        """These rows are for other people now, who may have received another text like it."""
        catalog = self._catalog
        self._door.read(lambda store: judge(store, rows, catalog), self._tell_each)

    def handle(self, event: Event) -> None:
        """What the engine says."""
        if isinstance(event, Died) and not event.restarting:
            self._give_up(event.sentence, f"exit code {event.exit_code}")
        elif isinstance(event, Failed) and event.job is None:
            self._give_up(event.sentence, f"{event.code}\n{event.detail}".strip())
        elif isinstance(event, Finished) and event.job in self._orders:
            self._take_text(self._orders[event.job], event)
        elif isinstance(event, Done) and event.job in self._orders and not event.cancelled:
            self._settle(self._orders.pop(event.job))
        elif isinstance(event, Failed) and event.job in self._orders:
            self._failed(self._orders.pop(event.job or 0), event)

    def _begin(self) -> None:
        """Write on, or begin to."""
        if self.batch is None:
            return
        self._more = True
        if self.running:
            self._fill()
            return
        self.running = True
        self._run += 1
        self._fill()
        self._moved()

    def _fill(self) -> None:
        """Ask for as many rows as the engine has room for."""
        if self._suspects:
            self._order_suspect()
            return
        free = AT_ONCE - len(self._orders) - sum(ask.count for ask in self._asks)
        if not self.running or not self._more or free <= 0 or self.batch is None:
            return
        ask = _Ask(free)
        self._asks.append(ask)
        batch, catalog = self.batch, self._catalog
        first, others = tuple(self._first), self._others
        self._door.write(
            lambda store: take(store, batch, free, catalog, first, others),
            lambda taken: self._took(ask, first, *taken),
            lambda error: self._could_not_take(ask, error),
        )

    def _took(self, ask: _Ask, first: tuple[int, ...], orders: list[Order], failed: list[News]) -> None:
        if ask not in self._asks:
            return  # paused meanwhile: the rows are released by a question asked after this one
        self._asks.remove(ask)
        taken = {order.row.id for order in orders} | {news.id for news in failed}
        # Those that were named and not taken, though there was room, do not wait any more.
        named = {*first} if len(taken) < ask.count else taken
        self._first = [id for id in self._first if id not in named]
        self._more = bool(taken or self._first)
        for news in failed:
            self._told(news)
        for order in orders:
            if order.row.id not in ask.changed:
                self._told(News(order.row.id, "writing"))
                self._order(order)
        if not orders and failed:
            self._fill()
        self._end_if_done()

    def _could_not_take(self, ask: _Ask, error: ExplainedError) -> None:
        if ask in self._asks:
            self._give_up(error.sentence, error.detail)

    def _order(self, order: Order) -> None:
        request = order.row.fields.request
        order.seed = self._seeds()
        job = self._engine.write(
            prompt_segments(request, self._catalog),
            DRAW,
            order.seed,
            replace(self._sampling, avoid=never_right(request, self._catalog)),
            self._catalog.length(request.length).most_tokens,
        )
        self._orders[job] = order

    def _order_suspect(self) -> None:
        """Alone, so that when the engine dies once more it is known of what."""
        if self._suspects and not self._orders:
            self._order(self._suspects.pop(0))

    def _take_text(self, order: Order, event: Finished) -> None:
        if event.end == "cancelled":
            return
        text = event.text.strip()
        faults = check(text, order.row.fields.request, self._catalog)
        order.candidates.append(Candidate(len(order.candidates), text, event.tokens, event.logprob, faults))
        order.seeds.append(order.seed)

    def _settle(self, order: Order) -> None:
        """Every text of a round is there: keep the best, unless another round may bring a better one."""
        order.rounds += 1
        desk, model, run = self._desk, self.model, self._run
        last = order.rounds >= MOST_ROUNDS
        self._settling.append(order)

        def settled(outcome: tuple[News, tuple[Likes | Verdict, ...]] | None) -> None:
            wanted = self._leave(order)
            if outcome is not None:
                news, remarks = outcome
                self._told(news)
                self._tell_each(remarks)
            elif run == self._run and wanted:
                self._order(order)
            else:
                self._tell_waiting([order.row.id])
            self._fill()
            self._end_if_done()

        def refused(error: ExplainedError) -> None:
            self._leave(order)
            self._give_up(error.sentence, error.detail)

        self._door.write(lambda store: keep(store, desk, order, last, model), settled, refused)

    def _failed(self, order: Order, event: Failed) -> None:
        order.deaths += 1
        if event.code == "engine_died" and order.deaths < MOST_DEATHS:
            self._suspects.append(order)
            self._order_suspect()
        elif event.code in ("out_of_memory", "internal"):
            self._orders[-order.row.id] = order  # so that pausing releases it
            self._give_up(event.sentence, f"{event.code}\n{event.detail}".strip())
        else:
            fault = _DEADLY if event.code == "engine_died" else event.sentence
            id = order.row.id
            self._settling.append(order)
            self._door.write(lambda store: fail_row(store, id, fault), lambda _: self._row_failed(order, fault))

    def _row_failed(self, order: Order, fault: Sentence) -> None:
        self._leave(order)
        self._told(News(order.row.id, "failed", fault=fault))
        self._fill()
        self._end_if_done()

    def _leave(self, order: Order) -> bool:
        """The store is done with an order; False where it was forgotten meanwhile."""
        wanted = order in self._settling
        if wanted:
            self._settling.remove(order)
        return wanted

    def _give_up(self, sentence: Sentence, detail: str) -> None:
        if self.running:
            self.pause()
            self._refused(sentence, detail)

    def _end_if_done(self) -> None:
        if not self.running or self._orders or self._suspects or self._asks or self._settling:
            return
        if not self._more:
            self._stop()
            self._moved()
        else:
            self._fill()

    def _stop(self) -> None:
        self.running, self._others = False, False
        self._first.clear()
        self._run += 1
        self._asks.clear()

    def _tell_waiting(self, ids: Iterable[int]) -> None:
        for id in ids:
            self._told(News(id, "waiting"))

    def _tell_each(self, remarks: Iterable[Likes | Verdict]) -> None:
        for each in remarks:
            self._told(each)
