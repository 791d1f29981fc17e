"""Pictures: the same figures, the same bytes, and every letter drawn rather than asked of a machine's fonts."""

from pathlib import Path

import pytest

from training.errors import TrainingError
from training.evaluation.bootstrap import Estimate
from training.evaluation.pictures import draw_all
from training.evaluation.runs import Run, read_runs
from training.evaluation.table import Table

pytestmark = pytest.mark.torch
NAMES = ("style-consistency", "data-quality", "data-size")


def figures(value: float) -> dict[str, Estimate | None]:
    names = ("tone_recognised", "consistent_across_seeds", "consistent_across_changes", "guard_pass")
    return {**{name: Estimate(value, value - 0.05, value + 0.05) for name in names}, "cliche": None}


TABLE = Table(10, 100, {}, (), {"prompt": figures(0.3), "rag": figures(0.35), "lora": figures(0.6)})
RUNS = (
    Run("whole", 4000, 0.0, "", figures(0.6)),
    Run("half", 2000, 0.0, "", figures(0.5)),
    Run("poor", 4000, 0.5, "shuffled", figures(0.3)),
    Run("worse", 4000, 0.75, "$\\frac{<b>}", figures(0.2)),
)


def test_the_same_figures_give_the_same_bytes(tmp_path: Path):
    drawn = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        drawn.append(draw_all(TABLE, RUNS, tmp_path / name))
    one, other = drawn
    assert [file.name for file in one] == [f"{name}{suffix}" for name in NAMES for suffix in (".svg", ".png")]
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]


def test_they_need_no_font_and_no_network(tmp_path: Path, recwarn: pytest.WarningsRecorder):
    for file in draw_all(TABLE, RUNS, tmp_path):
        if file.suffix == ".png":
            assert file.read_bytes().startswith(b"\x89PNG")
            continue
        svg = file.read_text(encoding="utf-8")
        assert "<text" not in svg and "<image" not in svg and "<b>" not in svg
        assert 'href="http' not in svg and "url(http" not in svg
    assert not [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)]


def test_only_what_there_are_figures_for_is_drawn(tmp_path: Path):
    assert [file.stem for file in draw_all(TABLE, (), tmp_path)] == ["style-consistency"] * 2
    assert {file.stem for file in draw_all(TABLE, RUNS[:1] + RUNS[2:3], tmp_path)} == {NAMES[0], NAMES[1]}
    empty = Table(1, 1, {}, (), {"prompt": {"guard_pass": None}})
    assert draw_all(empty, (), tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(TrainingError) as caught:
        draw_all(TABLE, (), tmp_path / "nowhere")
    assert "nowhere" in caught.value.sentence.zh


def test_a_study_s_result_is_read(tmp_path: Path):
    path = tmp_path / "study.json"
    path.write_text(
        '{"steps": 3, "runs": [{"name": "a", "records": 9, "share_poor": 0, "kind": "", "measures": '
        '{"cliche": null, "guard_pass": {"value": 1, "low": 0.5, "high": 1}}}]}',
        encoding="utf-8",
    )
    assert read_runs(path) == (Run("a", 9, 0.0, "", {"cliche": None, "guard_pass": Estimate(1.0, 0.5, 1.0)}),)
    for content in ('{"runs": []}', '{"runs": [{"name": "a"}]}', "[]", "{", '{"runs": 3}'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(TrainingError) as caught:
            read_runs(path)
        assert "study.json 不是" in caught.value.sentence.zh
