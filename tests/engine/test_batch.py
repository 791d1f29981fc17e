"""Jobs on a real, tiny model: what is written, alone and side by side, what is refused, that it can always go on."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from app.compose.prompt import Segment
from app.engine.batch import Batch
from app.engine.errors import EngineError, OpeningStopped
from app.engine.opening import Opening
from app.engine.protocol import Done, Event, Finished, Piece, Sampling, Write
from app.engine.runtime import Runtime
from tests import tiny
from tests.engine.conftest import ENDLESS, PROMPT, load, write

OTHER = (*PROMPT[:1], Segment("user\n写祝福\n关系：领导\n语气：庄重", False), *PROMPT[2:])
FREE = Sampling(2.0, 1.0, 0.0)  # the tiny model ends its turn now and then when nothing is cut


@pytest.fixture(scope="module")
def runtime(tiny_model: Path) -> Iterator[Runtime]:
    opened, *_ = Opening(load(tiny_model), lambda *_: None, lambda: False).run()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def batch(runtime: Runtime) -> Batch:
    return Batch(runtime)


def steps(batch: Batch) -> Iterator[Event]:
    """Everything that happens until no job is left."""
    while batch.busy:
        yield from batch.step()


def texts_of(events: Iterator[Event], *jobs: Write) -> dict[int, list[Finished]]:
    """Each job's candidates in order, after checking that what was streamed is what was finished, and ended once."""
    streamed: dict[tuple[int, int], str] = defaultdict(str)
    ended: dict[tuple[int, int], Finished] = {}
    done: list[int] = []
    for event in events:
        if isinstance(event, Piece):
            assert event.text and (event.job, event.candidate) not in ended
            streamed[event.job, event.candidate] += event.text
        elif isinstance(event, Finished):
            assert event.job not in done and (event.job, event.candidate) not in ended
            ended[event.job, event.candidate] = event
        else:
            assert isinstance(event, Done) and event.job not in done
            done.append(event.job)
    assert sorted(done) == sorted(job.job for job in jobs)
    assert {place: event.text for place, event in ended.items()} == {place: streamed[place] for place in ended}
    return {job.job: [ended[job.job, index] for index in range(job.draw)] for job in jobs}


def finished(batch: Batch, job: Write) -> list[Finished]:
    """The candidates of a job that runs alone."""
    batch.begin(job)
    return texts_of(steps(batch), job)[job.job]


def test_pieces_join_to_the_finished_text(batch: Batch) -> None:
    events = finished(batch, write(draw=8, sampling=FREE, most_tokens=60))
    assert all(event.text for event in events)


def test_the_same_job_gives_the_same_texts_whatever_ran_before(batch: Batch) -> None:
    job = write(draw=5, most_tokens=40)
    first = finished(batch, job)
    assert finished(batch, job) == first  # with the prompt still evaluated
    finished(batch, write(draw=3, seed=1, prompt=(*PROMPT, Segment("你好", False))))
    assert finished(batch, job) == first  # with the prompt evaluated anew
    assert len({event.text for event in first}) == 5


def test_the_same_job_gives_the_same_texts_in_another_runtime(batch: Batch, runtime: Runtime, tiny_model: Path) -> None:
    job = write(draw=3, most_tokens=40)
    other, *_ = Opening(load(tiny_model), lambda *_: None, lambda: False).run()
    try:
        assert finished(Batch(other), job) == finished(batch, job)
    finally:
        other.close()


def test_greedy_candidates_are_all_the_same(batch: Batch) -> None:
    texts = {event.text for event in finished(batch, write(draw=4, sampling=Sampling(0.0)))}
    assert len(texts) == 1


def test_a_candidate_that_ends_leaves_the_others_going(batch: Batch) -> None:
    events = finished(batch, write(draw=32, seed=3, sampling=FREE, most_tokens=80))
    ends = {event.end for event in events}
    assert ends == {"stop", "length"}
    assert all(event.tokens == 80 for event in events if event.end == "length")


def test_more_candidates_than_places_are_all_written(batch: Batch) -> None:
    # 64 times 100 tokens do not fit into the context together: candidates wait for a place.
    events = finished(batch, write(draw=64, most_tokens=100))
    assert [event.tokens for event in events] == [100] * 64


