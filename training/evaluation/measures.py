"""Every measure by name: what it is called, what it says in one plain sentence, and how it is computed.

The formulas and their sources are in the functions it names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.compose.sentence import Sentence
from training.evaluation.bootstrap import Estimate, mean_over_requests, share_over_requests
from training.evaluation.consistency import across_changes, across_seeds, between_relationships
from training.evaluation.copying import COPIED_RUN, copied_share, longest_run
from training.evaluation.divergence import bigram_divergence, frontier
from training.evaluation.diversity import distinct, self_bleu
from training.evaluation.reader import recognised
from training.evaluation.reference import Reference, relationship_of, tone_of
from training.evaluation.written import Written, unchanged

MEMORY = "memory"


@dataclass(frozen=True)
class Measure:
    """One row of the table.

    Attributes:
        name: in files.
        says: what the figure means to somebody who has never seen it.
        better: which way is good; "" where it is only to be known.
        form: ``share`` is shown in percent, ``number`` with so many ``decimals``.
        of_machine: it depends on the machine, so another run need not give it again.
        compute: gives None where it cannot be computed of these texts; None where whoever ran the system knows it.
    """

    name: str
    title: Sentence
    says: Sentence
    better: Literal["higher", "lower", ""]
    compute: Callable[[Sequence[Written], Reference], Estimate | None] | None
    form: Literal["share", "number"] = "number"
    decimals: int = 2
    of_machine: bool = False


def pass_rate(written: Sequence[Written], seed: int = 0) -> Estimate:
    """Share of the texts the guard (:mod:`app.compose.guard`) finds no fault with, as the model wrote them, 0 to 1."""
    return _share(unchanged(written), lambda each: not each.output.reasons, seed)


def cliche_rate(written: Sequence[Written], seed: int = 0) -> Estimate:
    """Share of the texts with a worn phrase, or two worn wishes, by the guard's lists (:mod:`app.compose.lexicon`)."""
    return _share(unchanged(written), lambda each: "cliche" in each.output.reasons, seed)


def tokens(written: Sequence[Written], seed: int = 0) -> Estimate | None:
    """Tokens written a text; None of texts no model wrote."""
    return _mean_of_models(written, lambda each: float(each.output.tokens), seed)


def prompt_tokens(written: Sequence[Written], seed: int = 0) -> Estimate | None:
    """Tokens of the prompt a request; None of texts no model wrote."""
    return _mean_of_models(written, lambda each: float(each.output.prompt_tokens), seed)


def seconds(written: Sequence[Written], seed: int = 0) -> Estimate | None:
    """Seconds of wall time a text, those of one request written side by side; None of texts no model wrote."""
    return _mean_of_models(written, lambda each: each.output.seconds, seed)


def _share(texts: Sequence[Written], is_so: Callable[[Written], bool], seed: int) -> Estimate:
    return share_over_requests([float(is_so(each)) for each in texts], [each.request for each in texts], seed)


def _mean_of_models(written: Sequence[Written], value: Callable[[Written], float], seed: int) -> Estimate | None:
    texts = [each for each in unchanged(written) if each.output.prompt_tokens]
    if not texts:
        return None
    return mean_over_requests([value(each) for each in texts], [each.request for each in texts], seed)


def _tone(written: Sequence[Written], reference: Reference) -> Estimate | None:
    return recognised(written, reference.tones, tone_of) if reference.tones else None


def _relationship(written: Sequence[Written], reference: Reference) -> Estimate | None:
    return recognised(written, reference.relationships, relationship_of) if reference.relationships else None


