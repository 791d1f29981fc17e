"""Of two thousand rows, all of them hostile in their ways, every one is answered, and nobody else pays for it."""

from pathlib import Path

from app.compose.catalog import load_catalog
from app.people.table_import import people_in, read_file
from tests.people.hostile_table import ROWS, hostile_table


def test_two_thousand_hostile_rows_each_get_their_answer(tmp_path: Path) -> None:
    content, answers = hostile_table()
    path = tmp_path / "名单.csv"
    path.write_bytes(content)
    catalog = load_catalog()
    table = read_file(path, catalog)
    found = people_in(table, table.meanings, catalog)
    assert len(answers) == ROWS
    assert [person.name for person in found.people] == [answer.name for answer in answers if answer.name]
    left_out = {problem.number: problem.sentence for problem in found.left_out}
    remarks = {problem.number: problem.sentence for problem in found.remarks}
    assert set(left_out) == {answer.line for answer in answers if answer.name is None}
    for answer in answers:
        sentence = (left_out if answer.name is None else remarks).get(answer.line)
        assert (sentence is not None) == bool(answer.said), answer
        if sentence is not None:
            assert sentence.zh.startswith(f"第 {answer.line} 行") and answer.said in sentence.zh, sentence
            assert f"Line {answer.line}" in sentence.en, sentence