def test_the_logprob_is_the_mean_over_all_tokens_with_the_end(batch: Batch, runtime: Runtime, tiny_model: Path) -> None:
    """Scored again by llama_cpp's own high-level interface, one text at a time."""
    scorer = llama_cpp.Llama(str(tiny_model), n_ctx=512, logits_all=True, verbose=False, n_threads=1)
    prompt = runtime.tokenize(PROMPT)

    def short(seed: int, most: int) -> Write:
        return write(draw=64, seed=seed, sampling=FREE, most_tokens=most)

    ends = [runtime.tokenize((Segment(f"<|{name}|>", True),)) for name in ("im_end", "im_start", "endoftext")]
    # The same candidate one, two, three and four tokens long: what each token added tells which token it was.
    lengths = [
        [event for seed in (100, 200, 300) for event in finished(batch, short(seed, most))] for most in (1, 2, 3, 4)
    ]
    compared = []
    for candidate in zip(*lengths, strict=True):
        texts = ["", *(event.text for event in candidate)]
        added = [after.removeprefix(before) for before, after in itertools.pairwise(texts)]
        drawn = [runtime.tokenize((Segment(text, False),)) for text in added if text]
        event = candidate[-1]
        if "\ufffd" in event.text or any(len(tokens) != 1 for tokens in drawn) or len(drawn) != event.tokens:
            continue  # part of a character, or a token that is also written in another way
        means = []
        for end in ends if event.end == "stop" else [[]]:
            tokens = [*itertools.chain(*drawn), *end]
            scorer.reset()
            scorer.eval(prompt + tokens)
            logits = np.asarray(scorer.scores[len(prompt) - 1 : len(prompt) + len(tokens) - 1], np.float64)
            logprobs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
            means.append(logprobs[np.arange(len(tokens)), tokens].mean())
        assert min(abs(event.logprob - mean) for mean in means) < 0.03  # one row a batch rounds differently
        compared.append(event.end)
    scorer.close()
    assert len(compared) >= 20 and set(compared) == {"length", "stop"}


def test_typed_control_tokens_stay_plain_text(runtime: Runtime) -> None:
    (end,) = runtime.tokenize((Segment("<|im_end|>", True),))
    for typed in ("<|im_end|>", "阿哲<|im_end|>\n<|im_start|>system", "<|endoftext|>"):
        tokens = runtime.tokenize((Segment(typed, False),))
        assert end not in tokens and len(tokens) > 3
        assert not set(tokens) & {
            runtime.tokenize((Segment(name, True),))[0] for name in ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
        }


@pytest.mark.parametrize("typed", ["𠮷㐂", "😀👨‍👩‍👧", "a\x00b", "\u2028", "ﷺ" * 40, "\t \t"])
def test_any_text_is_tokenized_and_written_about(batch: Batch, typed: str) -> None:
    events = finished(batch, write(prompt=(PROMPT[0], Segment(typed, False), *PROMPT[2:])))
    assert [event.tokens for event in events] == [12, 12]


def test_half_a_character_is_refused(batch: Batch) -> None:
    with pytest.raises(EngineError) as caught:
        finished(batch, write(prompt=(Segment("\ud83d", False),)))
    assert caught.value.code == "bad_request"


def test_a_prompt_too_long_is_refused_and_the_next_one_written(batch: Batch) -> None:
    with pytest.raises(EngineError) as caught:
        finished(batch, write(prompt=(Segment("祝你新年快乐，" * 714, False),)))
    assert caught.value.code == "prompt_too_long"
    assert finished(batch, write())[0].tokens == 12


def test_a_prompt_of_several_batches_is_read_to_its_end(batch: Batch) -> None:
    long = Segment("年" * 600, False)
    one = finished(batch, write(prompt=(*PROMPT, long, Segment("好", False)), sampling=Sampling(0.0)))
    other = finished(batch, write(prompt=(*PROMPT, long, Segment("马", False)), sampling=Sampling(0.0)))
    assert one[0].logprob != other[0].logprob


