"""What a corpus says too often: phrases worn by many texts, and images that serve twice in one cell.

Counted in characters, since a corpus of greetings needs no word segmenter to show what it repeats. A run of characters
is the more telling the more of them are neither grammar nor part of an ordinary greeting: 给您拜年 in every thirtieth
text is no fault, 睡到自然醒 in every hundredth would be. Thresholds were chosen by reading what they report of the
4,704 texts of ``training/corpus``; each says what lies on either side of it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.compose.lexicon import EMPTY_CHARACTERS
from training.neighbours import NEAR_REPEAT, containment, grams
from training.records import Record

# Ordinary greetings, festivals and customs: said by everybody every year, and rightly. They part a text like a comma.
_ORDINARY = (
    *("新年", "新春", "新岁", "新禧", "春节", "元旦", "元宵", "除夕", "小年", "开工", "正月十五", "新的一年"),
    *("过年", "拜年", "拜大年", "问候", "问安", "请安", "安好", "安康", "康宁", "快乐", "吉祥", "大吉", "顺遂"),
    *("家人", "诸位", "第一", "头一", "一声", "珍重", "致谢", "致意", "顺颂", "见字如", "灶王爷上天"),
)
_PARTING = re.compile("|".join(sorted(_ORDINARY, key=len, reverse=True)) + "|[鼠牛虎兔龙蛇马羊猴鸡狗猪][年岁]")
_HANZI = re.compile(r"[\u4e00-\u9fff]+")
# Grammar: the guard's characters that say nothing of a fact, those of written Chinese, and the verbs of wishing.
_GRAMMAR = EMPTY_CHARACTERS | frozenset("从与以而之其所为将及由即且可愿祝谨敬恭贺颂请")

# How telling a phrase is, and the share of all texts above which it is worn. At 4 it is 1.3 ‰ (6 of 4,704): just below
# begins ordinary speech (往后的日子, 6 texts). At 6, a whole clause, 0.7 ‰ (3 of 4,704): four times is a habit.
_WORN = ((4, 0.0013), (6, 0.0007))
_FEWEST_WORN = 3  # texts a worn phrase is in at least, however small the corpus
_SHORTEST_PHRASE = 5  # characters: shorter are set phrases of four (双喜临门, 9 texts), words of the language
_LONGEST_PHRASE = 12
_LONGEST_IMAGE = 8

_RARE = 0.0013  # share of all texts (6 of 4,704) up to which a run is rare; the same pairs are found with 3 to 6
_SAME_IMAGE = 3  # at 3 nearly every pair found is one image twice; at 2 half of them are mere idiom (别惦记, 新学期)


class WornPhrase(NamedTuple):
    """A phrase too many texts have, in its longest form, and those texts by index."""

    phrase: str
    texts: tuple[int, ...]


class SharedImage(NamedTuple):
    """Two records of one cell, by index, ``earlier`` < ``later``, and the rare wording both have."""

    earlier: int
    later: int
    wording: tuple[str, ...]


def telling(run: str) -> int:
    """How many different characters of a run are not grammar."""
    return len(set(run) - _GRAMMAR)


def worn_phrases(records: Sequence[Record]) -> list[WornPhrase]:
    """Phrases that are no ordinary greeting and yet in too many texts, the commonest first.

    Of a phrase and its parts only the longest is given, unless a part is in more texts than the whole.
    """
    found: defaultdict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        for run in _runs(_parted(record), _SHORTEST_PHRASE, _LONGEST_PHRASE):
            found[run].append(index)
    often = [phrase for phrase, texts in found.items() if len(texts) > _FEWEST_WORN]
    worn: list[WornPhrase] = []
    for phrase in sorted(often, key=lambda phrase: (-len(phrase), phrase)):
        texts = found[phrase]
        limits = [max(_FEWEST_WORN, share * len(records)) for least, share in _WORN if telling(phrase) >= least]
        if not limits or len(texts) <= min(limits):
            continue
        if not any(phrase in known.phrase and len(texts) <= len(known.texts) for known in worn):
            worn.append(WornPhrase(phrase, tuple(texts)))
    return sorted(worn, key=lambda each: (-len(each.texts), each.phrase))


def shared_images(records: Sequence[Record]) -> Iterator[SharedImage]:
    """Pairs of records of one cell in which the same image serves twice, cell by cell.

    That is: both texts have the same rare wording, asked for by neither request and no ordinary greeting. What counts
    is the longest runs of hanzi the two share, each with two telling characters or more and in hardly any other text
    of the corpus; together they have to be telling enough, each run counting its telling characters less one.
    """
    wordings = [_runs(_parted(record), 2, _LONGEST_IMAGE) for record in records]
    in_texts = Counter(run for wording in wordings for run in wording)
    rare_up_to = max(2.0, _RARE * len(records))
    holders: defaultdict[tuple[tuple[str, str], str], list[int]] = defaultdict(list)
    for later, record in enumerate(records):
        common: defaultdict[int, set[str]] = defaultdict(set)
        for run in wordings[later]:
            if 1 < in_texts[run] <= rare_up_to:
                for earlier in holders[record.cell, run]:
                    common[earlier].add(run)
                holders[record.cell, run].append(later)
        for earlier in sorted(common):
            asked = _runs(_asked(record) + "，" + _asked(records[earlier]), 2, 2)
            runs = [run for run in _longest(common[earlier]) if telling(run) > 1 and not _runs(run, 2, 2) & asked]
            if sum(telling(run) - 1 for run in runs) >= _SAME_IMAGE and not _repeats(record, records[earlier]):
                yield SharedImage(earlier, later, tuple(sorted(runs)))


def _repeats(record: Record, other: Record) -> bool:
    """Whether the whole text is the same, nearly: that is another fault."""
    return containment(grams(_parted(record)), grams(_parted(other))) > NEAR_REPEAT


def _parted(record: Record) -> str:
    """The body of a record's text, with a comma for every ordinary greeting."""
    return _PARTING.sub("，", record.body)


def _asked(record: Record) -> str:
    request = record.request
    return "，".join((request.address, request.signature, *request.details))


def _runs(text: str, shortest: int, longest: int) -> set[str]:
    """Every run of hanzi in ``text`` of a length between the two."""
    return {
        part[start : start + size]
        for part in _HANZI.findall(text)
        for size in range(shortest, min(longest, len(part)) + 1)
        for start in range(len(part) - size + 1)
    }


def _longest(runs: set[str]) -> set[str]:
    """Those that are not part of another."""
    return {run for run in runs if not any(run != other and run in other for other in runs)}
