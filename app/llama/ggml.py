"""ggml itself, as far as llama_cpp does not wrap it: its functions, and its backends where they are libraries apart.

A build for other people's machines (``GGML_BACKEND_DL``) holds one library for each generation of processors and none
of them inside; ggml asks each how well it suits the processor that is there, and keeps the best.
"""

import ctypes
import functools
import os
from typing import Any

from llama_cpp import _ctypes_extensions, _ggml, llama_cpp


def ggml_function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of ggml that llama_cpp does not wrap.

    Where symbols are looked up in what a library depends on, libllama's handle finds the very ggml it uses: the package
    carries each library under several names, and opening another of them would be another ggml. Windows does not look
    there, and keeps one library a name.
    """
    places = (
        lambda: llama_cpp._lib,
        lambda: _ggml.libggml,
        lambda: _ctypes_extensions.load_shared_library("ggml-base", _ggml.libggml_base_path),
    )
    for place in places:
        try:
            return ctypes.CFUNCTYPE(result, *arguments)((name, place()))
        except AttributeError:
            continue
    raise AttributeError(f"ggml has no function {name}")


@functools.cache
def load_backends() -> None:
    """Load the backends that lie beside libllama, of each kind the one that suits this machine best; nothing is done
    where they were compiled in. To be called before ggml is asked for a device or given a model."""
    if ggml_function("ggml_backend_reg_count", ctypes.c_size_t)() == 0:
        load = ggml_function("ggml_backend_load_all_from_path", None, ctypes.c_char_p)
        load(os.fsencode(_ggml.libggml_base_path))
