"""The state machine behind the cards, without Qt and without an engine: events in, what the cards show out."""

from collections.abc import Callable

import pytest

from app.compose.catalog import Catalog, load_catalog
from app.compose.prompt import Segment, prompt_text
from app.compose.request import GreetingRequest, make_request
from app.compose.sentence import Sentence
from app.engine.protocol import Died, Done, Failed, Finished, Piece, Sampling
from app.gui.writing_session import CARDS, State, WritingSession

GOOD = (
    "王总，新年好。去年您那句“慢一点，想清楚”我一直记着，今年还请您多指点，祝您新春安康。",
    "王总，给您拜年了。这一年跟着您做事，学到的比做到的多，愿您新年里多些清闲的下午。",
    "王总，新春将至。项目能成，一半的底气是您给的，祝您身体康健，家里热闹。",
    "王总，岁末回看，最踏实的是汇报后您那一句“行”。愿新的一年这样的“行”多一些。",
    "王总，过年好。您教的看数字的法子我今年接着用、接着练，祝您与家人吉祥如意。",
)
RUDE = "王总，过年好，感谢你一年来的信任，新的一年我会把手上的事一件件做扎实，祝你阖家安康。"
RESTARTED = Sentence("写作引擎意外停了。", "The engine stopped.")


class Desk:
    """Takes orders for texts and writes them down; what is delivered, the test decides."""

    def __init__(self) -> None:
        self.orders: list[tuple[tuple[Segment, ...], int, int]] = []
        self.cancelled: list[int] = []

    def write(self, prompt: tuple[Segment, ...], draw: int, seed: int, sampling: Sampling, most_tokens: int) -> int:
        self.orders.append((prompt, draw, seed))
        return len(self.orders)

    def cancel(self, job: int) -> None:
        self.cancelled.append(job)


@pytest.fixture
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture
def request_(catalog: Catalog) -> GreetingRequest:
    return make_request(catalog, {"relationship": "boss", "tone": "formal", "address": "王总"})


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def session(catalog: Catalog, desk: Desk) -> WritingSession:
    seeds = iter(range(100, 1000, 100))
    return WritingSession(
        catalog, desk, draw=5, sampling=Sampling(), seeds=lambda: next(seeds), changed=lambda card: None
    )


def finish(session: WritingSession, job: int, texts: tuple[str, ...], best: Callable[[int], float] = float) -> None:
    """Deliver a whole job; ``best`` gives the log probability of a candidate, higher is better."""
    for candidate, text in enumerate(texts):
        session.handle(Finished(job, candidate, text, len(text), best(candidate), "stop"))
    session.handle(Done(job, 1.0, 0.1, False))


def texts(session: WritingSession) -> list[str]:
    return [session.view(card).text for card in range(CARDS)]


def versions(session: WritingSession, card: int) -> list[str]:
    """Every text a card has, first to last."""
    while session.view(card).position > 1:
        session.turn(card, -1)
    found = [session.view(card).text]
    while session.view(card).position < session.view(card).count:
        session.turn(card, 1)
        found.append(session.view(card).text)
    return found


def test_a_click_orders_all_candidates_with_the_one_prompt(session, desk, request_, catalog):
    session.write(request_)
    (prompt, draw, seed) = desk.orders[0]
    assert "".join(segment.text for segment in prompt) == prompt_text(request_, catalog)
    assert (draw, seed) == (5, 100)
    assert session.working


@pytest.mark.parametrize(("cards", "drawn"), [(1, 2), (2, 4), (3, 5)])
def test_fewer_cards_are_filled_from_fewer_candidates(session, desk, request_, cards, drawn):
    session.write(request_, cards)
    assert desk.orders[0][1] == drawn
    finish(session, 1, ("一", "二", "三", "四", "五")[:drawn])
    assert [bool(text) for text in texts(session)] == [number < cards for number in range(CARDS)]


def test_the_first_three_candidates_stream_into_the_cards(session, request_):
    session.write(request_)
    for candidate, piece in ((0, "王"), (1, "过"), (0, "总"), (4, "别"), (2, "新")):
        session.handle(Piece(1, candidate, piece))
    assert texts(session) == ["王总", "过", "新"]
    assert {session.view(card).state for card in range(CARDS)} == {State.WRITING}


def test_a_streaming_text_is_not_judged_and_a_finished_one_is(session, request_):
    session.write(request_)
    session.handle(Piece(1, 0, RUDE[:20]))
    assert session.faults(0) == ()
    session.handle(Finished(1, 0, RUDE, 30, -1.0, "stop"))
    assert session.view(0).state is State.CHOOSING
    assert [fault for fault in session.faults(0) if "你" in fault.sentence.zh]


def test_chosen_texts_stay_in_their_cards_and_the_others_are_replaced(session, request_):
    session.write(request_)
    finish(session, 1, (GOOD[0], RUDE, GOOD[2], GOOD[3], GOOD[4]), best=lambda candidate: -float(candidate))
    assert texts(session) == [GOOD[0], GOOD[3], GOOD[2]]
    assert {session.view(card).state for card in range(CARDS)} == {State.DONE}
    assert not session.working


