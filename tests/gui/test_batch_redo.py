"""Which rows of a batch are written: those asked for by name, those left by a pause, and by which of two models."""

from app.engine.protocol import Sampling
from app.people.batch import RowFields, change_rows, create_batch, rows_of
from app.people.history import written
from tests.gui.batch_bench import address_in, rows, text_of


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


def test_a_row_edited_right_before_a_pause_is_written_with_the_others(bench, store):
    batch = create_batch(store, "", rows(3))
    bench.session.open(batch, lambda rows: None)
    bench.session.start()
    last = rows_of(store, batch)[2]
    new = RowFields("人2", rows(1, address="阿哲")[0].request)
    bench.session.forget(last.id)
    bench.door.write(lambda store: change_rows(store, [(last.id, new)]), lambda _: bench.session.wake())
    bench.session.pause()
    bench.session.start()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["written"] * 3
    assert rows_of(store, batch)[2].text.startswith("阿哲")


def test_a_batch_goes_on_with_the_model_that_takes_over(bench, store):
    batch = create_batch(store, "", rows(6))
    bench.begin(batch)
    bench.write(1)
    at_work = list(bench.writer.orders)
    bench.session.change_engine()
    bench.session.set_drawing(Sampling(), "another")
    bench.door.answer()
    assert bench.writer.cancelled == at_work
    assert [address_in(prompt) for prompt, _, _ in bench.writer.orders.values()] == ["友1", "友2", "友3", "友4"]
    bench.write_all()
    assert bench.states(batch) == ["written"] * 6
    entries = [written(store, row.written or 0) for row in rows_of(store, batch)]
    assert [entry and entry.model for entry in entries] == ["bainian", *["another"] * 5]


def test_a_batch_that_pauses_is_not_begun_by_another_model(bench, store):
    batch = create_batch(store, "", rows(2))
    bench.begin(batch)
    bench.session.pause()
    bench.session.change_engine()
    bench.door.answer()
    assert not bench.session.running and not bench.writer.orders
    assert bench.states(batch) == ["waiting"] * 2


def test_rows_redone_alone_stay_alone_when_another_model_takes_over(bench, store):
    batch = create_batch(store, "", rows(9))
    bench.session.open(batch, lambda rows: None)
    bench.session.redo([row.id for row in rows_of(store, batch)[3:]])
    bench.door.answer()
    # One whose text is being looked at and is not good enough, three at the engine, two whose turn has not come.
    bench.writer.finish(bench.session, 1, ["友3，没说完"])
    bench.session.change_engine()
    bench.door.answer()
    assert [address_in(prompt) for prompt, _, _ in bench.writer.orders.values()] == ["友4", "友5", "友6", "友3"]
    bench.write_all()
    assert bench.states(batch) == [*["waiting"] * 3, *["written"] * 6]


def test_rows_redone_alone_and_not_yet_at_the_engine_stay_alone_too(bench, store):
    batch = create_batch(store, "", rows(4))
    bench.session.open(batch, lambda rows: None)
    bench.door.answer()
    bench.session.redo([rows_of(store, batch)[2].id])
    bench.door.answer_one()
    assert bench.session.running and not bench.writer.orders, "the row is asked for and not yet here"
    bench.session.change_engine()
    bench.door.answer()
    bench.write_all()
    assert bench.states(batch) == ["waiting", "waiting", "written", "waiting"]
