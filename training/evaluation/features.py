"""What style is counted by: marks, particles, pronouns and the shape of clauses, not what a greeting is about.

These are stylometry's means: what a writer does without thinking of it, and facts do not change. Counts are per hundred
characters, so that a long text is not another style than a short one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.compose.guard import variety
from training.evaluation.bootstrap import Floats

FURTHEST = 4.0  # standard deviations, so that one text gone wild does not decide a distance

_CLAUSE_END = re.compile(r"[，。！？；：、…—～,.!?;:~\s]+")
_SENTENCE_END = re.compile(r"[。！？…～.!?~\n]+")
_EMOJI = re.compile(r"[\U0001F000-\U0001FAFF☀-➿⭐⭕]")
_TWICE = re.compile(r"([\u4e00-\u9fff])\1")


def length(text: str) -> float:
    """Characters, as the square root: between 20 and 40 is more of a difference than between 100 and 120."""
    return float(len(text) ** 0.5)


def clause_length(text: str) -> float:
    """Characters between two marks, on average."""
    return _mean(_sizes(_CLAUSE_END, text))


def clause_spread(text: str) -> float:
    """Standard deviation of the clauses' characters: an even pace or a broken one."""
    sizes = _sizes(_CLAUSE_END, text)
    return float(np.std(sizes)) if sizes else 0.0


def sentence_length(text: str) -> float:
    """Characters between two full stops or their like, on average."""
    return _mean(_sizes(_SENTENCE_END, text))


def four_character_clauses(text: str) -> float:
    """Share of the clauses that have four characters, 0 to 1: the pace of set phrases."""
    return _mean([float(size == 4) for size in _sizes(_CLAUSE_END, text)])


def exclamations(text: str) -> float:
    """！ a hundred characters."""
    return _rate(text, "！!")


def questions(text: str) -> float:
    """？ a hundred characters."""
    return _rate(text, "？?")


def pauses(text: str) -> float:
    """… and — a hundred characters."""
    return _rate(text, "…—")


def tildes(text: str) -> float:
    """～ a hundred characters."""
    return _rate(text, "～~")


def semicolons(text: str) -> float:
    """； a hundred characters: the joint of antitheses."""
    return _rate(text, "；;")


def listings(text: str) -> float:
    """、 a hundred characters."""
    return _rate(text, "、")


def quotations(text: str) -> float:
    """： and quotation marks a hundred characters."""
    return _rate(text, "：“”「」《》")


def emoji(text: str) -> float:
    """Emoji a hundred characters."""
    return 100 * len(_EMOJI.findall(text)) / max(1, len(text))


def polite_you(text: str) -> float:
    """您 a hundred characters."""
    return _rate(text, "您")


def familiar_you(text: str) -> float:
    """你 a hundred characters."""
    return _rate(text, "你")


def first_person(text: str) -> float:
    """我 and 咱 a hundred characters."""
    return _rate(text, "我咱")


def modal_particles(text: str) -> float:
    """Particles of talk a hundred characters."""
    return _rate(text, "吧呢啊呀嘛啦哦哈嘞哟哒呗吗")


def aspect_particles(text: str) -> float:
    """了, 着 and 过 a hundred characters: something happens or has happened."""
    return _rate(text, "了着过")


def attributes(text: str) -> float:
    """的, 地 and 得 a hundred characters."""
    return _rate(text, "的地得")


def adverbs(text: str) -> float:
    """Small adverbs of talk a hundred characters."""
    return _rate(text, "就也都还又才再先")


def negations(text: str) -> float:
    """不, 没 and 别 a hundred characters."""
    return _rate(text, "不没别")


def classical_words(text: str) -> float:
    """Grammar of classical Chinese, and its words of respect, a hundred characters."""
    return _rate(text, "之其以而乃于兮矣焉也所谨敬颂祺禧鉴绥岁")


def wishing(text: str) -> float:
    """祝 and 愿 a hundred characters."""
    return _rate(text, "祝愿")


def numerals(text: str) -> float:
    """Numerals in characters a hundred characters."""
    return _rate(text, "一二三四五六七八九十百千万两半")


def doubled_characters(text: str) -> float:
    """A hanzi twice in a row (慢慢, 看看) a hundred characters."""
    return 100 * len(_TWICE.findall(text)) / max(1, len(text))


def unlike_bigrams(text: str) -> float:
    """Distinct bigrams over all of them, 0 to 1."""
    return variety(text)


FEATURES: tuple[Callable[[str], float], ...] = (
    *(length, clause_length, clause_spread, sentence_length, four_character_clauses),
    *(exclamations, questions, pauses, tildes, semicolons, listings, quotations, emoji),
    *(polite_you, familiar_you, first_person, modal_particles, aspect_particles, attributes, adverbs, negations),
    *(classical_words, wishing, numerals, doubled_characters, unlike_bigrams),
)


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of each feature over the texts it was made from: what is usual there."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Scale":
        """That of these texts; what never varies among them counts as it is."""
        counted = feature_matrix(texts)
        deviation = counted.std(axis=0)
        deviation[deviation == 0] = 1.0
        return cls(counted.mean(axis=0), deviation)

    def standardised(self, texts: Sequence[str]) -> Floats:
        """The features in standard deviations from the mean, at most :data:`FURTHEST`: (texts, features)."""
        return np.clip((feature_matrix(texts) - self.mean) / self.deviation, -FURTHEST, FURTHEST)


def feature_matrix(texts: Sequence[str]) -> Floats:
    """Every feature of every text: (texts, features)."""
    counted = [[feature(text) for feature in FEATURES] for text in texts]
    return np.array(counted, dtype=np.float64).reshape(len(texts), len(FEATURES))


def style_distances(standardised: Floats) -> Floats:
    """Burrows's Delta of every two texts, (texts, texts): the mean over features of |z - z'|, in standard deviations
    (Burrows 2002, "'Delta': a measure of stylistic difference and a guide to likely authorship")."""
    from scipy.spatial.distance import cdist

    distances: Floats = cdist(standardised, standardised, "cityblock") / standardised.shape[1]
    return distances


def _rate(text: str, characters: str) -> float:
    return 100 * sum(map(text.count, characters)) / max(1, len(text))


def _sizes(end: re.Pattern[str], text: str) -> list[float]:
    return [float(len(part)) for part in end.split(text) if part]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