def test_a_replaced_text_stays_within_reach(session, request_):
    session.write(request_)
    finish(session, 1, (GOOD[0], RUDE, GOOD[2], GOOD[3]), best=lambda candidate: -float(candidate))
    assert versions(session, 1) == [RUDE, GOOD[3]]
    assert session.view(0).count == 1


@pytest.mark.parametrize("touch", ["edit", "copy", "page away"])
def test_a_touched_card_is_never_replaced(session, request_, touch):
    session.write(request_)
    finish(session, 1, GOOD)
    session.write(request_)
    session.handle(Finished(2, 1, RUDE, 30, -1.0, "stop"))
    if touch == "edit":
        session.edit(1, RUDE + "！")
    elif touch == "copy":
        session.hold(1)
    else:
        session.turn(1, -1)
    before = session.view(1).text
    session.handle(Finished(2, 0, GOOD[0], 30, -0.1, "stop"))
    session.handle(Finished(2, 2, GOOD[2], 30, -0.1, "stop"))
    session.handle(Finished(2, 3, GOOD[3], 30, -0.1, "stop"))
    session.handle(Done(2, 1.0, 0.1, False))
    assert session.view(1).text == before


def test_an_edited_text_is_judged_anew_against_its_own_request(session, request_, catalog):
    session.write(request_)
    finish(session, 1, GOOD)
    assert session.faults(0) == ()
    session.edit(0, GOOD[0].replace("您", "你"))
    assert session.faults(0)


def test_stopping_keeps_what_is_there_and_says_it_is_unfinished(session, desk, request_):
    session.write(request_)
    session.handle(Piece(1, 0, "王总，新年"))
    session.handle(Finished(1, 1, GOOD[1], 30, -1.0, "stop"))
    session.stop()
    assert desk.cancelled == [1]
    assert not session.working
    assert (session.view(0).text, session.view(0).state) == ("王总，新年", State.UNFINISHED)
    assert (session.view(1).text, session.view(1).state) == (GOOD[1], State.DONE)
    assert session.view(2).state is State.EMPTY
    session.handle(Piece(1, 0, "好"))
    session.handle(Finished(1, 0, "王总，新年好", 5, -1.0, "cancelled"))
    session.handle(Done(1, 1.0, 0.1, True))
    assert session.view(0).text == "王总，新年"


def test_stopping_before_the_first_word_shows_the_last_text_again(session, request_):
    session.write(request_)
    finish(session, 1, GOOD[:3])
    before = texts(session)
    session.write(request_)
    assert texts(session) == ["", "", ""]
    session.stop()
    assert texts(session) == before
    assert all(session.view(card).count == 1 for card in range(CARDS))


def test_editing_an_unfinished_text_finishes_it(session, request_):
    session.write(request_)
    session.handle(Piece(1, 0, "王总，新年"))
    session.stop()
    session.edit(0, GOOD[0])
    assert session.view(0).state is State.DONE


def test_starting_again_keeps_every_text(session, request_):
    session.write(request_)
    finish(session, 1, GOOD)
    session.edit(0, "我自己改的。")
    session.write(request_)
    finish(session, 2, tuple(text.replace("王总", "王总您好") for text in GOOD))
    assert "我自己改的。" in versions(session, 0)


def test_another_one_is_written_for_the_request_of_the_card(session, desk, request_, catalog):
    session.write(request_)
    finish(session, 1, GOOD[:3])
    session.write_again(1)
    assert desk.orders[1][0] == desk.orders[0][0]
    assert desk.orders[1][1:] == (2, 200)
    session.handle(Piece(2, 0, "王总"))
    assert texts(session) == [GOOD[0], "王总", GOOD[2]]
    finish(session, 2, (GOOD[1], GOOD[3]))
    assert texts(session)[1] == GOOD[3], "a text the person has seen is not offered as another one"
    assert versions(session, 1)[0] == GOOD[1]


def test_another_one_is_not_written_while_the_card_is_being_written(session, desk, request_):
    session.write_again(0)
    session.write(request_)
    session.write_again(0)
    assert len(desk.orders) == 1


def test_a_death_of_the_engine_keeps_what_was_written(session, request_):
    session.write(request_)
    session.handle(Piece(1, 2, "王总，给您"))
    session.handle(Failed(1, "engine_died", RESTARTED))
    session.handle(Died(-9, RESTARTED, True))
    assert not session.working
    assert (session.view(2).text, session.view(2).state) == ("王总，给您", State.UNFINISHED)
    session.write(request_)
    assert session.working


def test_an_order_that_waits_for_the_restart_is_not_given_up(session, request_):
    session.write(request_)
    session.handle(Died(-9, RESTARTED, True))
    assert session.working
    session.handle(Died(-9, RESTARTED, False))
    assert not session.working


def test_an_empty_candidate_leaves_no_empty_version(session, request_):
    session.write(request_)
    finish(session, 1, (GOOD[0], "", GOOD[2], GOOD[3]))
    assert all(texts(session))
    assert "" not in versions(session, 1)


def test_when_every_candidate_is_faulty_the_cards_show_them_with_their_faults(session, request_):
    session.write(request_)
    finish(session, 1, tuple(text.replace("您", "你") for text in GOOD))
    assert all(texts(session))
    assert session.faults(0)
