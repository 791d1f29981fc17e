"""The page 写祝福: the form at the left, three cards at the right, and what happens between them.

The page turns clicks and keys into calls of the writing session and the session's state into what the cards show, and
tells the keeping of it.
"""

import secrets
from datetime import date
from functools import partial

from PySide6.QtCore import QEvent, QMargins, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.compose.catalog import Catalog
from app.compose.request import GreetingRequest, RequestError, make_request
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Died, Done, Event, Failed, Loading, Ready, Sampling
from app.gui.announcing import announce
from app.gui.banner import Banner
from app.gui.candidate_card import CandidateCard
from app.gui.card_opening import open_card
from app.gui.column_scroll import ColumnScroll
from app.gui.composition import CompositionWatch
from app.gui.engine_bridge import Engine, EngineBridge
from app.gui.keeping import Keeping, SentNote
from app.gui.people_thread import PeopleThread
from app.gui.received import Received, fetch_repeated
from app.gui.request_form import RequestForm
from app.gui.status_line import StatusLine
from app.gui.theme import Theme
from app.gui.words import Words
from app.gui.write_button import WriteButton, key_name
from app.gui.writing_session import CARDS, State, WritingSession

FORM_WIDTH = 384
ROOMY = 730  # pixels of height from which the keys are named under the button
CHECK_AFTER = 250  # ms without a key before an edited text is checked
_RESTARTED = Sentence(
    "写作引擎刚才意外停了，现在已经重新启动；你填的内容和已写好的文字都还在。有没写完的，请再写一次。",
    "The engine stopped unexpectedly and has been restarted; what you filled in and what was written is kept. If "
    "something was left unfinished, write it again.",
)


