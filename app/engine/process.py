"""``python -m app --engine-child``: the child process that owns llama.cpp and speaks :mod:`app.engine.protocol`.

Two threads. The reader takes lines from standard input, answers what needs no model (a bad line, a job cancelled while
it waits) and stops the job that is running; the main thread opens the model and decodes. When standard input closes the
program that started this is gone or has finished, and the process ends at once, whatever it is doing.

Nothing a person typed is ever written to standard error.
"""

import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from app.compose.sentence import Sentence
from app.engine import errors, protocol
from app.engine.protocol import Cancel, Done, Event, Failed, Load, Loading, Ready, Write
from app.engine.refusals import unfit, unfit_load
from app.models.errors import ModelError

if TYPE_CHECKING:
    from app.engine.batch import Batch
    from app.engine.thread_trial import ThreadTrial

# Read by native code when it is loaded or fails.
SETTINGS = {
    # A native abort must not start a debugger, which hangs with the pipes open.
    "GGML_NO_BACKTRACE": "1",
    # Threads meet some six hundred times a token. One of GNU libgomp that waits for the others spins for some tens of
    # microseconds and then sleeps: asleep at once, it takes twice as long for a token on an idle machine; spinning for
    # good, up to twice as long with another program busy on one of two cores.
    "GOMP_SPINCOUNT": "10000",
    # ggml's tiled multiplication pads to 16 rows. Eight candidates are decoded a quarter faster without it, on top of
    # the repacked weights that it does not serve.
    "GGML_CPU_TILED_MM": "0",
    # numpy multiplies no matrices here; its threads would only be there.
    "OPENBLAS_NUM_THREADS": "1",
}
_LAST_WORDS_SECONDS = 0.5  # after standard input closed; then the process ends in the middle of whatever it does
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9  # linux/prctl.h; signal(7)


class Wire:
    """Sends events, one whole line at a time, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, event: Event) -> None:
        """Write one event. Ends the process when nobody is left to read it."""
        line = memoryview(protocol.encode(event))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os._exit(0)


class Engine:
    """The jobs, the model, and who may touch which: everything shared by the two threads is behind ``_changed``."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._changed = threading.Condition()
        self._commands: deque[Load | Write] = deque()
        self._running: set[int] = set()
        self._closing = False
        self._batch: Batch | None = None
        self._trial: ThreadTrial | None = None  # while no job has been asked for yet
        self._refusal: Failed | None = None  # why there is no model, once opening it failed
        self.ended = threading.Event()

    # The reader's side.

    def take_line(self, line: bytes) -> None:
        """Act on one line of input, or say why not."""
        try:
            command = protocol.decode(line)
        except protocol.ProtocolError as error:
            self._wire.send(_not_understood(_job_of(line), str(error)))
            return
        if isinstance(command, Cancel):
            self._cancel(command.job)
        elif isinstance(command, Load | Write):
            self._queue(command)
        else:
            self._wire.send(_not_understood(None, f"{type(command).__name__} is not a command"))

    def close(self) -> None:
        """Stop everything; :meth:`run` returns soon after."""
        with self._changed:
            self._closing = True
            if self._batch is not None:
                self._batch.close()
            self._changed.notify()

    def _queue(self, command: Load | Write) -> None:
        with self._changed:
            if isinstance(command, Write):
                waiting = {one.job for one in self._commands if isinstance(one, Write)}
                if command.job in self._running or command.job in waiting:
                    self._wire.send(_not_understood(command.job, "a job of this number is not finished yet"))
                    return
                if self._trial is not None:
                    self._trial.give_up()
            self._commands.append(command)
            self._changed.notify()

    def _cancel(self, job: int) -> None:
        with self._changed:
            for command in self._commands:
                if isinstance(command, Write) and command.job == job:
                    self._commands.remove(command)
                    self._wire.send(Done(job, 0.0, None, True))
                    return
            if job in self._running and self._batch is not None:
                self._batch.cancel(job)
        # Any other job has ended already: its Done and this command have crossed.

    # The main thread's side.

    def run(self) -> None:
        """Carry out commands and write what they ask for until :meth:`close`."""
        while self._wait():
            if self._trial is not None:
                self._try_threads(self._trial)
            elif (command := self._next()) is None:
                self._step()
            elif isinstance(command, Load):
                self._load(command)
            else:
                self._begin(command)

    def _wait(self) -> bool:
        """Sleep until there is something to do. False when that is to end."""
        with self._changed:
            while not (self._commands or self._running or self._closing or self._trial):
                self._changed.wait()
            return not self._closing

    def _next(self) -> Load | Write | None:
        with self._changed:
            if not self._commands:
                return None
            command = self._commands.popleft()
            if isinstance(command, Write):
                self._running.add(command.job)
            return command

    def _end(self, event: Done | Failed) -> None:
        """Answer a job for the last time."""
        self._wire.send(event)
        with self._changed:
            self._running.discard(event.job)

    def _load(self, load: Load) -> None:
        if self._batch is not None:
            self._wire.send(_not_understood(None, "a model is open already"))
            return
        began = time.monotonic()
        try:
            unfit_load(load)
            # llama.cpp must find the descriptors arranged, and the reader must not wait for its import.
            from app.engine.batch import Batch
            from app.engine.opening import Opening
            from app.engine.thread_trial import needed_trial

            opening = Opening(
                load, lambda fraction, device: self._wire.send(Loading(fraction, device)), lambda: self._closing
            )
            runtime, device, reason = opening.run()
        except errors.OpeningStopped:
            return
        except Exception as error:
            self._refusal = _failed(None, error)
            self._wire.send(self._refusal)
            return
        with self._changed:
            self._batch = Batch(runtime)
            self._refusal = None
            # A person who has asked for something already waits for it, and not for this.
            self._trial = None if self._commands else needed_trial(load, runtime)
        self._wire.send(
            Ready(
                device=device,
                reason=reason,
                model=runtime.name or Path(load.path).stem,
                parameters=runtime.parameters,
                layers_on_gpu=runtime.layers_on_gpu,
                threads=runtime.threads,
                context=runtime.context,
                seconds=time.monotonic() - began,
                found=opening.found(),
            )
        )

    def _try_threads(self, trial: "ThreadTrial") -> None:
        """Measure once more how fast it is with how many threads; at the end, use what was found."""
        if not trial.over:
            try:
                trial.step()
            except Exception as error:
                # A job that runs into the same is answered with it.
                print(f"threads were not measured: {error!r}", file=sys.stderr)
                trial.give_up()
            return
        with self._changed:
            self._trial = None
        trial.end()

    def _begin(self, job: Write) -> None:
        try:
            batch = self._opened()
            unfit(job)
            batch.begin(job)
        except Exception as error:
            self._end(_failed(job.job, error))

    def _step(self) -> None:
        batch = self._opened()
        events = batch.step()
        while True:
            try:
                event = next(events, None)  # this is where it decodes
            except Exception as error:
                for job in batch.drop_all():
                    self._end(_failed(job, error))
                return
            if event is None:
                return
            if isinstance(event, Done):
                self._end(event)
            else:
                self._wire.send(event)

    def _opened(self) -> "Batch":
        if self._batch is not None:
            return self._batch
        if self._refusal is not None:
            raise errors.EngineError(self._refusal.code, self._refusal.sentence, self._refusal.detail)
        raise errors.bad_request("还没有打开模型，写不了。", "No model is open yet.")


