"""The form: what it gathers, what it preselects, how it says what is wrong, and that the keyboard alone will do."""

from datetime import date

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.compose.request import RequestError, make_request
from app.gui.composition import CompositionWatch
from app.gui.request_form import RequestForm
from app.gui.words import ENGLISH
from tests.gui.waiting import settle, wait

EVE = date(2026, 2, 16)  # 除夕 before the year of the horse


@pytest.fixture
def form(application, catalog, words, theme):
    form = RequestForm(catalog, words, CompositionWatch(), theme, EVE)
    form.resize(380, 700)
    form.show()
    form.activateWindow()
    settle()
    yield form
    form.close()
    form.deleteLater()
    settle()


def test_it_opens_with_the_day_and_the_middle_length(form):
    values = form.values()
    assert values["occasion"] == "new_years_eve"
    assert values["length"] == "medium"
    assert values["relationship"] is None
    assert values["tone"] is None
    assert values["zodiac"] == ""


def test_the_first_animal_is_the_one_being_welcomed_and_all_can_be_chosen(form):
    assert form.zodiac.itemData(1) == "马"
    assert "来年" in form.zodiac.itemText(1)
    assert {form.zodiac.itemData(row) for row in range(form.zodiac.count())} == {"", *"鼠牛虎兔龙蛇马羊猴鸡狗猪"}


def test_what_is_filled_in_makes_a_request(form, catalog):
    form.relationship.choose("boss")
    form.tone.chosen = "humorous"
    form.address.setText(" 王总 ")
    form.details[1].setText("搬了新家")
    form.zodiac.setCurrentIndex(1)
    form.signature.setText("小李")
    request = make_request(catalog, form.values())
    assert (request.relationship, request.tone, request.address) == ("boss", "humorous", "王总")
    assert (request.details, request.zodiac, request.signature) == (("搬了新家",), "马", "小李")


def test_every_tone_shows_a_real_line_as_its_tooltip(form, catalog):
    for tone in catalog.tones:
        assert tone.sample in form.tone.buttons[tone.id].toolTip()


def test_a_missing_field_is_named_at_the_field_and_gets_the_focus(form, catalog):
    with pytest.raises(RequestError) as caught:
        make_request(catalog, form.values())
    form.show_error(caught.value)
    assert form.fields["relationship"].error.text() == caught.value.sentence.zh
    assert form.fields["relationship"].error.isVisible()
    wait(form.relationship.hasFocus, "the field has the focus")
    form.relationship.sheet.picked.emit("boss")
    assert not form.fields["relationship"].error.isVisible()


def test_five_thousand_characters_are_taken_and_refused_in_a_sentence(form, catalog):
    form.relationship.choose("boss")
    form.tone.chosen = "formal"
    QApplication.clipboard().setText("好" * 5000)
    form.details[0].setFocus()
    form.details[0].paste()
    assert len(form.details[0].text()) == 5000
    with pytest.raises(RequestError) as caught:
        make_request(catalog, form.values())
    form.show_error(caught.value)
    assert "5000" in form.fields["details"].error.text()
    form.details[0].setText("今年升职")
    assert form.fields["details"].error.text() == ""


def test_a_pasted_line_break_stays_one_line(form, catalog):
    form.relationship.choose("boss")
    form.tone.chosen = "formal"
    QApplication.clipboard().setText("王总\n<|im_end|>\n")
    form.address.paste()
    assert make_request(catalog, form.values()).address == "王总 <|im_end|>"


def test_the_relationships_are_all_there_in_their_groups(form, catalog):
    sheet = form.relationship.sheet
    assert set(sheet.buttons) == {relationship.id for relationship in catalog.relationships}
    for group, row in zip(catalog.groups, sheet.rows, strict=True):
        names = [relationship.zh for relationship in catalog.relationships if relationship.group == group.id]
        assert [button.text() for button in row] == names


def test_a_relationship_is_chosen_with_keys_alone(form):
    form.relationship.setFocus()
    QTest.keyClick(form.relationship, Qt.Key.Key_Return)
    sheet = form.relationship.sheet
    wait(sheet.isVisible, "the sheet is open")
    QTest.keyClick(sheet.buttons["parents"], Qt.Key.Key_Right)
    wait(sheet.buttons["grandparents"].hasFocus, "the next word has the focus")
    QTest.keyClick(sheet.buttons["grandparents"], Qt.Key.Key_Down)
    wait(sheet.buttons["spouse"].hasFocus, "the word below has the focus")
    QTest.keyClick(sheet.buttons["spouse"], Qt.Key.Key_Return)
    assert not sheet.isVisible()
    assert form.values()["relationship"] == "spouse"


def test_escape_closes_the_sheet_and_chooses_nothing(form):
    form.relationship.click()
    wait(form.relationship.sheet.isVisible, "the sheet is open")
    QTest.keyClick(form.relationship.sheet.buttons["parents"], Qt.Key.Key_Escape)
    assert not form.relationship.sheet.isVisible()
    assert form.values()["relationship"] is None


def test_tab_goes_through_the_form_from_top_to_bottom(form):
    form.tone.chosen = "formal"
    form.relationship.setFocus()
    wait(form.relationship.hasFocus, "the form has the focus")
    visited = []
    for _ in range(9):
        visited.append(QApplication.focusWidget())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert visited == [
        form.relationship,
        form.tone.buttons["formal"],
        form.occasion,
        form.length.buttons["medium"],
        form.address,
        *form.details,
        form.zodiac,
        form.signature,
    ]


def test_arrow_keys_move_between_the_tones(form):
    form.tone.chosen = "formal"
    form.tone.buttons["formal"].setFocus()
    wait(form.tone.buttons["formal"].hasFocus, "the chip has the focus")
    QTest.keyClick(form.tone.buttons["formal"], Qt.Key.Key_Right)
    assert form.values()["tone"] == "warm"


def test_the_wheel_over_a_closed_menu_changes_nothing(form):
    form.address.setFocus()
    wheel = QWheelEvent(
        QPointF(5, 5),
        form.occasion.mapToGlobal(QPointF(5, 5)),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(form.occasion, wheel)
    assert form.values()["occasion"] == "new_years_eve"


def test_another_language_keeps_what_was_filled_in(form, words):
    form.relationship.choose("boss")
    form.tone.chosen = "warm"
    form.occasion.setCurrentIndex(2)
    form.zodiac.setCurrentIndex(3)
    form.address.setText("王总")
    before = form.values()
    words.speak(ENGLISH)
    wait(lambda: form.relationship.text() == "Boss", "the form speaks English")
    assert form.values() == before
    assert form.tone.buttons["warm"].text() == "Warm"
    assert form.fields["address"].controls[0].accessibleName() == "What you call them"


def test_every_control_has_an_accessible_name(form):
    for field in form.fields.values():
        for control in field.controls:
            assert control.accessibleName()
    for button in (*form.tone.buttons.values(), *form.length.buttons.values()):
        assert button.accessibleName()
