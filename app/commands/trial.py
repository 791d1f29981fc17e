"""The trial of a newly built model: it opens, and writes one greeting that ends of its own accord."""

import queue
import time
from collections.abc import Callable
from pathlib import Path

from app.commands.writer import EngineError
from app.compose.catalog import load_catalog
from app.compose.prompt import prompt_segments
from app.compose.request import make_request
from app.compose.sentence import Sentence
from app.engine.client import EngineClient
from app.engine.protocol import Died, Done, Event, Failed, Finished, Ready, Sampling
from app.models.errors import Cancelled

REQUEST = {"relationship": "friend", "tone": "warm", "address": "小周"}
DRAWN = 3  # as for a person who waits for three; one that ends well is enough
SEED = 1
SECONDS = 300.0  # to open the model and write; past that nobody could work with it
_TICK = 0.2  # seconds between two looks at `cancelled`


def try_model(model: Path, sampling: Sampling, cancelled: Callable[[], bool]) -> str:
    """Open ``model`` on the CPU, which every machine has, and return the greeting it wrote.

    Raises:
        EngineError: it does not open, dies, takes too long, or writes nothing that is a greeting (``trial_failed``).
        Cancelled: ``cancelled()`` became true.
    """
    catalog = load_catalog()
    prompt = prompt_segments(make_request(catalog, REQUEST), catalog)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    client = EngineClient(model, device="cpu", on_event=events.put)
    finished: list[Finished] = []
    end = time.monotonic() + SECONDS
    client.start()
    try:
        while True:
            event = _next(events, end, cancelled)
            if isinstance(event, Ready):
                client.write(prompt, DRAWN, SEED, sampling)
            elif isinstance(event, Finished):
                finished.append(event)
            elif isinstance(event, Done):
                return _greeting(finished)
            elif isinstance(event, Failed):
                raise EngineError(event.code, event.sentence, event.detail)
            elif isinstance(event, Died):
                raise EngineError("engine_died", event.sentence, f"exit code {event.exit_code}")
    finally:
        client.close()


def _next(events: "queue.SimpleQueue[Event]", end: float, cancelled: Callable[[], bool]) -> Event:
    while time.monotonic() < end:
        if cancelled():
            raise Cancelled
        try:
            return events.get(timeout=_TICK)
        except queue.Empty:
            continue
    raise EngineError(
        "trial_failed",
        Sentence(
            f"模型建好了，但 {SECONDS:.0f} 秒都没能试写完一条祝福，没有启用它。请关掉占用内存和处理器的程序后重试。",
            f"The model was built, but {SECONDS:.0f} s were not enough to write one greeting with it, so it was not "
            "put in place. Close programs that use much memory or processor time, then try again.",
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
