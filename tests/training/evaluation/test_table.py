"""The table: every measure of every system, of the same requests; kept, shown, and compared with an earlier one."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from tests.training.evaluation import voices
from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate
from training.evaluation.measures import MEASURES
from training.evaluation.outputs import Output
from training.evaluation.reference import Reference
from training.evaluation.table import (
    Made,
    Table,
    check_basis,
    check_size,
    left,
    markdown,
    measured,
    read_table,
    write_table,
)
from training.records import Record

pytestmark = pytest.mark.torch
HELD_OUT = voices.records(held_out=True)
ASKED = {(record.id, variation): record.request for record in HELD_OUT for variation in ("", "name")}


def outputs() -> list[Output]:
    """A fine-tune in the right voice, and a prompt with a few sentences for everybody, one in three with a cliché."""
    lora = [each.output for each in voices.well_voiced(2, ("name",))]
    prompt = [
        replace(each.output, system="prompt", reasons=("cliche",) * (each.output.seed == 2))
        for each in voices.same_for_all(3)
    ]
    return [*lora, *prompt]


@pytest.fixture(scope="module")
def table(reference: Reference) -> Table:
    return measured(outputs(), ASKED, HELD_OUT, reference, voices.CATALOG, {"lora": 3 * 2**20})


def test_every_measure_of_every_system_is_there(table: Table):
    assert list(table.systems) == ["prompt", "lora", "corpus"]
    names = {measure.name for measure in MEASURES}
    assert all(set(figures) | {"memory"} == names for figures in table.systems.values())
    assert table.requests == len(HELD_OUT) and table.records == len(voices.records(held_out=False))
    for figures in table.systems.values():
        for figure in figures.values():
            assert figure is None or figure.low <= figure.value <= figure.high


def test_the_better_system_has_the_better_figures(table: Table):
    prompt, lora, corpus = (table.systems[system] for system in ("prompt", "lora", "corpus"))
    for name in ("tone_recognised", "relationship_recognised", "consistent_across_seeds", "frontier", "distinct_2"):
        assert lora[name].low > prompt[name].high, name
    for name in ("bigram_divergence", "self_bleu", "cliche"):
        assert lora[name].high < prompt[name].low, name
    assert prompt["guard_pass"].value == pytest.approx(2 / 3) and lora["guard_pass"].value == 1.0
    assert prompt["consistent_across_changes"] is None and lora["consistent_across_changes"] is not None
    assert corpus["seconds"] is None and corpus["tokens"] is None and lora["tokens"].value == 20
    assert corpus["tone_recognised"].value == table.readers["tone"].held_out
    assert lora["memory"] == Estimate(3.0, 3.0, 3.0) and "memory" not in corpus


def test_systems_are_compared_on_the_requests_all_answered(reference: Reference):
    kept = {record.id for record in HELD_OUT[:6]}
    partly = [output for output in outputs() if output.system == "lora" or output.request in kept]
    found = measured(partly, ASKED, HELD_OUT, reference, voices.CATALOG)
    assert found.requests == 6
    alone = measured([each for each in partly if each.request in kept], ASKED, HELD_OUT, reference, voices.CATALOG)
    assert found.systems == alone.systems


def test_where_the_requests_are_no_records_the_author_is_read_on_others(reference: Reference):
    asked = {("mine", ""): HELD_OUT[0].request, ("yours", ""): HELD_OUT[5].request}
    texts = [voices.output("lora", name, "谨贺新春，顺颂时绥。") for name, _ in asked]
    table = measured(texts, asked, HELD_OUT, reference, voices.CATALOG)
    assert table.requests == 2 and table.systems["corpus"]["tone_recognised"] is not None


def test_nothing_in_common_is_said(reference: Reference):
    two = [voices.output("lora", HELD_OUT[0].id, "好。"), voices.output("rag", HELD_OUT[1].id, "好。")]
    for texts in (two, []):
        with pytest.raises(TrainingError) as caught:
            measured(texts, ASKED, HELD_OUT, reference, voices.CATALOG)
        assert "没有一个请求是每个系统都写了的" in caught.value.sentence.zh


def test_systems_that_write_nothing_are_measured(reference: Reference):
    texts = [
        replace(voices.output(system, record.id, "", seed), reasons=("empty",))
        for system in ("prompt", "lora")
        for record in HELD_OUT
        for seed in range(2)
    ]
    figures = measured(texts, ASKED, HELD_OUT, reference, voices.CATALOG).systems["lora"]
    assert figures["guard_pass"].value == 0.0 and figures["tone_recognised"].value == 0.0
    assert figures["bigram_divergence"].value == 1.0 and figures["longest_run"].value == 0.0
    assert figures["consistent_across_seeds"] is None  # nothing differs from anything


def test_a_corpus_of_one_tone_is_measured_without_its_reader():
    formal = [record for record in voices.records(held_out=False) if record.request.tone == "formal"]
    reference = Reference.of(formal)
    assert reference.tones is None and reference.relationships is not None
    table = measured(outputs(), ASKED, HELD_OUT, reference, voices.CATALOG)
    assert table.systems["lora"]["tone_recognised"] is None and table.systems["lora"]["frontier"] is not None
    assert "只有一种语气（formal）" in table.notes[0].zh and set(table.readers) == {"relationship"}


def test_a_corpus_of_a_few_records_is_measured():
    request = HELD_OUT[0].request
    reference = Reference.of([Record("few:1", request, "新年好。"), Record("few:2", request, "过年好。")])
    assert measured(outputs(), ASKED, HELD_OUT, reference, voices.CATALOG).readers == {}
    with pytest.raises(TrainingError):
        Reference.of([])


def test_what_is_written_is_read(table: Table, tmp_path: Path):
    path = tmp_path / "measures.json"
    noted = replace(table, notes=(Sentence("甲", "a"),))
    write_table(path, noted)
    again = read_table(path)
    assert again.systems.keys() == table.systems.keys() and again.notes == noted.notes
    assert again.readers.keys() == table.readers.keys() and not left(again, table) and not left(table, again)
    before = path.read_bytes()
    write_table(path, again)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"systems": 3}', "\ufffe", "null"])
def test_what_is_no_table_is_refused(content: str, tmp_path: Path):
    path = tmp_path / "measures.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        read_table(path)
    assert "measures.json 不是" in caught.value.sentence.zh
    with pytest.raises(TrainingError):
        read_table(tmp_path / "nowhere.json")


def test_the_markdown_has_a_row_a_measure(table: Table):
    lines = markdown(table).splitlines()
    assert lines[0] == "| | 提示词 Prompt | 微调 Fine-tune | 语料原文 Corpus author |"
    assert len(lines) == len(MEASURES) + 2
    # All 24 requests are alike; of what none of them shows, 3 of 24 may.
    assert lines[2] == "| 过关率 Passes the guard | 67% (58 – 71%) | 100% (88 – 100%) | 100% (88 – 100%) |"
    tone = next(line for line in lines if "Tone recognised" in line)
    assert re.search(r"\| 50% \(\d+ – \d+%\) \|", tone), tone
    assert all(line.count("|") == 5 for line in lines)


MADE = Made("tuned.gguf", "ab" * 32, 0.4, 1.0, 0.1, 3, 0)


def test_how_a_system_was_drawn_from_is_kept_and_shown(table: Table, tmp_path: Path):
    known = replace(table, made={"lora": MADE, "prompt": replace(MADE, temperature=0.7, top_p=0.9)})
    write_table(tmp_path / "measures.json", known)
    assert read_table(tmp_path / "measures.json").made == known.made
    lines = markdown(known).splitlines()
    assert lines[2] == "| 模型 Model | tuned.gguf | tuned.gguf | — |"
    prompt, lora = lines[3].split(" | ")[1:3]
    assert "温度 0.4，min-p 0.1，每个请求 3 条" in lora and "temperature 0.4, min-p 0.1, 3 texts a request" in lora
    assert "temperature 0.7, min-p 0.1, top-p 0.9" in prompt
    assert known.title("lora").en == "Fine-tune (temperature 0.4)" and known.title("corpus").en == "Corpus author"


def test_the_author_of_a_request_that_asks_for_less_than_the_record_is_nobody(reference: Reference):
    """`reading requests --plain` keeps the id of a record, not its facts."""
    first, second, *others = HELD_OUT
    told = replace(first, request=replace(first.request, details=("升职了",)))
    texts = [voices.output("lora", record.id, "谨贺新春，顺颂时绥。") for record in (first, second)]

    def author(*held_out: Record) -> Estimate | None:
        """What depends on which texts are the author's, and not on what they were asked for."""
        return measured(texts, ASKED, held_out, reference, voices.CATALOG).systems["corpus"]["bigram_divergence"]

    assert author(first, second, *others) == author(first, second)  # the very texts
    assert author(told, second, *others) != author(first, second)  # texts of others, evenly spread


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ({"requests_sha256": "c"}, "other requests"),
        ({"corpus_sha256": "c"}, "another corpus"),
    ],
)
def test_figures_of_something_else_are_not_compared_with(table: Table, old: dict[str, str], said: str):
    path = Path("old.json")
    check_basis(path, replace(table, requests_sha256="a", corpus_sha256="b"), "a", "b")
    check_basis(path, table, "a", "b")  # of before hashes were kept
    with pytest.raises(TrainingError) as caught:
        check_basis(path, replace(table, **{"requests_sha256": "a", "corpus_sha256": "b"} | old), "a", "b")
    assert said in caught.value.sentence.en and "old.json" in caught.value.sentence.zh


