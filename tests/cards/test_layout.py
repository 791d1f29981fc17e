"""A letter in its box: Chinese line breaking on real greetings, size, balance, and how things stand in a column."""

import itertools

import pytest

from app.cards.cells import Turn
from app.cards.clusters import clusters
from app.cards.collection import load_collection
from app.cards.design import Box, Format, Place, Setting
from app.cards.errors import TextTooLong
from app.cards.layout import set_letter
from app.cards.letter import Letter, read_letter

NOT_FIRST = set("，。、；：！？）》」』”’〉】,.;:!?)]·%")
NOT_LAST = set("（《「『“‘〈【([")
BOX = Box(100, 200, 700, 900)
ACROSS = Setting(vertical=False, largest=72, smallest=30, leading=1.75)
DOWN = Setting(vertical=True, largest=72, smallest=30, leading=1.75)
BOTH = pytest.mark.parametrize("setting", [ACROSS, DOWN], ids=["across", "down"])


@pytest.fixture(scope="module")
def places():
    """Every text box of the collection with its setting, without end."""
    designs = load_collection().designs
    return itertools.cycle([(design.page(format).text, design.setting) for design in designs for format in Format])


def lines_of(text, setting, metrics, box=BOX):
    return set_letter(read_letter(text), box, setting, metrics).lines


def size_of(text, setting, metrics):
    return set_letter(read_letter(text), BOX, setting, metrics).size


@pytest.fixture(scope="module")
def done(some_greetings, metrics, places):
    """Real greetings, each set into the next text box."""
    letters = [(read_letter(text), *place) for text, place in zip(some_greetings, places, strict=False)]
    return [(letter, box, setting, set_letter(letter, box, setting, metrics)) for letter, box, setting in letters]


def test_real_greetings_are_broken_by_the_rules_and_stay_in_their_box(done):
    assert len(done) > 300
    for letter, box, setting, result in done:
        assert "".join(result.lines) == "".join(letter.paragraphs) + letter.signature
        for line in result.lines:
            assert line[0] not in NOT_FIRST, result.lines
            assert line[-1] not in NOT_LAST, result.lines
        for one, other in itertools.pairwise(result.lines):
            assert not (one[-1] == other[0] and one[-1] in "—…"), f"a pair is cut: {result.lines}"
            assert not (one[-1].isascii() and other[0].isascii() and (one[-1] + other[0]).isalnum()), result.lines
        assert setting.smallest <= result.size <= setting.largest
        assert inside(result.block, box), result.lines


def inside(block, box):
    across = box.x - 0.01 <= block.x and block.x + block.width <= box.x + box.width + 0.01
    return across and box.y - 0.01 <= block.y and block.y + block.height <= box.y + box.height + 0.01


def test_no_real_greeting_ends_with_a_lone_character(done):
    for letter, _, _, result in done:
        last = result.lines[-2 if letter.signature else -1]
        words = [cluster for cluster in clusters(last) if cluster not in NOT_FIRST]
        assert len(words) > 1 or len(result.lines) == 1, result.lines


@BOTH
def test_a_line_ends_where_one_draws_breath(setting, metrics):
    assert lines_of("新春安康。一家冷暖皆赖你操持，我铭感于心。", setting, metrics)[0] == "新春安康。"


