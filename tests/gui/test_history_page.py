"""收藏与历史 in a real window over a real file: finding, marking, copying, deleting and taking back, exporting."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from app.compose.catalog import load_catalog
from app.compose.request import make_request
from app.gui.document_dialog import DocumentDialog
from app.gui.main_window import MainWindow, Options
from app.gui.people_thread import FILE
from app.people.deletion import delete
from app.people.document import export_document
from app.people.history import Draft, add_written, edit_written, mark_sent, sent_of, written
from app.people.recipients import add_recipient, recipient_fields
from app.people.search import Filters, found_ids, search
from app.people.store import open_store
from tests.gui.conftest import STAND_IN
from tests.gui.test_compose_page import key, write_all
from tests.gui.test_keeping import ask
from tests.gui.waiting import settle, wait

MORE_THAN_A_PAGE = 130
FIRST = datetime(2027, 2, 5, 18, 30)
NEWEST = MORE_THAN_A_PAGE - 1


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file with more than two pages of texts; the odd ones are written to 王建国, every tenth is a favourite."""
    folder = tmp_path / "data"
    catalog = load_catalog()
    store = open_store(folder / FILE)
    person = add_recipient(store, recipient_fields("王建国", relationship="boss", address="王总"))
    requests = [
        make_request(catalog, {"relationship": "boss", "tone": "warm", "occasion": occasion, "address": "王总"})
        for occasion in ("new_years_eve", "spring_festival")
    ]
    for number in range(MORE_THAN_A_PAGE):
        draft = Draft(
            requests[number % 2],
            f"第{number}条，新春好。" + ("那年夏天的莲蓬" if number == 7 else ""),
            "m",
            number,
            person.id if number % 2 else None,
            year=2026 if number < 100 else 2027,
            favourite=number % 10 == 0,
        )
        add_written(store, draft, FIRST + timedelta(hours=number))
    store.close()
    return folder


@pytest.fixture
def history(open_window, tmp_path, data) -> MainWindow:
    """The window on the history, its first page there."""
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    key_to_history(window)
    wait(lambda: window.pages.page.model.rowCount() > 0, "the first page is there")
    return window


def key_to_history(window: MainWindow) -> None:
    number = Qt.Key(Qt.Key.Key_1 + window.pages.places.index("history"))
    QTest.keyClick(QApplication.focusWidget() or window, number, Qt.KeyboardModifier.AltModifier)
    wait(lambda: window.pages.place == "history", "the page is shown")


def rows(window: MainWindow) -> list[str]:
    model = window.pages.page.model
    return [model.entry(row).text for row in range(model.rowCount())]


def search_for(window: MainWindow, words: str) -> None:
    page = window.pages.page
    loads = []
    page.model.loaded.connect(lambda: loads.append(page.model.filters.query))
    page.filters.query.setText(words)
    wait(lambda: words in loads, "the answer is there")


def choose(button: QPushButton, text: str) -> None:
    """Press a button that has a menu, and choose from it."""
    button.click()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    (action,) = (action for action in menu.actions() if action.text().startswith(text))
    assert action.isEnabled(), text
    menu.close()
    button.window().activateWindow()
    wait(button.window().isActiveWindow, "the window has the keys again")
    action.trigger()
    settle()


def test_the_newest_is_shown_first_and_whole(history):
    page = history.pages.page
    assert rows(history)[0] == f"第{NEWEST}条，新春好。"
    assert page.detail.text.toPlainText() == rows(history)[0]
    wait(lambda: page.detail.who.text() == "王建国", "the person is named")
    assert "还没有发出" in page.detail.sent.text()
    assert page.detail.origin.text() == "写于 2027年2月11日 03:30"
    assert page.detail.origin.toolTip() == f"模型 m，种子 {NEWEST}"


def test_further_pages_come_as_one_scrolls(history):
    page = history.pages.page
    assert page.model.rowCount() < MORE_THAN_A_PAGE
    page.list.setFocus()
    for _ in range(20):
        key(history, Qt.Key.Key_End, control=False)
        settle()
        page.list.scrollToBottom()
        if page.model.rowCount() == MORE_THAN_A_PAGE:
            break
        before = page.model.rowCount()
        wait(lambda before=before: page.model.rowCount() > before, "the next page comes")
    numbers = [int(text[1 : text.index("条")]) for text in rows(history)]
    assert numbers == list(range(NEWEST, -1, -1))


