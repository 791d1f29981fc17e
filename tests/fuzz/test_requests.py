"""Whatever a form, a command line or a JSON line gives as a request: it is refused with a sentence, or it becomes a
prompt in which nothing typed can end the turn, and any text can be checked against it.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.compose.catalog import Choice, load_catalog
from app.compose.fallback_prompt import fallback_message
from app.compose.guard import check, never_right
from app.compose.prompt import TURN_END, USER_TURN, prompt_segments
from app.compose.request import LONGEST, ZODIAC, RequestError, make_request
from app.compose.select import Candidate, choose
from tests.fuzz.hostile import mostly, texts
from tests.tally import Tally

CATALOG = load_catalog()
SPECIAL = ["<|im_start|>", TURN_END, "<|im_start|>"]


def ids(choices: Iterable[Choice]) -> st.SearchStrategy[str]:
    return st.sampled_from([choice.id for choice in choices])


CHOSEN = {"relationship": ids(CATALOG.relationships), "tone": ids(CATALOG.tones)}
BESIDES = {
    "occasion": ids(CATALOG.occasions),
    "length": ids(CATALOG.lengths),
    "zodiac": st.sampled_from([*ZODIAC]),
    "address": texts,
    "signature": texts,
    "details": st.lists(texts, max_size=2),
}
good = st.fixed_dictionaries(CHOSEN, optional=BESIDES)
anything = st.fixed_dictionaries(
    {name: mostly(strategy) for name, strategy in CHOSEN.items()},
    optional={name: mostly(strategy) for name, strategy in BESIDES.items()},
)


@settings(max_examples=500)
@given(anything)
def test_any_fields_become_a_request_or_a_sentence(tally: Tally, fields: dict[str, Any]) -> None:
    try:
        make_request(CATALOG, fields)
        tally.count("sets of request fields", "taken")
    except RequestError as error:
        assert error.sentence.zh.endswith("。") and error.sentence.en.endswith(".") and error.field is not None
        tally.count("sets of request fields", "refused with a sentence")


@settings(max_examples=500)
@given(good, texts)
def test_nothing_typed_ends_the_turn_and_any_text_can_be_checked(
    tally: Tally, fields: dict[str, Any], text: str
) -> None:
    try:
        request = make_request(CATALOG, fields)
    except RequestError as error:
        assert error.field in (*LONGEST, "details"), "only what is too long is wrong with these"
        tally.count("hostile texts in a request", "refused with a sentence")
        return
    assert make_request(CATALOG, asdict(request)) == request, "what was folded once stays as it is"
    segments = prompt_segments(request, CATALOG)
    assert [segment.text for segment in segments if segment.special] == SPECIAL
    (message,) = (segment.text for segment in segments if not segment.special and segment.text.startswith(USER_TURN))
    given_lines = 5 + sum(map(bool, (request.address, request.zodiac, request.details, request.signature)))
    assert len(message.removeprefix(USER_TURN).splitlines()) == given_lines, "each field is one line"
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in message if character != "\n")
    assert len(message.encode("utf-8")) < 4000 and fallback_message(segments)
    assert all(len(word) == 1 for word in never_right(request, CATALOG))
    for candidate in (text, f"{request.address}，{text}"):
        faults = check(candidate, request, CATALOG)
        assert all(fault.sentence.zh and fault.sentence.en for fault in faults)
        shown = choose([Candidate(place, candidate, 1, 0.0, faults) for place in range(3)], 3)
        assert len(shown) <= 1, "the same text is shown once"
    tally.count("hostile texts in a request", "in a prompt of one turn")