class ComposePage(QWidget):
    """Everything between the side bar and the right edge. ``notice`` is where the panel of a first start goes."""

    def __init__(
        self,
        catalog: Catalog,
        words: Words,
        theme: Theme,
        engine: EngineBridge,
        people: PeopleThread,
        today: date,
        notice: QWidget,
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self._catalog = catalog
        self._words = words
        self._theme = theme
        self._engine = engine
        self._people = people
        self.keeping = Keeping(people)
        self._received = Received(self.keeping.entry)
        self._title: Sentence | None = None
        self._death: Sentence | None = None  # what the engine's last death was told with
        self.watch = CompositionWatch(self)
        self.form = RequestForm(catalog, words, self.watch, theme, today)
        self.button = WriteButton()
        self.hint = QLabel()
        self.hint.setProperty("kind", "aside")
        self.banner = Banner(words)
        self.cards = [CandidateCard(number, theme) for number in range(CARDS)]
        self._count = CARDS  # of the cards a click fills
        self.status = StatusLine(words)
        self.session = self._new_session(CARDS, Sampling())
        self._checks = [QTimer(self) for _ in self.cards]
        self._build(notice)
        self._connect()
        self._shortcuts()
        for card in range(CARDS):
            self._show_card(card)
        self.retranslate()

    def set_drawing(self, draw: int, sampling: Sampling, title: Sentence | None) -> None:
        """How this model is drawn from, and what it is called if it is ours. Before anything is written."""
        self._title = title
        self.session = self._new_session(draw, sampling)

    def use_cards(self, count: int) -> None:
        """Fill so many cards from the next click on; one with a text stays until then."""
        self._count = count
        for number, card in enumerate(self.cards):
            card.setVisible(number < count or self.session.view(number).count > 0)

    def first_focus(self) -> QWidget:
        """Where the keys go at first."""
        return self.form.relationship

    def write(self) -> None:
        """Write what the form asks for, as soon as the engine can."""
        if self.session.working or self._engine.state is Engine.OFF or self.watch.composing:
            return
        self.form.clear_errors()
        try:
            request = make_request(self._catalog, self.form.values())
        except RequestError as error:
            self.form.show_error(error)
            return
        self.banner.hide()
        self.status.show_seconds(None)
        self._engine.reopen()
        self._look_up(request)
        for card in self.cards[self._count :]:
            card.hide()
        self.session.write(request, self._count)
        self._show_working()

    def stop(self) -> None:
        """Stop writing; what is there stays."""
        if not self.watch.composing:
            self.session.stop()
            self._show_working()

    def copy(self, card: int) -> None:
        """Put the text of a card on the clipboard; that counts as sent. Half a text is not taken."""
        view = self.session.view(card)
        if self.cards[card].isHidden():
            return
        if view.state is State.WRITING:
            self.cards[card].refuse_copy()
            announce(self.cards[card], self.cards[card].note.text())
        elif view.text:
            QGuiApplication.clipboard().setText(view.text)
            self.session.hold(card)
            self.cards[card].confirm_copied()
            announce(self.cards[card], self.cards[card].note.text())
            if view.text.strip():
                self.keeping.copied(view)

    def favour(self, card: int) -> None:
        """Make the text of a card a favourite, or no longer one."""
        view = self.session.view(card)
        if view.state is not State.WRITING and view.text.strip():
            self.session.hold(card)
            self.keeping.favour(view, not self.keeping.is_favourite(view.version))

    def make_card(self, card: int) -> None:
        """Open the text of a card as a picture."""
        view = self.session.view(card)
        if view.request is not None and view.state is not State.WRITING and view.text.strip():
            self.session.hold(card)
            open_card(self._words, self._theme, view.text, view.request, self, self.banner)

    def handle(self, event: Event) -> None:
        """What the engine says: texts to the session, the rest to the status line and the banner."""
        if isinstance(event, Loading):
            self.status.show_loading(event.fraction)
        elif isinstance(event, Ready):
            self.status.show_ready(event, self._title)
            self.keeping.model = event.model
            if self._death is not None:
                self.banner.amend(self._death, _RESTARTED)
        elif isinstance(event, Died):
            self._death = event.sentence
            self.banner.show_error(event.sentence, f"exit code {event.exit_code}\n{self._engine.chatter}".strip())
            self._show_engine_off(event.restarting)
        elif isinstance(event, Failed):
            # Of an engine that died the event Died tells more, and comes right after.
            if event.code != "engine_died" and (event.job is None or self.session.asked(event.job)):
                self.banner.show_error(event.sentence, f"{event.code}\n{event.detail}".strip())
            if event.job is None:
                self._show_engine_off(False)
        elif isinstance(event, Done) and not event.cancelled and self.session.asked(event.job):
            self.status.show_seconds(event.seconds)
        self.session.handle(event)
        self._show_working()

    def name_model(self, title: Sentence | None) -> None:
        """What the model being opened is called; None for what its file says."""
        self._title = title

    def break_off(self) -> None:
        """Another engine is about to write: what is being written ends here, and stays."""
        self.session.stop()
        self._show_working()

    def engine_changed(self) -> None:
        """The engine was opened or closed: without one nothing is being written, and nothing can be."""
        if self._engine.state is Engine.OFF:
            self.session.stop()
        self._show_working()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self._show_working()
        for card in range(CARDS):
            self._show_faults(card)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where the window is low the form needs the room more than the hint does."""
        self.hint.setVisible(event.size().height() >= ROOMY)
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _new_session(self, draw: int, sampling: Sampling) -> WritingSession:
        return WritingSession(
            self._catalog,
            self._engine,
            draw=draw,
            sampling=sampling,
            seeds=lambda: secrets.randbelow(1 << 31),
            changed=self._show_card,
            repeats=self._received.repeats,
        )

    def _write_again(self, card: int) -> None:
        if self._engine.state is not Engine.OFF:
            self._engine.reopen()
            request = self.session.view(card).request
            if request is not None:
                self._look_up(request)
            self.session.write_again(card)
            self._show_working()

    def _press_again(self, card: int) -> None:
        """By key: as if the button of a card that is there had been pressed."""
        if self.cards[card].isVisible():
            self.cards[card].again_button.click()

    def _edited(self, card: int, text: str) -> None:
        self.session.edit(card, text)
        view = self.session.view(card)
        self.cards[card].show_view(view)
        self.keeping.edit(view)
        self._checks[card].start()

    def _look_up(self, request: GreetingRequest) -> None:
        """Find out what this person received; until that is known, which is well before the texts are, all is new."""
        if request.address:
            self._people.read(
                lambda store: fetch_repeated(store, request),
                partial(self._received.take, request),
                self._not_kept,
            )

    def _show_card(self, card: int) -> None:
        view = self.session.view(card)
        self.cards[card].show_view(view)
        self.cards[card].show_favourite(self.keeping.is_favourite(view.version))
        self.keeping.see(view)
        self.cards[card].show_kept(self.keeping.state(view.version))
        self._show_faults(card)

    def _card_of(self, version: int) -> int | None:
        """The card that shows a version now."""
        return next((card for card in range(CARDS) if self.session.view(card).version == version), None)

    def _show_favourite(self, version: int) -> None:
        card = self._card_of(version)
        if card is not None:
            self.cards[card].show_favourite(self.keeping.is_favourite(version))

    def _show_kept(self, version: int) -> None:
        card = self._card_of(version)
        if card is not None:
            self.cards[card].show_kept(self.keeping.state(version))

    def _show_sent(self, version: int, note: SentNote | None) -> None:
        card = self._card_of(version)
        if card is None:
            return
        if note is not None:
            self.cards[card].confirm_sent(note.name)
        else:
            self.cards[card].confirm_unsent()

    def _not_kept(self, error: ExplainedError) -> None:
        self.banner.show_error(error.sentence, error.detail)

    def _show_faults(self, card: int) -> None:
        sentences = [self._words.say(fault.sentence) for fault in self.session.faults(card)]
        self.cards[card].show_faults(sentences, self._words.joined(sentences))

    def _show_working(self) -> None:
        working = self.session.working
        self.button.show_working(working)
        self.button.setEnabled(self._engine.state is not Engine.OFF)
        self._stop.setEnabled(working)
        for card in self.cards:
            card.allow_again(self._engine.state is not Engine.OFF)
        self.hint.setText(
            self.tr("模型准备好就能写")
            if self._engine.state is Engine.OFF
            else self.tr("{key} 停止").format(key=key_name("Esc"))
            if working
            else key_name("Ctrl+Return")
        )

    def _show_engine_off(self, restarting: bool) -> None:
        if restarting:
            self.status.show_message(Sentence("写作引擎正在重新启动…", "The writing engine is being restarted…"))
        else:
            self.status.show_message(Sentence("写作引擎没有在运行", "The writing engine is not running"))

    def _connect(self) -> None:
        self._engine.happened.connect(self.handle)
        self.keeping.kept.connect(lambda version, _: self._show_kept(version))
        self.keeping.missed.connect(self._show_kept)
        self.keeping.favoured.connect(self._show_favourite)
        self.keeping.sent.connect(self._show_sent)
        self.keeping.failed.connect(self._not_kept)
        self.button.write.connect(self.write)
        self.button.stop.connect(self.stop)
        for number, card in enumerate(self.cards):
            self.watch.watch(card.text)
            card.edited.connect(lambda text, number=number: self._edited(number, text))
            card.held.connect(lambda number=number: self.session.hold(number))
            card.copy.connect(lambda number=number: self.copy(number))
            card.unsend.connect(lambda number=number: self.keeping.unsend(self.session.view(number).version))
            card.favour.connect(lambda number=number: self.favour(number))
            card.make_card.connect(lambda number=number: self.make_card(number))
            card.again.connect(lambda number=number: self._write_again(number))
            card.turned.connect(lambda step, number=number: self.session.turn(number, step))
            self._checks[number].setSingleShot(True)
            self._checks[number].setInterval(CHECK_AFTER)
            self._checks[number].timeout.connect(lambda number=number: self._show_faults(number))

    def _shortcuts(self) -> None:
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(self.write)
        for number in range(CARDS):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number + 1}"), self)
            shortcut.activated.connect(lambda number=number: self.copy(number))
            again = QShortcut(QKeySequence(f"Ctrl+Shift+{number + 1}"), self)
            again.activated.connect(lambda number=number: self._press_again(number))
        self._stop = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._stop.activated.connect(self.stop)

    def _build(self, notice: QWidget) -> None:
        form_column = QWidget()
        form_column.setObjectName("formColumn")
        form_column.setFixedWidth(FORM_WIDTH)
        left = QVBoxLayout(form_column)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(0)
        left.addWidget(self.form, 1)
        action = QVBoxLayout()
        action.setContentsMargins(28, 8, 24, 14)
        action.setSpacing(6)
        action.addWidget(self.button)
        action.addWidget(self.hint, 0, Qt.AlignmentFlag.AlignHCenter)
        left.addLayout(action)

        scroll = ColumnScroll("cardsBody", QMargins(8, 24, 28, 16), 14)
        right = scroll.column
        right.addWidget(self.banner)
        right.addWidget(notice)
        for card in self.cards:
            right.addWidget(card, 1)

        columns = QHBoxLayout()
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(0)
        columns.addWidget(form_column)
        columns.addWidget(scroll, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(columns, 1)
        whole.addWidget(self.status)
