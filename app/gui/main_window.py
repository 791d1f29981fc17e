"""The window: side bar and pages, and the order of things when it opens and when it closes."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QWidget

from app.compose.catalog import Catalog
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Event, Failed, Sampling
from app.gui.compose_page import ComposePage
from app.gui.engine_bridge import Engine, EngineBridge
from app.gui.first_start import FirstStart
from app.gui.log import Log, log_done, log_engine, log_failed, log_unforeseen, log_unsaved
from app.gui.model_search import ModelSearch
from app.gui.models_process import ModelsProcess
from app.gui.page_stack import PageStack
from app.gui.people_thread import PeopleThread, Trouble, people_file
from app.gui.settings import AUTO, CPU, Settings
from app.gui.sidebar import Sidebar
from app.gui.theme import Theme
from app.gui.unforeseen import UNFORESEEN, ThreadErrors, show_on_top
from app.gui.words import Words
from app.models.manifest import MANIFEST_FILE, Manifest, load_manifest

if TYPE_CHECKING:
    from app.models.built import InstalledModel

FIRST_SIZE = (1180, 760)
SMALLEST_SIZE = (860, 480)


@dataclass(frozen=True)
class Options:
    """What the window is opened with; the commands are those of the child processes, when not the usual ones.

    ``data`` is the folder of what was written, when not the usual one.
    """

    model: Path | None = None
    device: str = AUTO
    engine_command: Sequence[str] | None = None
    models_command: Sequence[str] | None = None
    data: Path | None = None
    manifest: Path = MANIFEST_FILE
    today: Callable[[], date] = date.today


class MainWindow(QMainWindow):
    """Opens at once; ``painted`` is emitted after the first paint, and then the model is looked for."""

    painted = Signal()
    _turned_to = Signal(date)  # it is this day now
    _refilled = Signal()  # the file of people is another now: something was imported, or everything erased

    def __init__(self, catalog: Catalog, settings: Settings, words: Words, theme: Theme, options: Options) -> None:
        super().__init__()
        self._catalog = catalog
        self._settings = settings
        self.words = words
        self._theme = theme
        self._options = options
        self._manifest: Manifest | None = None
        self._has_ours = False  # the model being used is the one this program builds
        self._is_painted = False
        self._told_trouble = False
        self._closing = False
        self._open_now: tuple[Path, str | None] | None = None
        self.engine = EngineBridge(options.engine_command)
        self.models = ModelsProcess(options.models_command, ("--manifest", str(options.manifest)))
        self._quick = ModelsProcess(options.models_command, ("--manifest", str(options.manifest)))
        self.first_start = FirstStart(words, theme, self.models)
        self.people = PeopleThread(people_file(options.data))
        self.log = Log(people_file(options.data).parent)
        self.page = ComposePage(catalog, words, theme, self.engine, self.people, options.today(), self.first_start)
        self.page.use_cards(settings.cards)
        self.pages = PageStack()
        self.pages.add_place("compose", lambda: self.page)
        self.pages.add_place("batch", self._batch_page)
        self.pages.add_place("history", self._history_page)
        self.pages.add_place("models", self._models_page)
        self.pages.add_place("settings", self._settings_page)
        self.sidebar = Sidebar(words, theme, self.pages.places)
        self._search = ModelSearch(self)
        self.thread_errors = ThreadErrors(self)
        central = QWidget()
        row = QHBoxLayout(central)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(self.pages, 1)
        self.setCentralWidget(central)
        self.setMinimumSize(*SMALLEST_SIZE)
        self.resize(*FIRST_SIZE)
        if settings.geometry is not None:
            self.restoreGeometry(settings.geometry)
        self._connect()
        self._shortcuts()
        self._retitle()
        self.pages.show_place("compose")

    def begin(self) -> None:
        """Open what was written, and the model, or offer to fetch it. Called once the window is on the screen."""
        self.log.open()
        self.people.begin()
        try:
            self._manifest = load_manifest(self._options.manifest)
        except ExplainedError as error:
            self.page.banner.show_error(error.sentence, error.detail)
            return
        drawn, sampling = self._manifest.sampling, _sampling(self._manifest)
        self.page.set_drawing(drawn.draw, sampling, None)
        if self._options.model is not None:
            from app.models.built import recorded_hash

            self._open(self._options.model, recorded_hash(self._options.model))
        else:
            self._search.begin(self._manifest)

    def show_unforeseen(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """An error nobody foresaw, in the form of sys.excepthook: the window goes on, and says so."""
        log_unforeseen(kind, error, trace)
        details = "".join(traceback.format_exception(kind, error, trace))
        show_on_top(UNFORESEEN, details, self.pages.page.banner, self.words)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Gone from the screen at once; then what is still to be written is, and the child processes are ended."""
        if not self._closing:
            self._closing = True
            self._settings.geometry = self.saveGeometry()
            self._settings.save()
            self.hide()
            self.page.keeping.flush()
            if not self.people.close():
                log_unsaved()
            self.engine.close()
            self.models.close()
            self._quick.close()
            self.log.close()
        super().closeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Notices the first paint."""
        handled = super().event(event)
        if event.type() == QEvent.Type.Paint and not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self.painted.emit)
        return handled

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retitle()
        elif event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            # Left open over midnight, on New Year's Eve of all days, it would go on with the day before.
            self._turned_to.emit(self._options.today())
        super().changeEvent(event)

    def _connect(self) -> None:
        self.sidebar.language_asked.connect(self._speak)
        self.sidebar.theme_asked.connect(self._dress)
        self.sidebar.about_asked.connect(self._tell_about)
        self.sidebar.place_asked.connect(self.pages.show_place)
        self.pages.turned.connect(self.sidebar.show_place)
        self._turned_to.connect(self.page.form.turn_to)
        self.people.opened.connect(self._tell_notices)
        self.people.erased.connect(self._refilled)
        self.people.failed.connect(self._tell_trouble)
        self.people.refused.connect(self._tell_error)
        self.engine.happened.connect(self._watch_model)
        self.engine.happened.connect(log_engine)
        self.models.done.connect(log_done)
        self.models.failed.connect(log_failed)
        self.engine.switching.connect(self.page.break_off)
        self.first_start.installed.connect(self._look_again)
        self._search.found.connect(self._use)
        self._search.missed.connect(self._offer_model)
        self._search.failed.connect(self._cannot_look)
        self.thread_errors.raised.connect(self._show_thread_error)

    def _shortcuts(self) -> None:
        for keys, step in (("Ctrl+PgDown", 1), ("Ctrl+PgUp", -1)):
            QShortcut(QKeySequence(keys), self).activated.connect(lambda step=step: self.pages.show_beside(step))
        for number, place in enumerate(self.pages.places, 1):
            shortcut = QShortcut(QKeySequence(f"Alt+{number}"), self)
            shortcut.activated.connect(lambda place=place: self.pages.show_place(place))

    def _batch_page(self) -> QWidget:
        from app.gui.batch_page import BatchPage

        page = BatchPage(self._catalog, self.words, self._theme, self.engine, self.people, self._options.today())
        if self._manifest is not None:
            page.set_drawing(_sampling(self._manifest), self.page.keeping.model)
        page.model_asked.connect(self._go_to_model)
        self.engine.switching.connect(page.session.change_engine)
        self.people.erasing.connect(page.session.pause)
        self.people.erased.connect(page.undoable.clear)
        self._refilled.connect(page.reload)
        self._turned_to.connect(page.turn_to)
        self.people.opened.connect(lambda _: page.begin())
        if self.people.trouble is None:
            page.begin()
        return page

    def _history_page(self) -> QWidget:
        from app.gui.history_page import HistoryPage

        page = HistoryPage(self._catalog, self.words, self._theme, self.people)
        page.writing_asked.connect(lambda: self.pages.show_place("compose"))
        page.imported.connect(self._refilled)
        return page

    def _models_page(self) -> QWidget:
        from app.gui.models_page import ModelsPage

        page = ModelsPage(self.words, self._theme, self.engine, self.models, self._quick)
        page.chosen.connect(self._look_again)
        return page

    def _settings_page(self) -> QWidget:
        from app.gui.settings_page import SettingsPage

        page = SettingsPage(
            self._catalog,
            self.words,
            self._theme,
            self._settings,
            self.engine,
            self.people,
            self._quick,
            self.log,
            people_file(self._options.data).parent,
        )
        page.device.show_choice(self._device, is_fixed=self._options.device == CPU)
        page.theme_asked.connect(self._dress)
        page.language_asked.connect(self._speak)
        page.cpu_asked.connect(self._use_cpu)
        page.threads_asked.connect(self._use_threads)
        page.cards_asked.connect(self._use_cards)
        self.sidebar.theme_asked.connect(page.retranslate)
        return page

    def _go_to_model(self) -> None:
        """To where a missing model is fetched and a broken one made anew."""
        self.pages.show_place("compose")
        if self.first_start.isVisible():
            self.first_start.button.setFocus()

    def _tell_notices(self, notices: tuple[Sentence, ...]) -> None:
        self.page.keeping.catch_up()
        if not notices and self._told_trouble:
            self.page.banner.hide()
        self._told_trouble = False
        if notices:
            self.page.banner.show_error(
                Sentence("".join(notice.zh for notice in notices), " ".join(notice.en for notice in notices))
            )

    def _tell_trouble(self, trouble: Trouble) -> None:
        self._told_trouble = True
        sentence = trouble.error.sentence
        self.page.banner.show_error(
            Sentence(
                f"{sentence.zh}在此之前照样可以写，只是不会存进历史。打开“收藏与历史”可以处理。",
                f"{sentence.en} Until then you can write, but nothing is kept. History is where to set it right.",
            ),
            trouble.error.detail,
        )

    def _tell_error(self, error: ExplainedError) -> None:
        show_on_top(error.sentence, error.detail, self.pages.page.banner, self.words)

    def _show_thread_error(self, error: BaseException) -> None:
        self.show_unforeseen(type(error), error, error.__traceback__)

    def _look_again(self) -> None:
        if self._manifest is not None:
            self._search.begin(self._manifest)

    def _use(self, found: "InstalledModel") -> None:
        if self._closing or self._manifest is None:
            return
        if (found.path, found.sha256) == self._open_now and self.engine.state in (Engine.OPENING, Engine.READY):
            return
        self._has_ours = found.path.name == self._manifest.built.file
        self.first_start.hide()
        self._open(found.path, found.sha256)

    def _offer_model(self, here: int) -> None:
        if not self._closing and self._manifest is not None:
            self.page.status.show_message(Sentence("还没有模型", "No model yet"))
            self.first_start.offer(self._manifest, here)

    def _cannot_look(self, error: ExplainedError) -> None:
        if self.engine.state is Engine.OFF:
            self.page.status.show_message(Sentence("没有打开模型", "No model is open"))
        self.page.banner.show_error(error.sentence, error.detail)

    def _open(self, model: Path, sha256: str | None) -> None:
        self.page.name_model(self._manifest.built.title if self._has_ours and self._manifest else None)
        self.page.status.show_loading(0.0)
        self.engine.open(model, sha256, self._device, self._settings.threads)
        self._open_now = (model, sha256)
        self.page.engine_changed()

    @property
    def _device(self) -> str:
        return CPU if CPU in (self._options.device, self._settings.device) else AUTO

    def _use_threads(self, threads: int | None) -> None:
        self._settings.threads = threads

    def _use_cards(self, count: int) -> None:
        self._settings.cards = count
        self.page.use_cards(count)

    def _use_cpu(self, only: bool) -> None:
        self._settings.device = CPU if only else AUTO
        if self._open_now is not None and self.engine.state is not Engine.OFF:
            self._open(*self._open_now)

    def _watch_model(self, event: Event) -> None:
        """Our model that cannot be opened can be made anew; for any other there is the page 模型."""
        if not (isinstance(event, Failed) and event.job is None and event.code.startswith("model_")):
            return
        if self._has_ours and self._manifest is not None:
            self.page.banner.hide()
            self.engine.close()
            self.page.engine_changed()
            self.first_start.repair(self._manifest, event.sentence, f"{event.code}\n{event.detail}".strip())
        else:
            self.page.banner.show_error(
                Sentence(
                    f"{event.sentence.zh}打开左边的“模型”可以换一个。",
                    f"{event.sentence.en} Under Models, at the left, another can be chosen.",
                ),
                f"{event.code}\n{event.detail}".strip(),
            )

    def _speak(self, language: str) -> None:
        self._settings.language = language
        self.words.speak(language)

    def _dress(self, theme: str) -> None:
        self._settings.theme = theme
        self._theme.use(theme)
        self.sidebar.retranslate()

    def _tell_about(self) -> None:
        from app.gui.about_dialog import AboutDialog

        AboutDialog(self._theme, self).open()

    def _retitle(self) -> None:
        self.setWindowTitle(self.tr("拜年帖"))


def _sampling(manifest: Manifest) -> Sampling:
    """How our model is drawn from."""
    drawn = manifest.sampling
    return Sampling(temperature=drawn.temperature, top_p=drawn.top_p, min_p=drawn.min_p)