def test_a_search_finds_two_characters_and_escape_clears_it(history):
    page = history.pages.page
    key(history, Qt.Key.Key_F)
    assert page.filters.query.hasFocus()
    search_for(history, "莲蓬")
    assert rows(history) == ["第7条，新春好。那年夏天的莲蓬"]
    assert page.filters.query.hasFocus(), "the keys stay where one types"
    key(history, Qt.Key.Key_Escape, control=False)
    wait(lambda: len(rows(history)) > 1, "everything is shown again")


def test_filters_narrow_together(history):
    page = history.pages.page
    wait(lambda: page.filters.person.count() == 2 and page.filters.year.count() == 3, "there is something to choose")
    page.filters.year.setCurrentIndex(page.filters.year.findData("2026"))
    wait(lambda: rows(history)[0].startswith("第99条"), "of that year")
    page.filters.favourites.click()
    wait(lambda: rows(history) == [f"第{n}条，新春好。" for n in range(90, -1, -10)], "favourites of that year")
    page.filters.person.setCurrentIndex(1)
    wait(lambda: rows(history) == [], "no favourite of his")
    assert "没有找到" in page.nothing.text()
    assert page.nothing_button.isVisible()
    page.nothing_button.click()
    wait(lambda: rows(history) and rows(history)[0].startswith(f"第{NEWEST}条"), "everything is shown again")


def test_only_the_last_of_quick_searches_is_answered(history):
    page = history.pages.page
    answers = []
    page.model.loaded.connect(lambda: answers.append(page.model.filters.query))
    for words in ("第", "第7", "第7条"):
        page.filters.query.setText(words)
    wait(lambda: answers, "the answer is there")
    settle()
    assert answers == ["第7条"]


def test_the_star_is_kept_and_shown_in_the_list(history):
    page = history.pages.page
    entry = page.detail.entry
    page.list.setFocus()
    key(history, Qt.Key.Key_D)
    wait(page.detail.star.isChecked, "the star is filled")
    assert page.model.entry(0).favourite
    assert ask(history, lambda store: written(store, entry.id)).favourite


def test_copying_counts_as_sent_and_can_be_undone(history):
    page = history.pages.page
    entry = page.detail.entry
    page.list.setFocus()
    key(history, Qt.Key.Key_C)
    assert QApplication.clipboard().text() == entry.text
    wait(page.bar.isVisible, "the bar says so")
    assert "王建国" in page.bar.message.text()
    wait(lambda: "发给王建国" in page.detail.sent.text(), "the entry says when and to whom")
    page.bar.undo.click()
    wait(lambda: "还没有发出" in page.detail.sent.text(), "it is taken back")
    assert ask(history, lambda store: sent_of(store, entry.id)) == ()


def test_what_was_sent_to_whom_last_year_is_marked_and_found(history):
    page = history.pages.page
    last_year = [99, 97, 95]

    def send(store):
        for number in (*last_year, 129):
            mark_sent(store, ids[number])

    entries = ask(history, lambda store: search(store, Filters(), limit=MORE_THAN_A_PAGE).entries)
    ids = {int(entry.text[1 : entry.text.index("条")]): entry.id for entry in entries}
    history.people.write(send)
    wait(lambda: page.model.entry(0).sent, "the row is marked")
    assert "，已发，" in page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "已发" not in page.model.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    page.filters.sent.click()
    wait(lambda: len(rows(history)) == 4, "what was sent")
    page.filters.year.setCurrentIndex(page.filters.year.findData("2026"))
    page.filters.person.setCurrentIndex(1)
    wait(lambda: rows(history) == [f"第{number}条，新春好。" for number in last_year], "to him, last year")
    page.filters.clear()
    wait(lambda: len(rows(history)) > 4 and not page.filters.sent.isChecked(), "everything is shown again")


def test_what_is_done_to_an_entry_that_is_gone_is_said_and_the_entry_leaves_the_list(history):
    page = history.pages.page
    first, second = page.model.entry(0), page.model.entry(1)
    history.people.write(lambda store: delete(store, "written", [first.id]))
    page.favour()
    wait(page.banner.isVisible, "it is said")
    assert "它已从列表里去掉" in page.banner.message.text()
    wait(lambda: page.model.entry(0) == second, "it is not shown any more")


def test_copying_for_nobody_known_names_them_and_offers_them_as_a_filter(history):
    page = history.pages.page
    history.people.write(
        lambda store: add_written(
            store,
            Draft(
                make_request(load_catalog(), {"relationship": "friend", "tone": "warm", "address": "阿哲"}),
                "好",
                "m",
                1,
            ),
            at=datetime(2027, 3, 1),
        )
    )
    wait(lambda: page.model.entry(0).text == "好", "it is there")
    page.list.setCurrentIndex(page.model.index(0))
    page.copy()
    wait(page.bar.isVisible, "the bar says so")
    assert page.bar.message.text() == "已复制，记作发给阿哲"
    wait(lambda: page.filters.person.findText("阿哲") > 0, "they can be chosen")


