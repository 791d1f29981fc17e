"""A person's answers: from the command line, from a file, or asked one after the other at a terminal."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from app.compose.schema import nearest, plain_yaml
from app.compose.sentence import Sentence
from training.decision.questions import QUESTIONS, Answer, Question
from training.errors import TrainingError

Answers = Mapping[str, Answer]

_WORDS = {
    **dict.fromkeys(("y", "yes", "true", "是", "对", "有"), Answer.YES),
    **dict.fromkeys(("n", "no", "false", "否", "不", "不是", "没有"), Answer.NO),
    **dict.fromkeys(("", "?", "？", "unsure", "不知道", "说不好"), Answer.UNSURE),
}


def answer_of(word: str) -> Answer | None:
    """What a word means; None where it is no answer."""
    return _WORDS.get(word.strip().lower())


def read_answers(path: Path) -> dict[str, Answer]:
    """The answers of a YAML file that gives a question's id yes, no or unsure.

    Raises:
        TrainingError: it cannot be read, or names another question or answer.
    """
    try:
        raw = plain_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TrainingError(
            Sentence(
                f"答案文件 {path.name} 读不出来，它应是 YAML，一行一个，如 {QUESTIONS[0].id}: yes。",
                f"The answers {path.name} cannot be read; they should be YAML, one a line, as {QUESTIONS[0].id}: yes.",
            ),
            f"{path}: {error}",
        ) from error
    if not isinstance(raw, dict):
        raise _broken(path, "应是键值对", "it should be a mapping")
    return {_known_id(path, id): _known_answer(path, id, value) for id, value in raw.items()}


def _known_id(path: Path, id: Any) -> str:
    known = [question.id for question in QUESTIONS]
    if id not in known:
        near = nearest(id, known)
        raise _broken(
            path, f"没有叫 {id!r} 的问题，最接近的是 {near}", f"no question is called {id!r}; {near} is nearest"
        )
    return str(id)


def _known_answer(path: Path, id: str, value: Any) -> Answer:
    # YAML 1.1 reads yes and no as true and false, and nothing as null.
    found = answer_of("" if value is None else str(value))
    if found is None:
        raise _broken(
            path,
            f"{id} 是 {str(value)[:40]!r}，应是 yes、no 或 unsure",
            f"{id} is {str(value)[:40]!r}, not yes, no or unsure",
        )
    return found


def _broken(path: Path, zh: str, en: str) -> TrainingError:
    return TrainingError(Sentence(f"答案文件 {path.name}：{zh}。", f"The answers {path.name}: {en}."))


def ask(
    questions: Iterable[Question], read: Callable[[str], str] = input, say: Callable[[str], None] = print
) -> dict[str, Answer]:
    """The answers somebody types, each question in Chinese and English; asked again until it is an answer.

    Args:
        read: gets a line for a prompt; EOFError ends the asking, and what is left is unsure.
    """
    found: dict[str, Answer] = {}
    for number, question in enumerate(questions, 1):
        say(f"\n{number}. {question.asks.zh}\n   {question.asks.en}")
        while question.id not in found:
            try:
                answer = answer_of(read("   y 是 yes / n 否 no / 回车 说不好 unsure: "))
            except EOFError:
                return found
            if answer is None:
                say("   请答 y 或 n，说不好就按回车。 / Answer y or n, or press Enter where you cannot say.")
            else:
                found[question.id] = answer
    return found
