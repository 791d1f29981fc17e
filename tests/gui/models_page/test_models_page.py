"""The page 模型 does what a person asks of it."""

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from app.compose.sentence import Sentence
from app.gui.column_scroll import FlowingColumn
from app.gui.engine_bridge import Engine
from app.gui.main_window import MainWindow
from app.gui.models_page import ModelsPage
from app.gui.models_row import Doing
from app.gui.settings_page import SettingsPage
from app.gui.writing_session import State as Writing
from app.models.inventory import State
from app.models.manifest import load_manifest
from tests.gui.conftest import STAND_IN
from tests.gui.models_page.bench import PATIENCE, STANDING_STILL, Open, idle, part_of, press, state_of
from tests.gui.waiting import settle, wait
from tests.hub_server import HubServer
from tests.models.manifests import base_of, write_manifest


def test_what_can_be_fetched_is_named_with_its_size_and_licence(open_page: Open) -> None:
    page = open_page()
    row = page.rows["tiny"]
    assert row.title.text() == "小模型" and "约 " in row.facts.text() and "MIT" in row.facts.text()
    assert "微调过" in row.facts.text() and "没有微调" in page.rows["base"].facts.text()
    assert "来自：someone/base-GGUF" in row.facts.text()
    assert row.good_for.text() == "做测试"
    assert row.main.text() == "下载" and not row.verify.isVisible() and not row.remove.isVisible()
    assert not page.looking.isVisible()


def test_it_downloads_pauses_resumes_after_a_restart_builds_and_opens(
    open_page: Open, hub: HubServer, folder: Path, manifest: Path
) -> None:
    hub.behaviour.stalls = [1_000_000, *STANDING_STILL]
    page = open_page()
    part = part_of(folder, manifest)
    row = page.rows["tiny"]
    press(row.main)
    wait(lambda: part.exists() and part.stat().st_size == 1_000_000, "a part is here", PATIENCE)
    wait(lambda: "1 / " in row.figures.text(), "how much is here is said", PATIENCE)
    assert row.main.text() == "暂停" and row.bar.value() > 0
    assert not page.import_button.isEnabled() and not page.rows["base"].main.isEnabled(), "one thing at a time"
    press(row.main)
    idle(page)
    wait(lambda: state_of(page, "tiny") is State.BEGUN, "it is paused")
    assert row.main.text() == "继续下载" and "已下载 1 MB" in row.fault.text()
    page.window().close()
    hub.behaviour.stalls = []

    again = open_page()
    row = again.rows["tiny"]
    assert row.main.text() == "继续下载" and "已下载 1 MB" in row.fault.text()
    press(row.main)
    wait(lambda: state_of(again, "tiny") is State.READY, "it is built", PATIENCE)
    idle(again)
    assert hub.downloads[-1].range == "bytes=1000000-"
    window = again.window()
    assert isinstance(window, MainWindow)
    wait(lambda: window.engine.state is Engine.READY, "it is opened by itself", PATIENCE)
    assert row.mark.text() == "正在使用" and not row.main.isVisible()
    assert again.rows["base"].main.text() == "使用", "what it was built from is shared, not fetched again"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_program_goes_on_where_it_was(open_page: Open, hub: HubServer, folder: Path, manifest: Path) -> None:
    hub.behaviour.stalls = [700_000, *STANDING_STILL]
    page = open_page()
    press(page.rows["base"].main)
    part = part_of(folder, manifest)
    wait(lambda: part.exists() and part.stat().st_size == 700_000, "a part is here", PATIENCE)
    os.kill(page.process.pid, signal.SIGKILL)
    wait(page.banner.isVisible, "it says that the program stopped", PATIENCE)
    assert "意外停下" in page.banner.message.text() and "已做完的部分还在" in page.banner.message.text()
    idle(page)
    hub.behaviour.stalls = []
    press(page.rows["base"].main)
    wait(lambda: state_of(page, "base") is State.READY, "it is there", PATIENCE)
    assert hub.downloads[-1].range == "bytes=700000-"


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_a_server_that_refuses_is_a_sentence_and_can_be_tried_again(
    open_page: Open, hub: HubServer, folder: Path, status: int
) -> None:
    folder.mkdir()
    (folder / "fetching.yaml").write_text("source: hub\n", encoding="utf-8")
    hub.behaviour.metadata_status = status
    page = open_page()
    press(page.rows["base"].main)
    wait(page.banner.isVisible, "it is said", PATIENCE)
    said = page.banner.message.text()
    assert "到左边“模型”页的“下载设置”里换来源。" in said and "HF_ENDPOINT" not in said
    assert f"HTTP {status}" in said and "软件包索引" in said and "hub_refused" in page.banner.details.text.toPlainText()
    idle(page)
    hub.behaviour.metadata_status = 200
    press(page.rows["base"].main)
    assert not page.banner.isVisible()
    wait(lambda: state_of(page, "base") is State.READY, "it is there", PATIENCE)


