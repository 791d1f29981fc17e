"""The designs of the program, and what is said of a broken one."""

import re
import shutil
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from app.cards.collection import CARDS, load_collection
from app.cards.design import Format
from app.cards.errors import DesignError
from app.compose.zodiac import ANIMALS


@pytest.fixture
def folder(tmp_path):
    """A copy of the collection with one design only."""
    shutil.copytree(CARDS / "drawings", tmp_path / "drawings")
    shutil.copy(CARDS / "2-plum.yaml", tmp_path / "plum.yaml")
    return tmp_path


def change(folder, *path, to):
    """Set one value of the design, or take it away when ``to`` is None."""
    file = folder / "plum.yaml"
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    file.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")


def test_there_are_six_designs_and_more_in_both_directions():
    collection = load_collection()
    assert len(collection.designs) >= 6
    assert {design.setting.vertical for design in collection.designs} == {True, False}
    assert len({design.title.zh for design in collection.designs}) == len(collection.designs)
    assert collection.design(collection.designs[1].id) is collection.designs[1]


def test_text_and_seal_never_meet():
    for design in load_collection().designs:
        for format in Format:
            text, seal = design.page(format).text, design.page(format).zodiac
            beside = seal.x >= text.x + text.width or seal.x + seal.size <= text.x
            below = seal.y >= text.y + text.height or seal.y + seal.size <= text.y
            assert beside or below, f"{design.id}, {format.value}"


def test_every_animal_has_its_drawing_and_every_drawing_is_used():
    collection = load_collection()
    used = {
        ornament.drawing
        for design in collection.designs
        for format in Format
        for ornament in design.page(format).ornaments
    }
    assert set(collection.drawings) == used | set(ANIMALS)


def test_a_drawing_is_an_svg_document_in_the_colours_of_its_design():
    collection = load_collection()
    design = collection.designs[0]
    root = ElementTree.fromstring(collection.drawings["马"].svg(design.colours))
    fills = {path.get("fill") for path in root}
    assert fills <= {"none", *design.colours.values()}
    assert len(root) > len(collection.drawings["马"].shapes), "mirrored shapes are drawn twice"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("setting", "larget"), 60, "larget.*largest"),
        (("papr",), {}, "papr"),
        (("setting", "leading"), None, "leading"),
        (("setting", "vertical"), "yes", "setting.vertical"),
        (("setting", "along"), "middle", "setting.along"),
        (("setting", "smallest"), 500, "setting"),
        (("colours", "paper"), "white", "colours.paper"),
        (("colours", "cut"), None, "cut"),
        (("portrait", "text", "width"), 5000, "portrait"),
        (("portrait", "ornaments"), {}, "portrait.ornaments"),
        (("portrait", "ornaments"), [{"drawing": "plun", "x": 0, "y": 0, "width": 9}], "plun.*plum"),
        (("square", "ornaments"), [{"drawing": "lantern", "x": 0, "y": 0, "width": 9}], "glow"),
        (("frames",), [{"inset": 3, "colour": "papr"}], "papr.*paper"),
        (("portrait", "ornaments"), [{"drawing": "plum", "x": 0, "y": 0, "width": 9, "rows": 0}], "rows"),
    ],
)
def test_a_broken_design_is_named_with_what_is_wrong(folder, path, value, said):
    change(folder, *path, to=value)
    with pytest.raises(DesignError) as refused:
        load_collection(folder)
    for sentence in (refused.value.sentence.zh, refused.value.sentence.en):
        assert sentence.startswith("plum.yaml")
        assert re.search(said, sentence), sentence


def test_a_file_that_is_no_yaml_is_named(folder):
    (folder / "drawings" / "plum.yaml").write_text("width: [", encoding="utf-8")
    with pytest.raises(DesignError, match=r"plum\.yaml") as refused:
        load_collection(folder)
    assert refused.value.detail


def test_an_empty_folder_holds_no_card(tmp_path):
    with pytest.raises(DesignError):
        load_collection(tmp_path)


def test_a_missing_animal_is_named(folder):
    (folder / "drawings" / "马.yaml").unlink()
    with pytest.raises(DesignError, match="马"):
        load_collection(folder)
