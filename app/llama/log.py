"""What llama.cpp says: kept for the error that may follow, and off the terminal.

Its log cuts long values in the middle of characters, which the binding's own printer stumbles over.
"""

import functools
from collections import deque

from llama_cpp import llama_cpp

_LINES = 40
_TROUBLE = (3, 4)  # enum ggml_log_level of ggml.h: warnings and errors


class LlamaLog:
    """The last warnings and errors; ``str()`` of it is their text."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=_LINES)
        # ctypes keeps no reference to a callback it hands to C.
        self._receiver = llama_cpp.llama_log_callback(self._keep)

    def listen(self) -> None:
        """Hear llama.cpp from now on, whoever did before, with nothing kept of what it said."""
        self.lines.clear()
        llama_cpp.llama_log_set(self._receiver, None)

    def _keep(self, level: int, text: bytes, _: object) -> None:
        if level in _TROUBLE:
            self.lines.append(text.decode("utf-8", "replace"))

    def __str__(self) -> str:
        return "".join(self.lines).strip()


@functools.cache
def _only_log() -> LlamaLog:
    """llama.cpp writes to its log even while a model is freed, so it is never given up."""
    return LlamaLog()


def fresh_log() -> LlamaLog:
    """The one log of this process, emptied: what it holds from now on is about what comes next."""
    log = _only_log()
    log.listen()
    return log
