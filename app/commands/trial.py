"""Trials of models in the engine's own process: of one we built, that it writes a greeting; of any, that it opens."""

import itertools
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.compose.catalog import load_catalog
from app.compose.prompt import prompt_segments
from app.compose.request import make_request
from app.compose.sentence import Sentence
from app.engine.client import EngineClient
from app.engine.errors import EngineError
from app.engine.protocol import Died, Done, Event, Failed, Finished, Ready, Sampling
from app.models.errors import Cancelled

REQUEST = {"relationship": "friend", "tone": "warm", "address": "小周"}
DRAWN = 3  # as for a person who waits for three; one that ends well is enough
SEED = 1
SECONDS = 300.0  # to open the model and write; past that nobody could work with it
_TICK = 0.2  # seconds between two looks at `cancelled`
_DIED = Sentence(
    "试着打开这个模型时，写作引擎停了：多半是文件损坏了，或者内存不够。没有启用它；请关掉占内存多的程序再试一次，"
    "还是不行就换一个文件。",
    "The engine stopped while it tried this model: most likely the file is damaged, or memory is short. It was not put "
    "in place. Close programs that use much memory and try again; if that does not help, choose another file.",
)


def try_model(model: Path, sampling: Sampling, cancelled: Callable[[], bool]) -> str:
    """Open ``model`` on the CPU, which every machine has, and return the greeting it wrote.

    Raises:
        EngineError: it does not open, dies, takes too long, or writes nothing that is a greeting (``trial_failed``).
        Cancelled: ``cancelled()`` became true.
    """
    catalog = load_catalog()
    prompt = prompt_segments(make_request(catalog, REQUEST), catalog)
    with _engine(model, cancelled) as (client, events):
        _ready(events)
        client.write(prompt, DRAWN, SEED, sampling)
        until_done = itertools.takewhile(lambda event: not isinstance(event, Done), events)
        return _greeting([event for event in until_done if isinstance(event, Finished)])


def try_opening(model: Path, cancelled: Callable[[], bool]) -> Ready:
    """Open ``model`` on the CPU, which evaluates one token with it.

    Raises:
        EngineError: it does not open, dies, or takes too long.
        Cancelled: ``cancelled()`` became true.
    """
    with _engine(model, cancelled) as (_, events):
        return _ready(events)


@contextmanager
def _engine(model: Path, cancelled: Callable[[], bool]) -> Iterator[tuple[EngineClient, Iterator[Event]]]:
    """An engine that opens ``model`` on the CPU, and what it tells."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    client = EngineClient(model, device="cpu", on_event=events.put)
    client.start()
    try:
        yield client, _told(events, cancelled)
    finally:
        client.close()


def _ready(events: Iterator[Event]) -> Ready:
    return next(event for event in events if isinstance(event, Ready))


def _told(events: "queue.SimpleQueue[Event]", cancelled: Callable[[], bool]) -> Iterator[Event]:
    """Every event, for as long as a trial may take; what has failed is raised."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if cancelled():
            raise Cancelled
        try:
            event = events.get(timeout=_TICK)
        except queue.Empty:
            continue
        if isinstance(event, Failed):
            raise EngineError(event.code, event.sentence, event.detail)
        if isinstance(event, Died):
            raise EngineError("engine_died", _DIED, f"exit code {event.exit_code}")
        yield event
    raise EngineError(
        "trial_failed",
        Sentence(
            f"用这个模型试了 {SECONDS:.0f} 秒还没有结果，没有启用它。请关掉占用内存和处理器的程序后重试。",
            f"{SECONDS:.0f} s of trying this model came to no end, so it was not put in place. Close programs that use "
            "much memory or processor time, then try again.",
        ),
    )


def _greeting(finished: list[Finished]) -> str:
    for event in finished:
        if event.end == "stop" and any("\u4e00" <= character <= "\u9fff" for character in event.text):
            return event.text
    raise EngineError(
        "trial_failed",
        Sentence(
            "模型建好了，但试写时没能写出一条完整的祝福，没有启用它。请重试；若仍如此，请重新下载本程序。",
            "The model was built, but in the trial it did not write one complete greeting, so it was not put in place. "
            "Try again; if it stays so, download the program again.",
        ),
        "\n".join(f"{event.end}: {event.text!r}" for event in finished),
    )
