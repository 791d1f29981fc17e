"""Tables of every bad kind, taken to the page 群发 of the real window: every row is answered, and nothing runs."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.gui.batch_page import BatchPage
from app.gui.batch_preview import BatchPreview
from app.gui.batch_table import FACTS, NAME, TEXT
from app.gui.main_window import MainWindow
from tests.gui.waiting import wait
from tests.people.hostile_table import ROWS, hostile_table
from tests.people.live_cells import live_cells
from tests.people.test_table_import import as_nobody


@pytest.fixture
def page(window: MainWindow) -> BatchPage:
    window.pages.show_place("batch")
    page = window.pages.page
    assert isinstance(page, BatchPage)
    return page


def preview_of(page: BatchPage, path: Path) -> BatchPreview:
    page.intake.import_file(path)
    wait(lambda: page.findChildren(BatchPreview), "the preview is open")
    (preview,) = page.findChildren(BatchPreview)
    wait(preview.isVisible, "the preview is on the screen")
    return preview


def column(page: BatchPage, column: int) -> list[str]:
    return [page.table.index(row, column).data() for row in range(page.table.rowCount())]


def test_two_thousand_hostile_rows_each_get_their_answer_on_the_page(page, tmp_path):
    content, answers = hostile_table()
    path = tmp_path / "<i>名单.csv"
    path.write_bytes(content)
    preview = preview_of(page, path)
    names = [answer.name for answer in answers if answer.name]
    said = [answer for answer in answers if answer.said]
    assert preview.add.text() == f"加入 {len(names):,} 人"
    out = ROWS - len(names)
    assert preview.outcome.text() == (
        f"可以加入 {len(names):,} 人。{out:,} 行有问题，见下。{len(said) - out:,} 处请看一眼。"
    )
    sentences = [preview.sentences.item(row).text() for row in range(preview.sentences.count())]
    lines = {int(re.match(r"第 (\d+) 行", sentence)[1]): sentence for sentence in sentences}  # type: ignore[index]
    assert len(lines) == len(sentences) == len(said), "one sentence for each line that has one"
    for answer in said:
        assert answer.said in lines[answer.line]
    QTest.mouseClick(preview.add, Qt.MouseButton.LeftButton)
    wait(lambda: page.table.rowCount() == len(names), "everybody else is there")
    assert column(page, NAME) == names
    assert "=1+1" in column(page, FACTS)
    place = next(place for place, name in enumerate(names) if name and name.startswith("<b>"))
    page.view.selectRow(place)
    wait(lambda: page.detail.name.text() == names[place], "it is the row one is at")
    assert page.detail.name.textFormat() is Qt.TextFormat.PlainText
    page.batch.export(tmp_path / "out.csv", "zh_CN")
    wait(page.bar.isVisible, "it says where")
    assert not live_cells(tmp_path / "out.csv")


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "里面没有内容"),
    "a mark alone": (lambda path: path.write_bytes(b"\xef\xbb\xbf"), "里面没有内容"),
    "titles alone": (lambda path: path.write_text("姓名,关系\n", encoding="utf-8"), "只有一行标题"),
    "a folder": (lambda path: path.mkdir(), "是一个文件夹"),
    "not there": (lambda path: None, "找不到"),
    "zeros": (lambda path: path.write_bytes(bytes(5000)), "不是文字"),
    "a workbook": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "Excel"),
    "too large": (lambda path: path.write_bytes(b"x" * (65 << 20)), "超过 64 MB"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_nobody_can_be_read_from_is_one_sentence_and_nothing_else(page, tmp_path, kind):
    make, said = BAD_FILES[kind]
    path = tmp_path / "名单.csv"
    make(path)
    page.intake.import_file(path)
    wait(page.banner.isVisible, "the page says so")
    assert said in page.banner.message.text()
    assert not page.findChildren(BatchPreview) and page.table.rowCount() == 0


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
def test_a_file_that_may_not_be_read_is_said_to_be_that(page, tmp_path):
    path = tmp_path / "名单.csv"
    path.write_text("姓名\n王芳\n", encoding="utf-8")
    path.chmod(0)
    tmp_path.chmod(0o755)
    with as_nobody():
        page.intake.import_file(path)
        wait(page.banner.isVisible, "the page says so")
    assert "没有权限读" in page.banner.message.text()


def test_a_file_removed_while_it_is_looked_at_was_read_already(page, tmp_path):
    path = tmp_path / "名单.csv"
    path.write_text("姓名,关系\n王芳,朋友\n", encoding="utf-8")
    preview = preview_of(page, path)
    path.unlink()
    preview.add.click()
    wait(lambda: column(page, NAME) == ["王芳"], "she is there")


def test_formulas_are_written_to_and_exported_as_text(page, tmp_path):
    path = tmp_path / "名单.csv"
    path.write_text("姓名,关系,称呼\n=cmd|' /C calc'!A0,朋友,\n@SUM(A1),朋友,＝1\n", encoding="utf-8")
    preview_of(page, path).add.click()
    wait(lambda: page.table.rowCount() == 2, "both are there")
    page.write_or_pause()
    wait(lambda: {row.state for row in page.table.rows} == {"written"}, "both are written")
    page.batch.edit_text(page.table.rows[0].id, "=1+1;=cmd|' /C calc'!A0")
    wait(lambda: column(page, TEXT)[0].startswith("=1+1"), "the text is the person's own")
    page.batch.export(tmp_path / "out.csv", "zh_CN")
    wait(page.bar.isVisible, "it says where")
    assert not live_cells(tmp_path / "out.csv")
    assert "cmd" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
