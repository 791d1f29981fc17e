"""Loads the designs and drawings of ``resources/cards``.

The files are data, checked strictly: a missing or unknown key is an error that names the nearest known one, and so is
a colour or a drawing that is not there, or a text box that leaves the card.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from app.cards.design import WIDTH, Box, Collection, Design, Drawing, Format
from app.cards.errors import DesignError
from app.compose.schema import Misfit, nearest, plain_yaml, typed
from app.compose.sentence import Sentence
from app.compose.zodiac import ANIMALS
from app.program import resource

CARDS = resource("cards")
NEEDED_COLOURS = ("paper", "ink", "accent", "cut")  # ``cut``: what is seen through the seal


def load_collection(folder: Path = CARDS) -> Collection:
    """Read and check every design (``*.yaml``, in the order of their names) and drawing (``drawings/*.yaml``).

    Raises:
        DesignError: unreadable file, unknown or missing key, wrong type, or a value that cannot be right.
    """
    drawings = {path.stem: _read(path, Drawing) for path in sorted((folder / "drawings").glob("*.yaml"))}
    designs = []
    for path in sorted(folder.glob("*.yaml")):
        design: Design = _read(path, Design)
        for holds, zh, en in _faults(design, drawings):
            if not holds:
                raise _broken(path, zh, en)
        designs.append(design)
    if not designs:
        raise _broken(folder, "里面没有贺卡", "holds no card")
    return Collection(tuple(designs), drawings)


def _faults(design: Design, drawings: dict[str, Drawing]) -> Iterator[tuple[bool, str, str]]:
    """What must hold of the values; each with what to say where it does not."""
    for name in NEEDED_COLOURS:
        yield name in design.colours, f"colours 缺少 {name}", f"colours lacks {name}"
    for name, colour in design.colours.items():
        is_colour = isinstance(colour, str) and re.fullmatch("#[0-9a-f]{6}", colour) is not None
        yield is_colour, f"colours.{name} 应写成 #rrggbb", f"colours.{name} must be written #rrggbb"
    for frame in design.frames:
        yield from _known(frame.colour, design.colours, "颜色", "colour")
    setting = design.setting
    sizes = 0 < setting.smallest <= setting.largest and setting.leading >= 1
    yield sizes, "setting 的字号或行距不对", "setting: the sizes or the leading cannot be right"
    for format in Format:
        page, place = design.page(format), format.value
        on_card = _on_card(page.text, format) and _on_card(
            Box(page.zodiac.x, page.zodiac.y, page.zodiac.size, page.zodiac.size), format
        )
        yield on_card, f"{place} 有东西超出了贺卡", f"{place}: something leaves the card"
        for ornament in page.ornaments:
            yield from _known(ornament.drawing, drawings, "图样", "drawing")
            for colour in sorted(drawings[ornament.drawing].colours):
                yield from _known(colour, design.colours, "颜色", "colour")
            repeated = min(ornament.columns, ornament.rows) >= 1
            yield repeated, f"{place} 的 columns、rows 至少是 1", f"{place}: columns and rows are at least 1"
    for animal in ANIMALS:
        yield animal in drawings, f"缺少生肖图样 {animal}", f"the drawing of the animal {animal} is missing"
        for colour in sorted(drawings[animal].colours):
            yield from _known(colour, design.colours, "颜色", "colour")


def _known(name: str, known: dict[str, Any], zh: str, en: str) -> Iterator[tuple[bool, str, str]]:
    near = nearest(name, known) if known else ""
    yield (
        name in known,
        f"没有叫 {name} 的{zh}，是不是想写 {near}",
        f"there is no {en} {name}; the nearest known one is {near}",
    )


def _on_card(box: Box, format: Format) -> bool:
    inside = box.x >= 0 and box.y >= 0 and box.x + box.width <= WIDTH and box.y + box.height <= format.height
    return inside and box.width > 0 and box.height > 0


def _read(path: Path, kind: Any) -> Any:
    try:
        raw = plain_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _broken(path, "读不出来", "cannot be read", str(error)) from error
    if kind is Design and isinstance(raw, dict):
        raw = {"id": path.stem} | raw
    try:
        return typed(kind, raw)
    except Misfit as misfit:
        raise _broken(path, misfit.clause.zh, misfit.clause.en) from misfit


def _broken(path: Path, zh: str, en: str, detail: str = "") -> DesignError:
    return DesignError(
        Sentence(
            f"{path.name}：{zh}。贺卡画不出来，请重新安装程序或恢复这个文件。",
            f"{path.name}: {en}. The cards cannot be drawn; reinstall the program or restore the file.",
        ),
        detail,
    )
