"""What fine-tuning would take, from what the trial took on this machine."""

from collections.abc import Iterator

from app.compose.sentence import Sentence
from training.decision.measures import CorpusFigures
from training.decision.tuner import Tuned

UNKNOWN = Sentence(
    "没给语料，说不出来。用 --corpus 和 --requests 试一次，会量出要多少分钟。",
    "Without a corpus nobody can say. A trial with --corpus and --requests measures the minutes it takes.",
)


def costs(corpus: CorpusFigures, usable: int, tuned: Tuned | None) -> Iterator[Sentence]:
    """Records there are, and the minutes they take.

    Args:
        usable: records that may be trained on.
        tuned: the short training, None where there was none.
    """
    each = usable / max(1, corpus.combinations)
    yield Sentence(
        f"例子：能用来学的有 {usable} 条，{corpus.combinations} 种标签组合，平均每种 {each:.1f} 条。",
        f"Examples: {usable} records to learn from in {corpus.combinations} combinations of labels, {each:.1f} of each "
        "on average.",
    )
    if tuned is None:
        yield Sentence(
            "时间：没有试训，说不出来。加上 --requests 再跑一次就有。",
            "Time: without a short training nobody can say. Run again with --requests.",
        )
        return
    minutes = tuned.minutes(round(tuned.tokens / tuned.records * usable))
    if tuned.seconds is None or minutes is None:
        yield Sentence(
            "时间：试训中途停过，一共用了多久没有记全，说不出来。换一个 --out 从头试一次就有。",
            "Time: unknown. The short training was stopped on the way, so what it took in all was not kept. Try once "
            "from the beginning, with another --out.",
        )
        return
    yield Sentence(
        f"时间：试训 {tuned.records} 条、{tuned.passes:g} 遍，用了 {tuned.seconds / 60:.1f} 分钟；照这样只练上半层，"
        f"这台机器上全部 {usable} 条练一遍约 {minutes:.0f} 分钟。",
        f"Time: the short training took {tuned.seconds / 60:.1f} minutes for {tuned.records} records, {tuned.passes:g} "
        f"passes; at that pace, with the upper half of the layers, all {usable} take about {minutes:.0f} minutes a "
        "pass on this machine.",
    )
