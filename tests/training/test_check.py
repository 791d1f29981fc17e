"""``python -m training check``: every kind of fault is found, and nothing hides another or ends in a traceback."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.compose.catalog import load_catalog
from tests.training.test_records import ROOT, write
from training.check import check_corpus
from training.records import CORPUS, corpus_lines

CATALOG = load_catalog()
GOOD = {
    "relationship": "boss",
    "tone": "warm",
    "occasion": "spring_festival",
    "length": "short",
    "text": "过年好。门口的灯换了新的，您晚归也看得清路。",
}
FRIEND = {
    "relationship": "friend",
    "tone": "formal",
    "occasion": "spring_festival",
    "length": "short",
    "text": "新春安好。书已读毕，年后带去还你，顺便喝茶。",
}


def told(folder: Path, where: str) -> list[str]:
    """What the check says of one place, in English, absent and thin cells aside."""
    return [fault.sentence.en for fault in check_corpus(folder, CATALOG).faults if fault.where == where]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"adress": "王总"}, "unknown key, the nearest is address"),
        ({"tone": None}, "tone must be text"),
        ({"length": ["short"]}, "length must be text"),
        ({"zodiac": ""}, "zodiac is empty"),
        ({"relationship": "bos"}, "unknown relationship, the nearest is boss"),
        ({"occasion": "christmas"}, "unknown occasion"),
        ({"text": "过年好。门口的灯换了新的，\n您晚归也看得清路。"}, "stray white space"),
        ({"text": "过年好。门口的灯换了新的，您晚归也看得清路。 "}, "stray white space"),
        ({"text": "过年好。门口的灯换了新的，您\x00晚归也看得清路。"}, "an invisible character"),
        ({"text": "过年好。门口的灯换了新的,您晚归也看得清路。"}, "half-width punctuation"),
        ({"text": "过年好。灯换新了看路。"}, "short text has 11 characters, not 12 to 30"),
        ({"text": "过年好。门口的灯换了新的，您晚归也看得清，慢慢走不用太着急。"}, None),
        ({"text": "过年好。门口的灯换了新的，您晚归也看得清，慢慢走不用那么着急。"}, "has 31 characters"),
        ({"address": "王总"}, "the address is not in the text"),
        ({"address": "王" * 21}, "at most 20"),
        ({"signature": "小李"}, "the signature does not close the text"),
        ({"text": GOOD["text"][:-1]}, "no closing punctuation"),
        ({"text": GOOD["text"] + "——小李"}, "signed although no signature was given"),
        ({"zodiac": "猫"}, "zodiac must be one of"),
        ({"zodiac": "马"}, "the 马 is not in the text"),
        ({"text": "马年好。门口的灯换了新的，您晚归也看得清路。"}, "names a zodiac year that was not given"),
        ({"zodiac": "马", "text": "牛年好。门口的马灯换了新的，您晚归看得清路。"}, "names 牛, not 马"),
        ({"details": []}, "1 to 2 facts"),
        ({"details": ["换了灯的", "看得清的", "路很长的"]}, "1 to 2 facts"),
        ({"details": "换了灯"}, "1 to 2 facts"),
        ({"details": ["换灯"]}, "a fact has 2 characters"),
        ({"details": ["换" * 21]}, "a fact has 21 characters"),
        ({"details": [3]}, "a fact must be text"),
        ({"details": ["换了灯；看得清"]}, "details reads otherwise in the prompt"),
        ({"text": "过年好。门口的灯换了新的，你晚归也看得清路。"}, "你 to somebody who is 您"),
        ({"text": "过年好。门口的迷你灯换了，您晚归也看得清路。"}, None),
        ({"text": "过年好。让我们把灯换成新的，您晚归看得清路。"}, "a cliché"),
        ({"text": "过年好。祝您万事如意，身体健康，灯给您留着。"}, "a string of clichés"),
        ({"text": "过年好。绝症也好，丧气也好，灯给您留着的。"}, "a taboo word"),
        ({"text": "愿灯亮，愿路平，愿您晚归看得清，过年好。"}, "愿 3 times"),
    ],
)
def test_a_fault_of_a_record_is_found(change: dict, said: str | None, tmp_path: Path):
    write(tmp_path, "boss.jsonl", GOOD, {**GOOD, "text": "元宵那碗汤圆还热，您尝尝，不够我再盛来。", **change})
    write(tmp_path, "boss-2.jsonl", {**GOOD, **change})
    found = told(tmp_path, "boss-2.jsonl:1")
    assert any(said in each for each in found) if said else not found, found
    assert not told(tmp_path, "boss.jsonl:1") or "nearly repeats" in told(tmp_path, "boss.jsonl:1")[0]


def test_every_fault_of_a_record_is_told_at_once(tmp_path: Path):
    broken = {"tone": "warmm", "adress": "x", "length": 3, "details": [1], "text": "让我们死,"}
    write(tmp_path, "boss.jsonl", broken)
    found = " | ".join(told(tmp_path, "boss.jsonl:1"))
    for said in (
        *("unknown key", "relationship is missing", "occasion is missing", "unknown tone", "length must be text"),
        *("a fact must be text", "half-width", "no closing punctuation", "a cliché", "a taboo word"),
    ):
        assert said in found


def test_nothing_in_a_file_hides_the_faults_of_another_line(tmp_path: Path):
    lines: list[object] = [
        *(b"{", b"[1, 2]", b"null", b"[" * 9000, b'{"a":' * 1500, b"1" * 6000, b"\0" * 50, b"\xff\xfe{", b"x" * 20_000),
        json.dumps(GOOD, ensure_ascii=False).encode("gbk"),
        b'{"text": "a", "text": "b"}',
        b'{"text": NaN}',
    ]
    for key in (*GOOD, "address", "zodiac", "details", "signature"):
        lines += [{**GOOD, key: value} for value in (None, 3, True, 1.5, [], {}, [[[]]], "\x00", "\ud800", "长" * 2000)]
    write(tmp_path, "boss.jsonl", *lines, {**GOOD, "text": "愿愿愿"})
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "split.json").write_bytes(b"[" * 100_000)
    done = check_step("--corpus", tmp_path, "--counts")
    assert done.returncode == 1 and not done.stderr
    places = {line.split(": ")[0] for line in done.stdout.splitlines()}
    assert {f"boss.jsonl:{number}" for number in range(1, len(lines) + 2)} <= places
    assert {"folder.jsonl", "split.json"} <= places
    assert re.search(r"boss.jsonl:12: .*text must be text", done.stdout)
    assert re.search(rf"boss.jsonl:{len(lines) + 1}: .*愿 3 times", done.stdout)


def test_lines_are_counted_as_training_counts_them(tmp_path: Path):
    """With the mark some editors put first, and line ends that were converted twice."""
    line = json.dumps(GOOD, ensure_ascii=False)
    (tmp_path / "boss.jsonl").write_bytes(f"\ufeff{line}\r\r\n{line}\r\n[1]\r\n".encode())
    done = check_step("--corpus", tmp_path)
    assert [name for name, _ in corpus_lines(tmp_path)] == ["boss:1", "boss:3", "boss:4"]
    assert "boss.jsonl:4: " in done.stdout and "not JSON" not in done.stdout


def test_a_text_that_repeats_another_is_found_across_files_and_under_other_names(tmp_path: Path):
    text = "{}，过年好。您教的那手绝活，我练到能听响辨料了，回头露一手给您瞧。{}"
    write(tmp_path, "senior.jsonl", {**GOOD, "length": "medium", "text": text.format("陈师傅", "")})
    again = {
        "address": "欧阳老先生",
        "signature": "您的关门弟子小满",
        "text": text.format("欧阳老先生", "——您的关门弟子小满"),
    }
    write(tmp_path, "teacher.jsonl", FRIEND, {**GOOD, **again, "length": "medium"})
    assert told(tmp_path, "teacher.jsonl:2") == ["nearly repeats senior.jsonl:1 (100%)"]
    assert not told(tmp_path, "senior.jsonl:1")


def test_five_thousand_copies_are_told_in_seconds(tmp_path: Path):
    write(tmp_path, "boss.jsonl", *({**GOOD, "text": f"{GOOD['text'][:-1]}{chr(0x4E00 + i)}。"} for i in range(5000)))
    faults = check_corpus(tmp_path, CATALOG).faults
    assert sum("nearly repeats" in fault.sentence.en for fault in faults) == 4999


def test_a_held_out_record_near_to_a_training_one_is_found(tmp_path: Path):
    near = "元旦大吉！新年第一声锣，替二老敲开福气门！", "元旦大吉！新年第一声锣归您敲，咣，全城都亮啦！"
    write(tmp_path, "boss.jsonl", *({**GOOD, "text": text} for text in near), GOOD)
    write(tmp_path, "friend.jsonl", FRIEND)
    (tmp_path / "split.json").write_text('{"validation": ["boss:2"], "test": ["friend:1"]}')
    assert any("near to boss.jsonl:1 of another part" in each for each in told(tmp_path, "boss.jsonl:2"))
    assert not told(tmp_path, "friend.jsonl:1")
    (tmp_path / "split.json").write_text('{"validation": ["boss:2", "boss:1"], "test": ["friend:1"]}')
    assert not any("another part" in each for each in told(tmp_path, "boss.jsonl:2"))
    (tmp_path / "split.json").write_text('{"validation": ["boss:9"], "test": []}')
    assert "not in the corpus" in told(tmp_path, "split.json")[0]


def test_texts_of_a_cell_that_open_alike_are_found_whatever_the_name(tmp_path: Path):
    names = ("王总", "欧阳主任", "老李")
    texts = ("新岁顺遂。今晚不谈工作。", "新岁顺遂。山里的雪化了。", "新岁顺遂。您那盆兰花开了。")
    records = [{**GOOD, "address": name, "text": f"{name}，{text}"} for name, text in zip(names, texts, strict=True)]
    write(tmp_path, "boss.jsonl", *records)
    assert told(tmp_path, "boss.jsonl:3") == ["3 texts of the cell open alike"]
    write(tmp_path, "boss.jsonl", *records[:2], GOOD)
    assert not told(tmp_path, "boss.jsonl:3")


def product_corpus(folder: Path) -> Path:
    """A copy of the product's corpus to spoil."""
    lines: dict[str, list[str]] = {}
    for name, line in corpus_lines(CORPUS):
        lines.setdefault(name.partition(":")[0], []).append(line)
    for stem, of_file in lines.items():
        write(folder, f"{stem}.jsonl", *of_file)
    return folder


