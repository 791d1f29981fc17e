"""Everything a decision came to, as plain text and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from math import isnan
from typing import Any

from app.compose.sentence import Sentence
from training.decision.corpus import Corpus, is_answer
from training.decision.measures import CorpusFigures, TrialFigures
from training.decision.questions import Answer
from training.decision.systems import PROMPT, TUNED, listed
from training.decision.trial import Trial
from training.decision.verdict import Answered, Verdict
from training.evaluation.outputs import first_texts

_SHOWN = 5  # pairs of the plain text; the page and the JSON have all

ANSWERS = {
    Answer.YES: Sentence("是", "yes"),
    Answer.NO: Sentence("否", "no"),
    Answer.UNSURE: Sentence("没有答案", "no answer"),
}


@dataclass(frozen=True)
class Pair:
    """One request before and after the short training; ``author`` is the corpus's own text for it, "" where there is
    none."""

    request: str
    asked: tuple[str, ...]
    before: str
    after: str
    author: str


@dataclass(frozen=True)
class Result:
    """A verdict, and what it rests on; None where nothing was measured."""

    verdict: Verdict
    corpus: CorpusFigures | None
    trial: TrialFigures | None
    pairs: tuple[Pair, ...]


def pairs(trial: Trial, corpus: Corpus) -> Iterator[Pair]:
    """Of every request, as it is, the text of the first seed before and after."""
    if TUNED not in trial.outputs:
        return
    before, after = (first_texts(trial.outputs[name]) for name in (PROMPT, TUNED))
    for id in before:
        request = trial.asked[id, ""]
        author = next((record.text for record in corpus.records if is_answer(record, id, request)), "")
        yield Pair(id, tuple(listed(request).split("\n")), before[id], after[id], author)


def as_json(result: Result) -> dict[str, Any]:
    """What ``--json`` prints."""
    verdict = result.verdict
    return {
        "verdict": verdict.kind.value,
        "headline": _plain(verdict.headline),
        "yes": verdict.yeses,
        "questions": [
            {
                "id": each.question.id,
                "asks": _plain(each.question.asks),
                "said": each.said.value,
                "measured": each.finding.answer.value if each.finding else None,
                "because": _plain(each.finding.because) if each.finding else None,
                "counts": each.counts.value,
                "disputed": each.disputed,
            }
            for each in verdict.answered
        ],
        "costs": _plain(verdict.costs),
        "first": _plain(verdict.first),
        "corpus": _plain(result.corpus),
        "trial": _plain(result.trial),
        "pairs": _plain(result.pairs),
    }


def _plain(value: Any) -> Any:
    """A value of ours as JSON has it; what is not a number is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value


def as_text(result: Result) -> str:
    """What is printed, Chinese and English."""
    verdict = result.verdict
    lines = ["", verdict.headline.zh, verdict.headline.en, ""]
    for number, each in enumerate(verdict.answered, 1):
        lines += _answered_lines(number, each)
    lines += _section("要花多少", "What it would cost", verdict.costs)
    lines += _section("先做什么", "What to do first", verdict.first)
    lines += _section("要知道的", "To be known", result.corpus.notes if result.corpus else ())
    if result.pairs:
        lines += ["训练前后 / Before and after training"]
        for pair in result.pairs[:_SHOWN]:
            lines += [f"  {'，'.join(pair.asked)}", f"    - {pair.before}", f"    + {pair.after}"]
            lines += [f"    = {pair.author}"] if pair.author else []
        lines += [""]
    return "\n".join(lines)


def _answered_lines(number: int, each: Answered) -> list[str]:
    answer = told(each)
    lines = [f"{number}. {each.question.asks.zh} {answer.zh}", f"   {each.question.asks.en} {answer.en}"]
    if each.finding is not None:
        lines += [f"   {each.finding.because.zh}", f"   {each.finding.because.en}"]
    if each.counts is Answer.YES:
        lines += [f"   {each.question.means.zh}", f"   {each.question.means.en}"]
    return [*lines, ""]


def told(each: Answered) -> Sentence:
    """The answer to a question, and whose it is."""
    answer = ANSWERS[each.counts]
    if each.disputed:
        return Sentence(
            f"【{answer.zh}，你说的；量出来相反，再想想】",
            f"[{answer.en}, you say; measured it is the other way round: think again]",
        )
    if each.counts is Answer.UNSURE:
        return Sentence(f"【{answer.zh}】", f"[{answer.en}]")
    if each.said is Answer.UNSURE:
        return Sentence(f"【{answer.zh}，量出来的】", f"[{answer.en}, measured]")
    return Sentence(f"【{answer.zh}，你说的】", f"[{answer.en}, you say]")


def _section(zh: str, en: str, sentences: tuple[Sentence, ...]) -> list[str]:
    if not sentences:
        return []
    return [f"{zh} / {en}", *(line for each in sentences for line in (f"  {each.zh}", f"  {each.en}")), ""]