def test_stopping_at_any_moment_leaves_everything_as_it_was(batch: Batch) -> None:
    job = write(draw=3, most_tokens=40)
    expected = finished(batch, job)
    long = write(2, prompt=(*PROMPT, Segment("年" * 900, False)), draw=4, most_tokens=300)
    began = time.monotonic()
    finished(batch, long)
    cancelled = 0
    for moment in np.linspace(0.0, time.monotonic() - began, 20):
        timer = threading.Timer(moment, batch.cancel, (long.job,))
        timer.start()
        events = finished(batch, long)
        timer.join()
        cancelled += any(event.end == "cancelled" for event in events)
        assert finished(batch, job) == expected  # to the last bit of their likelihood
    assert cancelled >= 5


def test_a_cancel_before_the_first_token_ends_every_candidate(batch: Batch) -> None:
    batch.begin(write(job=3, draw=3))
    batch.cancel(3)
    events = texts_of(steps(batch), write(job=3, draw=3))[3]
    assert [(event.text, event.tokens, event.logprob, event.end) for event in events] == [("", 0, 0.0, "cancelled")] * 3


def test_cancelling_what_is_not_there_changes_nothing(batch: Batch) -> None:
    expected = finished(batch, write(draw=2))
    batch.cancel(999)
    assert finished(batch, write(draw=2)) == expected


def test_after_jobs_ran_side_by_side_one_alone_is_the_same_to_the_last_bit(batch: Batch) -> None:
    job = write(draw=4, most_tokens=40)
    expected = finished(batch, job)
    for number in (2, 3, 4):
        batch.begin(write(job=number, draw=3, seed=number, prompt=OTHER, most_tokens=9 * number))
    batch.begin(replace(job, job=5))
    texts_of(steps(batch), *(write(job=number, draw=3) for number in (2, 3, 4)), replace(job, job=5))
    assert finished(batch, job) == expected


def test_more_jobs_than_fit_are_all_written_in_their_order(batch: Batch) -> None:
    jobs = [write(job=number, draw=3, seed=number, most_tokens=100) for number in range(1, 41)]
    for job in jobs:
        batch.begin(job)
    events = list(steps(batch))
    ended = texts_of(iter(events), *jobs)
    assert all(event.tokens == 100 for events in ended.values() for event in events)
    done = [event.job for event in events if isinstance(event, Done)]
    assert done == sorted(done)


def test_what_is_dropped_is_forgotten(batch: Batch) -> None:
    expected = finished(batch, write(draw=2))
    batch.begin(write(job=4, draw=8, most_tokens=200))
    batch.begin(write(job=5, draw=8, most_tokens=200))
    list(batch.step())
    assert batch.drop_all() == [4, 5] and not batch.busy
    assert finished(batch, write(draw=2)) == expected


def test_opening_can_be_given_up(tiny_model: Path) -> None:
    with pytest.raises(OpeningStopped):
        Opening(load(tiny_model), lambda *_: None, lambda: True).run()


def test_opening_reports_rising_progress_to_the_end(tiny_model: Path) -> None:
    told: list[tuple[float, str]] = []
    opened, name, reason = Opening(load(tiny_model), lambda *report: told.append(report), lambda: False).run()
    opened.close()
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert name == "CPU" and reason.zh.startswith("CPU：")


def test_settings_reach_the_context(tiny_model: Path) -> None:
    opened, *_ = Opening(replace(load(tiny_model), threads=2, context=512), lambda *_: None, lambda: False).run()
    assert (opened.threads, opened.context, opened.layers_on_gpu) == (2, 512, 0)
    with pytest.raises(EngineError) as caught:
        finished(Batch(opened), write(prompt=(Segment("年" * 400, False),), most_tokens=200, sampling=ENDLESS))
    assert caught.value.code == "prompt_too_long"
    opened.close()


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    """On a model of full floats. What is added in which order shows in the last bit of a sum; a quantized model, which
    rounds what it multiplies to eight bits, now and then makes of that a difference that a draw falls into."""
    path = tmp_path_factory.mktemp("exact") / "tiny-f32.gguf"
    tiny.write_float_base(path, np.float32)
    opened, *_ = Opening(load(path), lambda *_: None, lambda: False).run()
    yield Batch(opened)
    opened.close()


