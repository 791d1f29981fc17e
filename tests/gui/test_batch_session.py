"""A batch is written row by row, paused, continued and survived: a real store, an engine that writes as told."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.engine.protocol import Died, Failed, Sampling
from app.gui.batch_desk import Likes, News
from app.gui.batch_session import AT_ONCE, DRAW, MOST_ROUNDS, BatchSession
from app.people.batch import RowFields, batches, change_rows, create_batch, rows_of
from app.people.deletion import delete
from app.people.history import Draft, add_written, mark_sent, written
from app.people.recipients import add_recipient, recipient_fields
from app.people.store import Store, open_store
from tests.gui.batch_bench import CATALOG, SlowDoor, Writer, address_in, rows, text_of

GONE = Sentence("写作引擎意外停了。", "The engine stopped.")


@dataclass
class Bench:
    """A session and everything around it."""

    store: Store
    door: SlowDoor
    writer: Writer
    session: BatchSession
    news: list[News] = field(default_factory=list)
    likes: dict[int, frozenset[int]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def begin(self, batch: int) -> None:
        self.session.open(batch, lambda rows: None)
        self.door.answer()
        self.session.start()
        self.door.answer()

    def write(self, job: int, *texts: str) -> None:
        """Deliver a job: these texts, or good ones."""
        prompt, draw, seed = self.writer.orders[job]
        given = list(texts) or [text_of(seed + n, address_in(prompt)) for n in range(draw)]
        self.writer.finish(self.session, job, given)
        self.door.answer()

    def write_all(self) -> None:
        while self.session.running:
            self.write(min(self.writer.orders))

    def states(self, batch: int) -> list[str]:
        return [row.state for row in rows_of(self.store, batch)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "people.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store) -> Bench:
    return make_bench(store)


def make_bench(store: Store) -> Bench:
    seeds = iter(range(1000, 1_000_000, 10))
    door, writer = SlowDoor(store), Writer()
    bench = Bench(store, door, writer, None)  # type: ignore[arg-type]

    def told(news: News | Likes) -> None:
        if isinstance(news, News):
            bench.news.append(news)
        else:
            bench.likes[news.id] = news.others

    bench.session = BatchSession(
        CATALOG,
        writer,
        door,
        sampling=Sampling(),
        seeds=lambda: next(seeds),
        told=told,
        moved=lambda: None,
        refused=lambda sentence, detail: bench.refusals.append(sentence.zh),
    )
    bench.session.set_drawing(Sampling(), "bainian")
    return bench


def test_every_row_gets_its_own_text_and_a_few_are_at_the_engine_at_once(bench, store):
    batch = create_batch(store, "除夕", rows(10))
    bench.begin(batch)
    assert len(bench.writer.orders) == AT_ONCE
    assert {draw for _, draw, _ in bench.writer.orders.values()} == {DRAW}
    assert [address_in(prompt) for prompt, _, _ in bench.writer.orders.values()] == ["友0", "友1", "友2", "友3"]
    bench.write(2)
    assert len(bench.writer.orders) == AT_ONCE, "another row takes the free place"
    bench.write_all()
    kept = rows_of(store, batch)
    assert {row.state for row in kept} == {"written"}
    assert len({row.text for row in kept}) == 10
    assert all(row.text.startswith(row.fields.request.address) for row in kept)
    entry = written(store, kept[0].written or 0)
    assert entry is not None and (entry.model, entry.seed) == ("bainian", 1000)


def test_the_likeliest_text_without_a_fault_is_kept(bench, store):
    batch = create_batch(store, "", rows(1))
    bench.begin(batch)
    bench.write(1, "友0，没说完", text_of(7, "友0"), text_of(8, "友0"))
    assert rows_of(store, batch)[0].text == text_of(7, "友0")


def test_a_text_somebody_else_gets_is_drawn_again_and_marked_if_it_stays(bench, store):
    batch = create_batch(store, "", rows(2, address=""))
    bench.begin(batch)
    bench.write(1, text_of(1))
    bench.write(2, text_of(1), text_of(1))
    assert len(bench.writer.orders) == 1, "another round"
    for _ in range(MOST_ROUNDS - 2):
        bench.write(min(bench.writer.orders), text_of(1))
    bench.write(min(bench.writer.orders), text_of(1))
    first, second = rows_of(store, batch)
    assert (first.text, second.text) == (text_of(1), text_of(1))
    assert bench.likes == {first.id: frozenset({second.id}), second.id: frozenset({first.id})}
    bench.session.texts_changed([(second.id, text_of(2))])
    bench.door.answer()
    assert bench.likes == {first.id: frozenset(), second.id: frozenset()}


def test_another_round_that_brings_a_better_text_is_used(bench, store):
    batch = create_batch(store, "", rows(2, address=""))
    bench.begin(batch)
    bench.write(1, text_of(1))
    bench.write(2, text_of(1))
    bench.write(3, text_of(2))
    assert [row.text for row in rows_of(store, batch)] == [text_of(1), text_of(2)]
    assert written(store, rows_of(store, batch)[1].written or 0).seed != 1010, "the seed is that of the second round"


def test_what_a_person_received_before_is_not_written_again(bench, store):
    person = add_recipient(store, recipient_fields("友0")).id
    request = rows(1)[0].request
    mark_sent(store, add_written(store, Draft(request, text_of(5, "友0"), "m", 1, person)).id)
    batch = create_batch(store, "", rows(1, person))
    bench.begin(batch)
    bench.write(1, text_of(5, "友0"), text_of(6, "友0"))
    assert rows_of(store, batch)[0].text == text_of(6, "友0")


def test_pausing_lets_rows_wait_and_continuing_writes_exactly_those(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    bench.write(1)
    bench.session.pause()
    bench.door.answer()
    assert not bench.writer.orders and not bench.session.running
    assert bench.states(batch) == ["written", *["waiting"] * 5]
    before = rows_of(store, batch)[0].text
    bench.session.start()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6
    assert rows_of(store, batch)[0].text == before


def test_pausing_while_rows_are_asked_for_leaves_none_behind(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.session.open(batch, lambda rows: None)
    bench.session.start()
    bench.session.pause()
    bench.door.answer()
    assert bench.states(batch) == ["waiting"] * 6 and not bench.writer.orders
    bench.session.start()
    bench.session.pause()
    bench.session.start()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6


def test_pausing_while_a_text_is_being_kept_keeps_it(bench, store):
    batch = create_batch(store, "", rows(2))
    bench.begin(batch)
    bench.writer.finish(bench.session, 1, [text_of(1, "友0")])
    bench.session.pause()
    bench.door.answer()
    assert bench.states(batch) == ["written", "waiting"]
    assert [news.state for news in bench.news if news.id == rows_of(store, batch)[1].id][-1] == "waiting"


def test_a_death_of_the_engine_orders_its_rows_anew(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    bench.write(1)
    for job in list(bench.writer.orders):
        del bench.writer.orders[job]
        bench.session.handle(Failed(job, "engine_died", GONE))
    bench.session.handle(Died(-9, GONE, True))
    assert len(bench.writer.orders) == AT_ONCE and bench.session.running
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6


def test_a_row_that_kills_the_engine_is_passed_over(bench, store):
    batch = create_batch(store, "", rows(1))
    bench.begin(batch)
    while bench.writer.orders:
        job = bench.writer.orders.popitem()[0]
        bench.session.handle(Failed(job, "engine_died", GONE))
        bench.door.answer()
    (row,) = rows_of(store, batch)
    assert row.state == "failed" and "重写" in row.fault.zh
    assert not bench.session.running


@pytest.mark.parametrize("end", [Died(-9, GONE, False), Failed(None, "model_damaged", GONE)])
def test_an_engine_that_stays_dead_pauses_the_batch(bench, store, end):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    bench.session.handle(end)
    bench.door.answer()
    assert bench.states(batch) == ["waiting"] * 6
    assert not bench.session.running and bench.refusals == [GONE.zh]


def test_a_row_in_which_something_was_not_chosen_fails_with_what_to_do(bench, store):
    good, bad = rows(2)
    bad = RowFields("王芳", type(bad.request)(relationship="", tone="warm"))
    batch = create_batch(store, "", [bad, good])
    bench.begin(batch)
    bench.write_all()
    first, second = rows_of(store, batch)
    assert first.state == "failed" and first.fault.zh.startswith("还没有选关系")
    assert second.state == "written"


def test_a_row_the_engine_refuses_fails_and_the_others_go_on(bench, store):
    batch = create_batch(store, "", rows(3))
    bench.begin(batch)
    del bench.writer.orders[1]
    bench.session.handle(Failed(1, "prompt_too_long", GONE))
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["failed", "written", "written"]


def test_redoing_a_row_writes_another_text_for_it_alone(bench, store):
    batch = create_batch(store, "", rows(3))
    bench.begin(batch)
    bench.write_all()
    before = rows_of(store, batch)
    bench.session.redo([before[1].id])
    bench.door.answer()
    assert rows_of(store, batch)[1].text == before[1].text, "it stays until then"
    bench.session.start()
    bench.door.answer()
    (job,) = bench.writer.orders
    bench.write(job, before[1].text, text_of(99, "友1"))
    after = rows_of(store, batch)
    assert after[1].text == text_of(99, "友1"), "not the same once more"
    assert (after[0], after[2]) == (before[0], before[2])


def test_rows_redone_after_a_pause_are_written_alone_and_the_others_wait_on(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    bench.write(1)
    bench.write(2)
    bench.session.pause()
    bench.door.answer()
    before = rows_of(store, batch)
    bench.session.redo([before[5].id, before[0].id])
    bench.door.answer()
    assert [address_in(prompt) for prompt, _, _ in bench.writer.orders.values()] == ["友5", "友0"]
    bench.write_all()
    after = rows_of(store, batch)
    assert bench.states(batch) == ["written", "written", "waiting", "waiting", "waiting", "written"]
    assert after[0].text != before[0].text and after[1] == before[1]
    bench.session.start()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6
    assert rows_of(store, batch)[0] == after[0]


def test_a_row_redone_while_others_are_written_comes_before_those_that_wait(bench, store):
    batch = create_batch(store, "", rows(9))
    bench.begin(batch)
    bench.write(1)
    (last,) = (row.id for row in rows_of(store, batch) if row.position == 8)
    bench.session.redo([rows_of(store, batch)[0].id, last])
    bench.door.answer()
    bench.write(2)
    bench.write(3)
    assert [address_in(prompt) for prompt, _, _ in bench.writer.orders.values()][-2:] == ["友0", "友8"]
    bench.write_all()
    assert bench.states(batch) == ["written"] * 9


def test_what_is_redone_in_the_moment_of_a_pause_waits_with_the_others(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    bench.write(1)
    bench.session.redo([rows_of(store, batch)[0].id])
    bench.session.pause()
    bench.door.answer()
    assert not bench.session.running and not bench.writer.orders
    assert bench.states(batch) == ["waiting"] * 6


def test_writing_everything_while_one_row_is_redone_writes_everything(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.session.open(batch, lambda rows: None)
    bench.session.redo([rows_of(store, batch)[3].id])
    bench.door.answer()
    assert len(bench.writer.orders) == 1
    bench.session.start()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6


def test_a_row_removed_before_its_turn_is_not_waited_for(bench, store):
    batch = create_batch(store, "", rows(2))
    bench.session.open(batch, lambda rows: None)
    bench.door.answer()
    first = rows_of(store, batch)[0]
    delete(store, "batch_rows", [first.id])
    bench.session.redo([first.id])
    bench.door.answer()
    assert not bench.session.running and bench.states(batch) == ["waiting"]


def test_a_row_edited_while_it_is_written_is_written_as_edited(bench, store):
    batch = create_batch(store, "", rows(1))
    bench.begin(batch)
    (row,) = rows_of(store, batch)
    new = RowFields("人0", rows(1, address="阿哲")[0].request)
    bench.session.forget(row.id)
    bench.door.write(lambda store: change_rows(store, [(row.id, new)]), lambda _: bench.session.wake())
    bench.door.answer()
    assert bench.writer.cancelled == [1]
    bench.write_all()
    assert rows_of(store, batch)[0].text.startswith("阿哲")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills with POSIX signals")
def test_kills_at_random_moments_lose_no_text_that_was_told(tmp_path):
    path = tmp_path / "people.sqlite3"
    store = open_store(path)
    batch = create_batch(store, "除夕", rows(120))
    store.close()
    drawn = random.Random(2027)
    confirmed: dict[int, tuple[int, str]] = {}
    kills = 0
    while True:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.batch_bench", str(path), str(kills)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        # Some texts, then any moment within the next.
        lines = [child.stdout.readline() for _ in range(drawn.randrange(14))]
        timer = threading.Timer(drawn.random() * 0.02, os.kill, (child.pid, signal.SIGKILL))
        timer.start()
        lines += child.stdout.readlines()
        timer.join()
        code = child.wait()
        for line in lines:
            words = line.decode().split()
            if len(words) == 3:
                id = int(words[0])
                assert id not in confirmed, "a row that was written is not written again"
                confirmed[id] = int(words[1]), words[2]
        if b"done\n" in lines and code == 0:
            break
        kills += 1
    store = open_store(path)
    kept = rows_of(store, batch)
    assert {row.state for row in kept} == {"written"}
    assert all((row.written, row.text) == confirmed[row.id] for row in kept if row.id in confirmed)
    assert batches(store)[0].written == 120
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.close()
    print(f"{kills} kills, {len(confirmed)} texts told, all there")
    assert kills >= 5
