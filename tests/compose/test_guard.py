"""The guard finds what is wrong and leaves alone what people wrote by hand."""

import json
from collections import Counter
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from app.compose.guard import check, fact_overlap, never_right
from app.compose.request import make_request

CATALOG = load_catalog()
CORPUS = Path(__file__).resolve().parents[2] / "training" / "corpus"


def codes(text: str, **fields: object) -> set[str]:
    request = make_request(CATALOG, {"relationship": "boss", "tone": "formal", "length": "short"} | fields)
    return {fault.code for fault in check(text, request, CATALOG)}


GOOD = "王总，给您拜年。您逐页改过的方案，我一直留在手边。"


def test_a_good_text_has_no_fault():
    assert codes(GOOD, address="王总", details=["领导逐页改过我的方案"]) == set()


@pytest.mark.parametrize(
    ("text", "fields", "code"),
    [
        ("王总，给你拜年。那份方案，我一直留在手边。", {}, "pronoun"),
        ("妈，给你拜年。汤我热好了，回来就能喝上一碗。", {"relationship": "parents", "tone": "warm"}, "pronoun"),
        ("阿哲，给您拜年了，新的一年咱俩接着一起跑步吧。", {"relationship": "close_friend", "tone": "warm"}, "pronoun"),
        ("张姐，您先歇着，你家门口的雪我顺手给扫干净了。", {"relationship": "neighbor"}, "pronoun"),
        (GOOD, {"address": "李主任"}, "address"),
        (GOOD, {"signature": "小李"}, "signature"),
        (GOOD[:-1] + "——小李", {}, "uninvited_signature"),
        (GOOD, {"zodiac": "马"}, "zodiac"),
        ("王总，羊年好，给您拜年。马年的方案我还留着。", {"zodiac": "马"}, "zodiac"),
        ("王总，蛇年安好。您逐页改过的方案，我一直留着。", {}, "zodiac"),
        ("王总，元宵安好。您逐页改过的方案，我一直留着。", {}, "occasion"),
        ("王总，给您拜年。您逐页改过的方案，我一直留着。", {"occasion": "new_year"}, "occasion"),
        ("王总，除夕安康。您逐页改过的方案，我一直留着。", {"occasion": "lantern_festival"}, "occasion"),
        ("王总安好。您逐页改过的方案，我一直留在手边。", {"occasion": "lantern_festival"}, "occasion"),
        (GOOD, {"details": ["女儿考上大学了"]}, "fact"),
        ("李老师，新春安好。得知您考上研究生，我很高兴。", {"details": ["我考上研究生了"]}, "subject"),
        ("李老师，新春安好。听说您今年又考上了研究生，恭喜。", {"details": ["我考上研究生了"]}, "subject"),
        ("陈主任，过年好。听说我生病了，您也该歇一歇了。", {"details": ["我生病时批了长假"]}, "subject"),
        ("王总，给您拜年。您改过的38页方案，我一直留着。", {}, "invented"),
        ("王总，给您拜年。您改过的8页方案，我一直都留着。", {"details": ["改过38页方案"]}, "invented"),
        ("王总，马年年年顺心，给您拜年，方案我一直留着呢。", {}, "zodiac"),
        ("王总好。", {}, "length"),
        (GOOD * 3, {}, "length"),
        (GOOD * 2, {"length": "medium"}, "repetition"),
        ("愿您安，愿您康，愿您今年事事都有好的着落，王总。", {}, "repetition"),
        ("祝您出门见喜，进门见福，进门见喜，再出门见福。", {}, "repetition"),
        ("王总，给您拜年。那份方案您改死了也没关系，我来。", {}, "taboo"),
        ("值此新春，谨向王总拜年，您改过的方案我一直留着。", {}, "cliche"),
        ("王总，祝您万事如意，身体健康，来年也多多指点我。", {}, "cliche"),
        ("王总，给您拜年。您逐页改过的方案，我一直留在", {}, "unfinished"),
        ("王总，给您拜年,您逐页改过的方案，我一直留在手边。", {}, "punctuation"),
        ("王总，给您拜年。\n您逐页改过的方案，我一直留着。", {}, "newline"),
        ("关系：领导，王总，给您拜年。您改过的方案我留着。", {}, "echo"),
        ("写祝福：王总，给您拜年。您改过的方案我还留着。", {}, "echo"),
        ("王总，给您拜年。function 您改过的方案我留着。", {}, "foreign"),
        ("王总，给您拜年。您改过的\ufffd方案我一直留着。", {}, "garbled"),
        ("  ", {}, "empty"),
    ],
)
def test_each_fault_is_found(text: str, fields: dict, code: str):
    assert code in codes(text, **fields)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("妈，过年好。我爸说“你妈最辛苦”，今年碗都归我洗。", {"relationship": "parents", "tone": "warm"}),
        ("老韩，牛年春家的招牌擦亮了，给你道一声过年好！", {"relationship": "friend", "details": ["开了牛年春饭馆"]}),
        ("王总，除夕守岁刚过，给您拜年，方案我一直留着。", {}),
        ("李老师，新春安好。我考上研究生了，先告诉您一声。", {"details": ["我考上研究生了"]}),
        ("Kevin总，给您拜年。您逐页改过的方案我一直留着。", {"address": "Kevin总"}),
        ("师傅，四十一次任务，您一次都没落下。过年好！", {"relationship": "senior", "details": ["出了41次任务"]}),
        ("王总，祝您新的一年少熬夜，多笑一笑，过年好😄", {}),
        ("王总，给您拜年。您改过的方案，我一直留在手边。——小李", {"signature": "小李"}),
        ("王总，给您拜年。您改过的方案我还留着。——小李，小王", {"signature": "小李；小王"}),
        ("王总，给您拜年。您改过的方案，我留着。——小李(财务部)", {"signature": "小李(财务部)"}),
        ("王总，过年好。公司上市(科创板)了，您该歇歇。", {"details": ["公司上市(科创板)"]}),
        ("师傅，41次任务，您一次都没落下。过年好，多歇歇！", {"relationship": "senior", "details": ["出了４１次任务"]}),
        ("王总，过年好。20年了，您的座位还在窗边，茶也热着。", {"details": ["工作满二十年"]}),
        ("王总，过年好。您读完的105本书，架子上我都摆好了。", {"details": ["读了一百零五本书"]}),
        ("王总，过年好。26年的第一杯茶，我先敬您，您慢慢喝。", {"details": ["2026年喝茶"]}),
        ("小马年年进步，过年好！新书包我给你放在门口了啊。", {"relationship": "child", "address": "小马"}),
        ("死党，过年好！去年那锅火锅我还记着，今年我来请。", {"relationship": "close_friend", "address": "死党"}),
        ("王总，过年好。听说拿到Offer了，我替您高兴了一天。", {"details": ["儿子拿到offer"]}),
    ],
)
def test_what_only_looks_like_a_fault_is_none(text: str, fields: dict):
    assert codes(text, **fields) == set()


