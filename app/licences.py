"""The licences of what the program is made of: its own, what it brings along, and those of the installed packages."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from app.program import ROOT, resource

_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")


@dataclass(frozen=True)
class Licence:
    """What is licensed, and the files that say how."""

    name: str
    files: tuple[Path, ...]

    @property
    def is_markdown(self) -> bool:
        """Whether the text is to be read as Markdown."""
        return all(file.suffix == ".md" for file in self.files)

    def text(self) -> str:
        """What the files say, one after the other."""
        return "\n\n".join(file.read_text(encoding="utf-8", errors="replace").strip() for file in self.files)


def licences() -> tuple[Licence, ...]:
    """Ours first, with the list of everything else; then the texts, by name. Quick: no text is read."""
    own = [
        Licence("拜年帖", (ROOT / "LICENSE",)),
        Licence("第三方 Third-party notices", (ROOT / "THIRD_PARTY_NOTICES.md",)),
    ]
    return (*own, *sorted([*_brought(), *_packages()], key=lambda licence: licence.name.casefold()))


def _brought() -> Iterator[Licence]:
    """Of the fonts, of Qt, of llama.cpp, and in a bundle of the system's libraries in it and of Python."""
    for path in resource("fonts").glob("OFL-*.txt"):
        yield Licence(path.stem.removeprefix("OFL-"), (path,))
    for path in resource("licences").rglob("*.txt"):
        yield Licence(path.stem, (path,))


def _packages() -> Iterator[Licence]:
    """Of every Python package that lies beside the program."""
    for package in metadata.distributions():
        found = [Path(str(file.locate())) for file in package.files or () if file.name.upper().startswith(_NAMES)]
        files = tuple(sorted(file for file in found if ".dist-info" in str(file) and file.is_file()))
        if files:
            yield Licence(f"{package.name} {package.version}", files)