def test_what_is_written_meanwhile_comes_in_while_nothing_moves_under_the_eyes(history):
    page = history.pages.page
    page.list.setFocus()
    bar = page.list.verticalScrollBar()
    page.list.setCurrentIndex(page.model.index(20))
    page.list.scrollTo(page.model.index(20))
    bar.setValue(1234)
    settle()
    top, shown = page.list.indexAt(page.list.rect().topLeft()).row(), rows(history)
    inch = page.list.visualRect(page.model.index(top)).top()
    cursor = page.detail.text.textCursor()
    cursor.select(cursor.SelectionType.WordUnderCursor)
    page.detail.text.setTextCursor(cursor)
    history.people.write(add_three)
    wait(lambda: len(rows(history)) >= len(shown) + 3, "the three are there")
    assert rows(history)[3 : len(shown) + 3] == shown
    assert page.list.indexAt(page.list.rect().topLeft()).row() == top + 3
    assert page.list.visualRect(page.model.index(top + 3)).top() == inch
    assert page.list.currentIndex().row() == 23 and page.detail.entry.text == shown[20]
    assert page.detail.text.textCursor().hasSelection() and page.list.hasFocus()


def add_three(store):
    asked = make_request(load_catalog(), {"relationship": "friend", "tone": "warm"})
    for number in range(3):
        add_written(store, Draft(asked, f"刚写的第{number}条", "m", 1), at=datetime(2027, 3, 1))


def test_a_search_goes_on_while_something_is_written(history):
    page = history.pages.page
    search_for(history, "莲蓬")
    loads = []
    page.model.loaded.connect(lambda: loads.append(rows(history)))
    history.people.write(add_three)
    wait(lambda: loads, "it is asked for anew")
    assert loads[0] == ["第7条，新春好。那年夏天的莲蓬"] and page.filters.query.text() == "莲蓬"
    history.people.write(
        lambda store: add_written(
            store, Draft(make_request(load_catalog(), {"relationship": "friend", "tone": "warm"}), "又见莲蓬", "m", 1)
        )
    )
    wait(lambda: len(rows(history)) == 2, "what fits is found")


def test_an_entry_another_page_changed_or_deleted_is_shown_so(history):
    page = history.pages.page
    first, second = page.model.entry(0), page.model.entry(1)
    history.people.write(lambda store: edit_written(store, first.id, "改过了"))
    wait(lambda: page.detail.text.toPlainText() == "改过了", "the entry says what it says now")
    history.people.write(lambda store: delete(store, "written", [first.id]))
    wait(lambda: page.detail.entry is not None and page.detail.entry.id == second.id, "the next one is shown")
    assert page.list.currentIndex().row() == 0


def test_a_star_taken_away_can_be_put_back_also_when_only_favourites_are_shown(history):
    page = history.pages.page
    page.filters.favourites.click()
    wait(lambda: rows(history)[0].startswith("第120条"), "favourites only")
    before = rows(history)
    page.detail.star.click()
    wait(lambda: rows(history) == before[1:], "it is none any more")
    assert page.bar.message.text() == "已取消收藏"
    history.pages.show_place("compose")
    key_to_history(history)
    page.bar.undo.click()
    wait(lambda: rows(history) == before, "it is one again")


def test_everything_of_one_person_is_deleted_together_and_comes_back(history):
    page = history.pages.page
    wait(lambda: page.filters.person.count() == 2, "there is somebody to choose")
    everything = ask(history, lambda store: found_ids(store, Filters()))
    page.filters.person.setCurrentIndex(1)
    wait(
        lambda: rows(history)[0] == f"第{NEWEST}条，新春好。" and rows(history)[1] == f"第{NEWEST - 2}条，新春好。",
        "his",
    )
    choose(page.delete_many_button, "找到的这些")
    wait(page.bar.confirm.isVisible, "it asks")
    assert "65 条" in page.bar.message.text() and history.focusWidget() is page.bar.keep
    page.bar.confirm.click()
    wait(lambda: rows(history) == [], "they are gone")
    assert len(ask(history, lambda store: found_ids(store, Filters()))) == 65
    history.pages.show_place("compose")
    key_to_history(history)
    page.bar.undo.click()
    wait(lambda: rows(history), "they are back")
    assert ask(history, lambda store: found_ids(store, Filters())) == everything