@BOTH
def test_a_shorter_text_is_not_set_smaller(setting, metrics):
    sizes = [size_of("愿你平安顺遂，" * count, setting, metrics) for count in (1, 4, 9, 16)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == setting.largest
    assert sizes[-1] < sizes[0]


@BOTH
def test_a_text_too_long_is_refused_with_numbers(setting, metrics):
    with pytest.raises(TextTooLong) as refused:
        lines_of("愿你平安顺遂，" * 100, setting, metrics)
    assert "700 字" in refused.value.sentence.zh
    assert 100 < refused.value.room < 700
    assert str(refused.value.room) in refused.value.sentence.en
    fitting = "愿你平安顺遂，" * (refused.value.room // 7)
    assert lines_of(fitting, setting, metrics), "as much as was promised does fit"


@BOTH
def test_too_many_paragraphs_are_refused_as_such(setting, metrics):
    with pytest.raises(TextTooLong) as refused:
        lines_of("好\n" * 60, setting, metrics)
    assert "60 段" in refused.value.sentence.zh and "60 paragraphs" in refused.value.sentence.en


@BOTH
def test_pairs_and_words_are_not_cut(setting, metrics):
    narrow = Box(0, 0, 400, 1400) if not setting.vertical else Box(0, 0, 1400, 400)
    for count in range(1, 12):
        lines = lines_of("年" * count + "……好好好好——好Happy2027好，100%好3.5好", setting, metrics, narrow)
        for whole in ("……", "——", "Happy2027", "100%", "3.5"):
            assert sum(whole in line for line in lines) == 1, f"{whole} in {lines}"


@BOTH
def test_a_word_longer_than_a_line_is_cut_rather_than_refused(setting, metrics):
    text = "看 https://example.com/" + "a" * 90
    assert "".join(lines_of(text, setting, metrics)).replace(" ", "") == text.replace(" ", "")


@BOTH
def test_families_of_emoji_stay_together(setting, metrics):
    text = "全家福" + "👨‍👩‍👧‍👦" * 40
    for line in lines_of(text, setting, metrics):
        assert line.replace("👨‍👩‍👧‍👦", "") in ("", "全家福")


def test_marks_that_meet_share_their_air(metrics):
    def length(text):
        return set_letter(Letter((text,)), BOX, ACROSS, metrics).block.width / 72

    assert length("他说（《书》）。") == pytest.approx(2 + 3 * 0.5 + 1 + 3 * 0.5 - 0.5 + 0.5)
    assert length("好。") == pytest.approx(1.5), "a mark at the end does without its air"
    assert length("年ABC年") == pytest.approx(2 + 1.5 + 2 * 0.2), "a little air where Latin meets Chinese"


def stands(text, metrics):
    return {placed.text: placed for placed in set_letter(Letter((text,)), BOX, DOWN, metrics).placed}


def test_marks_take_their_vertical_forms_in_a_column(metrics):
    shown = "".join(stands("他说：“好，（年）《书》！”……——", metrics))
    assert "".join(mark for mark in shown if mark not in "他说好年书") == "︓﹃︐︵︶︽︾︕﹄︙︱"


def test_two_digits_share_a_square_a_year_goes_down_and_a_word_lies_on_its_side(metrics):
    placed = stands("去2027年60岁Happy", metrics)
    assert placed["60"].turn is Turn.ABREAST
    assert placed["60"].width == placed["年"].size
    assert [placed[digit].turn for digit in "207"] == [Turn.ABREAST] * 3
    assert placed["7"].y - placed["0"].y == pytest.approx(2 * placed["7"].size)
    assert placed["Happy"].turn is Turn.TURNED
    assert placed["Happy"].width == pytest.approx(2.5 * placed["年"].size)


def test_columns_go_from_right_to_left_and_the_signature_ends_below(metrics):
    done = set_letter(read_letter("新春安康。一家冷暖皆赖你操持，我铭感于心。——小迟"), BOX, DOWN, metrics)
    first, last = done.placed[0], done.placed[-1]
    assert first.text == "新" and last.text == "迟"
    assert first.x > last.x
    assert last.y + last.size == pytest.approx(done.block.y + done.block.height)


def test_ruled_lines_fill_the_box_evenly(metrics):
    ruled = Setting(True, 72, 30, 1.75, along=Place.START, across=Place.START, ruled=True)
    done = set_letter(read_letter("新春安康。"), BOX, ruled, metrics)
    assert BOX.width / done.pitch == pytest.approx(round(BOX.width / done.pitch))
    first = done.placed[0]
    assert first.x + first.size / 2 == pytest.approx(BOX.x + BOX.width - done.pitch / 2)
    assert first.y == BOX.y


def test_nothing_is_set_as_nothing(metrics):
    done = set_letter(read_letter(" \n "), BOX, ACROSS, metrics)
    assert done.placed == () and done.lines == ()
