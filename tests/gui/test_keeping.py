"""What is kept of the three cards: a real window and a real file, read again after the window closed."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.compose.catalog import load_catalog
from app.compose.request import make_request
from app.gui.main_window import MainWindow, Options
from app.gui.people_thread import FILE, PATIENCE, Way
from app.people.deletion import delete_all_written
from app.people.history import Draft, Written, add_written, mark_sent, sent_of
from app.people.recipients import add_recipient, all_recipients, recipient_fields
from app.people.search import Filters, search
from app.people.store import Store, open_store
from tests.gui.conftest import STAND_IN
from tests.gui.stand_in_engine import TEXTS
from tests.gui.test_compose_page import fill, key, texts, wait_for_words, write_all
from tests.gui.waiting import wait

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder the window's file lies in, made before the window is."""
    return tmp_path / "data"


def opened(data: Path) -> Store:
    return open_store(data / FILE)


def kept(window: MainWindow, data: Path) -> tuple[Written, ...]:
    """Close the window and read what it left, newest first."""
    window.close()
    store = opened(data)
    try:
        return search(store, Filters()).entries
    finally:
        store.close()


def ask(window: MainWindow, work: Callable[[Store], object]) -> object:
    """What the window's own thread finds in the file, after everything asked before."""
    answers: list[object] = []
    window.people.read(work, answers.append)
    wait(lambda: answers, "the people thread answers")
    return answers[0]


def test_the_three_finished_texts_are_kept_with_how_they_came_about(window, data):
    write_all(window)
    shown = texts(window)
    entries = kept(window, data)
    assert sorted(entry.text for entry in entries) == sorted(shown)
    assert TEXTS[1] not in {entry.text for entry in entries}, "it was replaced while the others were chosen"
    assert {(entry.model, entry.request.address) for entry in entries} == {("stand-in.gguf", "王总")}
    assert not any(entry.favourite for entry in entries)


def test_a_card_is_whole_only_once_its_text_is_on_the_disk(window):
    gate = threading.Event()
    window.people.read(lambda store: gate.wait(60), lambda _: None)
    write_all(window)
    assert {card.note.text() for card in window.page.cards} == {"正在存…"}
    gate.set()
    wait(lambda: {card.note.text() for card in window.page.cards} == {""}, "the cards are whole")
    assert ask(window, lambda store: len(search(store, Filters()).entries)) == 3


def test_closing_waits_for_an_edit_behind_something_long(window, data):
    write_all(window)
    gate = threading.Event()
    window.people.write(lambda store: gate.wait(60))
    threading.Timer(PATIENCE + 1, gate.set).start()
    window.page.cards[0].text.setPlainText("最后改的一句。")
    assert "最后改的一句。" in {entry.text for entry in kept(window, data)}


def test_closing_does_not_wait_for_ever(window):
    gate = threading.Event()
    window.people.write(lambda store: gate.wait(60))
    assert not window.people.close(0.01, 0.1)
    gate.set()
    assert window.people.close()


def test_an_edited_text_takes_the_place_of_what_it_was_made_from(window, data):
    write_all(window)
    card = window.page.cards[0]
    card.text.selectAll()
    card.text.insertPlainText("我自己写的一句。")
    entries = kept(window, data)
    assert len(entries) == 3, "closing writes what was typed last"
    assert "我自己写的一句。" in {entry.text for entry in entries}


def test_what_was_stopped_is_not_kept_until_the_person_takes_it(open_window, data, tmp_path):
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=(*STAND_IN, "--pace", "0.3")))
    fill(window)
    window.page.write()
    wait_for_words(window, 2)
    window.page.stop()
    taken = texts(window)[1]
    window.page.copy(1)
    assert [entry.text for entry in kept(window, data)] == [taken]


def test_copying_counts_as_sent_to_the_person_addressed_and_can_be_undone(open_window, data, tmp_path):
    store = opened(data)
    person = add_recipient(store, recipient_fields("王建国", relationship="boss", address="王总"))
    store.close()
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    write_all(window)
    card = window.page.cards[0]
    key(window, Qt.Key.Key_1)
    wait(lambda: "王建国" in card.note.text(), "the card says to whom")
    entry = window.page.keeping.entry(window.page.session.view(0).version)
    assert [note.recipient for note in ask(window, lambda store: sent_of(store, entry))] == [person.id]
    key(window, Qt.Key.Key_1)
    wait(lambda: "王建国" in card.note.text(), "the card says so again")
    assert len(ask(window, lambda store: sent_of(store, entry))) == 1, "the same words are sent once"
    assert card.undo_button.isVisible()
    card.undo_button.click()
    wait(lambda: card.undo_button.isHidden(), "it is undone")
    assert ask(window, lambda store: sent_of(store, entry)) == ()


