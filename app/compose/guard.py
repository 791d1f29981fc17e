"""What is wrong with a finished text, given what was asked for. Pure: a text and a request in, faults out.

Each rule was run over the hand-written corpus: what it refuses there is its false-alarm rate, held by a test.
A fault is a sentence for the person, shown in the card while they read or edit.
"""

import re
from collections import Counter
from dataclasses import dataclass

from app.compose import lexicon
from app.compose.catalog import Catalog
from app.compose.request import ZODIAC, GreetingRequest
from app.compose.sentence import Sentence

LENGTH_TOLERANCE = 0.15  # of either bound: nobody minds a seventh more
LEAST_VARIETY = 0.85  # distinct bigrams a bigram; 3 of 4,704 hand-written texts have less
FACT_OVERLAP = 0.2  # share of a fact's telling characters that must be in the text

_TONES_THAT_PLAY = ("humorous", "playful")  # there 您 to a friend is part of the joke
_DIGITS = str.maketrans("零〇一二两俩三四五六七八九０１２３４５６７８９", "00122234567890123456789")
_SPELLED = re.compile("[零〇一二两三四五六七八九十百千万]+")
_POWERS = {"十": 10, "百": 100, "千": 1000}
_QUOTED = re.compile(r"“[^”]*”|「[^」]*」|『[^』]*』|《[^》]*》")
_EMOJI = r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B50\u2B55\uFE0F\u200D]"
_CLOSED = re.compile(rf"(?:[。！？…～~）”’」』》♪]|{_EMOJI})$")
# What the sender did, by its verb: 我考上研究生了 gives 考上. 我们 and 我妈 are somebody else.
_OWN_DEED = re.compile(r"我(?:今年|去年|刚|终于|也)?(?![们妈爸家俩的和跟给替在是])([\u4e00-\u9fff]{2})")
_SIGNED = re.compile(r"——[^，。！？；：…]{1,24}$")


@dataclass(frozen=True)
class Fault:
    """One broken rule: ``code`` for programs, ``sentence`` for the person."""

    code: str
    sentence: Sentence


def check(text: str, request: GreetingRequest, catalog: Catalog) -> tuple[Fault, ...]:
    """Every fault of ``text`` as an answer to ``request``, the gravest first; empty when there is none."""
    text = text.strip()
    if not text:
        return (_fault("empty", "这一条是空的。", "This one is empty."),)
    return (
        *_form(text, request),
        *_pronoun(text, request, catalog),
        *_names(text, request),
        *_zodiac(text, request),
        *_occasion(text, request, catalog),
        *_facts(text, request),
        *_length(text, request, catalog),
        *_worn(text, _given(request)),
    )


def never_right(request: GreetingRequest, catalog: Catalog) -> tuple[str, ...]:
    """What no right answer to ``request`` contains, for whoever writes it to avoid: the other pronoun.

    Nothing where both are natural, or where what the person typed contains it.
    """
    pronoun = catalog.relationship(request.relationship).pronoun
    other = {"您": "你", "你": "您"}.get(pronoun)
    given = _given(request)
    if other is None or other in given or (other == "您" and request.tone in _TONES_THAT_PLAY):
        return ()
    return (other,)


def _given(request: GreetingRequest) -> str:
    """All a person typed: never held against a text."""
    return "\n".join((request.address, request.signature, *request.details))


def _without(text: str, *typed: str) -> str:
    """The text but for what the person typed, such as a name."""
    for one in filter(None, typed):
        text = text.replace(one, "")
    return text


def _fault(code: str, zh: str, en: str) -> Fault:
    return Fault(code, Sentence(zh, en))


def _form(text: str, request: GreetingRequest) -> list[Fault]:
    """Is it one finished line of Chinese, and not a piece of the prompt?"""
    faults = []
    for label in (lexicon.PROMPT_OPENING, *lexicon.PROMPT_LABELS):
        if text.startswith(label) if label == lexicon.PROMPT_OPENING else label in text:
            faults.append(_fault("echo", f"混进了填写的项目“{label}”。", f"It repeats a label of the form ({label})."))
            break
    if "\n" in text or "\r" in text:
        faults.append(_fault("newline", "中间换了行，发出去会断成几段。", "It has a line break in it."))
    if "\ufffd" in text or re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f]", text):
        faults.append(_fault("garbled", "有乱码。", "Some characters are broken."))
    given = _given(request).casefold()
    foreign = [
        run
        for run in re.findall(r"[A-Za-zＡ-Ｚａ-ｚ\u0400-\u04ff\u3040-\u30ff\uac00-\ud7af]{4,}", text)
        if run.casefold() not in given
    ]
    if foreign:
        faults.append(
            _fault("foreign", f"冒出一段外文“{foreign[0][:12]}”。", f"A foreign word slipped in: {foreign[0][:12]}.")
        )
    body = _without(text, request.address, request.signature, *request.details)
    if re.search(r"[,;:!?()](?!\d)", body):
        faults.append(_fault("punctuation", "用了半角标点。", "It has half-width punctuation."))
    if not request.signature and _SIGNED.search(text):
        faults.append(
            _fault("uninvited_signature", "没填落款，却署了名。", "It is signed although no signature was given.")
        )
    elif not (_CLOSED.search(text) or _SIGNED.search(text) or _is_signed(text, request)):
        faults.append(_fault("unfinished", "话没说完。", "The last sentence is not finished."))
    return faults