def _failed(job: int | None, error: Exception) -> Failed:
    """What an exception means to the person who asked."""
    if isinstance(error, MemoryError):
        error = errors.out_of_memory("MemoryError in Python")
    elif isinstance(error, OSError) and job is None:
        error = errors.model_unsupported(f"{type(error).__name__}: {error}")
    elif not isinstance(error, ModelError | errors.EngineError):
        error = errors.internal("".join(traceback.format_exception(error)))
    return Failed(job, error.code, error.sentence, error.detail)


def _not_understood(job: int | None, why: str) -> Failed:
    sentence = Sentence(
        "写作引擎收到一条读不懂的指令，没有照办；其余的照常进行。",
        "The engine was sent a command it does not understand and did nothing about it; everything else goes on.",
    )
    return Failed(job, "bad_request", sentence, why)


def _job_of(line: bytes) -> int | None:
    """The job a line that is not understood was about, so that somebody waiting for it is answered."""
    try:
        raw = json.loads(line[: protocol.LONGEST_LINE])
    except (ValueError, RecursionError):
        return None
    job = raw.get("job") if isinstance(raw, dict) else None
    return job if type(job) is int else None


def _read_lines(descriptor: int, take_line: Callable[[bytes], None]) -> None:
    """Hand on every line until the end of input. Of a line too long, its beginning is handed on, to be refused."""
    pending = b""
    skipping = False
    while chunk := os.read(descriptor, 1 << 16):
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            if skipping:
                skipping = False
            elif line.strip():
                take_line(line)
        if len(pending) > protocol.LONGEST_LINE:
            if not skipping:
                take_line(pending)
            skipping, pending = True, b""


def _die_with_parent() -> None:
    """On Linux, end even if the parent is killed while every thread here is stuck in native code."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def main() -> NoReturn:
    """Serve until standard input closes."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(1, os.O_BINARY)
    # What native code prints goes to descriptor 1: that is standard error from here on, and events have their own.
    wire = Wire(os.dup(1))
    os.dup2(2, 1)
    faulthandler.enable(file=2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the program that started this to answer
    _die_with_parent()
    engine = Engine(wire)

    def read() -> None:
        try:
            _read_lines(0, engine.take_line)
        except Exception as error:
            # Deaf, it would never end: better dead, and started anew. The message could hold what a person typed.
            print(f"the reader failed: {type(error).__name__}", file=sys.stderr)
            traceback.print_tb(error.__traceback__)
            os._exit(1)
        engine.close()
        engine.ended.wait(_LAST_WORDS_SECONDS)
        os._exit(0)

    threading.Thread(target=read, name="reader", daemon=True).start()
    engine.run()
    engine.ended.set()
    os._exit(0)


if __name__ == "__main__":
    main()