def test_copying_for_nobody_addressed_is_noted_without_a_name(window):
    fill(window)
    window.page.form.address.clear()
    window.page.write()
    wait(lambda: not window.page.session.working, "writing ended")
    window.page.copy(2)
    assert window.page.cards[2].note.text() == "已复制"
    wait(lambda: window.page.cards[2].note.text() == "已复制，记作已发", "the card says that it counts as sent")


def test_whom_a_text_was_copied_for_becomes_somebody_known(window):
    write_all(window)
    window.page.copy(2)
    wait(lambda: window.page.cards[2].note.text() == "已复制，记作发给王总", "the card says to whom")
    (person,) = ask(window, all_recipients)
    assert (person.fields.name, person.fields.relationship) == ("王总", "boss")
    found = ask(window, lambda store: search(store, Filters(recipient=person.id)).entries)
    assert [entry.text for entry in found] == [texts(window)[2]]


def test_a_card_whose_entry_was_deleted_is_kept_anew_once_it_is_taken_in_hand(window, data):
    write_all(window)
    window.page.favour(1)
    window.page.copy(0)
    wait(lambda: window.page.cards[1].star.isChecked(), "it is a favourite")
    wait(lambda: window.page.cards[0].undo_button.isVisible(), "it is noted as sent")
    ask(window, delete_all_written)
    window.page.copy(0)
    window.page.favour(1)
    wait(lambda: not window.page.cards[1].star.isChecked(), "a star taken back brings nothing back")
    window.page.favour(2)
    wait(lambda: window.page.cards[2].star.isChecked(), "it is a favourite")
    window.page.favour(1)
    wait(lambda: window.page.cards[1].star.isChecked(), "it is a favourite again")
    shown = texts(window)
    entries = kept(window, data)
    assert {(entry.text, entry.favourite, entry.sent) for entry in entries} == {
        (shown[0], False, True),
        (shown[1], True, False),
        (shown[2], True, False),
    }


def test_an_edit_of_a_card_whose_entry_was_deleted_is_kept(window, data):
    write_all(window)
    ask(window, delete_all_written)
    card = window.page.cards[0]
    card.text.selectAll()
    card.text.insertPlainText("我自己写的一句。")
    assert [entry.text for entry in kept(window, data)] == ["我自己写的一句。"]


def test_the_star_is_filled_once_the_mark_is_kept(window, data):
    write_all(window)
    card = window.page.cards[1]
    assert not card.star.isChecked()
    card.star.click()
    wait(card.star.isChecked, "the star is filled")
    assert card.star.accessibleName() == "第 2 条取消收藏"
    card.text.setFocus()
    key(window, Qt.Key.Key_D)
    wait(lambda: not card.star.isChecked(), "the key takes it back")
    QTest.mouseClick(card.star, Qt.MouseButton.LeftButton)
    wait(card.star.isChecked, "the star is filled")
    text = texts(window)[1]
    assert [entry.text for entry in kept(window, data) if entry.favourite] == [text]


def test_a_star_belongs_to_the_text_and_not_to_the_card(window):
    write_all(window)
    card = window.page.cards[0]
    card.star.click()
    wait(card.star.isChecked, "the star is filled")
    card.again_button.click()
    wait(lambda: not window.page.session.working, "another one is written")
    assert not card.star.isChecked()
    while card.previous.isEnabled():
        card.previous.click()
    assert card.star.isChecked()


def test_what_the_person_received_before_is_not_offered_again(open_window, data, tmp_path):
    request = make_request(load_catalog(), {"relationship": "boss", "tone": "formal", "address": "王总"})
    store = opened(data)
    mark_sent(store, add_written(store, Draft(request, TEXTS[0], "earlier", 1, year=2025)).id)
    store.close()
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=(*STAND_IN, "--pace", "0.02")))
    wait(lambda: ask(window, lambda store: True), "the file is open")
    window.page.set_drawing(5, window.page.session._sampling, None)
    write_all(window)
    assert TEXTS[0] not in texts(window), "there were others to choose from"
    window.page.cards[0].previous.click()
    assert texts(window)[0] == TEXTS[0]
    assert "以前发给" in window.page.cards[0].faults.text()


def test_copying_a_text_does_not_make_it_a_repetition_of_itself(window):
    write_all(window)
    window.page.copy(0)
    wait(lambda: window.page.cards[0].undo_button.isVisible(), "it is noted as sent")
    text = texts(window)[0]
    window.page.cards[1].again_button.click()
    wait(lambda: not window.page.session.working, "another one is written")
    assert texts(window)[0] == text
    assert "以前发给" not in window.page.cards[0].faults.text()


