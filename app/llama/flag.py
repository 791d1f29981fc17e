"""A flag that llama.cpp looks at without entering Python.

It asks after every operation, some nine hundred times a token, whether to give up. A Python function would be called
each time, and would wait for the interpreter when another thread has it.
"""

import ctypes
import sys
from typing import Any

from llama_cpp import llama_cpp


class Flag:
    """Down at first. Any thread may raise or lower it.

    ``look`` is a ``ggml_abort_callback`` (ggml.h) that says whether it is up, and ``data`` its argument. Both must live
    as long as native code holds them.
    """

    def __init__(self) -> None:
        # The C library's strlen is a function that is there already and does it: 0, false, for the empty text of a flag
        # that is down, and 1 for one that is up.
        self._text = ctypes.create_string_buffer(2)
        library: Any = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        self.look = ctypes.cast(library.strlen, llama_cpp.ggml_abort_callback)
        self.data = ctypes.cast(self._text, ctypes.c_void_p)

    def raise_(self) -> None:
        """Have whatever is being computed given up."""
        self._text[0] = b"\1"

    def lower(self) -> None:
        """Let it go on."""
        self._text[0] = b"\0"

    def __bool__(self) -> bool:
        return self._text[0] != b"\0"