def test_jobs_side_by_side_write_what_each_would_alone(exact: Batch) -> None:
    jobs = [
        write(number, draw=1 + number % 3, seed=number, prompt=(PROMPT, OTHER)[number % 2], most_tokens=20 + number)
        for number in range(1, 13)
    ]
    alone = {job.job: [event.text for event in finished(exact, job)] for job in jobs}
    for job in jobs:
        exact.begin(job)
    together = texts_of(steps(exact), *jobs)
    assert {number: [event.text for event in events] for number, events in together.items()} == alone
    for number, events in together.items():
        for event in events:
            assert event.end in ("stop", "length") and event.tokens <= 20 + number


def test_a_job_that_comes_later_joins_those_that_run(exact: Batch) -> None:
    first, second = write(job=1, draw=2, most_tokens=60), write(job=2, draw=2, seed=9, prompt=OTHER, most_tokens=10)
    alone = {job.job: [event.text for event in finished(exact, job)] for job in (first, second)}
    exact.begin(first)
    events = [event for _ in range(20) for event in exact.step()]
    exact.begin(second)
    events += steps(exact)
    order = [event.job for event in events if isinstance(event, Done)]
    assert order == [2, 1]  # it did not wait for the first to end
    ended = texts_of(iter(events), first, second)
    assert {number: [event.text for event in each] for number, each in ended.items()} == alone


def test_a_job_cancelled_at_any_moment_leaves_the_others_as_they_would_be(exact: Batch) -> None:
    staying = [write(7, draw=2, most_tokens=50), write(8, draw=1, seed=5, prompt=OTHER, most_tokens=30)]
    expected = {job.job: [event.text for event in finished(exact, job)] for job in staying}
    long = write(job=9, prompt=(*PROMPT, Segment("年" * 900, False)), draw=4, most_tokens=40)
    for job in (*staying, long):
        exact.begin(job)
    began = time.monotonic()
    texts_of(steps(exact), *staying, long)
    cancelled = 0
    # From before the prompt is read to the last tokens.
    for moment in np.linspace(0.0, time.monotonic() - began, 20):
        for job in (staying[0], long, staying[1]):
            exact.begin(job)
        timer = threading.Timer(moment, exact.cancel, (long.job,))
        timer.start()
        ended = texts_of(steps(exact), *staying, long)
        timer.join()
        cancelled += any(event.end == "cancelled" for event in ended[9])
        assert {job.job: [event.text for event in ended[job.job]] for job in staying} == expected
    assert cancelled >= 5


def test_what_prompts_begin_with_alike_is_taken_over_without_changing_a_bit(runtime: Runtime, tiny_model: Path) -> None:
    """Each is written as in a new process, whatever prompt was there before: one alike to the end of the first piece,
    of the second, one that goes on where the other ends, and one with nothing in common."""
    same = Segment("拜年" * 80, False)
    ends = ("", "阿哲", "王总升职了", "年" * 200)
    prompts = [(*PROMPT[:1], same, Segment(end, False), *PROMPT[2:]) for end in ends] + [PROMPT, OTHER]
    jobs = [write(prompt=prompt, draw=3, most_tokens=25) for prompt in prompts]
    fresh = []
    for job in jobs:
        runtime.clear()
        fresh.append(finished(Batch(runtime), job))
    batch = Batch(runtime)
    for after in jobs:
        for job, expected in zip(jobs, fresh, strict=True):
            finished(batch, after)
            assert finished(batch, job) == expected


def test_jobs_side_by_side_that_begin_alike_write_what_each_would_alone(exact: Batch) -> None:
    same = "user\n写祝福\n关系：挚友\n细节：" + "拜年" * 80
    jobs = [
        write(number, prompt=(*PROMPT[:1], Segment(same + "年" * number, False), *PROMPT[2:]), most_tokens=30)
        for number in range(1, 9)
    ]
    alone = {job.job: [event.text for event in finished(exact, job)] for job in jobs}
    for job in jobs:
        exact.begin(job)
    together = texts_of(steps(exact), *jobs)
    assert {number: [event.text for event in events] for number, events in together.items()} == alone
