"""From answers to a verdict: three yeses or more are for fine-tuning; what it would cost, and what to do first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from app.compose.sentence import Sentence
from training.decision.evidence import Finding
from training.decision.questions import ENOUGH, QUESTIONS, Answer, Question


class Kind(Enum):
    """What is advised."""

    TUNE = "tune"
    NOT_YET = "not_yet"
    OPEN = "open"  # the questions without an answer decide


@dataclass(frozen=True)
class Answered:
    """A question, what a person said, what was measured, and what counts: the person's word, where there is one."""

    question: Question
    said: Answer
    finding: Finding | None

    @property
    def counts(self) -> Answer:
        """The answer that the verdict goes by."""
        if self.said is not Answer.UNSURE or self.finding is None:
            return self.said
        return self.finding.answer

    @property
    def disputed(self) -> bool:
        """Whether a person and a measurement say the opposite."""
        measured = self.finding.answer if self.finding else Answer.UNSURE
        return Answer.UNSURE not in (self.said, measured) and self.said is not measured


@dataclass(frozen=True)
class Verdict:
    """What is advised, and in sentences why, what it costs, and what to do first."""

    kind: Kind
    headline: Sentence
    answered: tuple[Answered, ...]
    costs: tuple[Sentence, ...]
    first: tuple[Sentence, ...]

    @property
    def yeses(self) -> int:
        """How many answers are yes."""
        return sum(each.counts is Answer.YES for each in self.answered)


def decide(said: Mapping[str, Answer], findings: Sequence[Finding], costs: Sequence[Sentence]) -> Verdict:
    """The verdict on a person's answers, by question id, and what was measured."""
    by_question = {finding.question: finding for finding in findings}
    answered = tuple(
        Answered(question, said.get(question.id, Answer.UNSURE), by_question.get(question.id)) for question in QUESTIONS
    )
    yes, no, unsure = (
        [each.question for each in answered if each.counts is answer]
        for answer in (Answer.YES, Answer.NO, Answer.UNSURE)
    )
    if len(yes) >= ENOUGH:
        kind, headline = (
            Kind.TUNE,
            Sentence(
                f"微调。五问里 {len(yes)} 个“是”，{ENOUGH} 个就够。",
                f"Fine-tune: {len(yes)} of five answers are yes, and {ENOUGH} are enough.",
            ),
        )
    elif len(yes) + len(unsure) < ENOUGH:
        kind, headline = (
            Kind.NOT_YET,
            Sentence(
                f"先别微调。五问里只有 {len(yes)} 个“是”，不到 {ENOUGH} 个。",
                f"Do not fine-tune yet: {len(yes)} of five answers are yes, fewer than {ENOUGH}.",
            ),
        )
    else:
        wanted = ENOUGH - len(yes)
        kind, headline = (
            Kind.OPEN,
            Sentence(
                f"还定不下来。已有 {len(yes)} 个“是”，没有答案的 {len(unsure)} 问里再有 {wanted} 个就该微调。",
                f"Not decided: {len(yes)} of five answers are yes; {wanted} more among the {len(unsure)} open ones, "
                "and fine-tune.",
            ),
        )
    return Verdict(kind, headline, answered, tuple(costs), tuple(_first(kind, yes, no, unsure)))


def _first(kind: Kind, yes: Sequence[Question], no: Sequence[Question], unsure: Sequence[Question]) -> list[Sentence]:
    """What to do before anything else. Every no is worth mending, whatever the verdict."""
    steps = [question.instead for question in no]
    if kind is Kind.OPEN:
        steps = [
            Sentence(f"先答上这一问：{question.asks.zh}", f"First answer this: {question.asks.en}")
            for question in unsure
        ] + steps
    return steps
