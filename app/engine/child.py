"""One engine process and the threads that keep its pipes moving. Knows nothing of what the lines mean."""

import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from app import program

COMMAND = program.command(program.ENGINE)

_CHATTER = 16_384  # bytes of standard error kept
_ENDING_SECONDS = 2.0  # a process that has closed its output but lives on is killed after this
_DRAINING_SECONDS = 0.5  # a dead process's output may be held open by a debugger; wait for the rest no longer


class ChildProcess:
    """A running engine process.

    Args:
        on_line: given each line of standard output, from a thread of this object.
        on_exit: given the exit code, once, after the last line; negative is the signal that ended it, as in subprocess.
        environment: variables it has besides this process's.

    Raises:
        OSError: it could not be started.
        RuntimeError: this process can have no more threads; what was started is ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        on_line: Callable[["ChildProcess", bytes], None],
        on_exit: Callable[["ChildProcess", int], None],
        environment: Mapping[str, str],
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=program.ROOT,
            env={**os.environ, "PYTHONUTF8": "1", **environment},
            bufsize=0,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self.pid = self._process.pid
        self._on_line = on_line
        self._on_exit = on_exit
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._chatter: deque[bytes] = deque()
        self._chatter_size = 0
        try:
            self._reader = self._thread(self._read)
            self._listener = self._thread(self._listen)
            self._thread(self._write)
            self._thread(self._wait)
        except RuntimeError:
            self._process.kill()
            self._process.wait()
            raise

    def send(self, line: bytes) -> None:
        """Have a line written to standard input; returns at once."""
        self._outgoing.put(line)

    def end_input(self) -> None:
        """Have standard input closed once everything sent is written; an engine process ends then."""
        self._outgoing.put(None)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def chatter(self) -> str:
        """The last of what it wrote to standard error."""
        return b"".join(list(self._chatter)).decode("utf-8", "replace")

    def _thread(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"engine {self.pid} {target.__name__}", daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        assert self._process.stdout is not None
        pending: list[bytes] = []
        with self._process.stdout as stdout:
            while chunk := stdout.read(1 << 16):
                *lines, rest = chunk.split(b"\n")
                for line in lines:
                    self._on_line(self, b"".join([*pending, line]))
                    pending = []
                if rest:
                    pending.append(rest)
        if not self.wait(_ENDING_SECONDS):
            self.kill()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            while chunk := stderr.read(4096):
                self._chatter.append(chunk)
                self._chatter_size += len(chunk)
                while self._chatter_size > _CHATTER:
                    self._chatter_size -= len(self._chatter.popleft())

    def _write(self) -> None:
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            while (line := self._outgoing.get()) is not None:
                rest = memoryview(line)
                try:
                    while rest:
                        rest = rest[stdin.write(rest) :]
                except OSError:
                    return  # it is gone; its exit is reported by the thread that waits for it

    def _wait(self) -> None:
        code = self._process.wait()
        for thread in (self._reader, self._listener):
            thread.join(_DRAINING_SECONDS)
        self._outgoing.put(None)
        self._on_exit(self, code)
