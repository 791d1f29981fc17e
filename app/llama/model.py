"""A GGUF file opened by llama.cpp: its weights, or its vocabulary alone."""

import ctypes
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp

from app.compose.prompt import Segment
from app.llama.ggml import load_backends
from app.llama.log import fresh_log

_LONGEST_NAME = 256  # bytes
_LONGEST_PIECE = 512  # bytes


class LlamaError(Exception):
    """llama.cpp does not do what it was asked; the text is what it said."""


class Model:
    """One file.

    Args:
        path: verified by the caller.
        vocabulary_only: no weight is read; what needs them must not be asked for.
        devices: handles of the GPUs to run it on, none of them for the CPU; None leaves the choice to llama.cpp.
        layers: how many go to those GPUs, the output counted as one; None for all.
        read_in: read the weights into memory of the process instead of mapping the file; None leaves it to llama.cpp.
        progress: told the fraction loaded, 0 to 1; returning False gives up.

    Raises:
        LlamaError: llama.cpp does not open it, or ``progress`` gave up.
    """

    pointer: Any = None  # llama.cpp's, None after close()

    def __init__(
        self,
        path: Path,
        *,
        vocabulary_only: bool = False,
        devices: Sequence[int] | None = None,
        layers: int | None = None,
        read_in: bool | None = None,
        progress: Callable[[float], bool] | None = None,
    ) -> None:
        self.log = fresh_log()
        load_backends()
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = vocabulary_only
        if devices is not None:
            # A list of exactly these, ended by NULL: an empty one keeps every GPU out of it.
            self._devices = (ctypes.c_void_p * (len(devices) + 1))(*devices, None)
            params.devices = ctypes.cast(self._devices, ctypes.c_void_p)
            params.n_gpu_layers = 0 if not devices else -1 if layers is None else layers
        if read_in is not None:
            params.load_mode = llama_cpp.LLAMA_LOAD_MODE_NONE if read_in else llama_cpp.LLAMA_LOAD_MODE_MMAP
        if progress is not None:
            # ctypes keeps no reference to a callback it hands to C.
            self._progress = llama_cpp.llama_progress_callback(lambda fraction, _: progress(fraction))
            params.progress_callback = self._progress
        self.pointer = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
        if self.pointer is None:
            raise LlamaError(str(self.log))
        self._vocabulary = llama_cpp.llama_model_get_vocab(self.pointer)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self._vocabulary)

    def close(self) -> None:
        """Free it. Harmless when done twice."""
        if self.pointer is not None:
            llama_cpp.llama_model_free(self.pointer)
        self.pointer = None

    @property
    def name(self) -> str:
        """What the file calls itself, "" when it does not say."""
        buffer = ctypes.create_string_buffer(_LONGEST_NAME)
        found = llama_cpp.llama_model_meta_val_str(self.pointer, b"general.name", buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if found >= 0 else ""

    @property
    def parameters(self) -> int:
        """How many weights it has."""
        return int(llama_cpp.llama_model_n_params(self.pointer))

    @property
    def layers(self) -> int:
        """How many blocks it has, the output not counted."""
        return int(llama_cpp.llama_model_n_layer(self.pointer))

    @property
    def trained_context(self) -> int:
        """The tokens of the longest text it was trained on."""
        return int(llama_cpp.llama_model_n_ctx_train(self.pointer))

    @property
    def end_of_sequence(self) -> int:
        """The token that ends a text, -1 where there is none."""
        return int(llama_cpp.llama_vocab_eos(self._vocabulary))

    @property
    def beginning_of_sequence(self) -> int:
        """The token that begins a text, -1 where there is none."""
        return int(llama_cpp.llama_vocab_bos(self._vocabulary))

    @property
    def adds_bos(self) -> bool:
        """Whether every prompt begins with that token."""
        return bool(llama_cpp.llama_vocab_get_add_bos(self._vocabulary))

    def token_text(self, token: int) -> str:
        """How a token is written in a template, control tokens by their names; "" for -1."""
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; control tokens are recognized in it only where ``special``.

        Raises:
            UnicodeEncodeError: the text is not valid Unicode.
            LlamaError: llama.cpp does not cut it.
        """
        encoded = text.encode("utf-8")
        # No token is shorter than a byte.
        found = (llama_cpp.llama_token * (len(encoded) + 8))()
        count = llama_cpp.llama_tokenize(self._vocabulary, encoded, len(encoded), found, len(found), False, special)
        if count < 0:
            raise LlamaError(f"llama_tokenize returned {count} for {len(encoded)} bytes")
        return list(found[:count])

    def tokenize_prompt(self, segments: Iterable[Segment]) -> list[int]:
        """The ids of a prompt: the BOS token where the vocabulary adds one, then each segment on its own. Only segments
        marked special may become control tokens.

        Raises:
            UnicodeEncodeError, LlamaError: as :meth:`tokenize`.
        """
        tokens = [self.beginning_of_sequence] if self.adds_bos else []
        for text, special in segments:
            tokens += self.tokenize(text, special=special)
        return tokens

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes a token stands for; of a control token its name where ``special``, else none."""
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
        count = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, len(buffer), 0, special)
        return buffer.raw[: max(0, count)]

    def ends_or_controls(self, token: int) -> bool:
        """Whether a token ends a text or is any other control token."""
        return bool(
            llama_cpp.llama_vocab_is_eog(self._vocabulary, token)
            or llama_cpp.llama_vocab_is_control(self._vocabulary, token)
        )