def test_a_line_cut_again_and_again_is_taken_up_and_a_wrong_file_refused(
    open_page: Open, hub: HubServer, folder: Path
) -> None:
    folder.mkdir()
    (folder / "fetching.yaml").write_text("source: hub\n", encoding="utf-8")
    right = hub.content
    hub.behaviour.cuts = [900_000, 1_000_000]
    hub.content = right[:-1] + b"\1"
    hub.behaviour.linked_etag = "opaque"
    page = open_page()
    press(page.rows["base"].main)
    wait(page.banner.isVisible, "it is said", PATIENCE)
    assert "校验和对不上" in page.banner.message.text()
    assert [request.range for request in hub.downloads] == [None, "bytes=900000-", "bytes=1900000-"]
    idle(page)
    assert state_of(page, "base") is State.ABSENT, "nothing is kept of a wrong file"
    hub.content = right
    press(page.rows["base"].main)
    wait(lambda: state_of(page, "base") is State.READY, "it is there", PATIENCE)


def test_a_full_disk_is_said_before_anything_is_fetched(
    open_page: Open, hub: HubServer, manifest: Path, base_file: Path, tiny_adapter: Path
) -> None:
    write_manifest(manifest, base_of(base_file.read_bytes()), tiny_adapter, size=10**15)
    page = open_page()
    press(page.rows["tiny"].main)
    wait(page.banner.isVisible, "it is said", PATIENCE)
    said = page.banner.message.text()
    assert "磁盘空间不够" in said and "1,000,000" in said and "只剩" in said and "腾出" in said
    idle(page)
    assert hub.requests == []


def test_switching_while_writing_keeps_what_is_written_and_goes_on_with_the_other(
    open_page: Open, folder: Path, manifest: Path, base_file: Path, tiny_model: Path
) -> None:
    (folder / "base").mkdir(parents=True)
    shutil.copy(base_file, folder / "base" / load_manifest(manifest).base.file)
    mine = folder.parent / "mine.gguf"
    shutil.copy(tiny_model, mine)
    page = open_page((*STAND_IN, "--pace", "3"))  # slower than any question to a model
    window = page.window()
    assert isinstance(window, MainWindow)
    import_in_place(page, mine)
    press(page.rows["mine"].main)
    wait(lambda: window.engine.state is Engine.READY, "it is opened", PATIENCE)
    form = window.page.form
    form.relationship.choose("boss")
    form.tone.chosen = "formal"
    window.page.write()
    wait(lambda: all(card.text.toPlainText() for card in window.page.cards), "it is writing", PATIENCE)
    idle(page)
    before, pid = [card.text.toPlainText() for card in window.page.cards], window.engine.pid
    press(page.rows["base"].main)
    wait(lambda: window.engine.pid not in (None, pid), "the other engine is started", PATIENCE)
    assert not window.page.session.working
    kept = [card.text.toPlainText() for card in window.page.cards]
    assert all(now.startswith(was) for now, was in zip(kept, before, strict=True))
    assert {window.page.session.view(card).state for card in range(3)} == {Writing.UNFINISHED}
    wait(lambda: window.engine.state is Engine.READY, "it is ready", PATIENCE)
    assert load_manifest(manifest).base.file in window.page.status.engine.text()
    window.page.write()
    wait(lambda: all(card.text.toPlainText() not in kept for card in window.page.cards), "it writes anew", PATIENCE)
    window.page.stop()
    idle(page)
    assert page.rows["base"].mark.text() == "正在使用" and page.rows["mine"].main.text() == "使用"