def test_figures_of_more_or_fewer_requests_or_records_are_not_compared_with(table: Table):
    check_size(Path("old.json"), table, table)
    for changed in (replace(table, requests=5), replace(table, records=7)):
        with pytest.raises(TrainingError) as caught:
            check_size(Path("old.json"), changed, table)
        assert ("5 requests, not 24" in caught.value.sentence.en) == (changed.requests == 5)


def test_a_table_of_before_sampling_and_hashes_were_kept_is_read(table: Table, tmp_path: Path):
    path = tmp_path / "measures.json"
    write_table(path, table)
    raw = json.loads(path.read_text(encoding="utf-8"))
    for key in ("made", "requests_sha256", "corpus_sha256"):
        del raw[key]
    path.write_text(json.dumps(raw), encoding="utf-8")
    old = read_table(path)
    assert old.made == {} and old.requests_sha256 == "" and not left(old, table)


def test_a_figure_that_left_its_interval_is_named(table: Table):
    figures = dict(table.systems["lora"])
    figures["tone_recognised"] = Estimate(0.1, 0.0, 0.2)
    figures["seconds"] = Estimate(99.0, 99.0, 99.0)  # another machine
    figures["cliche"] = None
    changed = replace(table, systems={**table.systems, "lora": figures})
    said = [sentence.en for sentence in left(table, changed)]
    assert len(said) == 2 and "tone_recognised) is 10%, outside the earlier" in said[0]
    assert "(cliche) was not measured this time" in said[1]
    gone = replace(table, systems={"prompt": table.systems["prompt"]})
    assert len(left(table, gone)) > len(MEASURES)