def test_a_damaged_file_is_explained_and_writing_goes_on(open_window, data, tmp_path):
    data.mkdir()
    (data / FILE).write_bytes(b"no database at all")
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    wait(window.page.banner.isVisible, "the window says so")
    assert "不会存进历史" in window.page.banner.message.text()
    write_all(window)
    assert all(texts(window))
    assert (data / FILE).read_bytes() == b"no database at all"
    shown = texts(window)
    (data / FILE).unlink()
    window.people.reopen(Way.AGAIN)
    wait(lambda: len(ask(window, lambda store: search(store, Filters()).entries)) == 3, "it is open")
    assert sorted(entry.text for entry in kept(window, data)) == sorted(shown), "what was shown is kept after all"


def test_a_file_of_a_newer_program_is_explained_and_left_alone(open_window, data, tmp_path):
    opened(data).close()
    with sqlite3.connect(data / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (data / FILE).read_bytes()
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    wait(window.page.banner.isVisible, "the window says so")
    assert "更新版本" in window.page.banner.message.text()
    write_all(window)
    wait(lambda: window.page.cards[0].note.text() == "没有存下", "the card says so too")
    window.page.copy(0)
    assert window.page.cards[0].note.text() == "已复制"
    window.close()
    assert (data / FILE).read_bytes() == before


CHILD = """
import itertools, os, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from app.gui.application import make_application, make_window
from app.gui.main_window import Options
from tests.gui.conftest import STAND_IN
application = make_application()
options = Options(Path("stand-in.gguf"), engine_command=(*STAND_IN, "--pace", "0"), data=Path(sys.argv[1]))
window = make_window(application, options)
page = window.page
# One write a line, whatever buffers Python was told to use: a kill then leaves no half of one.
say = lambda *words: os.write(1, (" ".join(map(str, words)) + "\\n").encode())
page.keeping.kept.connect(lambda version, text: say("kept", page.keeping.entry(version), len(text)))
page.keeping.sent.connect(lambda version, note: say("sent", note.id))
page.keeping.favoured.connect(lambda version: say("favourite", page.keeping.entry(version)))
turns = itertools.count()
def act():
    if page.session.working:
        return
    turn = next(turns) % 4
    if turn == 0:
        page.write()
    elif page.session.view(turn - 1).text:
        page.cards[turn - 1].text.insertPlainText("改")
        page.copy(turn - 1)
        page.favour(turn - 1)
window.painted.connect(window.begin)
window.show()
page.form.relationship.choose("boss")
page.form.tone.chosen = "formal"
page.form.address.setText("王总")
clock = QTimer()
clock.timeout.connect(act)
clock.start(5)
application.exec()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a POSIX signal")
@pytest.mark.timeout(900)
def test_thirty_kills_of_the_program_lose_nothing_that_was_confirmed(data, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    confirmed: list[list[str]] = []
    for number in range(30):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(data)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(1 + number % 7):
            confirmed.append(child.stdout.readline().split())
        time.sleep(0.003 * (number % 10))
        child.send_signal(signal.SIGKILL)
        confirmed += [line.split() for line in child.stdout.read().splitlines()]
        child.wait()
    assert len(confirmed) > 60
    with sqlite3.connect(data / FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        written = {id: favourite for id, favourite in connection.execute("SELECT id, favourite FROM written")}
        notes = {id for (id,) in connection.execute("SELECT id FROM sent")}
    for word, id, *_ in confirmed:
        if word == "sent":
            assert int(id) in notes
        else:
            assert int(id) in written
            assert word == "kept" or written[int(id)]


def test_what_was_erased_is_not_put_back_until_it_is_taken_in_hand(window, data):
    write_all(window)
    window.page.favour(1)
    wait(lambda: window.page.cards[1].star.isChecked(), "it is a favourite")
    window.people.erase()
    wait(lambda: not window.page.cards[1].star.isChecked(), "it is none any more")
    assert ask(window, lambda store: search(store, Filters()).entries) == ()
    for card in range(3):
        window.page.keeping.see(window.page.session.view(card))
    window.page.keeping.catch_up()
    assert ask(window, lambda store: search(store, Filters()).entries) == ()
    window.page.copy(2)
    wait(lambda: len(ask(window, lambda store: search(store, Filters()).entries)) == 1, "what was copied is kept")
    (entry,) = kept(window, data)
    assert entry.text == texts(window)[2] and not entry.favourite