def _pronoun(text: str, request: GreetingRequest, catalog: Catalog) -> list[Fault]:
    relationship = catalog.relationship(request.relationship)
    # Somebody's quoted words keep their own pronoun; a name may contain one.
    spoken = _without(_QUOTED.sub("", text).replace("迷你", ""), request.address, request.signature)
    if relationship.pronoun == "您" and "你" in spoken:
        return [
            _fault("pronoun", f"对{relationship.zh}用了“你”。", f"It says 你 to {relationship.en.lower()}; 您 is due.")
        ]
    if relationship.pronoun == "你" and "您" in spoken and request.tone not in _TONES_THAT_PLAY:
        return [
            _fault("pronoun", f"对{relationship.zh}用了“您”，显得生分。", f"It says 您 to {relationship.en.lower()}.")
        ]
    if "你" in spoken and "您" in spoken:
        return [_fault("pronoun", "一会儿“你”一会儿“您”。", "It mixes 你 and 您.")]
    return []


def _names(text: str, request: GreetingRequest) -> list[Fault]:
    faults = []
    if request.address and request.address not in text:
        faults.append(_fault("address", f"没有叫“{request.address}”。", f"It does not say {request.address}."))
    if request.signature and not _is_signed(text, request):
        faults.append(
            _fault("signature", f"结尾没有落款“{request.signature}”。", f"It is not signed {request.signature}.")
        )
    return faults


def _is_signed(text: str, request: GreetingRequest) -> bool:
    return bool(request.signature) and text.endswith("——" + request.signature)


def _zodiac(text: str, request: GreetingRequest) -> list[Fault]:
    # 牛年 may sit in a fact the person typed: what was given is never held against the text.
    named = _animals(_without(text, request.address, request.signature)) - _animals(_given(request))
    wrong = sorted(named - {request.zodiac}, key=ZODIAC.index)
    if request.zodiac and request.zodiac not in text:
        return [_fault("zodiac", f"没有提到{request.zodiac}。", f"It does not mention the {request.zodiac}.")]
    if wrong and request.zodiac:
        return [
            _fault(
                "zodiac", f"生肖写成了{wrong[0]}，该是{request.zodiac}。", f"It names {wrong[0]}, not {request.zodiac}."
            )
        ]
    if wrong:
        return [
            _fault(
                "zodiac",
                f"没选生肖，却写了{wrong[0]}年。",
                f"It names the year of {wrong[0]}, which was not asked for.",
            )
        ]
    return []


def _animals(text: str) -> set[str]:
    """The animals whose years a text names. 小马年年进步 is about somebody called 小马."""
    return {
        animal
        for animal in ZODIAC
        if re.search(f"{animal}(?:年(?!年(?!年))|岁(?!岁(?!岁)))|属{animal}|生肖{animal}", text)
    }


def _occasion(text: str, request: GreetingRequest, catalog: Catalog) -> list[Fault]:
    given = _given(request)
    own = request.occasion
    if own not in lexicon.FESTIVAL_WORDS:  # an occasion of a catalogue of somebody's own
        return []
    mine = any(word in text for word in lexicon.FESTIVAL_WORDS[own])
    asked = catalog.occasion(own)
    for other, words in lexicon.FESTIVAL_WORDS.items():
        if other == own or other in lexicon.MAY_ALSO_NAME[own]:
            continue
        for word in words:
            # Naming another day in passing is fine when the text also names its own, except on 元旦.
            if word in text and word not in given and not (mine and own != "new_year"):
                return [_wrong_occasion(word, asked.zh, asked.en)]
    if own == "new_year":
        for word in lexicon.NOT_ON_NEW_YEARS_DAY:
            if word in text and word not in given:
                return [_wrong_occasion(word, asked.zh, asked.en)]
    belongs = lexicon.BELONGS_TO_FESTIVAL.get(own)
    if belongs and not re.search(belongs, text):
        return [_fault("occasion", f"看不出是{asked.zh}的祝福。", f"Nothing in it is about {asked.en}.")]
    return []


def _wrong_occasion(word: str, zh: str, en: str) -> Fault:
    return _fault("occasion", f"选的是{zh}，却写到“{word}”。", f"It is for {en}, yet says {word}.")


def fact_overlap(fact: str, text: str) -> float:
    """How much of a fact a text tells: share of the fact's telling characters found in the text, 0 to 1.

    Numbers count the same in digits and in words; a character of the same paraphrase group counts half.
    """
    telling = {
        character.translate(_DIGITS)
        for character in fact
        if character not in lexicon.EMPTY_CHARACTERS and character.isalnum()
    }
    if not telling:
        return 1.0
    present = set(text.translate(_DIGITS))
    score = 0.0
    for character in telling:
        if character in present:
            score += 1.0
        elif any(character in group and present.intersection(group) for group in lexicon.PARAPHRASES):
            score += 0.5
    return score / len(telling)


