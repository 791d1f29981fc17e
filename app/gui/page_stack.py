"""The pages of the window, one shown at a time: each is built when it is first shown, and keeps its focus."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from app.gui.banner import Banner


class Page(Protocol):
    """What every page has besides being a widget."""

    banner: Banner

    def first_focus(self) -> QWidget:
        """Where the keys go when the page is shown for the first time."""


class PageStack(QStackedWidget):
    """``turned`` carries the name of the place that is shown now."""

    turned = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._builders: dict[str, Callable[[], QWidget]] = {}
        self._pages: dict[str, QWidget] = {}
        self._focus: dict[str, QWidget] = {}
        self.place = ""

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the pages, in their order."""
        return tuple(self._builders)

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self._pages[self.place]  # type: ignore[return-value]

    def add_place(self, name: str, build: Callable[[], QWidget]) -> None:
        """A further page, which ``build`` makes when it is first shown; it is a :class:`Page`."""
        self._builders[name] = build

    def show_place(self, name: str) -> None:
        """Show a page, with the focus where it was on it."""
        if name == self.place:
            return
        focus = QApplication.focusWidget()
        if focus is not None and self.place and self._pages[self.place].isAncestorOf(focus):
            self._focus[self.place] = focus
        if name not in self._pages:
            self._pages[name] = self._builders[name]()
            self.addWidget(self._pages[name])
        self.place = name
        self.setCurrentWidget(self._pages[name])
        self._focus.get(name, self.page.first_focus()).setFocus(Qt.FocusReason.OtherFocusReason)
        self.turned.emit(name)

    def show_beside(self, step: int) -> None:
        """Show the page after (1) or before (-1) this one, round the ends."""
        places = self.places
        self.show_place(places[(places.index(self.place) + step) % len(places)])
