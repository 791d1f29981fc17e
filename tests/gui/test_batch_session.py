"""A batch is written row by row, paused, continued and survived: a real store, an engine that writes as told."""

import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from app.compose.sentence import Sentence
from app.engine.protocol import Died, Failed
from app.gui.batch_session import AT_ONCE, DRAW, MOST_ROUNDS
from app.people.batch import RowFields, batches, change_rows, create_batch, mark_copied, remove_rows, rows_of
from app.people.deletion import delete, undo
from app.people.history import Draft, add_written, mark_sent, written
from app.people.recipients import add_recipient, recipient_fields
from app.people.store import open_store
from tests.gui.batch_bench import address_in, rows, text_of

GONE = Sentence("写作引擎意外停了。", "The engine stopped.")


def die(bench):
    """The engine dies with everything it was writing."""
    for job in list(bench.writer.orders):
        del bench.writer.orders[job]
        bench.session.handle(Failed(job, "engine_died", GONE))


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
    bench.session.texts_changed([replace(second, text=text_of(2))])
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
    die(bench)
    bench.session.handle(Died(-9, GONE, True))
    assert len(bench.writer.orders) == 1 and bench.session.running, "one at a time, to know which it is"
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


def test_a_row_that_kills_the_engine_takes_no_other_with_it(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    while bench.writer.orders:
        if any(address_in(prompt) == "友1" for prompt, *_ in bench.writer.orders.values()):
            die(bench)
            bench.door.answer()
        else:
            bench.write(min(bench.writer.orders))
    assert bench.states(batch) == ["written", "failed"] + ["written"] * 4
    assert not bench.session.running


def test_rows_that_were_there_when_the_engine_died_wait_when_paused(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    die(bench)
    bench.session.pause()
    bench.door.answer()
    assert bench.states(batch) == ["waiting"] * 6
    assert {news.id for news in bench.news if news.state == "waiting"} == {row.id for row in rows_of(store, batch)[:4]}
    bench.session.start()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6


def test_a_row_renamed_while_it_is_written_is_written(bench, store):
    batch = create_batch(store, "", rows(1))
    bench.begin(batch)
    (row,) = rows_of(store, batch)
    renamed = RowFields("阿哲", row.fields.request)
    bench.session.forget(row.id)
    bench.door.write(lambda store: change_rows(store, [(row.id, renamed)]), lambda _: bench.session.wake())
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"]


def test_a_row_removed_while_it_is_written_and_brought_back_waits(bench, store):
    batch = create_batch(store, "", rows(2))
    bench.begin(batch)
    first = rows_of(store, batch)[0]
    bench.session.forget(first.id)
    token = remove_rows(store, [first.id])
    bench.write_all()
    undo(store, token)
    assert bench.states(batch) == ["waiting", "written"]


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


def test_what_is_wrong_with_a_text_that_stays_is_told_and_told_again_after_a_restart(bench, store):
    person = add_recipient(store, recipient_fields("友0")).id
    request = rows(1)[0].request
    mark_sent(store, add_written(store, Draft(request, text_of(5, "友0"), "m", 1, person)).id)
    batch = create_batch(store, "", [*rows(1, person), *rows(2)[1:]])
    bench.begin(batch)
    while bench.writer.orders:
        bench.write(min(bench.writer.orders), *[text_of(5, "友0")] * 3)
    repeats, faulty = rows_of(store, batch)
    assert [fault.zh for fault in bench.faults[repeats.id]] == ["和以前发给这个人的一条太像。"]
    assert bench.faults[faulty.id][0].zh == "没有叫“友1”。"
    before, bench.faults = bench.faults, {}
    mark_copied(store, repeats.id)
    bench.session.open(batch, lambda rows: None)
    bench.door.answer()
    assert bench.faults == before, "a text is not held against itself"
    bench.session.texts_changed([replace(faulty, text=text_of(6, "友1"))])
    bench.door.answer()
    assert bench.faults[faulty.id] == ()