def test_absent_and_thin_cells_are_found(tmp_path: Path):
    product_corpus(tmp_path)
    for path in tmp_path.glob("boss*.jsonl"):
        kept = [line for line in path.read_text(encoding="utf-8").splitlines() if '"concise"' not in line]
        path.write_text("\n".join(kept), encoding="utf-8")
    for path in tmp_path.glob("team-?.jsonl"):
        kept = [line for line in path.read_text(encoding="utf-8").splitlines() if '"poetic"' not in line]
        path.write_text("\n".join(kept), encoding="utf-8")
    faults = {fault.where: str(fault) for fault in check_corpus(tmp_path, CATALOG).faults}
    assert "一条也没有：concise" in faults["boss"]
    assert "only 10 records, at least 22 wanted" in faults["team × poetic"]


def test_a_phrase_in_too_many_texts_and_an_image_used_twice_are_found(tmp_path: Path):
    product_corpus(tmp_path)
    worn = "，日子越过越像蜜罐子开了盖，{}。"
    clauses = ("兄弟", "钓鱼", "搬砖", "唱戏", "跑步", "养花", "下棋", "写字")
    write(tmp_path, "worn.jsonl", *({**FRIEND, "text": each + worn.format(each)} for each in clauses))
    image = "雨水敲着铁皮烟囱"
    write(
        *(tmp_path, "image.jsonl"),
        {**GOOD, "tone": "poetic", "text": f"{image}，您听，是开春的第一封电报。"},
        {**GOOD, "tone": "poetic", "text": f"夜里{image}，像有人替您数日子。"},
    )
    write(
        *(tmp_path, "asked.jsonl"),
        {
            **GOOD,
            "tone": "formal",
            "details": ["他修好了铁皮烟囱漏雨"],
            "text": "铁皮烟囱漏雨的毛病您修好了，炉火正旺。",
        },
        {**GOOD, "tone": "formal", "details": ["我家铁皮烟囱漏雨"], "text": "我家铁皮烟囱漏雨，承您指点，已补妥了。"},
    )
    faults = [str(fault) for fault in check_corpus(tmp_path, CATALOG).faults]
    assert any("worn.jsonl:1: “日子越过越像蜜罐子开了盖”用了 8 条" in fault for fault in faults)
    assert any(fault.startswith("image.jsonl:2: 和 image.jsonl:1 用了同一个意象") for fault in faults)
    assert not any("asked.jsonl" in fault and "意象" in fault for fault in faults), "both were asked for"


def check_step(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The check as a person runs it."""
    command = [sys.executable, "-m", "training", "check", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_corpus_of_the_product_is_without_a_fault():
    done = check_step("--counts")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "4921 条记录，168 格，0 处问题 / 4921 records, 168 cells, 0 faults"
    assert "train 4585, validation 168, test 168" in done.stdout


def test_the_numbers_of_the_data_card_are_those_of_the_corpus():
    counts = check_step("--counts").stdout
    card = (CORPUS / "README.md").read_text(encoding="utf-8")
    for line in re.findall(r"```text\n(.*?)```", card, re.S)[0].splitlines():
        assert line in counts.splitlines(), line


def test_a_folder_without_a_corpus_is_a_sentence(tmp_path: Path):
    done = check_step("--corpus", tmp_path)
    assert done.returncode == 1 and "There is no corpus" in done.stderr and "Traceback" not in done.stderr