@pytest.mark.parametrize(
    ("fields", "avoided"),
    [
        ({"relationship": "teacher", "tone": "warm"}, ("你",)),
        ({"relationship": "lover", "tone": "warm"}, ("您",)),
        ({"relationship": "lover", "tone": "humorous"}, ()),
        ({"relationship": "neighbor", "tone": "warm"}, ()),
        ({"relationship": "teacher", "tone": "warm", "signature": "想念你的学生"}, ()),
    ],
)
def test_the_wrong_pronoun_is_not_even_written(fields: dict, avoided: tuple[str, ...]):
    assert never_right(make_request(CATALOG, fields), CATALOG) == avoided


def test_facts_are_found_in_other_words_and_missed_when_absent():
    assert fact_overlap("出了41次任务", "四十一次任务，一次没落下") > 0.5
    assert fact_overlap("搬了新家", "新居的灯亮了") >= 0.2
    assert fact_overlap("第一次上门", "您二位先请坐，我先给您倒一杯热茶") < 0.2
    assert fact_overlap("女儿考上大学了", "汤在锅里，灯给您留着") < 0.2


def test_the_hand_written_corpus_passes():
    """False alarms: under 7.5 % of records, nearly all of them facts told in wholly other words."""
    faults: Counter[str] = Counter()
    refused = records = 0
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            text = record.pop("text")
            found = check(text, make_request(CATALOG, record), CATALOG)
            records += 1
            refused += bool(found)
            faults.update(fault.code for fault in found)
    assert records > 4000
    assert refused / records < 0.075
    assert sum(count for code, count in faults.items() if code != "fact") < 20


def test_five_thousand_characters_are_checked_at_once():
    assert "length" in codes("好" * 5000)
    assert codes("，" * 5000)
