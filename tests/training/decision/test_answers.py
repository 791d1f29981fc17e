"""A person's answers, from a file or typed, and the verdict on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from training.decision.answers import ask, read_answers
from training.decision.evidence import Finding
from training.decision.questions import QUESTIONS, Answer
from training.decision.verdict import Kind, decide
from training.errors import TrainingError

IDS = [question.id for question in QUESTIONS]
YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE


def test_answers_of_a_file_are_yes_no_or_unsure_in_either_language(tmp_path: Path):
    path = tmp_path / "answers.yaml"
    path.write_text("sound: yes\nconsistency: 否\ntaste: unsure\nexamples: '是'\nawkward:\n", encoding="utf-8")
    assert read_answers(path) == dict(zip(IDS, (YES, NO, UNSURE, YES, UNSURE), strict=True))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sounds: yes", "no question is called 'sounds'; sound is nearest"),
        ("sound: perhaps", "sound is 'perhaps', not yes, no or unsure"),
        ("sound: [1]", "not yes, no or unsure"),
        ("- sound", "should be a mapping"),
        ("sound: {", "cannot be read"),
    ],
)
def test_answers_that_are_none_are_said(tmp_path: Path, content: str, said: str):
    (tmp_path / "answers.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        read_answers(tmp_path / "answers.yaml")
    assert said in caught.value.sentence.en


def typed(*words: str) -> tuple[dict[str, Answer], list[str]]:
    said: list[str] = []
    left: Iterator[str] = iter(words)

    def read(prompt: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return ask(QUESTIONS, read, said.append), said


def test_every_question_is_asked_in_both_languages_and_again_until_it_is_answered():
    found, said = typed("y", "maybe", "否", "", "YES", "n")
    assert found == dict(zip(IDS, (YES, NO, UNSURE, YES, NO), strict=True))
    for question in QUESTIONS:
        assert any(question.asks.zh in line and question.asks.en in line for line in said)
    assert sum("Answer y or n" in line for line in said) == 1


def test_whoever_leaves_has_answered_what_they_answered():
    assert typed("y", "n")[0] == {"sound": YES, "consistency": NO}


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ((YES, YES, YES, NO, NO), Kind.TUNE),
        ((YES, YES, YES, YES, YES), Kind.TUNE),
        ((YES, YES, NO, NO, NO), Kind.NOT_YET),
        ((YES, NO, NO, NO, UNSURE), Kind.NOT_YET),
        ((YES, YES, NO, NO, UNSURE), Kind.OPEN),
        ((UNSURE,) * 5, Kind.OPEN),
    ],
)
def test_three_yeses_are_enough_and_what_is_open_may_decide(answers: tuple[Answer, ...], kind: Kind):
    verdict = decide(dict(zip(IDS, answers, strict=True)), (), ())
    assert verdict.kind is kind and verdict.yeses == answers.count(YES)


def test_a_no_says_what_to_do_first_and_an_open_question_comes_before_that():
    verdict = decide({"sound": YES, "consistency": YES, "taste": NO, "examples": NO}, (), ())
    by_id = {question.id: question for question in QUESTIONS}
    assert by_id["awkward"].asks.en in verdict.first[0].en
    assert verdict.first[1:] == (by_id["taste"].instead, by_id["examples"].instead)


def test_a_measurement_answers_what_nobody_did_and_a_person_is_not_overruled():
    measured = [Finding(id, YES, Sentence("量", "measured")) for id in ("sound", "taste", "examples")]
    verdict = decide({}, measured, ())
    assert verdict.kind is Kind.TUNE and not any(each.disputed for each in verdict.answered)
    verdict = decide({"sound": NO, "taste": YES}, measured, ())
    assert verdict.kind is Kind.OPEN and verdict.yeses == 2
    assert [each.question.id for each in verdict.answered if each.disputed] == ["sound"]