def test_all_data_is_erased_for_good_once_it_is_confirmed(history, data):
    page = history.pages.page
    page.delete()
    wait(page.bar.isVisible, "there is something to undo")
    choose(page.delete_many_button, "所有数据")
    assert history.focusWidget() is page.bar.keep and "找不回来" in page.bar.message.text()
    page.bar.keep.click()
    settle()
    assert rows(history)
    choose(page.delete_many_button, "所有数据")
    page.bar.confirm.click()
    wait(lambda: page.bar.message.text() == "全部数据已彻底删除", "it is done")
    wait(lambda: rows(history) == [] and page.nothing_button.isVisible(), "nothing is left")
    assert page.bar.undo.isHidden()
    key(history, Qt.Key.Key_Z)
    settle()
    assert rows(history) == []
    needle = "那年夏天的莲蓬".encode()
    assert [each.name for each in data.iterdir() if needle in each.read_bytes()] == []
    assert not list(data.glob("*.backup"))


def test_an_export_is_imported_on_another_machine_after_a_look_at_it(open_window, tmp_path, data):
    exported = tmp_path / "全部.json"
    store = open_store(data / FILE)
    export_document(store, exported)
    store.close()
    stand_in = Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN, data=tmp_path / "other")
    window = open_window(stand_in)
    key_to_history(window)
    page = window.pages.page
    wait(page.nothing_button.isVisible, "nothing is here yet")
    assert page.import_button.isVisible()
    page.files.import_file(exported)
    (dialog,) = page.findChildren(DocumentDialog)
    wait(lambda: dialog.import_button.isEnabled(), "the document is read")
    assert [cell.text() for cell in dialog.cells[1]] == ["联系人", "1", "1"]
    assert [cell.text() for cell in dialog.cells[2]] == ["祝福", "130", "130"]
    assert rows(window) == [], "looking changes nothing"
    dialog.import_button.click()
    wait(lambda: len(rows(window)) > 1, "the texts are here")
    assert page.bar.message.text().startswith("导入了 1 位联系人、130 条祝福")
    settle()
    page.files.import_file(exported)
    (dialog,) = page.findChildren(DocumentDialog)
    wait(lambda: "没有什么要导入的" in dialog.message.text(), "a second time there is nothing to take")
    assert not dialog.import_button.isVisible()
    dialog.close_button.click()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"format": "bainiantie-people", "version": 1, "wri', "没有复制完"),
        (b"a,b\n1,2\n", "不是拜年帖的导出文件"),
        (b'{"format": "bainiantie-people", "version": 99}', "更新版本"),
    ],
)
def test_what_cannot_be_imported_is_said_to_be_so(history, tmp_path, content, said):
    page = history.pages.page
    before = rows(history)
    (tmp_path / "x.json").write_bytes(content)
    page.files.import_file(tmp_path / "x.json")
    wait(page.banner.isVisible, "the banner is there")
    assert said in page.banner.message.text() and "什么都没有改动" in page.banner.message.text()
    settle()
    assert not page.findChildren(DocumentDialog)
    assert rows(history) == before


def test_an_import_stopped_in_the_middle_changes_nothing(history, tmp_path):
    page = history.pages.page
    exported = tmp_path / "全部.json"
    page.files.export(exported)
    wait(page.bar.isVisible, "it is exported")
    document = json.loads(exported.read_text(encoding="utf-8"))
    one = document["written"][0]
    document["written"] += [{**one, "uid": f"u{number}"} for number in range(2000)]
    exported.write_text(json.dumps(document), encoding="utf-8")
    before = ask(history, lambda store: found_ids(store, Filters()))
    page.files.import_file(exported)
    (dialog,) = page.findChildren(DocumentDialog)
    wait(dialog.import_button.isEnabled, "the document is read")
    dialog.import_button.click()
    assert dialog.close_button.text() == "停止"
    dialog.reject()
    wait(page.banner.isVisible, "it says so")
    assert "已停止导入" in page.banner.message.text()
    assert ask(history, lambda store: found_ids(store, Filters())) == before


def test_deletions_are_undone_one_by_one(history):
    page = history.pages.page
    before = rows(history)
    page.list.setFocus()
    for left in (1, 2):
        key(history, Qt.Key.Key_Delete, control=False)
        wait(lambda left=left: rows(history)[0] == before[left], "the entry is gone")
    assert page.detail.text.toPlainText() == before[2]
    assert page.bar.message.text() == "已删除 1 条"
    key(history, Qt.Key.Key_Z)
    wait(lambda: rows(history)[:2] == [before[1], before[2]], "the last one is back")
    page.bar.undo.click()
    wait(lambda: rows(history)[: len(before)] == before, "both are back")
    assert page.bar.isHidden()


