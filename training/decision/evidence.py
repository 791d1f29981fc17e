"""What the figures say to each question: yes, no, or nothing, and why.

The bars are rules of thumb and stand here, one beside the other; every finding says its figure and its bar, so that
whoever sees it otherwise can decide otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from app.compose.sentence import Sentence
from training.decision.measures import CorpusFigures, LabelFigures, SystemFigures, TrialFigures
from training.decision.questions import AWKWARD, CONSISTENCY, EXAMPLES, SOUND, TASTE, Answer
from training.decision.systems import PROMPT, RAG, TUNED

CAN = 0.5  # of the prompted base's texts pass the content rules: it can do it
LIKE = 0.8  # of what can be recognised in the corpus is recognised in a system's texts: it sounds like it
DRIFT = 0.25  # more small changes of the input turn the manner than writing again does: the voice is not steady
AGREE = 0.2  # kappa, accuracy beyond chance: the texts of a label have something in common
CONFUSED = 0.1  # of near repeats have differing labels: the labels are not agreed on
LEAST_REPEATS = 10  # near repeats; of fewer one alone would make the labels not agreed on
OPEN = 0.5  # of a text stands in no other with the same labels: there is no one right answer
APART = 0.75  # accuracy at telling the author from the base: there is a difference
BEYOND_RULES = 0.15  # accuracy that a reader has and rules have not: the difference is not in the rules


@dataclass(frozen=True)
class Finding:
    """What was measured for one question: an answer, or UNSURE where it only informs a person; and why."""

    question: str
    answer: Answer
    because: Sentence


def findings(corpus: CorpusFigures, trial: TrialFigures | None) -> list[Finding]:
    """All there are, at most one a question."""
    found = [_taste(corpus)]
    if trial is not None:
        found += [
            _sound(corpus, trial),
            _consistency(trial),
            _examples(trial),
            _awkward(corpus, trial),
        ]
    return [finding for finding in found if finding is not None]


def likeness(corpus: CorpusFigures, system: SystemFigures) -> float | None:
    """How much of what can be recognised in the corpus is recognised in a system's texts, mean over the labels that can
    be recognised in the corpus at all; None where there is no such label."""
    shares = [
        label.recovered(system.recognised[label.field].value)
        for label in readable(corpus.labels)
        if label.field in system.recognised
    ]
    return fmean(shares) if shares else None


def readable(labels: Sequence[LabelFigures]) -> list[LabelFigures]:
    """The labels a reader recognises in the corpus itself; its verdicts on others mean nothing."""
    return [label for label in labels if label.agreement >= AGREE]


def _sound(corpus: CorpusFigures, trial: TrialFigures) -> Finding | None:
    prompted = trial.systems[PROMPT]
    like = likeness(corpus, prompted)
    if like is None:
        return None
    passes = prompted.passes.value
    if passes < CAN:
        answer, verdict = Answer.NO, Sentence("是不会写，不是不像", "It cannot do it yet")
    elif like >= LIKE:
        answer, verdict = Answer.NO, Sentence("已经像了", "It sounds like it already")
    else:
        answer, verdict = Answer.YES, Sentence("会写，不像", "It can, and does not sound like it")
    generic = _GENERIC if trial.generic_prompt else Sentence("", "")
    return Finding(
        SOUND.id,
        answer,
        Sentence(
            f"{verdict.zh}：提示词写的，{passes:.0%} 过内容规则（{CAN:.0%} 以上算会写）；语料里认得出的味道，"
            f"在它写的里面认得出 {like:.0%}（{LIKE:.0%} 以上算像）。{generic.zh}",
            f"{verdict.en}: of the prompted base's texts {passes:.0%} pass the content rules (bar {CAN:.0%}), and "
            f"{like:.0%} of what can be recognised in the corpus is recognised in them (bar {LIKE:.0%}).{generic.en}",
        ),
    )


def _consistency(trial: TrialFigures) -> Finding | None:
    """What consistency there is; whether it matters, no figure says."""
    shown = [(NAMES[name], figures.steady.value) for name, figures in trial.systems.items() if figures.steady]
    if not shown:
        return None
    zh = "，".join(f"{name.zh} {value:.2f}" for name, value in shown)
    en = ", ".join(f"{name.en} {value:.2f}" for name, value in shown)
    return Finding(
        CONSISTENCY.id,
        Answer.UNSURE,
        Sentence(
            f"要不要紧只有你知道。换个名字、年份或次序之后，写法有多稳（1 最稳，0 是随便两条那样远）：{zh}。",
            "Only you know whether it matters. How steady the style is under another name, year or order (1 the same, "
            f"0 as far apart as any two texts): {en}.",
        ),
    )


def _taste(corpus: CorpusFigures) -> Finding | None:
    if not corpus.labels or corpus.openness is None:
        return None
    agreed = bool(readable(corpus.labels))
    counted = [label.differing / label.repeats for label in corpus.labels if label.repeats >= LEAST_REPEATS]
    confused = max(counted, default=0.0)
    repeats = corpus.labels[0].repeats
    zh = "；".join(f"{_told(each).zh}" for each in corpus.labels)
    en = "; ".join(f"{_told(each).en}" for each in corpus.labels)
    alike = (
        Sentence(
            f"几乎重复的 {repeats} 对里，标签不同的至多 {confused:.0%}（{CONFUSED:.0%} 以上算看法不一）",
            f"Of {repeats} near repeats at most {confused:.0%} differ in a label (bar {CONFUSED:.0%})",
        )
        if counted
        else Sentence(
            f"几乎重复的有 {repeats} 对，不到 {LEAST_REPEATS} 对，看不出标签打不打架",
            f"There are {repeats} near repeats, fewer than {LEAST_REPEATS}, too few to show whether labels agree",
        )
    )
    return Finding(
        TASTE.id,
        Answer.YES if agreed and confused < CONFUSED and corpus.openness >= OPEN else Answer.NO,
        Sentence(
            f"交叉验证的读者猜标签：{zh}（kappa 是扣掉瞎猜之后还对多少，至少一个要到 {AGREE:g}）。{alike.zh}。"
            f"一条文字里，同标签的其他文字都没有的部分占 {corpus.openness:.0%}（{OPEN:.0%} 以上算没有标准答案）。",
            f"A reader guesses labels, cross-validated: {en} (kappa is accuracy beyond chance; bar: one of {AGREE:g}). "
            f"{alike.en}. Of a text {corpus.openness:.0%} is in no other with its labels (bar {OPEN:.0%} for having no "
            "one right answer).",
        ),
    )


def _told(label: LabelFigures) -> Sentence:
    return Sentence(
        f"{label.field} 认对 {label.accuracy:.0%}，瞎猜 {label.chance:.0%}，kappa {label.agreement:.2f}",
        f"{label.field} {label.accuracy:.0%}, by chance {label.chance:.0%}, kappa {label.agreement:.2f}",
    )


def _examples(trial: TrialFigures) -> Finding | None:
    told, rules, passes = trial.told_apart, trial.rules_apart, trial.author_passes
    if told is None:
        return None
    return Finding(
        EXAMPLES.id,
        Answer.YES if told >= APART and told - rules >= BEYOND_RULES else Answer.NO,
        Sentence(
            f"语料和底座写的混在一起，读者分对 {told:.0%}（要 {APART:.0%}），只凭内容规则分对 {rules:.0%}（要差 "
            f"{_POINTS} 个百分点）；语料自己有 {passes:.0%} 过规则。是不是更好，下面的对照你来看。",
            f"Between the corpus and the base a reader is right {told:.0%} of the time (bar {APART:.0%}), the content "
            f"rules {rules:.0%} (bar {_POINTS} points less); of the corpus {passes:.0%} pass them. Whether it is the "
            "better one, the pairs below let you judge.",
        ),
    )


def _awkward(corpus: CorpusFigures, trial: TrialFigures) -> Finding | None:
    short: list[bool] = []
    said: list[Sentence] = []
    for name, figures in trial.systems.items():
        like = likeness(corpus, figures)
        if like is None:
            return None
        drift = figures.drift
        if name != TUNED:
            short.append(like < LIKE or (drift is not None and drift >= DRIFT))
        turned = _turned(figures)
        tokens = f"{figures.prompt_tokens:.0f}"
        said.append(
            Sentence(
                f"{NAMES[name].zh}像 {like:.0%}、走样 {turned.zh}、先读 {tokens} 词元",
                f"{NAMES[name].en}: {like:.0%} like, drift {turned.en}, {tokens} tokens read first",
            )
        )
    zh, en = "；".join(each.zh for each in said), "; ".join(each.en for each in said)
    generic = _GENERIC if trial.generic_prompt else Sentence("", "")
    return Finding(
        AWKWARD.id,
        Answer.YES if all(short) else Answer.NO,
        Sentence(
            f"{zh}。像到 {LIKE:.0%}、走样不到 {DRIFT:.0%} 才算够用；提示词和检索都不够用，就是“是”。走样是小改动之后"
            f"认成另一种的，比原样重写一次多出多少；“—”是没有可量的，不算。{generic.zh}",
            f"{en}. {LIKE:.0%} like and under {DRIFT:.0%} drift would do; yes where neither prompt nor retrieval does. "
            "Drift is how many more small changes turn the manner than writing the same again does; — where there was "
            f"nothing to measure, which does not count.{generic.en}",
        ),
    )


def _turned(figures: SystemFigures) -> Sentence:
    """The drift, and what it is the difference of; a dash where there is none."""
    if figures.drift is None or figures.flips is None or figures.redrawn is None:
        return Sentence("—", "—")
    flips, redrawn = f"{figures.flips.value:.0%}", f"{figures.redrawn.value:.0%}"
    return Sentence(
        f"{figures.drift:.0%}（改动后 {flips}，原样重写 {redrawn}）",
        f"{figures.drift:.0%} ({flips} under changes, {redrawn} when written again)",
    )


_POINTS = round(100 * BEYOND_RULES)
_GENERIC = Sentence(
    "试的是一段通用的提示词；你自己的用 --prompt 给上再试，也许就够了。",
    " What was tried is a generic prompt; give your own with --prompt, which may do.",
)
NAMES = {
    PROMPT: Sentence("提示词", "prompt"),
    RAG: Sentence("检索", "retrieval"),
    TUNED: Sentence("训练后", "after training"),
}
