"""What content rules find, in greetings and in texts of any kind."""

from app.compose.catalog import load_catalog
from app.compose.request import GreetingRequest
from training.decision.corpus import LabelledRequest
from training.decision.rules import general_rules, guard_rules, overlap

CATALOG = load_catalog()


def test_of_a_greeting_the_guard_speaks_but_not_of_its_manner():
    rules = guard_rules(CATALOG)
    request = GreetingRequest("boss", "formal", length="short", address="王总")
    assert rules("王总，新春好，祝您万事如意、阖家幸福。", request) == ()  # a string of worn phrases
    assert rules("新春好，祝您顺心，也祝家里人都好。", request) == ("address",)
    assert "pronoun" in rules("王总，新春好，祝你和家里人都好。", request)


def test_of_any_text_name_facts_signature_and_length_are_checked():
    rules = general_rules(CATALOG)
    request = LabelledRequest(
        "any", "any", length="short", address="Ms Lee", signature="Tom", details=("refund 42 paid",)
    )
    assert rules("Ms Lee, the refund is done. Tom", request) == ()
    assert rules("Hello, it is on its way now.", request) == ("address", "signature", "fact")
    assert rules("Ms Lee refund Tom", request) == ()
    assert rules("Ms Lee, " + "the refund is on its way. " * 5 + "Tom", request) == ("length",)
    assert rules("  ", request) == ("empty",)


def test_a_fact_is_compared_by_words_where_it_has_words_and_by_characters_where_it_is_chinese():
    assert overlap("the parcel arrived broken", "Your PARCEL is on its way") == 1 / 3
    assert overlap("order 4711", "order 4712") == 0.5
    assert overlap("搬了新家", "新家收拾好了") > 0.5 > overlap("搬了新家", "天气很好")
