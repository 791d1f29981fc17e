"""A start without a usable model: the panel, a real child process that prepares one, pausing and what can go wrong."""

import sys
from pathlib import Path

import pytest

from app.compose.sentence import Sentence
from app.gui.engine_bridge import Engine
from app.gui.first_start import Stage
from app.gui.main_window import Options
from app.gui.models_process import COMMAND, Job
from app.gui.models_progress import SHARES, Rate, overall
from app.models.built import recipe, write_sidecar
from app.models.fetching import Fetching, write_fetching
from app.models.manifest import load_manifest
from app.models.progress import STEPS, Progress
from tests.gui.conftest import INSTALLER, STAND_IN
from tests.gui.waiting import wait

MOVING = Sentence("正在下载基础模型", "Downloading the base model")


@pytest.fixture
def open_first(open_window):
    """Opens a window that has no model, with the given installer."""

    def open_one(*arguments: str, command: tuple[str, ...] = INSTALLER):
        options = Options(engine_command=STAND_IN, models_command=(*command, *arguments))
        window = open_window(options, ready=False)
        wait(window.first_start.isVisible, "the panel is there")
        return window

    return open_one


def put_model(folder: Path) -> None:
    """A file in the place of the built model, with a sidecar that says it is current."""
    manifest = load_manifest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / manifest.built.file
    path.write_bytes(b"GGUF")
    write_sidecar(path, recipe(manifest), "0" * 64)


def test_the_panel_says_what_will_be_fetched_and_how_big_it_is(open_first):
    window = open_first()
    panel = window.first_start
    assert "1.1 GB" in panel.message.text()
    assert panel.button.text() == "开始准备"
    assert not panel.bar.isVisible()
    assert not window.page.button.isEnabled()
    assert window.page.hint.text() == "模型准备好就能写"


@pytest.mark.parametrize(
    ("here", "said"),
    [(612_000_000, "已下载 612 MB，共 1,117 MB。点“继续”接着下。"), (None, "基础模型已经下载好了")],
)
def test_after_a_restart_it_says_how_much_is_here(open_first, tmp_path, here, said):
    base = load_manifest().base
    folder = tmp_path / "models" / "base"
    folder.mkdir(parents=True)
    with (folder / (base.file if here is None else base.part)).open("wb") as file:
        file.truncate(here or base.size)  # a hole takes no room on the disk
    panel = open_first().first_start
    assert said in panel.message.text() and "第一次" not in panel.message.text()
    assert panel.title.text() == "模型还没准备完" and panel.button.text() == "继续"
    assert panel.bar.isVisible() and panel.bar.value() > 0
    panel.button.click()
    assert panel.stage is Stage.RUNNING


def test_nothing_is_fetched_unasked(open_first, tmp_path):
    state = tmp_path / "state"
    open_first("--state", str(state))
    assert not state.exists()


def test_the_form_can_be_filled_in_meanwhile_and_the_engine_starts_by_itself(open_first, tmp_path):
    window = open_first("--steps", "60", "--pace", "0.03")
    window.first_start.button.click()
    wait(lambda: window.first_start.bar.value() > 0, "the bar moves")
    assert window.first_start.message.text() == MOVING.zh
    window.page.form.relationship.choose("boss")
    window.page.form.tone.chosen = "formal"
    put_model(tmp_path / "models")
    wait(lambda: window.engine.state is Engine.READY, "the engine has started")
    assert not window.first_start.isVisible()
    window.page.write()
    wait(lambda: not window.page.session.working, "it writes")
    assert window.page.session.view(0).text


def test_speed_and_time_left_are_shown(open_first):
    window = open_first("--steps", "400", "--pace", "0.05")
    window.first_start.button.click()
    wait(lambda: "MB/s" in window.first_start.figures.text(), "the speed is shown")
    assert "1,117 MB" in window.first_start.figures.text()
    assert "分钟" in window.first_start.figures.text()


def test_pausing_ends_the_child_and_going_on_continues_where_it_was(open_first, tmp_path):
    state = tmp_path / "state"
    window = open_first("--state", str(state), "--steps", "100000", "--pace", "0.02")
    panel = window.first_start
    panel.button.click()
    wait(lambda: state.exists() and int(state.read_text() or 0) > 3, "it is under way")
    panel.button.click()
    assert panel.button.text() == "正在暂停…" and not panel.button.isEnabled()
    wait(lambda: panel.stage is Stage.PAUSED, "it is paused")
    assert not panel.process.running
    assert panel.title.text() == "已暂停" and panel.message.text().startswith("已下载 ")
    assert panel.button.text() == "继续"
    reached = int(state.read_text())
    panel.button.click()
    wait(lambda: int(state.read_text() or 0) > reached, "it goes on from there")
    assert panel.button.text() == "暂停"


