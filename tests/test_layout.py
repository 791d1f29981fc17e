"""The arrows of the design: which package may import which, and where Qt, llama.cpp and their like may appear."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("app", "training", "setup_steps", "tests")

# Free to all; they import nothing of ours: the plain name ``app``, which holds the version, how files are written, and
# where the program lies.
FREE = ("app", "app.whole_file", "app.program")

# For each part, by the longest name that fits: what of ours it may import besides itself.
ARROWS = {
    "app.whole_file": (),
    "app.program": (),
    "app.licences": (),
    "app.compose": (),
    "app.models": ("app.compose",),
    "app.llama": ("app.compose.prompt",),
    "app.engine": ("app.compose", "app.llama", "app.models.verify", "app.models.errors"),
    "app.people": ("app.compose",),
    "app.cards": ("app.compose",),
    "app.gui": (
        *("app.compose", "app.models", "app.engine.client", "app.engine.protocol", "app.people", "app.cards"),
        "app.licences",
    ),
    "app.commands": ("app.compose", "app.models", "app.engine"),
    "app.__main__": ("app.commands", "app.engine.process", "app.gui.application"),
    "training": ("app.compose", "app.llama", "app.models"),
    "training.evaluation": (
        *("training", "app.compose", "app.llama", "app.models", "app.engine"),
        "app.commands.model_choice",
    ),
    # What it has written must fit into what the engine takes.
    "training.decision": (
        *("training", "app.compose", "app.llama", "app.models"),
        *("app.engine.protocol", "app.engine.refusals"),
    ),
    "setup_steps": ("app.compose.sentence",),
    "run": ("setup_steps",),
}

# What is kept in one place, and where.
CONFINED = {
    "PySide6": ("app.gui",),
    "shiboken6": ("app.gui",),
    "llama_cpp": ("app.llama", "app.engine.device", "app.commands.bench_peer", "training.decoder", "training.quantize"),
    "torch": ("training",),
    "transformers": ("training",),
    "sqlite3": ("app.people",),
}


def module_name(path: Path) -> str:
    """The dotted name of a file of this repository."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def product_files() -> list[Path]:
    """Every Python file of the program, the training and the installation."""
    folders = [ROOT / name for name in OURS if name != "tests"]
    return [ROOT / "run.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import in a file, wherever in the file it stands."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, resolved(origin, alias.name)) for alias in node.names)


def resolved(origin: str, name: str) -> str:
    """``from origin import name``: the module it reaches for, which ``name`` may be."""
    candidate = ROOT.joinpath(*origin.split("."), name)
    return f"{origin}.{name}" if candidate.with_suffix(".py").exists() or candidate.is_dir() else origin


def within(name: str, part: str) -> bool:
    """Whether a dotted name is a part or lies in it."""
    return name == part or name.startswith(f"{part}.")


def part_of(name: str) -> str | None:
    """The part of the design a module belongs to."""
    return max((part for part in ARROWS if within(name, part)), key=len, default=None)


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_imports_follow_the_arrows(path: Path) -> None:
    name = module_name(path)
    part = part_of(name)
    assert part is not None or name == "app", f"{path}: this package is not in the design"
    allowed = (part, *ARROWS[part]) if part else ()
    for line, target in imported(path):
        if target not in FREE and any(within(target, ours) for ours in OURS):
            assert any(within(target, each) for each in allowed), f"{path}:{line}: {name} must not import {target}"


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_libraries_stay_in_their_places(path: Path) -> None:
    name = module_name(path)
    for line, target in imported(path):
        for library, places in CONFINED.items():
            if within(target, library):
                assert any(within(name, place) for place in places), f"{path}:{line}: {library} is for {places} alone"


def test_an_import_inside_a_function_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_layout.ROOT", tmp_path)
    file = tmp_path / "app" / "compose" / "guard.py"
    file.parent.mkdir(parents=True)
    (tmp_path / "app" / "gui").mkdir()
    file.write_text("def check():\n    from ..gui import theme\n    import PySide6.QtGui\n    from . import catalog\n")
    assert list(imported(file)) == [(2, "app.gui"), (3, "PySide6.QtGui"), (4, "app.compose")]
