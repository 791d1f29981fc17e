"""Every string of the window has its English, and the compiled file is the one the text file makes."""

import ast
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import PySide6
import pytest

from app.gui.words import CHINESE, ENGLISH, TRANSLATIONS
from tests.gui.waiting import wait

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(PySide6.__file__).parent
SOURCE = TRANSLATIONS / "app_en.ts"
COMPILED = TRANSLATIONS / "app_en.qm"


def tool(name: str) -> str:
    """Qt's own program, as PySide6 brings it along."""
    return str(next(TOOLS.glob(f"**/{name}{'.exe' if sys.platform == 'win32' else ''}")))


def messages(path: Path) -> dict[tuple[str, str], ElementTree.Element]:
    """The messages of a .ts file by context and source."""
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            found[context.findtext("name") or "", message.findtext("source") or ""] = message
    return found


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh .ts of everything the code says now."""
    path = tmp_path_factory.mktemp("ts") / "app_en.ts"
    sources = [str(path) for path in sorted((ROOT / "app" / "gui").glob("*.py"))]
    options = ["-locations", "none", "-source-language", "zh_CN", "-target-language", "en"]
    subprocess.run([tool("lupdate"), *sources, *options, "-ts", str(path)], check=True, capture_output=True)
    return path


def test_every_string_is_in_the_translation_and_no_other(collected):
    assert set(messages(SOURCE)) == set(messages(collected))


def test_every_string_stands_where_the_collector_sees_it():
    calls = [
        (f"{path.name}:{node.lineno}", node)
        for path in sorted((ROOT / "app" / "gui").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("self.tr", "QCoreApplication.translate")
    ]
    assert calls
    assert [place for place, call in calls if not all(isinstance(given, ast.Constant) for given in call.args)] == []


def test_every_string_has_its_english():
    for (context, source), message in messages(SOURCE).items():
        translation = message.find("translation")
        assert translation is not None and translation.get("type") is None, f"{context}: {source}"
        assert translation.text, f"{context}: {source}"
        places = re.compile(r"{\w+}")
        assert sorted(places.findall(source)) == sorted(places.findall(translation.text)), f"{context}: {source}"


def test_the_compiled_file_is_current(tmp_path):
    fresh = tmp_path / "app_en.qm"
    subprocess.run([tool("lrelease"), str(SOURCE), "-qm", str(fresh)], check=True, capture_output=True)
    assert fresh.read_bytes() == COMPILED.read_bytes()


def test_no_chinese_is_left_in_the_window_in_english(window):
    def left() -> list[str]:
        found = []
        for widget in window.findChildren(object):
            for get in ("text", "toolTip", "accessibleName", "placeholderText"):
                value = getattr(widget, get, None)
                shown = value() if callable(value) else ""
                if isinstance(shown, str) and re.search("[\u4e00-\u9fff]", shown):
                    found.append(f"{type(widget).__name__}.{get}: {shown}")
        return found

    window.sidebar.language_asked.emit(ENGLISH)
    wait(lambda: window.page.button.text() == "Write", "the window speaks English")
    # What stays Chinese: the name, the way back, numerals, samples of what will be written, and examples of it.
    allowed = re.compile(r"拜年帖|换成中文|中文|^\w+\.text: [一二三]$|“.*”|e\.g\. |拜\n年\n帖")
    assert [line for line in left() if not allowed.search(line)] == []
    window.sidebar.language_asked.emit(CHINESE)
    wait(lambda: window.page.button.text() == "写祝福", "the window speaks Chinese again")


def test_the_tools_are_there():
    for name in ("lupdate", "lrelease"):
        assert shutil.which(tool(name))