def import_in_place(page: ModelsPage, path: Path) -> None:
    page.copies.setChecked(False)
    page.import_file(path)
    wait(lambda: path.stem in page.rows, "it is taken in", PATIENCE)
    idle(page)


def test_a_file_is_taken_in_checked_and_removed_with_a_question(
    open_page: Open, folder: Path, tiny_base: Path, tmp_path: Path
) -> None:
    page = open_page()
    press(page.import_button)
    wait(lambda: page.findChildren(QFileDialog), "it asks which")
    dialog = page.findChildren(QFileDialog)[0]
    dialog.fileSelected.emit(str(tiny_base))
    dialog.reject()
    wait(lambda: tiny_base.stem in page.rows, "it is taken in", PATIENCE)
    idle(page)
    assert "没有为写祝福微调过" in page.bar.message.text()
    row = page.rows[tiny_base.stem]
    assert f"来自：{tiny_base.stem}.gguf" in row.facts.text()
    assert "没有微调" in row.facts.text() and row.main.text() == "使用"
    press(row.verify)
    wait(lambda: "校验过" in row.facts.text(), "it was read to its end", PATIENCE)
    idle(page)
    copy = folder / "imported" / f"{tiny_base.stem}.gguf"
    press(row.remove)
    assert page.bar.isVisible() and copy.exists()
    press(page.bar.keep)
    assert copy.exists()
    press(row.remove)
    press(page.bar.confirm)
    wait(lambda: tiny_base.stem not in page.rows, "it is gone", PATIENCE)
    assert not copy.exists() and tiny_base.exists()