def test_while_something_else_is_done_with_models_the_panel_says_that_it_waits(open_first):
    window = open_first("--steps", "100000", "--pace", "0.02")
    panel = window.first_start
    window.models.start(Job("fetch", "another"))
    assert not panel.button.isEnabled()
    assert "1.1 GB" in panel.message.text() and "正在做另一件事" in panel.message.text()
    window.models.pause()
    wait(panel.button.isEnabled, "its turn has come")
    assert "另一件事" not in panel.message.text()
    panel.button.click()
    assert panel.stage is Stage.RUNNING


def test_a_panel_that_appears_while_its_model_is_fetched_follows_that(open_first):
    window = open_first("--steps", "100000", "--pace", "0.02")
    panel, manifest = window.first_start, load_manifest()
    panel.hide()
    window.models.start(Job("fetch", manifest.built.id))
    assert panel.isHidden()
    panel.offer(manifest)
    assert panel.isVisible() and panel.button.text() == "暂停"
    panel.button.click()
    wait(lambda: panel.stage is Stage.PAUSED, "it is paused")


def test_an_error_is_a_sentence_and_can_be_tried_again(open_first):
    window = open_first("--steps", "2", "--then", "error")
    panel = window.first_start
    panel.button.click()
    wait(lambda: panel.stage is Stage.FAILED, "it failed")
    assert panel.message.text().startswith("磁盘空间不够")
    panel.details.toggle.click()
    assert "ENOSPC" in panel.details.text.toPlainText()
    assert panel.button.text() == "重试"
    panel.button.click()
    assert panel.stage is Stage.RUNNING
    wait(lambda: panel.stage is Stage.FAILED, "it failed again")


@pytest.mark.parametrize(
    "command", [(*INSTALLER, "--steps", "1", "--then", "silence"), (str(Path(sys.executable).with_name("no such")),)]
)
def test_a_child_that_dies_or_cannot_start_is_an_error_too(open_first, command):
    panel = open_first(command=command).first_start
    panel.button.click()
    wait(lambda: panel.stage is Stage.FAILED, "it failed")
    assert "意外停下" in panel.message.text()
    assert panel.details.text.toPlainText()


def test_a_program_whose_folder_is_gone_is_an_error_too(open_first, tmp_path):
    window = open_first()
    window.models._process.setWorkingDirectory(str(tmp_path / "no such"))
    window.first_start.button.click()
    wait(lambda: window.first_start.stage is Stage.FAILED, "it failed")
    assert window.first_start.button.isEnabled()


def test_closing_the_window_ends_the_child(open_first, tmp_path):
    state = tmp_path / "state"
    window = open_first("--state", str(state), "--steps", "100000")
    window.first_start.button.click()
    wait(lambda: state.exists() and int(state.read_text() or 0) > 3, "it is under way")
    window.close()
    assert not window.models.running


def test_a_broken_model_is_named_and_made_anew(open_window, tmp_path):
    put_model(tmp_path / "models")
    options = Options(engine_command=(*STAND_IN, "--fail", "model_damaged"), models_command=INSTALLER)
    window = open_window(options, ready=False)
    panel = window.first_start
    wait(panel.isVisible, "the panel is there")
    assert "损坏" in panel.message.text()
    assert panel.button.text() == "重新准备"
    assert not window.page.banner.isVisible()
    assert window.engine.state is Engine.OFF
    panel.button.click()
    wait(lambda: panel.stage is Stage.RUNNING, "it is being made anew")


def test_the_real_installer_is_understood(open_first, tmp_path):
    source = tmp_path / "not a model.gguf"
    source.write_text("<html>")
    write_fetching(tmp_path / "models", Fetching(source=str(source)))
    panel = open_first(command=COMMAND).first_start
    panel.button.click()
    wait(lambda: panel.stage is Stage.FAILED, "it failed")
    assert panel.message.text()
    assert "意外停下" not in panel.message.text()


def test_the_bar_runs_once_from_nothing_to_all():
    assert set(SHARES) == set(STEPS)
    assert sum(SHARES.values()) == pytest.approx(1)
    values = [overall(Progress(step, done, 10, MOVING)) for step in STEPS for done in range(11)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0, pytest.approx(1))
    assert overall(Progress("check", 0, 0, MOVING)) == 0


def test_the_rate_is_measured_over_seconds_and_forgets_a_step_that_is_over():
    rate = Rate()
    for second in range(5):
        rate.feed(Progress("download", second * 10_000_000, 100_000_000, MOVING), float(second))
    assert rate.speed == pytest.approx(10_000_000)
    assert rate.left(Progress("download", 40_000_000, 100_000_000, MOVING)) == pytest.approx(6)
    rate.feed(Progress("merge", 0, 100, MOVING), 6.0)
    assert rate.speed is None
    assert rate.left(Progress("merge", 0, 100, MOVING)) is None