def _facts(text: str, request: GreetingRequest) -> list[Fault]:
    body = _without(text, request.address)
    faults = []
    for fact in request.details:
        if fact_overlap(fact, body) < FACT_OVERLAP:
            faults.append(_fault("fact", f"好像没提到“{fact}”。", f"It does not seem to mention “{fact}”."))
        elif (deed := _OWN_DEED.match(fact)) and re.search(f"[您你](?:今年|去年|刚|终于|也|又){{0,2}}{deed[1]}", body):
            faults.append(
                _fault("subject", f"“{fact}”是自己的事，写成了对方的。", f"“{fact}” is told of them, not of you.")
            )
    if told := re.search("(?:听说|得知|恭喜)我(?![们的家妈爸])", body):
        faults.append(_fault("subject", f"“{told[0]}”说不通，自己的事不用听说。", f"“{told[0]}” makes no sense."))
    given = _numbers(_given(request))
    # Spelled numbers are too often idiom (一家人, 三餐); digits are always a claim.
    for number in re.findall(r"\d+", text):
        if number.translate(_DIGITS) not in given:
            faults.append(
                _fault("invented", f"“{number}”是哪来的？没有给过这个数字。", f"The number {number} was not given.")
            )
            break
    return faults


def _numbers(given: str) -> set[str]:
    """The numbers in what a person typed, in digits, however they typed them; and what else they may be called."""
    numbers = set(re.findall(r"\d+", given.translate(_DIGITS)))
    numbers |= {str(_value(spelled)) for spelled in _SPELLED.findall(given)}
    years = {number[2:] for number in numbers if len(number) == 4}  # 26年 for 2026年
    tens_of_thousands = {number[:-4] for number in numbers if number.endswith("0000")}  # 1万 for 10000
    return numbers | years | tens_of_thousands


def _value(spelled: str) -> int:
    """A number in words, below a hundred million: 二十 is 20, 一万零五百 is 10500."""
    total = section = digit = 0
    for character in spelled:
        if character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        elif character in _POWERS:
            section, digit = section + (digit or 1) * _POWERS[character], 0
        else:
            digit = int(character.translate(_DIGITS))
    return total + section + digit


def _length(text: str, request: GreetingRequest, catalog: Catalog) -> list[Fault]:
    length = catalog.length(request.length)
    if len(text) < length.low * (1 - LENGTH_TOLERANCE):
        return [
            _fault(
                "length",
                f"太短了（{len(text)} 字，约需 {length.low} 字）。",
                f"Too short: {len(text)} of about {length.low}.",
            )
        ]
    if len(text) > length.high * (1 + LENGTH_TOLERANCE):
        return [
            _fault(
                "length",
                f"太长了（{len(text)} 字，最多约 {length.high} 字）。",
                f"Too long: {len(text)} of about {length.high}.",
            )
        ]
    return []


def _worn(text: str, given: str) -> list[Fault]:
    """Repetition, unlucky words and phrases everybody has read a hundred times."""
    faults = []
    for word in lexicon.TABOO:
        if word in text and word not in given:  # 死党 is what some are called
            faults.append(_fault("taboo", f"“{word}”不吉利。", f"“{word}” is unlucky."))
            break
    for phrase in lexicon.CLICHES:
        if phrase in text and phrase not in given:
            faults.append(_fault("cliche", f"“{phrase}”是套话。", f"“{phrase}” is a worn phrase."))
            break
    idioms = [idiom for idiom in lexicon.IDIOMS if idiom in text and idiom not in given]
    if len(idioms) > 1:
        shown = "、".join(idioms[:3])
        faults.append(_fault("cliche", f"套话连成了串：{shown}。", f"A string of worn phrases: {shown}."))
    if text.count("愿") > 2:
        faults.append(_fault("repetition", "“愿”用了三次以上。", "It says 愿 more than twice."))
    elif repeated := _repeated_run(text):
        faults.append(_fault("repetition", f"“{repeated}”说了不止一遍。", f"It repeats “{repeated}”."))
    elif variety(_SIGNED.sub("", text)) < LEAST_VARIETY:
        faults.append(_fault("repetition", "同样的字眼翻来覆去地说。", "It says the same words over and over."))
    return faults


def variety(text: str) -> float:
    """Distinct character bigrams over all of them, punctuation aside, 0 to 1 (distinct-2, Li et al. 2016,
    arXiv:1510.03055)."""
    body = re.sub(r"\W", "", text)
    bigrams = [body[i : i + 2] for i in range(len(body) - 1)]
    return len(set(bigrams)) / len(bigrams) if bigrams else 1.0


def _repeated_run(text: str) -> str:
    """A run of characters said too often: six or more twice, or four three times; empty when there is none."""
    for size, most in ((6, 1), (4, 2)):
        runs = Counter(text[i : i + size] for i in range(len(text) - size + 1))
        for run, count in runs.most_common():
            if count <= most:
                break
            if run.isalnum():
                return run
    return ""