def test_a_broken_file_is_named_as_such(open_page: Open, tiny_base: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    shutil.copy(tiny_base, mine)
    page = open_page()
    import_in_place(page, mine)
    row = page.rows["mine"]
    mine.write_bytes(mine.read_bytes()[:-5000])
    page.refresh()
    wait(lambda: "坏了" in row.fault.text(), "it is named", PATIENCE)
    assert "不完整" in row.fault.text() and not row.main.isVisible() and row.remove.isVisible()
    page.import_file(tmp_path / "nothing.gguf")
    wait(page.banner.isVisible, "a file that is not there is said", PATIENCE)
    assert "找不到模型文件" in page.banner.message.text()
    idle(page)


def test_a_long_name_leaves_the_buttons_of_its_row_in_the_window(open_page: Open) -> None:
    page = open_page()
    idle(page)
    page.window().resize(1024, 700)
    entry, row = page.entries[0], page.rows[page.entries[0].id]
    name, why = "<i>" + "模型name" * 60, "b" * 250
    told = replace(entry, state=State.BROKEN, title=Sentence(name, name), fault=Sentence(why, why))
    row.show_entry(told, Doing())
    settle()
    assert row.main.isVisible() and row.main.mapTo(page, QPoint(row.main.width(), 0)).x() <= page.width()
    assert page.window().width() == 1024
    assert row.title.text().startswith("<i>") and why in row.fault.text()


def test_what_was_done_and_what_is_asked_stay_in_sight_when_the_page_is_scrolled(open_page: Open) -> None:
    page = open_page()
    idle(page)
    page.window().resize(1024, 480)
    page.bar.ask(Sentence("删除它？", "Delete it?"), Sentence("移除", "Remove"), lambda: None)
    page.banner.show_error(Sentence("出错了。", "Something is wrong."), "details")
    settle()
    scroll = page.findChild(FlowingColumn)
    assert scroll is not None
    bar = scroll.verticalScrollBar()
    for place in (bar.minimum(), bar.maximum()):
        bar.setValue(place)
        settle()
        for widget in (page.bar, page.banner):
            assert widget.visibleRegion().boundingRect().size() == widget.size()
    assert bar.maximum() > 0, "the page is longer than the window"


def test_a_model_that_is_put_back_is_opened(open_page: Open, hub: HubServer) -> None:
    page = open_page()
    press(page.rows["tiny"].main)
    wait(lambda: state_of(page, "tiny") is State.READY, "it is built", PATIENCE)
    idle(page)
    page.window().close()
    file = page.entries[0].path
    away = file.rename(file.with_suffix(".away"))
    page = open_page()
    window = page.window()
    assert isinstance(window, MainWindow)
    wait(lambda: not window.first_start.isHidden(), "it is missed", PATIENCE)
    idle(page)
    assert window.engine.state is Engine.OFF
    away.rename(file)
    page.refresh()
    wait(lambda: window.engine.state is Engine.READY, "it is opened by itself", PATIENCE)
    assert window.first_start.isHidden()


def test_an_import_that_is_stopped_says_so_and_leaves_nothing(
    open_page: Open, folder: Path, tiny_base: Path, tmp_path: Path
) -> None:
    page = open_page()
    idle(page)
    page.import_file(tiny_base)
    page.stop_import.click()
    idle(page)
    assert "没有导入" in page.bar.message.text() and page.bar.isVisible()
    assert tiny_base.stem not in page.rows and not list((folder / "imported").glob("*.gguf"))


def test_settings_are_kept_and_what_is_no_address_is_said_at_its_field(open_page: Open, folder: Path) -> None:
    page = open_page()
    form = page.form
    form.mirror.setFocus()
    QTest.keyClicks(form.mirror, "mirror.example")
    QTest.keyClick(form.mirror, Qt.Key.Key_Return)
    wait(lambda: "不是镜像地址" in form.mirror.accessibleDescription(), "it is said at the field", PATIENCE)
    assert not (folder / "fetching.yaml").exists()
    form.mirror.clear()
    QTest.keyClick(form.mirror, Qt.Key.Key_Return)
    assert not form.mirror.accessibleDescription(), "what is not there any more is not wrong"
    QTest.keyClicks(form.mirror, "https://mirror.example")
    QTest.keyClick(form.mirror, Qt.Key.Key_Return)
    wait((folder / "fetching.yaml").exists, "it is kept", PATIENCE)
    idle(page)
    page.window().close()
    again = open_page()
    assert again.form.mirror.text() == "https://mirror.example"
    assert not again.form.mirror.accessibleDescription()


def test_only_the_cpu_is_remembered_and_opens_the_model_anew(open_page: Open, tiny_model: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    shutil.copy(tiny_model, mine)
    page = open_page()
    window = page.window()
    assert isinstance(window, MainWindow)
    import_in_place(page, mine)
    press(page.rows["mine"].main)
    wait(lambda: window.engine.state is Engine.READY, "it is opened", PATIENCE)
    settings = settings_of(window)
    assert settings.device.reason.text().startswith("CPU：")
    pid = window.engine.pid
    settings.device.choice.buttons["cpu"].click()
    wait(lambda: window.engine.pid not in (None, pid), "another engine is started", PATIENCE)
    wait(lambda: window.engine.state is Engine.READY, "and ready", PATIENCE)
    window.close()
    again = open_page().window()
    assert isinstance(again, MainWindow)
    assert settings_of(again).device.choice.chosen == "cpu"


def test_the_diagnostics_say_what_runs_and_nothing_of_a_person(
    open_page: Open, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.gguf"
    shutil.copy(tiny_model, mine)
    monkeypatch.setenv("HOME", str(tmp_path))
    page = open_page()
    window = page.window()
    assert isinstance(window, MainWindow)
    import_in_place(page, mine)
    press(page.rows["mine"].main)
    wait(lambda: window.engine.state is Engine.READY, "it is opened", PATIENCE)
    window.page.form.address.setText("王总")
    settings = settings_of(window)
    idle(page)
    press(settings.copy_button)
    text = QGuiApplication.clipboard().text()
    assert "reason: CPU: " in text and "memory: " in text and "* mine [imported, ready]" in text
    assert "王总" not in text and str(tmp_path) not in text
    assert "没有你写的内容" in settings.bar.message.text()


def settings_of(window: MainWindow) -> SettingsPage:
    window.pages.show_place("settings")
    page = window.pages.page
    assert isinstance(page, SettingsPage)
    return page


def test_it_speaks_english_too(open_page: Open) -> None:
    page = open_page()
    window = page.window()
    assert isinstance(window, MainWindow)
    window.sidebar.language_asked.emit("en")
    wait(lambda: page.heading.text() == "Models", "it speaks English")
    assert page.rows["tiny"].main.text() == "Download" and page.rows["tiny"].title.text() == "Tiny"
    settle()