MEASURES = (
    Measure(
        "guard_pass",
        Sentence("过关率", "Passes the guard"),
        Sentence(
            "写出来的原样里，称呼、生肖、场合、篇幅、事实和标点都挑不出错的有多少。",
            "How many texts, just as written, have nothing wrong in name, zodiac, occasion, length, facts or marks.",
        ),
        "higher",
        lambda written, reference: pass_rate(written),
        "share",
    ),
    Measure(
        "tone_recognised",
        Sentence("认得出语气", "Tone recognised"),
        Sentence(
            "只读过语料的读者遮住称呼和落款去猜，猜中所要语气的有多少；语料原文那一列是它能猜到的上限。",
            "How often a reader that has read the corpus only, with name and signature hidden, guesses the tone asked "
            "for; the corpus's own column is as far as it can get.",
        ),
        "higher",
        _tone,
        "share",
    ),
    Measure(
        "relationship_recognised",
        Sentence("认得出写给谁", "Relationship recognised"),
        Sentence(
            "同一位读者猜这条是写给谁的（父母、客户、挚友……），猜中的有多少。",
            "How often the same reader guesses whom a text is for (parents, a client, a close friend …).",
        ),
        "higher",
        _relationship,
        "share",
    ),
    Measure(
        "consistent_across_seeds",
        Sentence("再写一次，还是那个声音", "Same voice when written again"),
        Sentence(
            "同一个请求写几次，写法有多像：1 是一模一样，0 是和随便两个请求之间差得一样多。",
            "How alike in style several texts for one request are: 1 is the same style, 0 is as different as texts for "
            "any two requests.",
        ),
        "higher",
        lambda written, reference: across_seeds(written, reference.scale),
    ),
    Measure(
        "consistent_across_changes",
        Sentence("换个名字，还是那个声音", "Same voice when the input shifts"),
        Sentence(
            "换个名字、换个年份、把两件事对调，这些不该改变语气的改动之后，写法还有多像。",
            "How alike in style the texts stay under changes that should not matter: another name, another year, the "
            "facts in another order.",
        ),
        "higher",
        lambda written, reference: across_changes(written, reference.scale),
    ),
    Measure(
        "relationships_differ",
        Sentence("对谁说什么话", "Different people, different texts"),
        Sentence(
            "写给不同的人，写法差多少：0 是父母和客户收到同一种写法，越大越分得开。",
            "How far style differs with the person: 0 means parents and clients get the same style, more means they do "
            "not.",
        ),
        "higher",
        lambda written, reference: between_relationships(written, reference.scale),
        decimals=3,
    ),
    Measure(
        "bigram_divergence",
        Sentence("用字离语料多远", "Distance of wording from the corpus"),
        Sentence(
            "两字组合的分布和语料差多少：0 是完全一样，1 是毫无共同之处；文字少总有差别，看比语料原文那一列远多少。",
            "The distribution of character pairs against the corpus's: 0 is the same, 1 nothing in common; a few "
            "texts always differ, so look at how much further it is than the corpus author's own.",
        ),
        "lower",
        lambda written, reference: bigram_divergence(written, reference.bigrams),
        decimals=3,
    ),
    Measure(
        "frontier",
        Sentence("整体像不像语料", "Like the corpus as a whole"),
        Sentence(
            "语料里的各种写法它是否都有、又不多出别的（MAUVE 的算法，不用神经网络）：1 是分不出，0 是毫不相干。",
            "Whether it has all the kinds of texts the corpus has and no others (MAUVE's formula without a neural "
            "network): 1 cannot be told apart, 0 is something else.",
        ),
        "higher",
        lambda written, reference: frontier(written, reference.quantizer),
    ),
    Measure(
        "distinct_2",
        Sentence("不重样", "Distinct bigrams"),
        Sentence(
            "所有文字放在一起，两字组合里不重复的占多少：低了就是翻来覆去那几句。",
            "Of all character pairs of all texts, the share that are different: low means the same few sentences.",
        ),
        "higher",
        lambda written, reference: distinct(written, 2),
    ),
    Measure(
        "self_bleu",
        Sentence("自己抄自己", "Self-BLEU"),
        Sentence(
            "一条文字有多少能在它给别人写的文字里找到：高了就是写给谁都一个样。",
            "How much of a text is also in the texts for other people: high means everybody gets the same.",
        ),
        "lower",
        lambda written, reference: self_bleu(written),
    ),
    Measure(
        "longest_run",
        Sentence("最长的照搬", "Longest run from the training text"),
        Sentence(
            "一条文字里连着多少个字和某条训练文字完全相同，平均值。",
            "How many characters in a row a text shares with some training text, on average.",
        ),
        "lower",
        lambda written, reference: longest_run(unchanged(written), reference.runs),
        decimals=1,
    ),
    Measure(
        "copied",
        Sentence("背出来的", "Recited"),
        Sentence(
            f"有多少条连着 {COPIED_RUN} 个字以上和训练文字相同，也就是背的，不是写的。",
            f"How many texts share {COPIED_RUN} characters in a row or more with a training text: recited, not "
            "written.",
        ),
        "lower",
        lambda written, reference: copied_share(unchanged(written), reference.runs),
        "share",
    ),
    Measure(
        "cliche",
        Sentence("套话", "Clichés"),
        Sentence(
            "有多少条用了套话，或把吉祥话连成了串。",
            "How many texts have a worn phrase or a string of stock wishes.",
        ),
        "lower",
        lambda written, reference: cliche_rate(written),
        "share",
    ),
    Measure(
        "tokens",
        Sentence("写了多少词元", "Tokens written"),
        Sentence("一条文字平均多少词元。", "Tokens of a text, on average."),
        "",
        lambda written, reference: tokens(written),
        decimals=0,
    ),
    Measure(
        "prompt_tokens",
        Sentence("提示词多少词元", "Tokens of the prompt"),
        Sentence("写一条之前要先读多少词元。", "Tokens to be read before a text can be begun."),
        "lower",
        lambda written, reference: prompt_tokens(written),
        decimals=0,
    ),
    Measure(
        "seconds",
        Sentence("秒", "Seconds"),
        Sentence("写一条平均要多少秒（看机器）。", "Seconds a text takes, on average, on the machine that wrote them."),
        "lower",
        lambda written, reference: seconds(written),
        decimals=1,
        of_machine=True,
    ),
    Measure(
        MEMORY,
        Sentence("内存（MiB）", "Memory (MiB)"),
        Sentence(
            "写的时候最多占了多少内存（看机器）。", "The most memory the engine took, on the machine that wrote them."
        ),
        "lower",
        None,
        decimals=0,
        of_machine=True,
    ),
)


def measures_of(written: Sequence[Written], reference: Reference) -> dict[str, Estimate | None]:
    """Every measure of the texts of one system, by name."""
    return {measure.name: measure.compute(written, reference) for measure in MEASURES if measure.compute}