def test_deleting_all_asks_once_and_is_undone(history):
    page = history.pages.page
    before = rows(history)
    choose(page.delete_many_button, "全部历史")
    assert history.focusWidget() is page.bar.keep, "Enter alone deletes nothing"
    page.bar.keep.click()
    settle()
    assert rows(history) == before
    choose(page.delete_many_button, "全部历史")
    page.bar.confirm.click()
    wait(lambda: rows(history) == [], "all are gone")
    assert page.nothing.text().startswith("还没有写过。")
    page.bar.undo.click()
    wait(lambda: rows(history) == before, "all are back")


def test_what_was_deleted_is_gone_for_good_with_the_window(history, data):
    page = history.pages.page
    entry = page.detail.entry
    page.delete()
    wait(page.bar.isVisible, "it is deleted")
    history.close()
    store = open_store(data / FILE)
    with store.reading() as connection:
        assert connection.execute("SELECT deletion FROM written WHERE id = ?", (entry.id,)).fetchone()[0] is not None
    store.close()


def test_exports_are_whole_files(history, tmp_path):
    page = history.pages.page
    for name in ("历史.csv", "全部.json"):
        page.files.export(tmp_path / name)
        wait(lambda name=name: page.bar.isVisible() and name in page.bar.message.text(), "the bar says where it is")
    assert len((tmp_path / "历史.csv").read_text(encoding="utf-8-sig").splitlines()) == MORE_THAN_A_PAGE + 1
    document = json.loads((tmp_path / "全部.json").read_text(encoding="utf-8"))
    assert len(document["written"]) == MORE_THAN_A_PAGE
    page.files.export(tmp_path / "no such folder" / "x.csv")
    wait(page.banner.isVisible, "what cannot be written is said")


def test_a_card_is_made_of_the_entry(history):
    page = history.pages.page
    page.detail.card_button.click()
    dialogs = [widget for widget in QApplication.topLevelWidgets() if type(widget).__name__ == "CardDialog"]
    assert [dialog.text.toPlainText() for dialog in dialogs] == [page.detail.entry.text]
    dialogs[0].reject()
    settle()


def test_nothing_written_yet_leads_to_writing_and_what_is_written_is_there(window):
    key_to_history(window)
    page = window.pages.page
    wait(page.nothing_button.isVisible, "the page says so")
    assert page.nothing.text().startswith("还没有写过。")
    assert not page.filters.isVisible()
    page.nothing_button.click()
    assert window.pages.place == "compose"
    write_all(window)
    key_to_history(window)
    wait(lambda: len(rows(window)) == 3, "the three texts are there")
    assert page.filters.isVisible()


def test_a_lost_file_is_restored_from_its_backup(open_window, tmp_path, data):
    open_store(data / FILE).close()
    backup = next(data.glob("*.backup"))
    (data / FILE).write_bytes(b"")
    assert backup.exists()
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    wait(window.page.banner.isVisible, "the window says so")
    key_to_history(window)
    page = window.pages.page
    wait(page.trouble.isVisible, "the page offers the way back")
    buttons = [button for button in page.trouble.buttons.values() if button.isVisible()]
    assert [button.text() for button in buttons] == ["恢复最近的备份", "从空的开始"]
    buttons[0].click()
    wait(lambda: page.model.rowCount() > 0, "everything is there again")
    assert not page.trouble.isVisible()


def test_a_file_of_something_else_is_left_alone_and_can_be_tried_again(open_window, tmp_path, data):
    (data / FILE).unlink()
    for backup in data.glob("*.backup"):
        backup.unlink()
    (data / FILE).write_bytes(b"somebody else's")
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN))
    key_to_history(window)
    page = window.pages.page
    wait(page.trouble.isVisible, "the page says so")
    assert [button.text() for button in page.trouble.buttons.values() if button.isVisible()] == ["再试一次"]
    (data / FILE).unlink()
    next(button for button in page.trouble.buttons.values() if button.isVisible()).click()
    wait(lambda: page.nothing_button.isVisible(), "it is open, and empty")


@pytest.mark.parametrize(("width", "height"), [(1024, 700), (860, 480)])
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_nothing_overlaps_in_a_small_window(open_window, tmp_path, data, width, height, language):
    window = open_window(Options(model=tmp_path / "stand-in.gguf", engine_command=STAND_IN), language=language)
    key_to_history(window)
    page = window.pages.page
    wait(lambda: page.model.rowCount() > 0, "the first page is there")
    window.resize(width, height)
    settle()
    assert (window.width(), window.height()) == (width, height)
    detail = page.detail
    assert detail.text.geometry().bottom() < detail.copy_button.geometry().top()
    assert detail.text.height() >= 60
    assert page.list.height() >= 90
